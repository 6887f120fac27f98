"""The ingest service over HTTP: what was loaded, and what was not understood."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from fastapi import APIRouter, Request, Response
from sqlalchemy import Engine, text

from services import __version__
from services.core.query.filters import CODE_PATTERN
from services.core.runtime.parameters import Parameters, described, described_number, matching, whole_number
from services.core.runtime.web import JsonAnswer, Service, create_service
from services.core.store.engine import make_engine
from services.core.store.migrate import schema_status
from services.ingest.runs import issues_of, recent_runs
from services.ingest.settings import IngestSettings

LIMIT = 200
_CODE = {"type": "string", "pattern": f"^{CODE_PATTERN}$"}
MAX_ID = 2**63 - 1

routes = APIRouter(prefix="/v1/ingest", tags=["ingest"])


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
    service.include_router(routes)
    return service


def _asked(request: Request) -> Parameters:
    return request.query_params.multi_items()


def _engine(request: Request) -> Engine:
    engine: Engine = request.app.state.engine
    return engine


@routes.get(
    "/runs",
    operation_id="list_runs",
    summary="List the latest runs",
    openapi_extra={"parameters": [described_number("limit", "Runs to list.", least=1, most=LIMIT, otherwise=20)]},
)
def list_runs(request: Request) -> Response:
    """Newest first, each with what it did."""
    return JsonAnswer(
        {
            "data": recent_runs(
                _engine(request), whole_number(_asked(request), "limit", least=1, most=LIMIT, otherwise=20)
            )
        }
    )


@routes.get(
    "/issues",
    operation_id="list_issues",
    summary="List what was not understood",
    openapi_extra={
        "parameters": [
            described("run", "Only of this run.", _CODE),
            described("code", "Only with this code.", _CODE),
            described_number("after", "Number of the last one you have.", least=0, most=MAX_ID, otherwise=0),
            described_number("limit", "Issues to list.", least=1, most=LIMIT, otherwise=100),
        ]
    },
)
def list_issues(request: Request) -> Response:
    """In the order in which they were found; go on with `after` = the last `id`."""
    asked = _asked(request)
    found = issues_of(
        _engine(request),
        run=matching(asked, "run", CODE_PATTERN, "the id of a run, as /v1/ingest/runs has it"),
        code=matching(asked, "code", CODE_PATTERN, "the code of an issue"),
        after=whole_number(asked, "after", least=0, most=MAX_ID, otherwise=0),
        limit=whole_number(asked, "limit", least=1, most=LIMIT, otherwise=100),
    )
    return JsonAnswer({"data": found})
