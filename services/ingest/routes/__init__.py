"""What the ingest service answers: a module a noun, each with its `routes`."""

from services.ingest.routes import documents, issues, quarantine, runs, sources

ROUTERS = (runs.routes, sources.routes, issues.routes, quarantine.routes, documents.routes)
