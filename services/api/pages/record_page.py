"""Permalinks: `/{noun}/{id}` is a page for browsers, and leads programs to the JSON of the same record.

What a page shows is the record with all its parts, as `/v1/{noun}/{id}?include=all` tells it.
"""

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from services.api.dependencies import desk_of
from services.api.pages.following import following_record
from services.api.pages.parts_of_page import recommendations_of_review
from services.api.pages.pictures import BLOCS_DRAWN, TOPICS_DRAWN, Found, Pictures, totals_of
from services.api.pages.regions import map_of
from services.api.pages.state_facts import told_facts
from services.api.routes.records import Moved, Parts, Told, redirect, told_record
from services.api.routes.topics import told_topic
from services.core.domain.changes import SINGULAR
from services.core.domain.positions import Position
from services.core.pages.rendering import Pages, as_page, reader_language, wants_page
from services.core.pages.words import Words
from services.core.query.analysis import fold
from services.core.runtime.parameters import Parameters
from services.core.schemas.names import Names
from services.core.schemas.shapes import Shape
from services.core.store.tables import AGGREGATES

TOPICS = "topics"
_OWN = ("recommendations", "states", "reviews", "hearings", "documents", "topics", "statements", "organisations")
_TEMPLATES = {noun: f"own/{noun}.html" for noun in _OWN}
"""Nouns with a page of their own kind; the others have a common one."""

_NARROWED = ("position", "topic", "recommending_state")
"""Filters of the recommendations on a review's page."""

More = Callable[[Request, Told], dict[str, Any]]


def record_pages() -> APIRouter:
    """The permalinks of every noun."""
    router = APIRouter(include_in_schema=False)
    for noun in (*AGGREGATES, TOPICS):
        router.add_api_route(f"/{noun}/{{record_id}}", _permalink(noun), methods=["GET"])
    return router


def pages_of(request: Request) -> Pages:
    """The pages of the app that was asked."""
    pages: Pages = request.app.state.pages
    return pages


def _permalink(noun: str) -> Callable[[Request], Response]:
    page = as_page(pages_of, lambda request: _page(request, noun))

    def permalink(request: Request) -> Response:
        if not wants_page(request):
            return redirect(request, noun, request.path_params["record_id"], 307)
        return page(request)

    return permalink


def _page(request: Request, noun: str) -> Response:
    record_id, language = request.path_params["record_id"], reader_language(request)
    told = _told(request, noun, record_id, [("include", "all"), *_given(request), ("lang", language)])
    match told:
        case Moved():
            address = pages_of(request).address(f"/{noun}/{told.record_id}", tuple(request.query_params.multi_items()))
            return RedirectResponse(str(address), status_code=308)
        case Parts():
            return pages_of(request).page(
                request, "own/parts.html", language, {"number": record_id, "parts": told.shapes}, status=300
            )
        case Told():
            return _shown(request, noun, told)
    return told


def _told(request: Request, noun: str, record_id: str, parameters: Parameters) -> Told | Moved | Parts | Response:
    if noun == TOPICS:
        return told_topic(request, record_id, parameters)
    return told_record(request, noun, record_id, parameters)


def _given(request: Request) -> list[tuple[str, str]]:
    """What was asked for besides the language, which is read once; `cursor` is of the list on the page."""
    return [pair for pair in request.query_params.multi_items() if pair[0] not in ("lang", "cursor")]


def _shown(request: Request, noun: str, told: Told) -> Response:
    names, settings = told.names, desk_of(request).settings
    values = {
        "noun": noun,
        "singular": SINGULAR.get(noun, "topic"),
        "record": told.shape,
        "dataset": told.dataset,
        "called": names.of_filter_value,
        "found": found_of(request, names.language),
        "totals_of": totals_of,
        "json": f"{settings.public_url.rstrip('/')}/v1/{noun}/{told.shape['id']}?include=all&lang={names.language}",
        "cite": None if noun == TOPICS else f"{settings.public_url.rstrip('/')}/v1/{noun}/{told.shape['id']}/citation",
        "follow": following_record(noun, told.shape["id"], names.language),
        **(_MORE[noun](request, told) if noun in _MORE else {}),
    }
    template = _TEMPLATES.get(noun, "own/record.html")
    return pages_of(request).page(request, template, names.language, values, headers=told.headers)


