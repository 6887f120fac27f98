"""Which States each session of the Working Group reviews: by the calendar of the cycles, corrected by what is held."""

import datetime
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import Engine, select

from services.core.store.review_calendar import planned_sessions, session_days
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
    days = session_days()
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
    for (state, cycle), session in planned_sessions().items():
        if (state, cycle) not in without:
            yield state, cycle, session


def _usual_session(state: str, cycle: int) -> int | None:
    return planned_sessions().get((state, cycle))
