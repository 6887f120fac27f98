"""The search service: full-text and faceted queries."""

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from html import escape
from typing import Any

from fastapi import APIRouter, Request, Response
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import text

from services import __version__
from services.core.domain.errors import UnavailableError
from services.core.query.highlight import Marks, highlight
from services.core.runtime.conditional import Version, unchanged, version_of
from services.core.runtime.parameters import parameters_of
from services.core.runtime.problems import DATABASE_AWAY
from services.core.runtime.web import JsonAnswer, Service, create_service
from services.core.schemas.names import Names
from services.core.schemas.paragraphs import paragraph_permalink
from services.core.schemas.shapes import with_address
from services.core.store.migrate import schema_status
from services.core.store.reference import Reference
from services.search.dependencies import Desk, following, open_desk
from services.search.documents import LAYOUT
from services.search.engines.base import Engine as SearchEngine
from services.search.engines.base import FacetCounts, Hit, IndexMissingError, SearchRequest, SearchResult
from services.search.models import SearchAnswer
from services.search.parameters import SearchQuery, read_search_query, search_parameters
from services.search.settings import SearchSettings
from services.search.speakers import printed_speakers

DESCRIPTION = """\
Full-text search over recommendations, statements, hearings and documents of the Universal Periodic Review.

Documents that are read as text are found by their paragraphs.

Totals and facet counts are exact. A facet's counts ignore its own filter, so that the other values stay choosable.
"""

routes = APIRouter()

_TRIES = 3


def create_app(settings: SearchSettings, database_url: str) -> Service:
    """The app on one database, following its changes if the settings say so."""

    @contextmanager
    def lifespan(app: Service) -> Iterator[None]:
        with ExitStack() as stack:
            desk = stack.enter_context(open_desk(settings, database_url))
            app.state.desk = desk
            app.metrics_registry.register(_IndexMetrics(desk))
            if settings.search_follow:
                stack.enter_context(following(desk, database_url))
            yield

    def readiness() -> Mapping[str, str | None]:
        desk: Desk = service.state.desk
        with desk.store.connect() as connection:
            connection.execute(text("SELECT 1"))
            status = schema_status(connection)
        health = desk.engine.health()
        return {
            "database": None if status.up_to_date else f"the schema is at {status.current}, not {status.needed}",
            "index": None if health.ok else health.detail,
        }

    service = create_service(
        name="search",
        version=__version__,
        settings=settings,
        readiness=readiness,
        lifespan=lifespan,
        description=DESCRIPTION,
        tags={"search": "Words and filters over all records that have a text."},
    )
    service.include_router(routes)
    return service


@routes.get(
    "/v1/search",
    operation_id="search",
    summary="Search records",
    tags=["search"],
    responses={200: {"model": SearchAnswer}},
    openapi_extra={"parameters": search_parameters()},
)
def search(request: Request) -> Response:
    """Words, phrases, exclusions and filters; hits with highlights, an exact total and facets."""
    started = time.perf_counter()
    desk: Desk = request.app.state.desk
    reference = desk.reference.get()
    query = read_search_query(parameters_of(request), reference.vocabulary)
    if (held := unchanged(request, _version(request, desk.engine.cursor(), reference))) is not None:
        return held
    cursor, result = _searched(desk.engine, query.request)
    names = Names(reference, query.language)
    url = desk.settings.public_url
    return JsonAnswer(
        {
            "hits": [_hit(hit, result.marks, names, url) for hit in result.hits],
            "total": result.total,
            "facets": _facets(desk, result, query, names),
            "page": query.request.page,
            "per_page": query.request.per_page,
            "took_ms": round((time.perf_counter() - started) * 1000, 2),
            "interpreted": query.request.query.interpreted,
            "dataset": desk.datasets.at(cursor, reference),
        },
        headers=_version(request, cursor, reference).headers(),
    )


def _version(request: Request, cursor: int | None, reference: Reference) -> Version:
    """Weak, since answers tell how long they took."""
    return version_of(request, cursor, reference.names_hash, weak=True)


def _searched(engine: SearchEngine, request: SearchRequest) -> tuple[int, SearchResult]:
    """The answer, and the change at which the index stood: it may be written to or replaced in between."""
    cursor = engine.cursor()
    for _ in range(_TRIES):
        result = engine.search(request)
        before, cursor = cursor, engine.cursor()
        if cursor is None:
            break
        if before == cursor:
            return cursor, result
    raise IndexMissingError("The search index is being built.")


def _hit(hit: Hit, marks: Marks, names: Names, public_url: str) -> dict[str, Any]:
    record = names.localise(hit.record)
    marked = {name: highlight(record[name], marks) for name in ("text", "title") if record.get(name)}
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
            "text": highlight(passage["text"], marks) or escape(passage["text"]),
            "url": paragraph_permalink(public_url, hit.id, passage["id"]),
        }
        for passage in hit.passages
        if any(highlight(text, marks) for text in (passage["text"], passage["heading"] or "", *passage["cited"]))
    ]


def _facets(desk: Desk, result: SearchResult, query: SearchQuery, names: Names) -> dict[str, Any]:
    """Organisations are called as they are printed: the reference does not know them."""
    speakers: dict[str, str] = {}
    values = result.facets["speaker"].values if "speaker" in result.facets else ()
    if organisations := [value for value, _ in values if not names.knows_speaker(value)]:
        with desk.store.connect() as connection:
            speakers = printed_speakers(connection, organisations)
    return {
        name: _facet(name, result.facets[name], names, speakers if name == "speaker" else {})
        for name in query.request.facets
    }


def _facet(name: str, counts: FacetCounts, names: Names, labels: Mapping[str, str]) -> dict[str, Any]:
    return {
        "values": [
            {"value": value, "label": labels.get(value) or names.of_filter_value(name, value), "count": count}
            for value, count in counts.values
        ],
        "unlabelled": counts.unlabelled,
    }


class _IndexMetrics(Collector):
    """Whether there is an index, and how far it is behind the store, told when asked."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def describe(self) -> list[GaugeMetricFamily]:
        """Named without asking anybody: registering must not depend on it."""
        return [GaugeMetricFamily(name, meaning) for name, meaning in _MEASURED.items()]

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The gauges; of an engine or a database that is away only that it is."""
        values = self._values()
        for name, meaning in _MEASURED.items():
            if name in values:
                yield GaugeMetricFamily(name, meaning, value=values[name])

    def _values(self) -> dict[str, float]:
        try:
            lag = self._desk.indexer.lag()
        except (UnavailableError, *DATABASE_AWAY):
            return {"upr_index_ready": 0}
        return {
            "upr_index_ready": lag.cursor is not None,
            "upr_index_lag_changes": lag.changes,
            "upr_index_lag_seconds": lag.seconds,
        }


_MEASURED = {
    "upr_index_ready": "1 where there is a search index that answers.",
    "upr_index_lag_changes": "Changes that are not in the search index yet.",
    "upr_index_lag_seconds": "Age of the oldest change that is not in the search index yet.",
}
