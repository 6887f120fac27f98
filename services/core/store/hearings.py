"""Hearings: meetings where records were made."""

import datetime
from dataclasses import dataclass, field
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


class Requester(TypedDict):
    """An organisation that asked for a hearing: its id, and its name as printed."""

    id: str
    name: str


@dataclass(frozen=True, kw_only=True)
class HearingRecord(Stored):
    """A Working Group review, Council adoption, debate or thematic hearing.

    `states`: whose matter it was. `meeting`: its number in the session, as printed ("25th"). Of hearings of the
    Inter-American Commission: `iachr_period` is the period of sessions and `number` the hearing's own; `scope` is
    country, regional or thematic, `origin` requested or ex_officio, `modality` in_person, virtual or hybrid; `titles`
    and `summaries` are by language; `organisation_ids` those of `requesting_organisations`; `aliases` ids it bore
    before its number was known.
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
    iachr_period: int | None = None
    number: int | None = None
    scope: str | None = None
    type: str | None = None
    origin: str | None = None
    modality: str | None = None
    video: str | None = None
    press_release: str | None = None
    requesting_organisations: list[Requester] = field(default_factory=list)
    organisation_ids: tuple[str, ...] = ()
    participants: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    titles: dict[str, str] = field(default_factory=dict)
    summaries: dict[str, str] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
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
    Column("iachr_period", Integer),
    Column("number", Integer),
    Column("scope", plain_text()),
    Column("type", plain_text()),
    Column("origin", plain_text()),
    Column("modality", plain_text()),
    Column("video", plain_text()),
    Column("press_release", plain_text()),
    Column("requesting_organisations", JSONB, nullable=False),
    Column("organisation_ids", texts(), nullable=False),
    Column("participants", texts(), nullable=False),
    Column("languages", texts(), nullable=False),
    Column("titles", JSONB, nullable=False),
    Column("summaries", JSONB, nullable=False),
    Column("aliases", texts(), nullable=False),
    Column("documents", texts(), nullable=False),
    Column("sample", Boolean, nullable=False),
    *row_history(),
)
Index(None, hearings_table.c.review)
Index(None, hearings_table.c.date, hearings_table.c.id)
Index(None, hearings_table.c.states, postgresql_using="gin")
Index(None, hearings_table.c.aliases, postgresql_using="gin")
Index(None, hearings_table.c.organisation_ids, postgresql_using="gin")
HEARINGS = Aggregate("hearings", hearings_table, HearingRecord)
