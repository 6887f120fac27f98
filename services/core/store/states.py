"""States, the blocs and regional groups they belong to, and the sessions of the Working Group."""

import datetime
from dataclasses import dataclass
from typing import TypedDict

from sqlalchemy import Boolean, Column, Date, Index, Integer, Table
from sqlalchemy.dialects.postgresql import JSONB

from services.core.store.metadata import metadata, plain_text, row_history, texts
from services.core.store.records import Aggregate, Stored


class FactSource(TypedDict):
    """Where a fact stands: in which row of which document, in what words; `details` are figures of the same row."""

    document: str
    name: str | None
    address: str | None
    printed: str | None
    detail: str | None
    details: dict[str, str]
    page: int | None
    row: int | None


class Fact(TypedDict):
    """A dated statement about a State: `treaty:OPCAT` is `party` (`detail` accession) since a day, `nhri_status` was
    `A` in a year. Sources that tell the same stand together; those that tell something else are another fact."""

    subject: str
    value: str
    detail: str | None
    date: str | None
    year: int | None
    sources: list[FactSource]


@dataclass(frozen=True, kw_only=True)
class StateRecord(Stored):
    """A UN member or observer State, or an invented one of the samples.

    `names` are by language (en, es, fr, pt); `un_status` is member, observer or sample; `facts` are dated statements
    with their sources (treaties, national preventive mechanism …).
    """

    id: str
    names: dict[str, str]
    un_status: str
    region: str | None
    blocs: tuple[str, ...] = ()
    facts: list[Fact]
    sample: bool = False


states_table = Table(
    "states",
    metadata,
    Column("id", plain_text(), primary_key=True),
    Column("names", JSONB, nullable=False),
    Column("un_status", plain_text(), nullable=False),
    Column("region", plain_text()),
    Column("blocs", texts(), nullable=False),
    Column("facts", JSONB, nullable=False),
    Column("sample", Boolean, nullable=False),
    *row_history(),
)
Index(None, states_table.c.region)
Index(None, states_table.c.blocs, postgresql_using="gin")
STATES = Aggregate("states", states_table, StateRecord)


@dataclass(frozen=True, kw_only=True)
class PlaceGroupRecord(Stored):
    """A UN regional group (`kind` region) or a regional organisation (`kind` bloc)."""

    id: str
    kind: str
    names: dict[str, str]


place_groups_table = Table(
    "place_groups",
    metadata,
    Column("id", plain_text(), primary_key=True),
    Column("kind", plain_text(), nullable=False),
    Column("names", JSONB, nullable=False),
    *row_history(),
)
PLACE_GROUPS = Aggregate("place_groups", place_groups_table, PlaceGroupRecord)


@dataclass(frozen=True, kw_only=True)
class ReviewSessionRecord(Stored):
    """One session of the Working Group; dates are None until read from a source."""

    number: int
    cycle: int
    starts_on: datetime.date | None
    ends_on: datetime.date | None


review_sessions_table = Table(
    "review_sessions",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("cycle", Integer, nullable=False),
    Column("starts_on", Date),
    Column("ends_on", Date),
    *row_history(),
)
REVIEW_SESSIONS = Aggregate("review_sessions", review_sessions_table, ReviewSessionRecord, key="number")
