"""The ingest service over HTTP: what was loaded, and what was not understood."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy import text

from services import __version__
from services.core.runtime.web import Service, create_service
from services.core.store.engine import make_engine
from services.core.store.migrate import schema_status
from services.ingest.routes import ROUTERS, documents
from services.ingest.settings import IngestSettings


def create_app(settings: IngestSettings, database_url: str) -> Service:
    """The app on one database."""

    @contextmanager
    def lifespan(app: Service) -> Iterator[None]:
        engine = make_engine(database_url, pool_size=settings.database_pool_size, name="upr-ingest")
        app.state.engine = engine
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
        description="Runs of the ingest service and the issues they met.",
        tags={"ingest": "What was loaded, and what was not understood."},
        conditional=False,
    )
    service.streamed_bodies["POST", documents.PATH] = settings.upload_most_bytes
    service.examples.update(documents.EXAMPLES)
    for routes in ROUTERS:
        service.include_router(routes)
    return service
