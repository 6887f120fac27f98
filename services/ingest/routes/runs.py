"""Runs: what was loaded, and what became of it."""

import datetime
from typing import Annotated, Any, Literal, get_args

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import Field

from services.core.domain.errors import (
    ForbiddenError,
    InvalidCursorError,
    InvalidParameterError,
    NotFoundError,
    UnauthorizedError,
    UprError,
)
from services.core.query.filters import CODE_PATTERN
from services.core.runtime.keys import BEARER, Key, Scope, key_with
from services.core.runtime.parameters import choice, described, described_number, matching, single, whole_number
from services.core.runtime.problem_examples import Responses, problems
from services.core.runtime.web import JsonAnswer
from services.core.schemas.models import Public
from services.ingest.pipeline import records
from services.ingest.pipeline.records import NotHeldError
from services.ingest.routes.requests import CURSOR_PARAMETER, LIMIT, asked, engine_of, next_address
from services.ingest.run_lists import find_run
from services.ingest.run_lists import list_runs as page_of_runs

PATH = "/v1/ingest/runs"
_ID = "run_[0-9a-f]{16}"
_STARTED = "2026-11-22T10:00:00Z"

routes = APIRouter(prefix="/v1/ingest", tags=["ingest"])

RunStatus = Literal[
    "running", "finished", "held", "failed", "tried", "discarded", "superseded", "interrupted"
]  # as `records.Status` has them, which a test sees to
RunId = Annotated[str, Path(pattern=f"^{_ID}$", description="Id of a run.", examples=["run_5f3c1d0e8b9a4c7d"])]
Operator = Annotated[Key, Depends(key_with(Scope.INGEST_WRITE))]


class RunOptions(Public):
    """What a run of a source was asked to do."""

    since: datetime.date | None = Field(default=None, description="Only what is newer.")
    limit: int | None = Field(default=None, description="At most so many files.")
    dry_run: bool = Field(default=False, description="Nothing was to be stored.")


class RunReason(Public):
    """Why a run was held, or has failed."""

    code: str = Field(examples=["records_gone"])
    detail: str = Field(examples=["500 of 1,000 records would be gone (50.0%; at most 2.0% may be)"])


class Run(Public):
    """One loading of files, or one run of a source."""

    id: str = Field(pattern=f"^{_ID}$")
    source: str = Field(description="The source, or the name that the loading was given.", examples=["un_documents"])
    status: RunStatus = Field(
        description="`held`: it waits for a person to release or discard it; `superseded`: a newer one has finished "
        "meanwhile; `interrupted`: it was stopped, and not gone on with; `tried`: a dry run."
    )
    stage: Literal["finding", "fetching", "reading", "comparing", "loading"] | None = Field(
        description="How far a run of a source is, or came; null for other loading."
    )
    options: RunOptions
    started_at: datetime.datetime
    finished_at: datetime.datetime | None
    released_at: datetime.datetime | None = Field(description="When a person released it, if it was held.")
    reasons: list[RunReason]
    counts: dict[str, Any] = Field(
        description="What it did: files `found`, `fetched`, `unchanged`, `missing`, `refused`, `parsed`, `unreadable`, "
        "`gone`; parts of the source `not_searched`; "
        "records `inserted`, `updated`, `deleted`; `changes` and `issues` by kind; `bytes`, `seconds`; and "
        "what was `checked`."
    )


class Page(Public):
    """Where the list goes on."""

    next: str | None = Field(description="Address of the next page; null on the last one.")


class Runs(Public):
    """Runs, newest first."""

    data: list[Run]
    page: Page


