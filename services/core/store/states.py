"""States, the blocs and regional groups they belong to, and the sessions of the Working Group."""

import datetime
from dataclasses import dataclass

from sqlalchemy import Boolean, Column, Date, Index, Integer, Table
from sqlalchemy.dialects.postgresql import JSONB

from services.core.store.metadata import metadata, plain_text, row_history, texts
from services.core.store.records import Aggregate, Stored


@dataclass(frozen=True, kw_only=True)
class StateRecord(Stored):
    """A UN member or observer State, or an invented one of the samples.

    `names` and `official_names` are by language (en, es, fr, pt); `un_status` is member, observer or sample; `facts`
    are dated statements with their source (treaties, national preventive mechanism …).
    """

    id: str
    names: dict[str, str]
    un_status: str
    region: str | None
    blocs: tuple[str, ...] = ()
    facts: list[dict[str, object]]
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
