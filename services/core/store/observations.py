"""Observations: what other mechanisms recommended, as UHRI holds it."""

import datetime
from dataclasses import dataclass
from typing import TypedDict

from sqlalchemy import Boolean, Column, Date, Index, Table
from sqlalchemy.dialects.postgresql import JSONB

from services.core.store.metadata import day_in_order, metadata, plain_text, row_history, texts
from services.core.store.recommendations import LabelEntry
from services.core.store.records import Aggregate, Stored


class ObservationSource(TypedDict):
    """The data set that tells of the observation, and under which id.

    The day of the export is left out: a later export that says the same changes nothing.
    """

    kind: str
    title: str
    external_id: str
    symbol: str | None
    parser: str
    parser_version: str


@dataclass(frozen=True, kw_only=True)
class ObservationRecord(Stored):
    """A recommendation or concern of a treaty body or special procedure. `body` is CAT, CRC, SR Torture …"""

    id: str
    kind: str
    body: str
    symbol: str | None
    states: tuple[str, ...]
    text: str
    text_language: str
    date: datetime.date | None
    labels: list[LabelEntry]
    label_ids: tuple[str, ...] = ()
    sources: list[ObservationSource]
    sample: bool = False


observations_table = Table(
    "observations",
    metadata,
    Column("id", plain_text(), primary_key=True),
    Column("kind", plain_text(), nullable=False),
    Column("body", plain_text(), nullable=False),
    Column("symbol", plain_text()),
    Column("states", texts(), nullable=False),
    Column("text", plain_text(), nullable=False),
    Column("text_language", plain_text(), nullable=False),
    Column("date", Date),
    Column("labels", JSONB, nullable=False),
    Column("label_ids", texts(), nullable=False),
    Column("sources", JSONB, nullable=False),
    Column("sample", Boolean, nullable=False),
    *row_history(),
)
Index(None, observations_table.c.updated_at, observations_table.c.id)
Index("ix_observations_day_in_order_id", day_in_order(observations_table.c.date), observations_table.c.id)
Index(None, observations_table.c.states, postgresql_using="gin")
Index(None, observations_table.c.label_ids, postgresql_using="gin")
OBSERVATIONS = Aggregate("observations", observations_table, ObservationRecord, opaque=("sources",))