_RUN: dict[str, Any] = {
    "id": "run_5f3c1d0e8b9a4c7d",
    "source": "un_documents",
    "status": "held",
    "stage": "comparing",
    "options": {"since": None, "limit": None, "dry_run": False},
    "started_at": _STARTED,
    "finished_at": "2026-11-22T10:40:12Z",
    "released_at": None,
    "reasons": [{"code": "records_gone", "detail": "500 of 1,000 records would be gone (50.0%; at most 2.0% may be)"}],
    "counts": {
        "files": 1210,
        "found": 1210,
        "fetched": 12,
        "unchanged": 1198,
        "missing": 0,
        "refused": 0,
        "parsed": 12,
        "unreadable": 0,
        "loaded": 0,
        "not_searched": 0,
        "failed": 0,
        "gone": 0,
        "inserted": 0,
        "updated": 0,
        "deleted": 0,
        "changes": {},
        "issues": {},
        "bytes": 4_301_882,
        "seconds": 2412.3,
    },
}
_RELEASED = {**_RUN, "status": "running", "stage": "loading", "finished_at": None, "released_at": _STARTED}
EXAMPLES: dict[str, Any] = {
    "list_runs": {"summary": "A run that is held", "value": {"data": [_RUN], "page": {"next": None}}},
    "get_run": {"summary": "A run that is held", "value": _RUN},
    "release_run": {"summary": "The run, which is loaded now", "value": _RELEASED},
    "discard_run": {"summary": "The run, discarded", "value": {**_RUN, "status": "discarded"}},
}
_UNKNOWN = NotFoundError("There is no run run_5f3c1d0e8b9a4c7d.")


def _with_key(*errors: UprError) -> Responses:
    return problems(
        UnauthorizedError("This needs an API key: send the header `Authorization: Bearer upr_…`."),
        ForbiddenError("The API key does not have the scope ingest:write.", scope="ingest:write"),
        _UNKNOWN,
        NotHeldError("The run run_5f3c1d0e8b9a4c7d is not held: it is finished."),
        *errors,
    )


@routes.get(
    "/runs",
    operation_id="list_runs",
    summary="List runs",
    responses={
        200: {"model": Runs},
        **problems(
            InvalidParameterError(
                "`status` cannot be “done”: expected one of running, finished, …", parameter="status"
            ),
            InvalidCursorError("The cursor is not one that this list gave out.", parameter="cursor"),
        ),
    },
    openapi_extra={
        "parameters": [
            described("source", "Only of this source.", {"type": "string", "pattern": f"^{CODE_PATTERN}$"}),
            described("status", "Only in this status.", {"type": "string", "enum": list(get_args(RunStatus))}),
            described_number("limit", "Runs a page.", least=1, most=LIMIT, otherwise=20),
            CURSOR_PARAMETER,
        ]
    },
)
def list_runs(request: Request) -> Response:
    """Newest first, each with what it did."""
    parameters = asked(request)
    page = page_of_runs(
        engine_of(request),
        source=matching(parameters, "source", CODE_PATTERN, "the name of a source"),
        status=choice(parameters, "status", get_args(RunStatus)),
        cursor=single(parameters, "cursor"),
        limit=whole_number(parameters, "limit", least=1, most=LIMIT, otherwise=20),
    )
    return JsonAnswer({"data": page.runs, "page": {"next": next_address(request, page.next_cursor)}})


@routes.get(
    "/runs/{run}",
    operation_id="get_run",
    summary="Get one run",
    responses={200: {"model": Run}, **problems(_UNKNOWN)},
)
def get_run(request: Request, run: RunId) -> Response:
    """A run under way says how far it is in `stage`; its counts are told when it ends or stops."""
    return JsonAnswer(find_run(engine_of(request), run))


@routes.post(
    "/runs/{run}/release",
    status_code=202,
    operation_id="release_run",
    summary="Release a held run",
    responses={202: {"model": Run, "description": "The run, which is loaded now."}, **_with_key()},
    dependencies=[Depends(BEARER)],
)
def release_run(request: Request, run: RunId, operator: Operator) -> Response:  # noqa: ARG001 - who may
    """What the run found is stored by the service, after a person has looked at it. Ask the run how it goes on."""
    records.release(engine_of(request), run)
    headers = {"Location": f"{PATH}/{run}"}
    return JsonAnswer(find_run(engine_of(request), run), status_code=202, headers=headers)


@routes.post(
    "/runs/{run}/discard",
    operation_id="discard_run",
    summary="Discard a held run",
    responses={200: {"model": Run}, **_with_key()},
    dependencies=[Depends(BEARER)],
)
def discard_run(request: Request, run: RunId, operator: Operator) -> Response:  # noqa: ARG001 - who may
    """What the run found is forgotten; the files stay in the archive."""
    records.discard(engine_of(request), run)
    return JsonAnswer(find_run(engine_of(request), run))
