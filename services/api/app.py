"""The API service: records as JSON, the feed of changes, webhook endpoints."""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from fastapi import Depends
from prometheus_client import Gauge
from sqlalchemy import text

from services import __version__
from services.api.dependencies import Desk, open_desk
from services.api.description import DESCRIPTION, TAGS
from services.api.documented import examples
from services.api.pages.about_page import about_pages
from services.api.pages.dossier_page import dossier_page
from services.api.pages.follow_page import follow_page
from services.api.pages.help_page import help_page
from services.api.pages.home_page import home_page
from services.api.pages.paragraph_pages import paragraph_pages
from services.api.pages.record_page import record_pages
from services.api.pages.statistics_page import statistics_page
from services.api.routes import (
    calendars,
    changes,
    deliveries,
    dossiers,
    event_types,
    files,
    keys,
    overview,
    paragraphs,
    replays,
    saved_searches,
    topics,
    webhooks,
)
from services.api.routes.citations import citation_routes
from services.api.routes.exports import export_routes
from services.api.routes.feeds import feed_routes
from services.api.routes.matrix import matrix_routes
from services.api.routes.records import detail_routes, list_routes
from services.api.routes.statistics import statistics_routes
from services.api.settings import ApiSettings
from services.core.pages.rendering import Pages
from services.core.runtime.keys import recognise_key
from services.core.runtime.problems import DATABASE_AWAY
from services.core.runtime.web import Service, create_service
from services.core.store.changes import head
from services.core.store.engine import single_queries
from services.core.store.migrate import schema_status


def create_app(settings: ApiSettings, database_url: str) -> Service:
    """The app on one database."""

    @contextmanager
    def lifespan(app: Service) -> Iterator[None]:
        with open_desk(settings, database_url) as desk:
            app.state.desk = desk
            app.state.engine = desk.engine
            app.when_stopping = desk.live.stop
            app.watch_database(desk.engine)
            newest.set_function(lambda: _newest_change(desk))
            waiting.set_function(lambda: desk.live.waiting)
            yield

    def readiness() -> Mapping[str, str | None]:
        with service.state.desk.engine.connect() as connection:
            connection.execute(text("SELECT 1"))
            status = schema_status(connection)
        fault = None if status.up_to_date else f"the schema is at {status.current}, {status.needed} is needed"
        return {"database": fault}

    service = create_service(
        name="API",
        version=__version__,
        settings=settings,
        readiness=readiness,
        lifespan=lifespan,
        description=DESCRIPTION.replace("http://127.0.0.1:8000", settings.public_url.rstrip("/")),
        tags=TAGS,
        # What nobody set is a guess; where the document was read from is none.
        server=settings.public_url if "public_url" in settings.model_fields_set else "/",
    )
    waiting = Gauge("upr_feed_waiting", "Readers that wait for changes.", registry=service.metrics_registry)
    newest = Gauge("upr_feed_newest_change", "Number of the newest change.", registry=service.metrics_registry)
    service.examples |= examples()
    # Routes are tried one after the other: first what is asked for most. `/v1/{noun}/citation` has to come before ids.
    service.include_router(list_routes(), dependencies=[Depends(recognise_key)])
    service.include_router(citation_routes(), dependencies=[Depends(recognise_key)])
    service.include_router(detail_routes(), dependencies=[Depends(recognise_key)])
    service.include_router(export_routes(), dependencies=[Depends(recognise_key)])
    service.include_router(matrix_routes(), dependencies=[Depends(recognise_key)])
    service.include_router(statistics_routes(), dependencies=[Depends(recognise_key)])
    service.include_router(overview.router, dependencies=[Depends(recognise_key)])
    service.include_router(topics.router, dependencies=[Depends(recognise_key)])
    service.include_router(paragraphs.router, dependencies=[Depends(recognise_key)])
    service.include_router(feed_routes(), dependencies=[Depends(recognise_key)])
    service.include_router(files.router, dependencies=[Depends(recognise_key)])
    service.include_router(calendars.router, dependencies=[Depends(recognise_key)])
    service.include_router(dossiers.router, dependencies=[Depends(recognise_key)])
    service.include_router(changes.router, dependencies=[Depends(recognise_key)])
    service.include_router(event_types.router, dependencies=[Depends(recognise_key)])
    service.include_router(webhooks.router)
    service.include_router(deliveries.router)
    service.include_router(replays.router)
    service.include_router(saved_searches.router)
    service.include_router(keys.router)
    search = settings.search_public_url.rstrip("/")
    service.state.pages = Pages(
        "services.api.pages",
        public_url=settings.public_url,
        home="/pages",
        origins=[settings.search_public_url],
        shared={
            "search_home": f"{search}/search",
            "docs_address": f"{settings.public_url.rstrip('/')}/docs",
            "api_home": settings.public_url.rstrip("/"),
        },
    )
    service.state.fault_page = service.state.pages.fault
    service.include_router(service.state.pages.routes())
    for made in (
        record_pages,
        paragraph_pages,
        dossier_page,
        statistics_page,
        home_page,
        help_page,
        about_pages,
        follow_page,
    ):
        service.include_router(made())
    return service


def _newest_change(desk: Desk) -> float:
    """Its number; not a number where the database does not answer."""
    try:
        with single_queries(desk.engine) as connection:
            return float(head(connection))
    except DATABASE_AWAY:
        return math.nan
