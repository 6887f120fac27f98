"""What is remembered of addresses and answers: the tables `resources` and `responses`."""

import datetime
import itertools
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, Text, any_, bindparam, delete, func, select
from sqlalchemy.dialects.postgresql import ARRAY, insert

from services.core.store.ingest import resources_table as resources
from services.core.store.ingest import responses_table as responses
from services.ingest.fetching.codes import CODES, FetchError

FETCHED, UNCHANGED, REDIRECTED, INTERRUPTED = "fetched", "unchanged", "redirected", "interrupted"
"""Outcomes that are no faults; the others are `CODES`."""

_SETTLED = (FETCHED, UNCHANGED, *(code for code, follows in CODES.items() if follows.settled))
_PASSING = frozenset(code for code, follows in CODES.items() if follows.retried)
_LONGEST_DETAIL = 500
_PRIVATE = frozenset({"set-cookie"})
"""Headers that are nobody's business later on."""
_MOST_FORESEEN = 1_000
"""Addresses of which is remembered what was looked up before they are asked for; those that never are give way."""
_LONGEST_UNNOTED = 1.0
"""Seconds that a note waits for others to be written with."""


@dataclass(frozen=True, slots=True)
class Resource:
    """What is known of an address: how it went the last time, and the latest file that came."""

    address: str
    outcome: str
    checked_at: datetime.datetime
    final_address: str | None = None
    status: int | None = None
    headers: Mapping[str, str] | None = None
    kind: str | None = None
    sha256: str | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """How an address that this run has asked already turned out."""

    outcome: str
    detail: str | None
    asked: str
    status: int | None
    headers: Mapping[str, str]
    kind: str | None
    sha256: str | None
    size: int | None


