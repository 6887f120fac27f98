"""Reviews: one State's review in one cycle."""

import datetime
from dataclasses import dataclass

from sqlalchemy import Boolean, Column, Date, ForeignKey, Index, Integer, Table

from services.core.store.metadata import metadata, plain_text, row_history, texts
from services.core.store.records import Aggregate, Stored


@dataclass(frozen=True, kw_only=True)
class ReviewRecord(Stored):
    """`date` is the day of the review in the Working Group; `adopted_on` the day it adopted its report."""

    id: str
    state_under_review: str
    cycle: int
    session: int | None = None
    date: datetime.date | None = None
    adopted_on: datetime.date | None = None
    troika: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    sample: bool = False


reviews_table = Table(
    "reviews",
    metadata,
    Column("id", plain_text(), primary_key=True),
    Column("state_under_review", plain_text(), ForeignKey("states.id"), nullable=False),
    Column("cycle", Integer, nullable=False),
    Column("session", Integer),
    Column("date", Date),
    Column("adopted_on", Date),
    Column("troika", texts(), nullable=False),
    Column("documents", texts(), nullable=False),
    Column("sample", Boolean, nullable=False),
    *row_history(),
)
Index(None, reviews_table.c.state_under_review)
Index(None, reviews_table.c.session)
REVIEWS = Aggregate("reviews", reviews_table, ReviewRecord)
