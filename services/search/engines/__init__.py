"""The engines behind the search port (ADR 0002), by the name that the setting takes.

Modules, not classes: an engine's library is loaded only when the engine is chosen.
"""

ENGINES = {
    "embedded": "services.search.engines.embedded:EmbeddedEngine",
    "meilisearch": "services.search.engines.meilisearch:MeilisearchEngine",
}
