"""Hearings: meetings where records were made."""

import datetime
from dataclasses import dataclass
from typing import TypedDict

from sqlalchemy import Boolean, Column, Date, Index, Integer, Table
from sqlalchemy.dialects.postgresql import JSONB

from services.core.store.metadata import metadata, plain_text, row_history, texts
from services.core.store.records import Aggregate, Stored


class TotalsSaid(TypedDict):
    """How many recommendations the President of the Council said were received, supported and noted; None: not said."""

    recommendations: int | None
    supported: int | None
    noted: int | None


@dataclass(frozen=True, kw_only=True)
class HearingRecord(Stored):
    """A Working Group review, Council adoption, debate or thematic hearing.

    `states`: whose matter it was. `meeting`: its number in the session, as printed ("25th").
    """

    id: str
    kind: str
    title: str | None = None
    date: datetime.date | None = None
    states: tuple[str, ...] = ()
    review: str | None = None
    session: int | None = None
    council_session: int | None = None
    meeting: str | None = None
    announced_speakers: int | None = None
    totals_said: TotalsSaid | None = None
    troika: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    sample: bool = False


hearings_table = Table(
    "hearings",
    metadata,
    Column("id", plain_text(), primary_key=True),
    Column("kind", plain_text(), nullable=False),
    Column("title", plain_text()),
    Column("date", Date),
    Column("states", texts(), nullable=False),
    Column("review", plain_text()),
    Column("session", Integer),
    Column("council_session", Integer),
    Column("meeting", plain_text()),
    Column("announced_speakers", Integer),
    Column("totals_said", JSONB(none_as_null=True)),
    Column("troika", texts(), nullable=False),
    Column("documents", texts(), nullable=False),
    Column("sample", Boolean, nullable=False),
    *row_history(),
)
Index(None, hearings_table.c.review)
Index(None, hearings_table.c.date, hearings_table.c.id)
Index(None, hearings_table.c.states, postgresql_using="gin")
HEARINGS = Aggregate("hearings", hearings_table, HearingRecord)
