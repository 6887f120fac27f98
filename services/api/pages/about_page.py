"""What the numbers count, where the data come from, how right they are and what is missing: `/about`, `/coverage`."""

import csv
import datetime
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection, func, select

from services.api.dependencies import desk_of
from services.api.opening import opening
from services.api.pages.record_page import pages_of
from services.core.pages.rendering import as_page, reader_language
from services.core.query.analysis import fold
from services.core.schemas.names import Names
from services.core.store.documents import DOCUMENTS
from services.core.store.recommendations import recommendations_table
from services.core.store.reviews import reviews_table

_REPORT = "working_group_report"


@dataclass(frozen=True)
class Measured:
    """A share that was measured (`accuracy.csv`): `what` names the message that says of what, `by` the command."""

    what: str
    share: float
    of: str
    measured_on: datetime.date
    by: str


@dataclass(frozen=True)
class HeldReview:
    """What is held of a review. `report`: whether its report was read, or others' databases alone tell of it."""

    review: str
    recommendations: int
    report: bool


@dataclass(frozen=True)
class CycleTold:
    """What is held of a cycle: `States` reviewed, of how many the report was read, recommendations, unanswered ones."""

    cycle: int
    reviews: int
    reports: int
    recommendations: int
    pending: int


def about_pages() -> APIRouter:
    """`/about` and `/coverage`."""
    router = APIRouter(include_in_schema=False)
    router.add_api_route("/about", as_page(pages_of, _about), methods=["GET"])
    router.add_api_route("/coverage", as_page(pages_of, _coverage), methods=["GET"])
    return router


@cache
def accuracy() -> Sequence[Measured]:
    """What was measured of how right the data are."""
    with (files("services.api.pages") / "accuracy.csv").open(encoding="utf-8") as table:
        return tuple(
            Measured(
                row["what"],
                float(row["share"]),
                row["of"],
                datetime.date.fromisoformat(row["measured_on"]),
                row["by"],
            )
            for row in csv.DictReader(table)
        )


def _about(request: Request) -> Response:
    desk, language = desk_of(request), reader_language(request)
    with opening(request) as opened:
        if (held := opened.held()) is not None:
            return held
        kinds = _documents_by_kind(opened.connection)
        cycles = list(_cycles(opened.connection))
    names = Names(opened.reference, language)
    contact = desk.settings.contact
    values: dict[str, Any] = {
        "dataset": opened.dataset,
        "sources": [(kind, names.of_filter_value("kind", kind), count) for kind, count in kinds],
        "cycles": cycles,
        "measured": accuracy(),
        "called": names.of_filter_value,
        "contact": contact,
        "contact_address": contact if contact is None or "://" in contact else f"mailto:{contact}",
    }
    return pages_of(request).page(request, "own/about.html", language, values, headers=opened.version.headers())


def _coverage(request: Request) -> Response:
    language = reader_language(request)
    with opening(request) as opened:
        if (held := opened.held()) is not None:
            return held
        told = _held_reviews(opened.connection)
    names = Names(opened.reference, language)
    cycles = range(1, max((cycle for held in told.values() for cycle in held), default=0) + 1)
    states = sorted((names.state(code) for code in told), key=lambda state: fold(state["name"]))
    values: dict[str, Any] = {
        "dataset": opened.dataset,
        "cycles": cycles,
        "states": [(state, [told[state["code"]].get(cycle) for cycle in cycles]) for state in states],
    }
    return pages_of(request).page(request, "own/coverage.html", language, values, headers=opened.version.headers())


def _documents_by_kind(connection: Connection) -> list[tuple[str, int]]:
    table = DOCUMENTS.table
    query = select(table.c.kind, func.count()).group_by(table.c.kind).order_by(func.count().desc(), table.c.kind)
    return [(kind, count) for kind, count in connection.execute(query)]


def _cycles(connection: Connection) -> Iterator[CycleTold]:
    """Of each cycle what is held, two queries."""
    columns = recommendations_table.c
    pending = func.count().filter(columns.position == "pending")
    counts = {
        cycle: (total, open_)
        for cycle, total, open_ in connection.execute(
            select(columns.cycle, func.count(), pending).group_by(columns.cycle)
        )
    }
    held: dict[int, list[bool]] = defaultdict(list)
    for _, cycle, _, report in connection.execute(_reviews()):
        held[cycle].append(report)
    for cycle in sorted(held):
        total, open_ = counts.get(cycle, (0, 0))
        yield CycleTold(cycle, len(held[cycle]), sum(held[cycle]), total, open_)


def _held_reviews(connection: Connection) -> Mapping[str, Mapping[int, HeldReview]]:
    """By State and cycle, two queries."""
    columns = recommendations_table.c
    query = select(columns.review, func.count().label("records")).group_by(columns.review)
    counts: dict[str, int] = {row.review: row.records for row in connection.execute(query)}
    found: dict[str, dict[int, HeldReview]] = defaultdict(dict)
    for state, cycle, review, report in connection.execute(_reviews()):
        found[state][cycle] = HeldReview(review, counts.get(review, 0), report)
    return found


def _reviews() -> Any:
    """Reviews, and whether their report was read."""
    documents = DOCUMENTS.table
    report = (
        select(documents.c.id)
        .where(documents.c.id == func.any(reviews_table.c.documents), documents.c.kind == _REPORT)
        .exists()
    )
    return select(reviews_table.c.state_under_review, reviews_table.c.cycle, reviews_table.c.id, report)
