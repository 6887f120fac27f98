"""The search service: full-text and faceted queries."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from urllib.parse import urlsplit

from sqlalchemy import text

from services import __version__
from services.core.pages.rendering import Pages
from services.core.runtime.web import Service, create_service
from services.core.store.migrate import schema_status
from services.search.dependencies import Desk, following, open_desk
from services.search.documented import examples
from services.search.metrics import IndexMetrics
from services.search.pages.search_page import HOME, search_page_routes
from services.search.routes import facets, search, similar, suggest
from services.search.routes.exports import export_routes
from services.search.settings import SearchSettings
from services.search.suggestions import Suggestions

DESCRIPTION = """\
Full-text search over recommendations, statements, hearings and documents of the Universal Periodic Review.

Documents that are read as text are found by their paragraphs.

Totals and facet counts are exact. A facet's counts ignore its own filter, so that the other values stay choosable.
"""


def create_app(settings: SearchSettings, database_url: str) -> Service:
    """The app on one database, following its changes if the settings say so."""

    @contextmanager
    def lifespan(app: Service) -> Iterator[None]:
        with ExitStack() as stack:
            desk = stack.enter_context(open_desk(settings, database_url))
            app.state.desk = desk
            app.state.suggestions = stack.enter_context(closing(Suggestions(desk.store, desk.engine)))
            app.metrics_registry.register(IndexMetrics(desk))
            app.watch_database(desk.store)
            if settings.search_follow:
                stack.enter_context(following(desk, database_url))
            yield

    def readiness() -> Mapping[str, str | None]:
        desk: Desk = service.state.desk
        with desk.store.connect() as connection:
            connection.execute(text("SELECT 1"))
            status = schema_status(connection)
        health = desk.engine.health()
        return {
            "database": None if status.up_to_date else f"the schema is at {status.current}, not {status.needed}",
            "index": None if health.ok else health.detail,
        }

    service = create_service(
        name="search",
        version=__version__,
        settings=settings,
        readiness=readiness,
        lifespan=lifespan,
        description=DESCRIPTION,
        tags={
            "search": "Words and filters over all records that have a text.",
            "exports": "What is found as files: CSV, NDJSON, workbooks.",
            "facets": "What records can be counted by.",
            "suggest": "What to search for, as it is typed.",
            "similar": "Recommendations like one.",
        },
    )
    for noun in (search, facets, suggest, similar):
        service.include_router(noun.router)
    service.include_router(export_routes())
    pages = Pages(
        "services.search.pages",
        public_url=settings.search_public_url,
        home=HOME,
        origins=[settings.public_url],
        shared={
            "search_home": f"{urlsplit(settings.search_public_url).path.rstrip('/')}{HOME}",
            "docs_address": "/docs",
            "api_home": settings.public_url.rstrip("/"),
        },
    )
    service.state.pages = pages
    service.state.fault_page = pages.fault
    service.include_router(pages.routes())
    service.include_router(search_page_routes())
    service.examples = examples()
    return service
