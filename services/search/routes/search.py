"""Searching: `/v1/search`."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from services.core.query.excerpts import shown
from services.core.query.highlight import Marks, highlight
from services.core.query.readings import Reading
from services.core.query.tree import Word
from services.core.runtime.conditional import unchanged
from services.core.runtime.parameters import Parameters, parameters_of
from services.core.runtime.web import JsonAnswer, links
from services.core.schemas.names import Names
from services.core.schemas.paragraphs import paragraph_permalink
from services.core.schemas.shapes import with_address
from services.search.answers import at_one_state, desk_of, facet_labels, facet_shape, milliseconds_since, version_at
from services.search.documented import search_responses
from services.search.documents import LAYOUT
from services.search.engines.base import Hit, SearchRequest
from services.search.models import SearchAnswer
from services.search.parameters import SearchQuery, read_search_query, search_parameters

router = APIRouter()


@router.get(
    "/v1/search",
    operation_id="search",
    summary="Search records",
    tags=["search"],
    responses=search_responses(SearchAnswer),
    openapi_extra={"parameters": search_parameters()},
)
async def search(request: Request) -> Response:
    """Words, phrases, exclusions and filters; hits with highlights, an exact total and facets."""
    return await desk_of(request).cutoff.awaited(lambda: _answer(request))


def _answer(request: Request) -> Response:
    told = _answered(request, parameters_of(request))
    return told if isinstance(told, Response) else JsonAnswer(told.shape, headers=told.headers)


@dataclass(frozen=True)
class Answered:
    """A search and its answer: what its words were read as, the public shape, and the headers that go with it."""

    query: SearchQuery
    names: Names
    readings: Mapping[Word, Reading]
    shape: dict[str, Any]
    headers: dict[str, str]


def answered(request: Request, parameters: Parameters) -> Answered | Response:
    """What a search finds; 304 where the reader holds it. Raises `CutoffError` where it takes too long."""
    return desk_of(request).cutoff.within(lambda: _answered(request, parameters))


def _answered(request: Request, parameters: Parameters) -> Answered | Response:
    started = time.perf_counter()
    desk = desk_of(request)
    reference = desk.reference.get()
    query = read_search_query(parameters, reference.vocabulary)
    if (held := unchanged(request, version_at(request, desk.engine.cursor(), reference))) is not None:
        return held
    cursor, result = at_one_state(desk.engine, lambda: desk.engine.search(query.request))
    names = Names(reference, query.language)
    labels = facet_labels(desk, result.facets, names)
    shape = {
        "hits": [_hit(hit, result.marks, names, desk.settings.public_url) for hit in result.hits],
        "total": result.total,
        "facets": {
            name: facet_shape(name, counts, labels[name], query.facet_order) for name, counts in result.facets.items()
        },
        "page": query.request.page,
        "per_page": query.request.per_page,
        "took_ms": milliseconds_since(started),
        "interpreted": query.request.query.interpreted_with(result.readings),
        "dataset": desk.datasets.at(cursor, reference),
    }
    neighbours = _neighbours(request, desk.settings.search_public_url, query.request, result.total)
    headers = version_at(request, cursor, reference).headers() | links(**neighbours)
    return Answered(query, names, result.readings, shape, headers | {"Content-Language": query.language})


def _neighbours(request: Request, public_url: str, asked: SearchRequest, total: int) -> dict[str, str | None]:
    """The addresses of the pages before and after this one."""
    if asked.per_page == 0:
        return {}
    last = max(-(-total // asked.per_page), 1)
    pages = {
        "prev": min(asked.page - 1, last) if asked.page > 1 else None,
        "next": asked.page + 1 if asked.page < last else None,
    }
    rest = [pair for pair in request.query_params.multi_items() if pair[0] != "page"]
    address = f"{public_url.rstrip('/')}{request.url.path}"
    return {name: f"{address}?{urlencode([*rest, ('page', page)])}" if page else None for name, page in pages.items()}


def _hit(hit: Hit, marks: Marks, names: Names, public_url: str) -> dict[str, Any]:
    record = names.localise(hit.record)
    marked = {name: shown(record[name], marks) for name in ("text", "title") if record.get(name)}
    told = {
        "type": hit.type,
        "record": with_address(hit.type, record, public_url),
        "highlight": {name: text for name, text in marked.items() if text is not None},
        "score": hit.score,
    }
    return told | ({"passages": _passages(hit, marks, public_url)} if hit.type in LAYOUT.parted else {})


def _passages(hit: Hit, marks: Marks, public_url: str) -> list[dict[str, Any]]:
    """Where in a document the query was found: not what matches by the document's title alone."""
    return [
        {
            "paragraph": passage["number"],
            "page": passage["page"],
            "heading": passage["heading"],
            "language": passage["language"],
            "text": shown(passage["text"], marks) or escape(passage["text"]),
            "url": paragraph_permalink(public_url, hit.id, passage["id"]),
        }
        for passage in hit.passages
        if any(highlight(text, marks) for text in (passage["text"], passage["heading"] or "", *passage["cited"]))
    ]
