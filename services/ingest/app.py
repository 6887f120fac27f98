"""The ingest service over HTTP: what was loaded, and what was not understood."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy import Engine, text

from services import __version__
from services.core.domain.errors import InvalidParameterError
from services.core.runtime.web import JsonAnswer, Service, create_service
from services.core.store.engine import make_engine
from services.core.store.migrate import schema_status
from services.ingest.runs import issues_of, recent_runs
from services.ingest.settings import IngestSettings

LIMIT = 200

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
    )
    service.include_router(routes)
    return service


def _engine(request: Request) -> Engine:
    engine: Engine = request.app.state.engine
    return engine


def _number(request: Request, name: str, default: int, most: int) -> int:
    value = request.query_params.get(name)
    if value is None:
        return default
    if not (value.isascii() and value.isdigit() and len(value) < 20 and int(value) <= most):
        raise InvalidParameterError(
            f"`{name}` cannot be “{value[:60]}”: expected a whole number up to {most}.", parameter=name
        )
    return int(value)


def _text_parameter(name: str, description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": description, "schema": {"type": "string"}}


def _number_parameter(name: str, description: str, most: int) -> dict[str, Any]:
    schema = {"type": "integer", "minimum": 0, "maximum": most}
    return {"name": name, "in": "query", "description": description, "schema": schema}


@routes.get(
    "/runs",
    operation_id="list_runs",
    summary="List the latest runs",
    openapi_extra={"parameters": [_number_parameter("limit", "Runs to list.", LIMIT)]},
)
def list_runs(request: Request) -> Response:
    """Newest first, each with what it did."""
    return JsonAnswer({"data": recent_runs(_engine(request), _number(request, "limit", 20, LIMIT))})


@routes.get(
    "/issues",
    operation_id="list_issues",
    summary="List what was not understood",
    openapi_extra={
        "parameters": [
            _text_parameter("run", "Only of this run."),
            _text_parameter("code", "Only with this code."),
            _number_parameter("after", "Go on after the issue with this number.", 2**62),
            _number_parameter("limit", "Issues to list.", LIMIT),
        ]
    },
)
def list_issues(request: Request) -> Response:
    """In the order in which they were found; go on with `after` = the last `id`."""
    found = issues_of(
        _engine(request),
        run=request.query_params.get("run"),
        code=request.query_params.get("code"),
        after=_number(request, "after", 0, 2**62),
        limit=_number(request, "limit", 100, LIMIT),
    )
    return JsonAnswer({"data": found})
