"""What the ingest service answers: a module a noun, each with its `routes`."""

from services.ingest.routes import documents, issues, quarantine, runs

ROUTERS = (runs.routes, issues.routes, quarantine.routes, documents.routes)
