"""The calendar of the cycles: which session of the Working Group reviews which State, and when sessions are.

`facts/review_calendar.csv` and `facts/sessions.csv`; `facts/ORIGIN.md` says where they come from.
"""

import datetime
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from services.core.domain.reviews import cycle_of_session
from services.core.store.seed import facts


class SessionDays(NamedTuple):
    """The first and last day of a session; None until a source has told them."""

    starts_on: datetime.date | None
    ends_on: datetime.date | None


@cache
def planned_sessions() -> Mapping[tuple[str, int], int]:
    """The number of the session, by the code of a State and the cycle."""
    return {
        (state, cycle_of_session(int(row["session"]))): int(row["session"])
        for row in facts("review_calendar")
        for state in row["states"].split()
    }


@cache
def session_days() -> Mapping[int, SessionDays]:
    """When each session is, by its number."""
    return {
        int(row["number"]): SessionDays(*(_day(row[name]) for name in ("starts_on", "ends_on")))
        for row in facts("sessions")
    }


def _day(text: str) -> datetime.date | None:
    return datetime.date.fromisoformat(text) if text else None
