"""The first page of the host: what is loaded, and what to try."""

from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy import func, literal, select, union_all

from services.api.dependencies import desk_of
from services.api.pages.parts_of_page import topics_of_state
from services.api.pages.record_page import pages_of
from services.core.pages.rendering import as_page, reader_language
from services.core.query.analysis import fold
from services.core.runtime.conditional import unchanged, version_of
from services.core.schemas.dataset import dataset
from services.core.schemas.names import Names
from services.core.store.changes import head_and_time
from services.core.store.engine import snapshot
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
    with snapshot(desk.engine) as connection:
        seq, as_of = head_and_time(connection)
        reference = desk.reference.as_of(connection, seq)
        version = version_of(request, seq, reference.names_hash, modified=as_of)
        if (held := unchanged(request, version)) is not None:
            return held
        counts = {row.noun: row.records for row in connection.execute(_counts())}
        reviewed = connection.scalars(select(REVIEWS.table.c.state_under_review).distinct()).all()
        samples = connection.scalar(select(func.bool_and(REVIEWS.table.c.sample)))
        tried = connection.scalar(_state_to_try())
    names = Names(reference, language)
    topics = topics_of_state(desk, tried, names)[:_TOPICS] if tried else []
    values: dict[str, Any] = {
        "counts": [(noun, names.of_filter_value("type", noun), counts[noun]) for noun in _COUNTED],
        "states": sorted((names.state(code) for code in reviewed), key=lambda state: fold(state["name"])),
        "samples": samples,
        "state": names.state(tried) if tried else None,
        "topics": topics,
        "dataset": dataset(seq, as_of, reference),
    }
    return pages_of(request).page(request, "own/home.html", language, values, headers=version.headers())


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
