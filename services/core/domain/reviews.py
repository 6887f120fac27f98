"""Reviews: the arithmetic of cycles and sessions, and what is known of mid-term reports."""

from enum import StrEnum

CYCLE_LAST_SESSIONS = {1: 12, 2: 26, 3: 40, 4: 54}
"""The last Working Group session of each cycle (Council resolution 16/21 and the calendars of each cycle)."""

LAST_KNOWN_SESSION = 54


class MidTermStatus(StrEnum):
    """What is known of a State's mid-term report. It is voluntary (resolution 16/21, para. 18), and never overdue."""

    SUBMITTED = "submitted"
    SUGGESTED = "suggested"
    NOT_SEEN = "not_seen"


def cycle_of_session(session: int) -> int:
    """The cycle (1–4) that Working Group session `session` belongs to.

    Raises `ValueError` outside 1–54: the calendar of the fifth cycle is not a fact yet.
    """
    for cycle, last in CYCLE_LAST_SESSIONS.items():
        if 1 <= session <= last:
            return cycle
    raise ValueError(f"no cycle is known for UPR session {session}")
