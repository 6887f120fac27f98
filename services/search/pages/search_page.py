"""The search page: `/search` for browsers. What it shows is the answer of `/v1/search` to the same parameters."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from services.core.domain.errors import UprError
from services.core.pages.addresses import Address
from services.core.pages.charts import year_bars
from services.core.pages.rendering import Pages, as_page, reader_language, wants_page
from services.core.pages.words import Words
from services.core.query.parser import parse_query
from services.core.query.tree import Query
from services.core.runtime.parameters import Parameters
from services.core.runtime.web import JsonAnswer
from services.search.answers import asked_in_time, desk_of
from services.search.dependencies import Desk
from services.search.engines.base import TYPE, YEAR, SearchRequest
from services.search.pages.facets import MORE, chips, shown_facets, types
from services.search.pages.hits import shown_hit
from services.search.pages.tools import list_tools
from services.search.pages.understood import told_understanding
from services.search.parameters import is_facet
from services.search.routes.search import Answered, answered

HOME = "/search"
FACETS = (TYPE, "topic", "state_under_review", "position", "cycle", "recommending_state", "speaker", YEAR)
"""What the page counts by, if the address does not say."""
SORTS = ("relevance", "-date", "date", "number", "-number")
_LOOSENED = 6
"""Words of a query without results that are left out one by one, to see what stood in the way."""


def search_page_routes() -> APIRouter:
    """`/search`, and the way there from the root of the host."""
    router = APIRouter(include_in_schema=False)
    router.add_api_route(HOME, as_page(_pages_of, search_page), methods=["GET"])
    router.add_api_route("/", _to_the_search, methods=["GET"])
    return router


def _to_the_search(request: Request) -> Response:
    """Who opens the address of the service comes to its page, also below a prefix that a proxy takes away."""
    asked = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"{HOME.removeprefix('/')}{asked}", 307)


def search_page(request: Request) -> Response:
    """The page of a search; JSON for whoever would rather have that."""
    parameters = _with_facets(request)
    told = answered(request, parameters)
    if isinstance(told, Response):
        return told
    if not wants_page(request):
        return JsonAnswer(told.shape, headers=told.headers)
    return _pages_of(request).page(
        request, "own/search.html", told.query.language, _values(request, told), headers=told.headers
    )


def _pages_of(request: Request) -> Pages:
    pages: Pages = request.app.state.pages
    return pages


def _with_facets(request: Request) -> Parameters:
    given = [pair for pair in request.query_params.multi_items() if pair[0] != MORE and pair[1].strip()]
    if not any(name == "lang" for name, _ in given):
        given.append(("lang", reader_language(request)))
    if any(name == "facets" for name, _ in given):
        return given
    noun = request.query_params.get(TYPE) or None
    counted = [name for name in FACETS if name == TYPE or noun is None or is_facet(name, noun)]
    if noun is None:
        counted.remove("speaker")
    return [*given, ("facets", ",".join(counted))]


def _values(request: Request, told: Answered) -> dict[str, Any]:
    desk, asked, shape = desk_of(request), told.query.request, told.shape
    words = Words(told.query.language)
    here = _here(request)
    kept = here.leaving_out("q", "page", "sort")
    last = max(-(-shape["total"] // max(asked.per_page, 1)), 1)
    years = shape["facets"].get(YEAR, {"values": []})["values"]
    return {
        "q": request.query_params.get("q", ""),
        "here": here,
        "kept": kept.pairs,
        "total": shape["total"],
        "hits": [shown_hit(hit, words, told.names) for hit in shape["hits"]],
        "facets": shown_facets(shape["facets"], here, asked, words),
        "types": types(shape["facets"].get(TYPE, {"values": []}), here, asked),
        "every_type": str(here.setting(TYPE, None)),
        "type": asked.type,
        "chips": list(chips(here, asked, words, told.names)),
        "without_filters": str(here.only(("q", "lang"))),
        "years": [_year(value, here) for value in years],
        "picture": year_bars([(int(value["value"]), value["count"]) for value in years], words("search.by_year")),
        "sort": request.query_params.get("sort") or "relevance",
        "sorts": SORTS,
        "page": asked.page,
        "first": asked.offset + 1,
        "last": last,
        "understood": list(told_understanding(asked.query, told.readings, words, told.names)),
        "loosened": list(_loosened(request, told)) if shape["total"] == 0 else [],
        **list_tools(request, told, here, words),
        "dataset": shape["dataset"],
        "suggest": f"{desk.settings.search_public_url.rstrip('/')}/v1/suggest",
    }


@dataclass(frozen=True)
class ShownYear:
    """A year, how many records are of it, and the page with those alone."""

    year: str
    count: int
    address: str


def _year(value: dict[str, Any], here: Address) -> ShownYear:
    year = value["value"]
    within = here.setting("date_from", f"{year}-01-01").setting("date_to", f"{year}-12-31")
    return ShownYear(year, value["count"], str(within))


@dataclass(frozen=True)
class Loosened:
    """The query without one of its words, which finds something."""

    word: str
    count: int
    address: str


def _loosened(request: Request, told: Answered) -> Iterator[Loosened]:
    """What would be found without one of the words. Queries with operators are left as they are."""
    desk, spoken = desk_of(request), request.query_params.get("q", "").split()
    if not 1 < len(spoken) <= _LOOSENED or any(not word.isalnum() for word in spoken):
        return
    here = _here(request)
    for place, word in enumerate(spoken):
        rest = " ".join(spoken[:place] + spoken[place + 1 :])
        try:
            count = _count(
                desk, replace(told.query.request, query=_understood(desk, rest, told), facets=(), per_page=0)
            )
        except UprError:
            return
        if count:
            yield Loosened(word, count, str(here.setting("q", rest)))


def _understood(desk: Desk, text: str, told: Answered) -> Query:
    return parse_query(text, desk.reference.get().vocabulary, told.query.request.type)


def _count(desk: Desk, asked: SearchRequest) -> int:
    return asked_in_time(desk, lambda: desk.engine.search(asked))[1].total


def _here(request: Request) -> Address:
    """The address of the page without what was left empty in its form."""
    given = request.query_params.multi_items()
    return _pages_of(request).address(HOME, tuple(pair for pair in given if pair[1].strip()))
