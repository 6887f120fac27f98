"""When a failed delivery is tried again. Pure: the caller brings the clock and the chance."""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from services.core.runtime.retry_after import asked_wait

_FILE = Path(__file__).with_name("retry_schedule.toml")


@dataclass(frozen=True, slots=True)
class RetrySchedule:
    """The waits between tries; see retry_schedule.toml for what each value means and where it comes from."""

    waits: tuple[timedelta, ...]
    spread: float
    longest_asked: float

    @property
    def most_tries(self) -> int:
        """How often one delivery is tried at most."""
        return len(self.waits) + 1

    def next_try(
        self,
        failed_tries: int,
        *,
        now: datetime,
        chance: Callable[[], float],
        retry_after: str | None = None,
    ) -> datetime | None:
        """When to try again after `failed_tries` (1 or more) failures; None where the schedule is exhausted.

        `chance` gives a number from 0 up to 1, like `random.random`. `retry_after` is the header of the failed answer,
        if it had one: seconds or an HTTP date. It is honoured within [wait, longest_asked × wait]; one that cannot be
        read is ignored.
        """
        if failed_tries < 1:
            raise ValueError("there is nothing to try again before a try has failed")
        if failed_tries > len(self.waits):
            return None
        wait = self.waits[failed_tries - 1]
        asked = asked_wait(retry_after, now=now) if retry_after else None
        if asked is not None:
            return now + min(max(asked, wait), wait * self.longest_asked)
        return now + wait * (1 + self.spread * (2 * chance() - 1))


@cache
def load_schedule() -> RetrySchedule:
    """The schedule in force, from retry_schedule.toml."""
    facts = tomllib.loads(_FILE.read_text())
    waits = tuple(timedelta(seconds=seconds) for seconds in facts["waits"])
    return RetrySchedule(waits, float(facts["spread"]), float(facts["longest_asked"]))
