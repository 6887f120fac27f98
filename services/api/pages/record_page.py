"""Permalinks: `/{noun}/{id}` is a page for browsers, and leads programs to the JSON of the same record.

What a page shows is the record with all its parts, as `/v1/{noun}/{id}?include=all` tells it.
"""

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from services.api.dependencies import desk_of
from services.api.pages.following import following_record
from services.api.pages.parts_of_page import recommendations_of_review, topics_of_state
from services.api.routes.records import Moved, Parts, Told, redirect, told_record
from services.api.routes.topics import told_topic
from services.core.domain.changes import SINGULAR
from services.core.pages.charts import answers_by_cycle
from services.core.pages.rendering import Pages, as_page, reader_language, wants_page
from services.core.pages.words import Words
from services.core.runtime.parameters import Parameters
from services.core.store.tables import AGGREGATES

TOPICS = "topics"
_TEMPLATES = {noun: f"own/{noun}.html" for noun in ("recommendations", "states", "reviews", "hearings", "documents")}
"""Nouns with a page of their own kind; the others have a common one."""

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
        "json": f"{settings.public_url.rstrip('/')}/v1/{noun}/{told.shape['id']}?include=all&lang={names.language}",
        "cite": f"{settings.public_url.rstrip('/')}/v1/{noun}/{told.shape['id']}/citation",
        "follow": following_record(noun, told.shape["id"], names.language),
        **(_MORE[noun](request, told) if noun in _MORE else {}),
    }
    template = _TEMPLATES.get(noun, "own/record.html")
    return pages_of(request).page(request, template, names.language, values, headers=told.headers)


def _more_of_state(request: Request, told: Told) -> dict[str, Any]:
    words, code = Words(told.names.language), told.shape["id"]
    return {
        "received": answers_by_cycle(_by_cycle(told.shape["received"]), words("record.received"), words),
        "made": answers_by_cycle(_by_cycle(told.shape["made"]), words("record.made"), words),
        "topics": topics_of_state(desk_of(request), code, told.names),
    }


def _by_cycle(counts: Mapping[str, Any] | None) -> list[tuple[int, Mapping[str, int]]]:
    return [(each["cycle"], each["recommendations"]) for each in (counts or {}).get("by_cycle", ())]


def _more_of_review(request: Request, told: Told) -> dict[str, Any]:
    cursor = request.query_params.get("cursor")
    shapes, total, following = recommendations_of_review(desk_of(request), told.shape["id"], told.names, cursor)
    here = pages_of(request).address(request.url.path, tuple(request.query_params.multi_items()))
    return {
        "recommendations": shapes,
        "recommendations_total": total,
        "following": str(here.setting("cursor", following)) if following else None,
    }


_MORE: Mapping[str, More] = {"states": _more_of_state, "reviews": _more_of_review}
"""What a page shows of its noun besides the record and its parts."""
