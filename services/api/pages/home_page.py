"""The first page of the host: what is loaded, and what to try."""

from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy import func, literal, select, union_all

from services.api.dependencies import desk_of
from services.api.opening import opening
from services.api.pages.parts_of_page import topics_of_state
from services.api.pages.record_page import pages_of
from services.core.pages.rendering import as_page, reader_language
from services.core.query.analysis import fold
from services.core.schemas.names import Names
from services.core.store.recommendations import recommendations_table
from services.core.store.reviews import REVIEWS
from services.core.store.tables import AGGREGATES

_TOPICS = 3
_COUNTED = ("recommendations", "statements", "hearings", "documents", "pledges", "observations")


def home_page() -> APIRouter:
    """`/`."""
    router = APIRouter(include_in_schema=False)
    router.add_api_route("/", as_page(pages_of, _home), methods=["GET"])
    return router


def _home(request: Request) -> Response:
    desk, language = desk_of(request), reader_language(request)
    with opening(request) as opened:
        if (held := opened.held()) is not None:
            return held
        counts = {row.noun: row.records for row in opened.connection.execute(_counts())}
        reviewed = opened.connection.scalars(select(REVIEWS.table.c.state_under_review).distinct()).all()
        samples = opened.connection.scalar(select(func.bool_and(REVIEWS.table.c.sample)))
        tried = opened.connection.scalar(_state_to_try())
    names = Names(opened.reference, language)
    topics = topics_of_state(desk, tried, names)[:_TOPICS] if tried else []
    values: dict[str, Any] = {
        "counts": [(noun, names.of_filter_value("type", noun), counts[noun]) for noun in _COUNTED],
        "states": sorted((names.state(code) for code in reviewed), key=lambda state: fold(state["name"])),
        "samples": samples,
        "state": names.state(tried) if tried else None,
        "topics": topics,
        "dataset": opened.dataset,
    }
    return pages_of(request).page(request, "own/home.html", language, values, headers=opened.version.headers())


def _state_to_try() -> Any:
    """The State reviewed last of those with recommendations, of several the one with most."""
    columns = recommendations_table.c
    state = columns.state_under_review
    latest = func.max(columns.date).desc().nulls_last()
    return select(state).group_by(state).order_by(latest, func.count().desc(), state).limit(1)


def _counts() -> Any:
    """How many records of each noun there are, in one query."""
    columns = [
        (literal(noun).label("noun"), func.count().label("records"), AGGREGATES[noun].table) for noun in _COUNTED
    ]
    return union_all(*(select(noun, records).select_from(table) for noun, records, table in columns))
