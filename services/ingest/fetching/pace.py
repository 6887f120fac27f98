"""When the next request may go to a host: its rate, its Retry-After, and its circuit.

One row a host in the database (`fetch_hosts`) says when the next request may go there. Whoever wants to send one takes
the row's turn at that moment, so that threads, processes and restarts keep to one rate together; nobody sends in
bursts. A host that asks to wait, or fails several calls in a row, or shows a bot wall, has its next turn far ahead.
The first turn after failures is a probe: the row moves on as if it had failed, until the probe's success is noted.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Double, Engine, Row, bindparam, case, func, select, update
from sqlalchemy.dialects.postgresql import insert

from services.core.store.ingest import fetch_hosts_table as hosts
from services.ingest.fetching.codes import FetchError
from services.ingest.fetching.kept import singly

SLOWEST_TURN = 60.0
"""Longest Crawl-delay, in seconds, that is kept to. Longer ones would make a week of a day's work."""
FAILURES_IN_A_ROW = 5
"""Calls to a host that may fail, one after the other, before its circuit opens."""
LONGEST_WAIT = 86_400.0
"""Longest Retry-After that is believed. A host that says more is asked again after a day."""

_RETRY_AFTER, _FAILURES, _CHALLENGED = "retry_after", "failures", "challenged"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a call waits for its turn, and how long hosts are left alone. All in seconds."""

    for_a_turn: float = 120.0
    first_rest: float = 60.0
    longest_rest: float = 3_600.0
    after_challenge: float = 3_600.0


class Pace:
    """Keeps the manners towards all hosts. Threads share it."""

    def __init__(
        self,
        engine: Engine,
        requests_per_second: float,
        at_once: int,
        *,
        patience: Patience | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._singly = singly(engine)
        self._interval = 1.0 / requests_per_second
        self._at_once = at_once
        self._patience = patience or Patience()
        self._sleep = sleep
        self._lock = threading.Lock()
        self._troubled: set[str] = set()
        """Hosts of which we know failures; of the others there is nothing to forget."""
        self._queues: dict[str, tuple[threading.Lock, threading.BoundedSemaphore]] = {}

    @contextmanager
    def turn(self, host: str, crawl_delay: float | None = None) -> Iterator[None]:
        """Wait until a request may go to the host, and count it among those under way until it is over.

        Raises `FetchError`: `host_resting`, `asked_to_wait`, `challenged`.
        """
        queue, under_way = self._queue(host)
        interval = max(self._interval, min(crawl_delay or 0.0, SLOWEST_TURN))
        with under_way:
            with queue:  # one of our threads asks for the turn; the others would only ask in vain
                self._wait_for_turn(host, interval)
            yield

    def succeeded(self, host: str) -> None:
        """The host answers as it should: its failures are forgotten. What it asked for itself still holds."""
        if host not in self._troubled:
            return
        self._troubled.discard(host)
        reopened = case((hosts.c.resting_because == _FAILURES, _from_now(self._interval)), else_=hosts.c.next_at)
        self._set(host, failures=0, next_at=reopened, resting_because=func.nullif(hosts.c.resting_because, _FAILURES))

    def failed(self, host: str) -> None:
        """A call to the host failed for a reason that is the host's."""
        self._troubled.add(host)
        failures = hosts.c.failures + 1
        rests = failures >= FAILURES_IN_A_ROW
        rest = _rest_after(failures, self._patience.first_rest, self._patience.longest_rest)
        until = func.greatest(hosts.c.next_at, _from_now(rest))
        self._set(
            host,
            failures=failures,
            next_at=case((rests, until), else_=hosts.c.next_at),
            resting_because=case((rests, _FAILURES), else_=hosts.c.resting_because),
        )

    def asked_to_wait(self, host: str, seconds: float) -> None:
        """The host said when to come back."""
        self._rest(host, _RETRY_AFTER, min(seconds, LONGEST_WAIT))

    def challenged(self, host: str) -> None:
        """The host does not want machines; it is left alone for a while, and people are told."""
        self._rest(host, _CHALLENGED, self._patience.after_challenge)

    def _queue(self, host: str) -> tuple[threading.Lock, threading.BoundedSemaphore]:
        with self._lock:
            if host not in self._queues:
                self._queues[host] = (threading.Lock(), threading.BoundedSemaphore(self._at_once))
            return self._queues[host]

    def _wait_for_turn(self, host: str, interval: float) -> None:
        while True:
            with self._singly.connect() as connection:
                if self._take(connection, host, interval):
                    return
                waiting = connection.execute(
                    select(
                        func.extract("epoch", hosts.c.next_at - func.clock_timestamp()).label("seconds"),
                        hosts.c.resting_because,
                        hosts.c.failures,
                    ).where(hosts.c.host == host)
                ).one_or_none()
                if waiting is None:  # nobody has asked it yet
                    connection.execute(
                        insert(hosts).values(host=host, next_at=func.clock_timestamp()).on_conflict_do_nothing()
                    )
                    continue
            seconds = max(0.0, float(waiting.seconds))
            self._refuse_to_wait(host, waiting, seconds)
            self._sleep(seconds)

    def _take(self, connection: Connection, host: str, interval: float) -> bool:
        """Take the host's turn if it is there, and leave the next one where it belongs: one statement, in one step."""
        rests = {"first_rest": self._patience.first_rest, "longest_rest": self._patience.longest_rest}
        taken = connection.execute(_TAKE, {"of": host, "interval": interval, **rests}).scalar_one_or_none()
        if taken:
            self._troubled.add(host)
        return taken is not None

    def _refuse_to_wait(self, host: str, waiting: Row[Any], seconds: float) -> None:
        why = waiting.resting_because
        if why == _CHALLENGED:
            raise FetchError("challenged", f"{host} asks machines to stay away; we do.", retry_after=seconds)
        if why == _FAILURES:
            told = f"{host} failed {waiting.failures} calls in a row and is left alone for {seconds:.0f} s."
            raise FetchError("host_resting", told, retry_after=seconds)
        if seconds > self._patience.for_a_turn:
            raise FetchError("asked_to_wait", f"{host} is asked again in {seconds:.0f} s.", retry_after=seconds)

    def _rest(self, host: str, why: str, seconds: float) -> None:
        """Never brings a turn forward."""
        self._set(host, next_at=func.greatest(hosts.c.next_at, _from_now(seconds)), resting_because=why)

    def _set(self, host: str, **values: Any) -> None:
        with self._singly.connect() as connection:
            connection.execute(update(hosts).where(hosts.c.host == host).values(**values))


def _from_now(seconds: float | ColumnElement[Any]) -> ColumnElement[Any]:
    return func.clock_timestamp() + func.make_interval(0, 0, 0, 0, 0, 0, seconds)


def _rest_after(failures: ColumnElement[Any], first: Any, longest: Any) -> ColumnElement[Any]:
    """Seconds: they double with each failure beyond those that are put up with."""
    return func.least(first * func.power(2.0, func.least(failures - FAILURES_IN_A_ROW, 20)), longest)


def _take() -> Any:
    is_probe = hosts.c.failures >= FAILURES_IN_A_ROW
    first, longest = bindparam("first_rest", type_=Double), bindparam("longest_rest", type_=Double)
    rest = _from_now(_rest_after(hosts.c.failures, first, longest))
    after = case((is_probe, rest), else_=_from_now(bindparam("interval", type_=Double)))
    return (
        update(hosts)
        .where(hosts.c.host == bindparam("of"), hosts.c.next_at <= func.clock_timestamp())
        .values(next_at=after, resting_because=case((is_probe, _FAILURES), else_=None))
        .returning(hosts.c.failures)
    )


_TAKE = _take()
"""Made once: putting it together took longer than the database takes to answer it."""
