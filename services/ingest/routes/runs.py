"""Runs: what was loaded, and what became of it."""

from fastapi import APIRouter, Request, Response

from services.core.runtime.parameters import described_number, whole_number
from services.core.runtime.web import JsonAnswer
from services.ingest.routes.requests import LIMIT, asked, engine_of
from services.ingest.runs import recent_runs

routes = APIRouter(prefix="/v1/ingest", tags=["ingest"])


@routes.get(
    "/runs",
    operation_id="list_runs",
    summary="List the latest runs",
    openapi_extra={"parameters": [described_number("limit", "Runs to list.", least=1, most=LIMIT, otherwise=20)]},
)
def list_runs(request: Request) -> Response:
    """Newest first, each with what it did."""
    limit = whole_number(asked(request), "limit", least=1, most=LIMIT, otherwise=20)
    return JsonAnswer({"data": recent_runs(engine_of(request), limit)})
