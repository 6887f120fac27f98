"""The ingest service over HTTP: what was loaded, and what was not understood."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy import text

from services import __version__
from services.core.runtime.web import Service, create_service
from services.core.store.engine import make_engine
from services.core.store.migrate import schema_status
from services.ingest.metrics import IngestMetrics
from services.ingest.routes import ROUTERS, documents, runs
from services.ingest.routes import sources as source_routes
from services.ingest.scheduler import scheduled
from services.ingest.settings import IngestSettings
from services.ingest.sources import Source, known_sources


def create_app(settings: IngestSettings, database_url: str, sources: Mapping[str, Source] | None = None) -> Service:
    """The app on one database. `sources`: other ones than those that there are.

    Raises `SettingsError` for a source of a setting that is not there.
    """
    known = known_sources(settings.source_sites) if sources is None else sources

    @contextmanager
    def lifespan(app: Service) -> Iterator[None]:
        engine = make_engine(database_url, pool_size=settings.database_pool_size, name="upr-ingest")
        app.state.engine = engine
        app.metrics_registry.register(IngestMetrics(engine))
        app.watch_database(engine)
        try:
            yield
        finally:
            engine.dispose()

    def readiness() -> Mapping[str, str | None]:
        with service.state.engine.connect() as connection:
            connection.execute(text("SELECT 1"))
            status = schema_status(connection)
        return {"database": None if status.up_to_date else f"the schema is at {status.current}, not {status.needed}"}

    service = create_service(
        name="ingest",
        version=__version__,
        settings=settings,
        readiness=readiness,
        lifespan=lifespan,
        description="Sources of documents, runs of these sources, and the issues they met.",
        tags={"ingest": "Where documents come from, what was loaded, and what was not understood."},
        conditional=False,
    )
    service.streamed_bodies["POST", documents.PATH] = settings.upload_most_bytes
    service.state.sources = known
    service.state.scheduled = frozenset(scheduled(settings.ingest_schedule, known))
    for noun in (documents, runs, source_routes):
        service.examples.update(noun.EXAMPLES)
    for routes in ROUTERS:
        service.include_router(routes)
    return service
