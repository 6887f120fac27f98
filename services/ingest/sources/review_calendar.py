"""Which States each session of the Working Group reviews: by the calendar of the cycles, corrected by what is held.

Origin of `review_calendar.csv`: the order of review that the Council drew by lot on 21 September 2007 and has kept
since (decision 17/119), 16 States a session in the first cycle and 14 after it, with the changes that were announced
(Israel in 2013, Sudan from the third cycle on, Ukraine taken out of session 42). `basis` says how sure a row is:
`compared` with UPR Info's database (sessions 1 to 20) or with the Council's press releases and ILGA World's table of
deadlines; else it follows from the `order`.
"""

import csv
import datetime
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from sqlalchemy import Engine, select

from services.core.domain.reviews import cycle_of_session
from services.core.store.reviews import reviews_table


@dataclass(frozen=True, slots=True)
class WorkingGroupSession:
    """One session, with the codes of the States it reviews. Its days are None until a source has told them."""

    number: int
    states: tuple[str, ...]
    starts_on: datetime.date | None = None
    ends_on: datetime.date | None = None

    def is_news(self, since: datetime.date | None, documents_take: datetime.timedelta) -> bool:
        """Whether documents of the session may be as new as `since`. `documents_take`: how long after it they come."""
        return since is None or self.ends_on is None or self.ends_on + documents_take >= since

    def has_documents(self, today: datetime.date, documents_precede: datetime.timedelta) -> bool:
        """Whether the first documents may be out. `documents_precede`: how long before the session they come."""
        return self.starts_on is None or self.starts_on - documents_precede <= today


def sessions(engine: Engine) -> list[WorkingGroupSession]:
    """All sessions with reviews, the newest first. Where the store holds a review, its session is the store's."""
    states: dict[int, set[str]] = {}
    held = list(_held(engine))
    decided = {(state, cycle) for state, cycle, _ in held}
    for state, cycle, session in (*held, *_calendar(decided)):
        if session is not None:
            states.setdefault(session, set()).add(state)
        elif (usual := _usual_session(state, cycle)) is not None:
            states.setdefault(usual, set()).add(state)
    days = _days()
    return [
        WorkingGroupSession(number, tuple(sorted(states[number])), *days.get(number, (None, None)))
        for number in sorted(states, reverse=True)
    ]


Review = tuple[str, int, int | None]
"""State, cycle and session."""


def _held(engine: Engine) -> Iterator[Review]:
    columns = reviews_table.c
    query = select(columns.state_under_review, columns.cycle, columns.session).where(columns.sample.is_(False))
    with engine.connect() as connection:
        yield from (tuple(row) for row in connection.execute(query))


def _calendar(without: Iterable[tuple[str, int]]) -> Iterator[Review]:
    for (state, cycle), session in _planned().items():
        if (state, cycle) not in without:
            yield state, cycle, session


def _usual_session(state: str, cycle: int) -> int | None:
    return _planned().get((state, cycle))


@cache
def _planned() -> dict[tuple[str, int], int]:
    with (files("services.ingest.sources") / "review_calendar.csv").open(encoding="utf-8") as table:
        return {
            (state, cycle_of_session(int(row["session"]))): int(row["session"])
            for row in csv.DictReader(table)
            for state in row["states"].split()
        }


@cache
def _days() -> dict[int, tuple[datetime.date | None, datetime.date | None]]:
    with (files("services.core.store") / "facts" / "sessions.csv").open(encoding="utf-8") as table:
        return {int(row["number"]): (_day(row["starts_on"]), _day(row["ends_on"])) for row in csv.DictReader(table)}


def _day(text: str) -> datetime.date | None:
    return datetime.date.fromisoformat(text) if text else None
