"""Reviews: the arithmetic of cycles and sessions."""

CYCLE_LAST_SESSIONS = {1: 12, 2: 26, 3: 40, 4: 54}
"""The last Working Group session of each cycle (Council resolution 16/21 and the calendars of each cycle)."""

LAST_KNOWN_SESSION = 54


def cycle_of_session(session: int) -> int:
    """The cycle (1–4) that Working Group session `session` belongs to.

    Raises `ValueError` outside 1–54: the calendar of the fifth cycle is not a fact yet.
    """
    for cycle, last in CYCLE_LAST_SESSIONS.items():
        if 1 <= session <= last:
            return cycle
    raise ValueError(f"no cycle is known for UPR session {session}")
