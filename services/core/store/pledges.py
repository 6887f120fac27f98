"""Voluntary pledges and commitments."""

import datetime
from dataclasses import dataclass

from sqlalchemy import Boolean, Column, Date, ForeignKey, Index, Integer, Table
from sqlalchemy.dialects.postgresql import JSONB

from services.core.store.metadata import metadata, plain_text, row_history, texts
from services.core.store.recommendations import LabelEntry
from services.core.store.records import Aggregate, Stored


@dataclass(frozen=True, kw_only=True)
class PledgeRecord(Stored):
    """One voluntary pledge of the State under review."""

    id: str
    review: str
    state_under_review: str
    cycle: int
    session: int | None
    sort_key: str
    text: str
    text_language: str
    paragraph: str | None
    page: int | None
    document: str
    labels: list[LabelEntry]
    label_ids: tuple[str, ...] = ()
    date: datetime.date | None = None
    sample: bool = False


pledges_table = Table(
    "pledges",
    metadata,
    Column("id", plain_text(), primary_key=True),
    Column("review", plain_text(), ForeignKey("reviews.id"), nullable=False),
    Column("state_under_review", plain_text(), ForeignKey("states.id"), nullable=False),
    Column("cycle", Integer, nullable=False),
    Column("session", Integer),
    Column("sort_key", plain_text(), nullable=False, unique=True),
    Column("text", plain_text(), nullable=False),
    Column("text_language", plain_text(), nullable=False),
    Column("paragraph", plain_text()),
    Column("page", Integer),
    Column("document", plain_text(), nullable=False),
    Column("labels", JSONB, nullable=False),
    Column("label_ids", texts(), nullable=False),
    Column("date", Date),
    Column("sample", Boolean, nullable=False),
    *row_history(),
)
Index(None, pledges_table.c.review)
Index(None, pledges_table.c.document)
Index(None, pledges_table.c.label_ids, postgresql_using="gin")
PLEDGES = Aggregate("pledges", pledges_table, PledgeRecord)
