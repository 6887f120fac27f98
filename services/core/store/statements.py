"""Statements: one speaker's words on one occasion."""

import datetime
from dataclasses import dataclass

from sqlalchemy import Boolean, Column, Date, Index, Integer, Table
from sqlalchemy.dialects.postgresql import JSONB

from services.core.store.metadata import day_in_order, metadata, plain_text, row_history, texts
from services.core.store.recommendations import LabelEntry
from services.core.store.records import Aggregate, Stored


@dataclass(frozen=True, kw_only=True)
class StatementRecord(Stored):
    """One statement.

    `speaker` is a State's code, or an organisation's slug, whose name is printed as `speaker_name`. `speaker_kind`:
    `state`, `organisation`, `nhri`, `intergovernmental`. `text` is None where only the name is known; `original_text`
    holds the speaker's own words where `text` is the document's translation of them. `suggested_mid_term_year`: by
    when a letter hopes for a mid-term report.
    """

    id: str
    hearing: str | None
    review: str | None
    state_under_review: str | None
    cycle: int | None
    session: int | None
    speaker: str
    speaker_name: str | None = None
    speaker_kind: str
    kind: str
    sort_key: str
    on_behalf_of: tuple[str, ...]
    text: str | None
    text_language: str
    original_text: str | None = None
    paragraph: str | None
    page: int | None
    document: str
    labels: list[LabelEntry]
    label_ids: tuple[str, ...]
    suggested_mid_term_year: int | None = None
    date: datetime.date | None
    sample: bool = False


statements_table = Table(
    "statements",
    metadata,
    Column("id", plain_text(), primary_key=True),
    Column("hearing", plain_text()),
    Column("review", plain_text()),
    Column("state_under_review", plain_text()),
    Column("cycle", Integer),
    Column("session", Integer),
    Column("speaker", plain_text(), nullable=False),
    Column("speaker_name", plain_text()),
    Column("speaker_kind", plain_text(), nullable=False),
    Column("kind", plain_text(), nullable=False),
    Column("sort_key", plain_text(), nullable=False, unique=True),
    Column("on_behalf_of", texts(), nullable=False),
    Column("text", plain_text()),
    Column("text_language", plain_text(), nullable=False),
    Column("original_text", plain_text()),
    Column("paragraph", plain_text()),
    Column("page", Integer),
    Column("document", plain_text(), nullable=False),
    Column("labels", JSONB, nullable=False),
    Column("label_ids", texts(), nullable=False),
    Column("suggested_mid_term_year", Integer),
    Column("date", Date),
    Column("sample", Boolean, nullable=False),
    *row_history(),
)
Index(None, statements_table.c.hearing)
Index(None, statements_table.c.review)
Index(None, statements_table.c.document)
Index(None, statements_table.c.speaker, statements_table.c.sort_key)
Index(None, statements_table.c.updated_at, statements_table.c.id)
Index("ix_statements_day_in_order_id", day_in_order(statements_table.c.date), statements_table.c.id)
Index(None, statements_table.c.state_under_review)
Index(None, statements_table.c.label_ids, postgresql_using="gin")
STATEMENTS = Aggregate("statements", statements_table, StatementRecord)
