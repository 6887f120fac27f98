"""How many recommendations reviews have and what was answered, counted in the three ways that others count."""

from collections.abc import Iterable
from typing import Any

from pydantic import Field
from sqlalchemy import Connection, func, select

from services.core.domain.positions import Position, PositionDetail
from services.core.schemas.models import Public
from services.core.schemas.shapes import Shape
from services.core.store.filtering import as_array
from services.core.store.recommendations import recommendations_table

NUMBERS, RECORDS, STATE_ROWS = "numbers", "records", "state_rows"
WAYS = (NUMBERS, RECORDS, STATE_ROWS)


class DetailCounts(Public):
    """How many answers have each detail; most have none."""

    implemented: int
    in_process: int
    partial: int
    not_supported: int


class Counts(Public):
    """How many there are, and how many of them have each answer."""

    total: int = Field(examples=[129])
    supported: int = Field(examples=[120])
    noted: int = Field(examples=[9])
    pending: int = Field(examples=[0])
    by_detail: DetailCounts


class CountsThreeWays(Public):
    """The same recommendations, counted in three ways. Null: no document that lists them was read."""

    numbers: Counts | None = Field(
        description="Printed numbers, as the Council's documents count. A number that holds several recommendations is "
        "counted once, and under each answer that they got. Null where no source has numbers."
    )
    records: Counts | None = Field(description="Recommendations: the total of the list.")
    state_rows: Counts | None = Field(
        description="One for each recommending State of each recommendation, as UPR Info counts."
    )


NOTHING_READ: Shape = dict.fromkeys(WAYS)


def counts_by_review(connection: Connection, reviews: Iterable[str]) -> dict[str, Shape]:
    """Of each review with recommendations, the members of `CountsThreeWays`. One query."""
    columns = recommendations_table.c
    answers = (columns.position, columns.position_detail)
    query = (
        select(
            columns.review,
            *answers,
            func.grouping(*answers).label("left_out"),
            func.count(columns.number.distinct()).label(NUMBERS),
            func.count().label(RECORDS),
            func.coalesce(func.sum(func.cardinality(columns.recommending_states)), 0).label(STATE_ROWS),
        )
        .where(columns.review == func.any(as_array(list(reviews))))
        .group_by(columns.review, func.cube(*answers))
    )
    found: dict[str, Shape] = {}
    for row in connection.execute(query):
        ways = found.setdefault(row.review, {way: no_counts() for way in WAYS})
        for way in WAYS:
            _set(ways[way], row, getattr(row, way))
    for ways in found.values():
        if not ways[NUMBERS]["total"]:
            ways[NUMBERS] = None
    return found


_ALL, _BY_POSITION, _BY_DETAIL = 0b11, 0b01, 0b10
"""What `GROUPING(position, position_detail)` says: a bit is set for what a group does not tell apart."""


def _set(counts: Shape, row: Any, count: int) -> None:
    if row.left_out == _ALL:
        counts["total"] = int(count)
    elif row.left_out == _BY_POSITION:
        counts[row.position] = int(count)
    elif row.left_out == _BY_DETAIL and row.position_detail is not None:
        counts["by_detail"][row.position_detail] = int(count)


def no_counts() -> Shape:
    """The members of `Counts`, all zero."""
    return {
        "total": 0,
        **{str(position): 0 for position in Position},
        "by_detail": {str(detail): 0 for detail in PositionDetail},
    }


def counts_of(answers: Iterable[tuple[str, str | None]]) -> Shape:
    """Counts of some recommendations, each told by its position and the position's detail."""
    counts = no_counts()
    for position, detail in answers:
        counts["total"] += 1
        counts[position] += 1
        if detail is not None:
            counts["by_detail"][detail] += 1
    return counts


def sum_of(several: Iterable[Shape | None]) -> Shape | None:
    """Counts of several reviews together; None where none was counted."""
    held = [counts for counts in several if counts is not None]
    if not held:
        return None
    together = no_counts()
    for counts in held:
        for name, value in counts.items():
            if name == "by_detail":
                for detail, count in value.items():
                    together[name][detail] += count
            else:
                together[name] += value
    return together
