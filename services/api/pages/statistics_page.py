"""`/statistics`: all recommendations at a glance, as `/v1/statistics` tells them."""

import threading
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request, Response

from services.api.dependencies import desk_of
from services.api.pages.pictures import TOPICS_DRAWN, Pictures, totals_by_region, totals_of
from services.api.pages.record_page import found_of, makers_drawn, pages_of, pictures_for
from services.api.pages.regions import map_of
from services.api.routes.overview import told_overview
from services.api.routes.records import Told
from services.core.pages.rendering import as_page, reader_language, wants_page
from services.core.runtime.web import JsonAnswer
from services.core.schemas.shapes import Shape

_MOST_KEPT = 40
"""Each language with each map."""


class KeptPages:
    """The newest pages by their tags, which change with the data, the address and the language. Threads share it.

    What is drawn of everything takes several times as long as the JSON, and is the same for all readers.
    """

    def __init__(self) -> None:
        self._held: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def get(self, tag: str, draw: Callable[[], bytes]) -> bytes:
        """The page of this tag, drawn where it is not held."""
        with self._lock:
            held = self._held.get(tag)
        if held is None:
            held = draw()
            with self._lock:
                self._held[tag] = held
                for oldest in list(self._held)[:-_MOST_KEPT]:
                    del self._held[oldest]
        return held


def statistics_page() -> APIRouter:
    """`/statistics`."""
    router, kept = APIRouter(include_in_schema=False), KeptPages()
    router.add_api_route("/statistics", as_page(pages_of, lambda request: _page(request, kept)), methods=["GET"])
    return router


def _page(request: Request, kept: KeptPages) -> Response:
    language = reader_language(request)
    told = told_overview(request, [("lang", language)])
    if not isinstance(told, Told):
        return told
    if not wants_page(request):
        return JsonAnswer(told.shape, headers=told.headers)
    html = kept.get(told.headers["ETag"], lambda: _drawn_page(request, told))
    return pages_of(request).answer(html, language, headers=told.headers)


def _drawn_page(request: Request, told: Told) -> bytes:
    language = told.names.language
    settings, drawn = desk_of(request).settings, pictures_for(request, language)
    all_of_them = f"{settings.public_url.rstrip('/')}/v1/recommendations"
    values = {
        "overview": told.shape,
        "dataset": told.dataset,
        "called": told.names.of_filter_value,
        "found": found_of(request, language),
        "totals_of": totals_of,
        "topics_drawn": TOPICS_DRAWN,
        "json": f"{settings.public_url.rstrip('/')}/v1/statistics?lang={language}",
        **_drawn(drawn, told.shape, all_of_them),
        **makers_drawn(drawn, told.shape["recommenders"]),
        **map_of(request, drawn, told.names, told.shape["received"], all_of_them),
    }
    values["all_regions"] = [_told_by(drawn, region, told.shape) for region in values["all_regions"]]
    return pages_of(request).html(request, "own/statistics.html", language, values).encode()


def _drawn(drawn: Pictures, overview: Shape, url: str) -> dict[str, Any]:
    words = drawn.words
    cycles = [each["cycle"] for each in overview["by_cycle"]]
    topics, regions = overview["topics"]["data"], overview["topics_by_region"]
    return {
        "cycles": cycles,
        "by_cycle": drawn.by_cycle(
            [(each["cycle"], each) for each in overview["by_cycle"]], url, words("statistics.by_cycle")
        ),
        "by_year": drawn.years(overview["by_year"], words("chart.by_year")),
        "topics": drawn.topics(topics, cycles, (), words("chart.topics_by_cycle")),
        "who_what": drawn.topics_by_region(regions, topics, words("statistics.who_what")),
        "of_region": totals_by_region(regions),
    }


def _told_by(drawn: Pictures, region: Shape, overview: Shape) -> Shape:
    """A regional group, with what each group recommended to its States."""
    pairs = [
        {**pair, "name": pair["recommending_region"]["name"]}
        for pair in overview["between_regions"]
        if pair["region"]["code"] == region["code"]
    ]
    called = drawn.words("statistics.told", region=region["name"])
    return {**region, "pairs": pairs, "picture": drawn.bars(pairs, called)}
