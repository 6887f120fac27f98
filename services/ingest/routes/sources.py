"""Sources: where documents and facts come from, and when they are looked at next."""

import datetime
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from pydantic import Field

from services.core.domain.errors import NotFoundError
from services.core.query.filters import CODE_PATTERN
from services.core.runtime.problem_examples import problems
from services.core.runtime.web import JsonAnswer
from services.core.schemas.models import Public
from services.ingest.routes.requests import engine_of
from services.ingest.routes.runs import EXAMPLES as OF_RUNS
from services.ingest.routes.runs import Run
from services.ingest.source_states import SourceState, states_of

routes = APIRouter(prefix="/v1/ingest", tags=["ingest"])

Name = Annotated[str, Path(pattern=f"^{CODE_PATTERN}$", description="Name of a source.", examples=["un_documents"])]


class SourceNotes(Public):
    """What the adapter rests on."""

    observed: list[str] = Field(description="Seen at the real site.")
    inferred: list[str] = Field(description="Concluded from something else.")


class SourceRate(Public):
    """How much each of the source's hosts is asked."""

    requests_per_second: float
    at_once: int


class SourceHold(Public):
    """When a run is held for a person: fewer files found, or a greater share gone or changed."""

    least_found: int
    gone: float
    changed: float


class IngestSource(Public):
    """Somebody's site, or a folder, that is searched for documents and facts."""

    name: str = Field(examples=["un_documents"])
    title: str
    sites: dict[str, str] = Field(description="Addresses that are asked, by name.")
    cadence_seconds: int = Field(description="How often a scheduled run looks at it.")
    rate: SourceRate
    hold: SourceHold
    contact: str | None
    terms: str | None
    notes: SourceNotes
    scheduled: bool = Field(description="Whether this service runs it when it is due (UPR_INGEST_SCHEDULE).")
    due: bool = Field(description="Whether it is to be run now.")
    next_due: datetime.datetime | None = Field(description="When it is to be run; null: not scheduled, or at once.")
    running: bool = Field(description="Whether it is being run, here or elsewhere.")
    files_held: int = Field(description="Files of it that are loaded, and that it still has.")
    last_run: Run | None


class IngestSources(Public):
    """All sources, by name."""

    data: list[IngestSource]


_SOURCE: dict[str, Any] = {
    "name": "un_documents",
    "title": "Documents of the reviews, from the United Nations' document server",
    "sites": {"documents": "https://docs.un.org"},
    "cadence_seconds": 86_400,
    "rate": {"requests_per_second": 1.0, "at_once": 1},
    "hold": {"least_found": 1000, "gone": 0.02, "changed": 0.1},
    "contact": None,
    "terms": "https://www.un.org/en/about-us/terms-of-use",
    "notes": {"observed": ["a missing symbol answers 200 with a web page"], "inferred": []},
    "scheduled": True,
    "due": False,
    "next_due": "2026-11-23T10:12:45Z",
    "running": False,
    "files_held": 1198,
    "last_run": OF_RUNS["get_run"]["value"],
}
EXAMPLES: dict[str, Any] = {
    "list_sources": {"summary": "A source", "value": {"data": [_SOURCE]}},
    "get_source": {"summary": "A source", "value": _SOURCE},
}


@routes.get("/sources", operation_id="list_sources", summary="List sources", responses={200: {"model": IngestSources}})
def list_sources(request: Request) -> Response:
    """All of them, with what their last runs came to."""
    states = states_of(engine_of(request), request.app.state.sources, request.app.state.scheduled)
    return JsonAnswer({"data": [_shape(state) for state in states]})


@routes.get(
    "/sources/{name}",
    operation_id="get_source",
    summary="Get one source",
    responses={200: {"model": IngestSource}, **problems(NotFoundError("There is no source 'un_document'."))},
)
def get_source(request: Request, name: Name) -> Response:
    """When it is due, what its last run came to, and what its adapter rests on."""
    known = request.app.state.sources
    if name not in known:
        raise NotFoundError(f"There is no source {name!r}.")
    (state,) = states_of(engine_of(request), {name: known[name]}, request.app.state.scheduled)
    return JsonAnswer(_shape(state))


def _shape(state: SourceState) -> Mapping[str, Any]:
    about = state.source.description
    return {
        "name": state.source.name,
        "title": about.title,
        "sites": dict(about.sites),
        "cadence_seconds": int(about.cadence.total_seconds()),
        "rate": about.rate.model_dump(),
        "hold": {"least_found": about.least.found, **about.hold.model_dump()},
        "contact": about.contact,
        "terms": about.terms,
        "notes": about.notes.model_dump(),
        "scheduled": state.scheduled,
        "due": state.due,
        "next_due": state.next_due,
        "running": state.running,
        "files_held": state.files_held,
        "last_run": state.last_run,
    }
