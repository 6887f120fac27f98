"""Recommendations like one: `/v1/similar/{id}`."""

import time
from html import escape
from typing import Annotated, Any
from urllib.parse import quote, urlsplit

from fastapi import APIRouter, Path, Request, Response
from starlette.responses import RedirectResponse

from services.core.domain.errors import GoneError, NotFoundError
from services.core.query.filters import ID_PATTERN
from services.core.query.highlight import Marks, highlight
from services.core.query.parser import parse_query
from services.core.runtime.conditional import unchanged
from services.core.runtime.parameters import parameters_of
from services.core.runtime.web import JsonAnswer, links
from services.core.schemas.names import Names
from services.core.schemas.shapes import Shape, permalink, with_address
from services.core.store.reference import Reference
from services.search.answers import asked_in_time, desk_of, milliseconds_since, version_at
from services.search.dependencies import Desk
from services.search.documented import similar_responses
from services.search.engines.base import SearchRequest
from services.search.former import Elsewhere, look_elsewhere
from services.search.models import SimilarAnswer
from services.search.parameters import SimilarQuery, read_similar_query, similar_parameters
from services.search.similar import NOUN, Likeness, Similar, first_made

router = APIRouter()

RecordId = Annotated[
    str,
    Path(
        description="Id of a recommendation, or one that it bore before.",
        json_schema_extra={"pattern": f"^{ID_PATTERN}$"},
        examples=["XCM-4-22.1"],
    ),
]


@router.get(
    "/v1/similar/{record_id}",
    operation_id="get_similar",
    summary="Find recommendations like one",
    tags=["similar"],
    responses=similar_responses(SimilarAnswer),
    openapi_extra={"parameters": similar_parameters()},
)
def get_similar(request: Request, record_id: RecordId) -> Response:
    """Recommendations with a like text: to the same State in other cycles, and to other States.

    What says the same comes first, to the same State before others. `repetition` tells since when it is repeated.
    """
    started = time.perf_counter()
    desk = desk_of(request)
    reference = desk.reference.get()
    query = read_similar_query(parameters_of(request), reference.vocabulary)
    if (held := unchanged(request, version_at(request, desk.engine.cursor(), reference))) is not None:
        return held
    cursor, found = asked_in_time(desk, lambda: _found(desk, record_id, query, reference))
    if isinstance(found, Elsewhere):
        return _elsewhere(request, record_id, found)
    record, similar, repeated = found
    names, url = Names(reference, query.language), desk.settings.public_url
    return JsonAnswer(
        {
            "id": record_id,
            "url": permalink(url, NOUN, record_id),
            "repetition": _repetition(record, repeated, url),
            "similar": [_similar(each, record, names, url) for each in similar[: query.limit]],
            "total": len(similar),
            "took_ms": milliseconds_since(started),
            "dataset": desk.datasets.at(cursor, reference),
        },
        headers=version_at(request, cursor, reference).headers()
        | links(describes=permalink(url, NOUN, record_id))
        | {"Content-Language": query.language},
    )


def _found(
    desk: Desk, record_id: str, query: SimilarQuery, reference: Reference
) -> tuple[Shape, list[Similar], list[Similar]] | Elsewhere:
    """The recommendation, those like it, and its repetitions; or what else the id stands for."""
    hits = desk.engine.search(SearchRequest(parse_query(""), NOUN, {"id": (record_id,)}, per_page=1)).hits
    record = hits[0].record if hits and hits[0].id == record_id else None
    if record is None:
        with desk.store.connect() as connection:
            elsewhere = look_elsewhere(connection, record_id, reference)
        if elsewhere.record is None:
            return elsewhere
        record = elsewhere.record
    likeness = Likeness(desk.engine, record)
    return record, likeness.find(query.scope, query.request), likeness.repetitions()


def _elsewhere(request: Request, record_id: str, found: Elsewhere) -> Response:
    """Where it is now. Raises `GoneError` and `NotFoundError`, which names the parts of a number that has some."""
    if found.bearer is not None:
        base = urlsplit(desk_of(request).settings.search_public_url).path.rstrip("/")
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"{base}/v1/similar/{quote(found.bearer, safe='~:')}{query}", status_code=308)
    if found.parts:
        several = ", ".join(found.parts)
        raise NotFoundError(f"{record_id} holds several recommendations: {several}.", parts=list(found.parts))
    if found.removed is not None:
        raise GoneError(f"The recommendation {record_id} was removed: {found.removed}.", reason=found.removed)
    raise NotFoundError(f"There is no recommendation {record_id[:120]}.")


def _similar(each: Similar, record: Shape, names: Names, public_url: str) -> dict[str, Any]:
    shown = names.localise(each.record)
    return {
        "record": with_address(NOUN, shown, public_url),
        "score": each.likeness,
        "why": each.why,
        "shared": list(each.shared),
        "highlight": {"text": highlight(shown["text"], Marks(stems=each.marked)) or escape(shown["text"])},
        "same_state": each.same_state,
        "same_review": each.record["review"] == record["review"],
        "cycles_later": each.cycles_later,
    }


def _repetition(record: Shape, repeated: list[Similar], public_url: str) -> dict[str, Any] | None:
    """Since when the State is told so, and in which cycles; None where it was told once."""
    if not repeated:
        return None
    first = first_made(record, repeated)
    cycles = sorted({record["cycle"], *(each.record["cycle"] for each in repeated)})
    return {
        "times": 1 + len(repeated),
        "cycles": cycles,
        "since": first["date"],
        "first_made": {
            "id": first["id"],
            "url": permalink(public_url, NOUN, first["id"]),
            "review": first["review"],
            "cycle": first["cycle"],
            "date": first["date"],
        },
        "ids": [each.record["id"] for each in repeated],
    }
