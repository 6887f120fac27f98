"""When each source is to be run next: pure functions of what its last runs were.

A run is due one cadence after the last good one began, a little later for each source, so that not all are due at once.
After a time in which nobody ran anything, each source is due once, whatever it missed. A source whose runs fail is
tried again after a while that doubles, up to its cadence.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

JITTER = 0.1
"""The share of a wait by which it may be longer."""
LONGEST_JITTER = timedelta(hours=1)
FIRST_RETRY = timedelta(minutes=15)


@dataclass(frozen=True)
class Past:
    """What is known of a source's runs.

    `begun`: when the last run began that came to an end which stands: it finished, or is held. `failures`: how many in
    a row have failed since, the last of them at `failed`. `stopped`: a run waits to be gone on with.
    """

    begun: datetime | None = None
    failures: int = 0
    failed: datetime | None = None
    stopped: bool = False


def next_due(source: str, cadence: timedelta, past: Past) -> datetime | None:
    """When the source is to be run next; None: now, for nothing is known that it would have to wait for."""
    if past.stopped:
        return None
    if past.failures and past.failed is not None:
        wait = min(FIRST_RETRY * (1 << min(past.failures - 1, 20)), cadence)
        return past.failed + wait + _jitter(source, past.failed, wait)
    if past.begun is None:
        return None
    return past.begun + cadence + _jitter(source, past.begun, cadence)


def due_now(now: datetime, cadences: Mapping[str, timedelta], pasts: Mapping[str, Past]) -> list[str]:
    """The sources that are due, who waits longest first."""
    waiting = [(next_due(source, cadence, pasts.get(source, Past())), source) for source, cadence in cadences.items()]
    return [source for _, source in sorted(_due(now, waiting))]


def _due(now: datetime, waiting: Iterable[tuple[datetime | None, str]]) -> Iterable[tuple[float, str]]:
    for due, source in waiting:
        if due is None or due <= now:
            yield (due.timestamp() if due else 0.0, source)


def _jitter(source: str, since: datetime, wait: timedelta) -> timedelta:
    """Always the same for a source and a moment, so that a restart changes nothing."""
    drawn = hashlib.sha256(f"{source} {since.isoformat()}".encode()).digest()
    return min(wait * JITTER, LONGEST_JITTER) * (int.from_bytes(drawn[:4], "big") / 2**32)