@dataclass(frozen=True, slots=True)
class Failure:
    """One request that failed. `size`: of the bytes that came."""

    outcome: str
    detail: str | None
    size: int | None


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of an address before it is asked for. `settled`: in this run, if asking again would tell the same;
    `asked`: whether this run has asked at all.
    """

    resource: Resource | None
    settled: Settled | None = None
    asked: bool = False


@dataclass(slots=True)
class Response:
    """One request and what came of it, to be kept."""

    address: str
    asked: str
    reason: str
    asked_at: datetime.datetime
    milliseconds: int = 0
    outcome: str = INTERRUPTED
    detail: str | None = None
    status: int | None = None
    headers: Mapping[str, str] | None = None
    kind: str | None = None
    sha256: str | None = None
    size: int | None = None


def singly(engine: Engine) -> Engine:
    """The same connections, where each statement is a transaction of its own and costs one way to the server."""
    return engine.execution_options(isolation_level="AUTOCOMMIT")


class Kept:
    """Reads and writes what is remembered, for one run (or for none). Threads may share it.

    That a file is as it was is noted `at_once` with as many others, since a run without news tells little else: whoever
    is killed asks for those again, and is told the same. Everything else is noted at once.
    """

    def __init__(self, engine: Engine, run: str | None, *, at_once: int = 1) -> None:
        self._engine = engine
        self._singly = singly(engine)
        self._run = run
        self._at_once = at_once
        self._lock = threading.Lock()
        self._unnoted: dict[str, Response] = {}
        self._unnoted_since = 0.0
        self._foreseen: dict[str, Known] = {}

    def foresee(self, addresses: Sequence[str]) -> None:
        """Look up what is known of addresses that are asked for next: two queries for all of them."""
        self._foreseen.update(self._look_up(addresses))
        for address in list(self._foreseen)[:-_MOST_FORESEEN]:
            self._foreseen.pop(address, None)

    def known(self, address: str) -> Known:
        """What is known of an address. What was foreseen is told once."""
        return self._foreseen.pop(address, None) or self._look_up([address])[address]

    def resource(self, address: str) -> Resource | None:
        """What is known of an address, whatever this run has heard of it."""
        return self._resources([address]).get(address)

    def _look_up(self, addresses: Sequence[str]) -> Mapping[str, Known]:
        self.note()
        known = self._resources(addresses)
        settled, asked = self._of_this_run(addresses)
        return {each: Known(known.get(each), settled.get(each), each in asked) for each in addresses}

    def _resources(self, addresses: Sequence[str]) -> Mapping[str, Resource]:
        with self._singly.connect() as connection:
            rows = connection.execute(_RESOURCES, {"addresses": list(addresses)}).all()
        return {row.address: Resource(**row._mapping) for row in rows}

    def _of_this_run(self, addresses: Sequence[str]) -> tuple[Mapping[str, Settled], frozenset[str]]:
        """What of these turned out for good, and what was asked for."""
        if self._run is None:
            return {}, frozenset()
        with self._singly.connect() as connection:
            rows = connection.execute(_ASKED, {"run": self._run, "addresses": list(addresses)}).all()
        settled = {
            row.address: Settled(
                row.outcome, row.detail, row.asked, row.status, row.headers or {}, row.kind, row.sha256, row.size
            )
            for row in rows
            if row.outcome in _SETTLED
        }
        return settled, frozenset(row.address for row in rows)

    def failures(self, address: str, *, within: float) -> list[Failure]:
        """The latest requests of this run for the address, all of which failed for reasons that may pass, in order.

        `within`: no older than so many seconds.
        """
        if self._run is None:
            return []
        columns = responses.c
        recent = columns.asked_at > func.now() - func.make_interval(0, 0, 0, 0, 0, 0, within)
        query = select(*(columns[name] for name in Failure.__dataclass_fields__)).where(
            columns.run == self._run, columns.address == address, recent
        )
        with self._singly.connect() as connection:
            asked = [Failure(**row._mapping) for row in connection.execute(query.order_by(columns.id))]
        passing = itertools.takewhile(lambda each: each.outcome in _PASSING, reversed(asked))
        return [*passing][::-1]

    @contextmanager
    def noting(self, response: Response) -> Iterator[None]:
        """Keep a request whatever comes of it, a fault in the middle of the answer included."""
        started = time.perf_counter()
        try:
            yield
        except FetchError as fault:
            response.outcome, response.detail = fault.code, fault.detail
            raise
        finally:
            response.milliseconds = round((time.perf_counter() - started) * 1000)
            self._keep(response)

    def note(self) -> None:
        """Write down what waits for others."""
        with self._lock:
            waiting, self._unnoted = list(self._unnoted.values()), {}
            if waiting:
                with self._engine.begin() as connection:
                    connection.execute(_KEEP, [self._row(each) for each in waiting])
                    connection.execute(_STILL_THERE, [_known_of(each) for each in waiting])

    def _keep(self, response: Response) -> None:
        if response.outcome == UNCHANGED:
            self._keep_with_others(response)
            return
        with self._singly.connect() as connection:
            connection.execute(_KEEP, self._row(response))
        if response.outcome == FETCHED:
            self._know({**_known_of(response), "fetched_at": response.asked_at})

    def _keep_with_others(self, response: Response) -> None:
        with self._lock:
            if not self._unnoted:
                self._unnoted_since = time.monotonic()
            self._unnoted[response.address] = response
            enough = len(self._unnoted) >= self._at_once
        if enough or time.monotonic() - self._unnoted_since > _LONGEST_UNNOTED:
            self.note()

    def _row(self, response: Response) -> dict[str, Any]:
        row: dict[str, Any] = {name: getattr(response, name) for name in Response.__dataclass_fields__}
        row["detail"] = response.detail and response.detail[:_LONGEST_DETAIL]
        row["headers"] = None if response.headers is None else _public(response.headers)
        return {**row, "run": self._run}

    def forget(self, days: int) -> int:
        """Forget requests of long ago that brought nothing new; how many. The headers of every file are kept."""
        old = responses.c.asked_at < func.now() - func.make_interval(0, 0, 0, days)
        with self._singly.connect() as connection:
            return connection.execute(delete(responses).where(old, responses.c.outcome != FETCHED)).rowcount

    def failed(self, address: str, outcome: str) -> None:
        """Know how an address went this time. The file that came before stays known."""
        self._know({"address": address, "outcome": outcome, "checked_at": func.clock_timestamp()})

    def _know(self, known: Mapping[str, Any]) -> None:
        statement = insert(resources).values(**known)
        with self._singly.connect() as connection:
            connection.execute(statement.on_conflict_do_update(index_elements=["address"], set_=dict(known)))


_RESOURCES = select(*(resources.c[name] for name in Resource.__dataclass_fields__)).where(
    resources.c.address == any_(bindparam("addresses", type_=ARRAY(Text)))
)
_ASKED = (
    select(responses.c.address, *(responses.c[name] for name in Settled.__dataclass_fields__))
    .where(responses.c.run == bindparam("run"), responses.c.address == any_(bindparam("addresses", type_=ARRAY(Text))))
    .order_by(responses.c.id)
)
_KEEP = insert(responses)
_OF_WHAT_CAME = ("outcome", "checked_at", "final_address", "status", "headers", "kind", "sha256", "size")
_THERE = insert(resources)
_STILL_THERE = _THERE.on_conflict_do_update(
    index_elements=["address"], set_={name: _THERE.excluded[name] for name in _OF_WHAT_CAME}
)


def _known_of(response: Response) -> dict[str, Any]:
    """What an answer tells of its address."""
    return {
        "address": response.address,
        "outcome": response.outcome,
        "checked_at": response.asked_at,
        "final_address": response.asked,
        "status": response.status,
        "headers": _public(response.headers or {}),
        "kind": response.kind,
        "sha256": response.sha256,
        "size": response.size,
    }


def _public(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name not in _PRIVATE}
