"""Which session a document belongs to that has a date and no session: those of the store's facts."""

import csv
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files

_BEFORE = timedelta(days=75)
"""Advance questions reach the Secretariat ten working days before a review; batches were put together earlier."""

_AFTER = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class _Session:
    number: int
    starts_on: date
    ends_on: date


def session_about(day: str) -> int | None:
    """The Working Group session that `day` (ISO 8601) falls into or shortly before; None where none is near."""
    at = date.fromisoformat(day)
    near = [each for each in _sessions() if each.starts_on - _BEFORE <= at <= each.ends_on + _AFTER]
    coming = [each for each in near if at <= each.ends_on]
    chosen = min(coming or near, key=lambda each: abs(each.starts_on - at), default=None)
    return chosen.number if chosen else None


@cache
def _sessions() -> tuple[_Session, ...]:
    with (files("services.core.store") / "facts" / "sessions.csv").open(encoding="utf-8") as table:
        return tuple(
            _Session(int(row["number"]), date.fromisoformat(row["starts_on"]), date.fromisoformat(row["ends_on"]))
            for row in csv.DictReader(table)
            if row["starts_on"] and row["ends_on"]
        )
