"""Recommendations."""

import datetime
from dataclasses import dataclass
from typing import NotRequired, TypedDict

from sqlalchemy import Boolean, CheckConstraint, Column, Date, ForeignKey, Index, Integer, Table
from sqlalchemy.dialects.postgresql import JSONB

from services.core.domain.positions import position_weight
from services.core.store.metadata import day_in_order, metadata, plain_text, row_history, texts
from services.core.store.records import Aggregate, Stored


class PositionEntry(TypedDict):
    """One answer of the State, as one source reports it.

    `effective_on` is the date in the world, where known; `symbol` and `paragraph` are where the answer stands;
    `document` and `source_kind` are the source that told us.
    """

    position: str
    detail: str | None
    phrase: str | None
    effective_on: str | None
    symbol: str | None
    paragraph: str | None
    document: str
    source_kind: str


class LabelEntry(TypedDict):
    """A label on a record, and who put it there."""

    label: str
    assigned_by: str


class SourceEntry(TypedDict):
    """What one source says of the recommendation, and where in it. `text` only where it differs from the record's."""

    document: str
    file: str | None
    symbol: str | None
    kind: str
    number: str | None
    page: int | None
    paragraph: str | None
    parser: str
    parser_version: str
    text: NotRequired[str]
    recommending_states: NotRequired[list[str]]
    footnotes: NotRequired[list[str]]


@dataclass(frozen=True, kw_only=True)
class RecommendationRecord(Stored):
    """One recommendation as made. `date` is the day of the review; `sort_key` orders numbers as people count them."""

    id: str
    review: str
    state_under_review: str
    cycle: int
    session: int | None
    number: str | None
    part: str | None
    sort_key: str
    text: str
    text_language: str
    translations: dict[str, str]
    recommending_states: tuple[str, ...]
    position: str
    position_detail: str | None
    positions: list[PositionEntry]
    labels: list[LabelEntry]
    label_ids: tuple[str, ...]
    sources: list[SourceEntry]
    documents: tuple[str, ...]
    date: datetime.date | None
    aliases: tuple[str, ...] = ()
    external_ids: tuple[str, ...] = ()
    sample: bool = False


recommendations_table = Table(
    "recommendations",
    metadata,
    Column("id", plain_text(), primary_key=True),
    Column("review", plain_text(), ForeignKey("reviews.id"), nullable=False),
    Column("state_under_review", plain_text(), ForeignKey("states.id"), nullable=False),
    Column("cycle", Integer, nullable=False),
    Column("session", Integer),
    Column("number", plain_text()),
    Column("part", plain_text()),
    Column("sort_key", plain_text(), nullable=False, unique=True),
    Column("text", plain_text(), nullable=False),
    Column("text_language", plain_text(), nullable=False),
    Column("translations", JSONB, nullable=False),
    Column("recommending_states", texts(), nullable=False),
    Column("position", plain_text(), nullable=False),
    Column("position_detail", plain_text()),
    Column("positions", JSONB, nullable=False),
    Column("labels", JSONB, nullable=False),
    Column("label_ids", texts(), nullable=False),
    Column("sources", JSONB, nullable=False),
    Column("documents", texts(), nullable=False),
    Column("date", Date),
    Column("aliases", texts(), nullable=False),
    Column("external_ids", texts(), nullable=False),
    Column("sample", Boolean, nullable=False),
    *row_history(),
    CheckConstraint("position IN ('supported', 'noted', 'pending')", name="position_known"),
)
_c = recommendations_table.c
Index(None, _c.review)
Index(None, _c.state_under_review, _c.sort_key)
Index(None, _c.session)
Index(None, _c.position, _c.sort_key)
Index(None, _c.updated_at, _c.id)
Index(None, _c.date)
Index("ix_recommendations_day_in_order_id", day_in_order(_c.date), _c.id)
Index(None, _c.cycle, _c.position, _c.sort_key)
Index(None, _c.recommending_states, postgresql_using="gin")
Index(None, _c.label_ids, postgresql_using="gin")
Index(None, _c.documents, postgresql_using="gin")
Index(None, _c.aliases, postgresql_using="gin")
Index(None, _c.external_ids, postgresql_using="gin")
RECOMMENDATIONS = Aggregate(
    "recommendations", recommendations_table, RecommendationRecord, opaque=("positions", "sources")
)


def current_position(positions: list[PositionEntry]) -> PositionEntry | None:
    """The answer that holds: the word of the weightiest source, of equals the last; None where no source has one."""
    weights = [position_weight(entry["source_kind"]) for entry in positions]
    return max(enumerate(positions), key=lambda each: (weights[each[0]], each[0]), default=(0, None))[1]
