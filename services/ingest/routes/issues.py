"""Issues: what was not understood."""

from fastapi import APIRouter, Request, Response

from services.core.query.filters import CODE_PATTERN
from services.core.runtime.parameters import described, described_number, matching, whole_number
from services.core.runtime.web import JsonAnswer
from services.ingest.routes.requests import LIMIT, MAX_ID, asked, engine_of
from services.ingest.runs import issues_of

_CODE = {"type": "string", "pattern": f"^{CODE_PATTERN}$"}

routes = APIRouter(prefix="/v1/ingest", tags=["ingest"])


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
    parameters = asked(request)
    found = issues_of(
        engine_of(request),
        run=matching(parameters, "run", CODE_PATTERN, "the id of a run, as /v1/ingest/runs has it"),
        code=matching(parameters, "code", CODE_PATTERN, "the code of an issue"),
        after=whole_number(parameters, "after", least=0, most=MAX_ID, otherwise=0),
        limit=whole_number(parameters, "limit", least=1, most=LIMIT, otherwise=100),
    )
    return JsonAnswer({"data": found})
