"""What a page shows besides one record: lists and counts, each as the API's own list or statistics tell it."""

from typing import Any

from services.api.dependencies import Desk
from services.api.parameters import read_list_query
from services.api.statistics import count_by
from services.core.query.filters import parse_filters
from services.core.runtime.parameters import Parameters
from services.core.schemas.names import Names
from services.core.schemas.shapes import Shape, shape_of, with_address
from services.core.store.engine import single_queries, snapshot
from services.core.store.paging import list_page

_NOUN = "recommendations"
_TOPICS_SHOWN = 12
_RECOMMENDATIONS_SHOWN = 100
"""On one page of a review: some have 300, which a phone on a slow line would wait for."""


def recommendations_of_review(
    desk: Desk, review: str, names: Names, narrowed: Parameters, cursor: str | None
) -> tuple[list[Shape], int, str | None]:
    """A page of the review's recommendations in their order, how many there are, and where the next page begins.

    `narrowed` are more filters. Raises their faults.
    """
    asked = [
        ("review", review),
        *narrowed,
        ("limit", str(_RECOMMENDATIONS_SHOWN)),
        *([("cursor", cursor)] if cursor else []),
    ]
    query = read_list_query(_NOUN, asked, desk.reference.get().vocabulary)
    with single_queries(desk.engine) as connection:
        page = list_page(connection, query.filters, sort=query.sort, cursor=query.cursor, limit=query.limit)
    url = desk.settings.public_url
    shapes = [with_address(_NOUN, shape_of(_NOUN, record, names), url) for record in page.records]
    return shapes, page.total, page.next_cursor


def topics_of_state(desk: Desk, state: str, names: Names) -> list[dict[str, Any]]:
    """What most of the recommendations to a State are about: topics by their code, with names and counts."""
    reference = desk.reference.get()
    filters = parse_filters(_NOUN, [("state_under_review", state)], reference.vocabulary)
    with snapshot(desk.engine) as connection:
        counts = count_by(connection, filters, ["topic"], reference, only={}, limit=_TOPICS_SHOWN + 1)
    groups = [(group.values[0], group.count) for group in counts.groups]
    return [
        {"code": code, "name": names.of_filter_value("topic", code), "count": count}
        for code, count in groups
        if code is not None
    ][:_TOPICS_SHOWN]
