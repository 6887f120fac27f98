"""Which Working Group sessions' outcomes each session of the Human Rights Council adopted."""

import csv
from functools import cache
from importlib.resources import files

from services.core.domain.reviews import cycle_of_session


def session_adopted_at(council_session: int) -> int | None:
    """The Working Group session whose outcomes the Council adopted then; None where it was none or several.

    Origin of `council_sessions.csv`: the symbols of 60 reports for Working Group sessions 1 to 20, and one report or
    draft each for sessions 40 (A/HRC/50/15), 48 (A/HRC/59/15) and 52 (A/HRC/63/12). The other rows were compared with
    no document: they are to be checked against the first report that is read.
    """
    sessions = _by_council().get(council_session, [])
    return sessions[0] if len(sessions) == 1 else None


def cycle_adopted_at(council_session: int) -> int | None:
    """The cycle of the outcomes the Council adopted then, also where they were those of two sessions of one cycle."""
    cycles = {cycle_of_session(session) for session in _by_council().get(council_session, [])}
    return cycles.pop() if len(cycles) == 1 else None


def council_sessions() -> tuple[int, ...]:
    """The Council's sessions that adopted outcomes of reviews."""
    return tuple(_by_council())


def upr_sessions_of(council_session: int) -> tuple[int, ...]:
    """The Working Group's sessions whose outcomes the Council adopted then; none where it adopted none."""
    return tuple(_by_council().get(council_session, ()))


def council_session_of(session: int) -> int | None:
    """The Council's session that adopted the outcomes of Working Group session `session`."""
    return next((council for council, sessions in _by_council().items() if session in sessions), None)


@cache
def _by_council() -> dict[int, list[int]]:
    sessions: dict[int, list[int]] = {}
    with (files("services.ingest.parsers") / "council_sessions.csv").open(encoding="utf-8") as table:
        for row in csv.DictReader(table):
            sessions.setdefault(int(row["council_session"]), []).append(int(row["upr_session"]))
    return sessions