def found_of(request: Request, language: str) -> Found:
    """The search, for who reads in a language."""
    return Found(f"{desk_of(request).settings.search_public_url.rstrip('/')}/search", language)


def pictures_for(request: Request, language: str) -> Pictures:
    """The pictures of a page in a language."""
    return Pictures(Words(language), found_of(request, language))


def _more_of_state(request: Request, told: Told) -> dict[str, Any]:
    state, drawn = told.shape, pictures_for(request, told.names.language)
    words = drawn.words
    received, made = _by_cycle(state["received"]), _by_cycle(state["made"])
    unread = state["coverage"]["cycles_not_read"]
    cycles = sorted({*unread, *(cycle for cycle, _ in received)})
    return {
        "received": drawn.by_cycle(received, state["received"]["url"], words("record.received")),
        "made": drawn.by_cycle(made, state["made"]["url"], words("record.made")),
        "topics": drawn.topics(state["topics"]["data"], cycles, unread, words("chart.topics_by_cycle")),
        "topics_drawn": TOPICS_DRAWN,
        "cycles": cycles,
        "unread": unread,
        "facts": told_facts(state["facts"], words, told.names),
        **makers_drawn(drawn, state["recommenders"]),
    }


def makers_drawn(drawn: Pictures, recommenders: Mapping[str, Any]) -> dict[str, Any]:
    """Pictures of who recommends."""
    return {
        "regions": drawn.bars(recommenders["regions"], drawn.words("chart.by_region")),
        "blocs": drawn.bars(recommenders["blocs"][:BLOCS_DRAWN], drawn.words("chart.by_bloc")),
    }


def _by_cycle(counts: Mapping[str, Any] | None) -> list[tuple[int, Mapping[str, int]]]:
    return [(each["cycle"], each["recommendations"]) for each in (counts or {}).get("by_cycle", ())]


def _more_of_topic(request: Request, told: Told) -> dict[str, Any]:
    topic, drawn = told.shape, pictures_for(request, told.names.language)
    words, url = drawn.words, topic["counts"]["recommendations"]["url"]
    cycles = [(each["cycle"], each) for each in topic["over_time"]["by_cycle"]]
    return {
        "by_cycle": drawn.by_cycle(cycles, url, words("statistics.by_cycle")),
        "by_year": drawn.years(topic["over_time"]["by_year"], words("chart.by_year")),
        **makers_drawn(drawn, topic["recommenders"]),
        **map_of(request, drawn, told.names, topic["received"], url),
    }


def _more_of_review(request: Request, told: Told) -> dict[str, Any]:
    cursor, review = request.query_params.get("cursor"), told.shape
    narrowed = [(name, value) for name, value in request.query_params.multi_items() if name in _NARROWED and value]
    shapes, total, following = recommendations_of_review(desk_of(request), review["id"], told.names, narrowed, cursor)
    drawn = pictures_for(request, told.names.language)
    here = pages_of(request).address(request.url.path, tuple(request.query_params.multi_items()))
    return {
        "recommendations": shapes,
        "recommendations_total": total,
        "following": str(here.setting("cursor", following)) if following else None,
        "narrowed": dict(narrowed),
        "choices": _choices(review, told.names),
        **makers_drawn(drawn, review["recommenders"]),
    }


def _choices(review: Shape, names: Names) -> dict[str, list[tuple[str, str, int]]]:
    """What a review's recommendations can be narrowed down by: values with names and counts."""
    outcome = review["outcome"]["records"] or {}
    return {
        "position": [(each, names.of_filter_value("position", each), outcome.get(each, 0)) for each in Position],
        "topic": [(each["code"], each["name"], each["total"]) for each in review["topics"]["data"]],
        "recommending_state": [
            (each["code"], each["name"], each["total"])
            for each in sorted(review["recommenders"]["states"], key=lambda each: fold(each["name"]))
        ],
    }


_MORE: Mapping[str, More] = {
    "states": _more_of_state,
    "reviews": _more_of_review,
    TOPICS: _more_of_topic,
}
"""What a page shows of its noun besides the record and its parts."""
