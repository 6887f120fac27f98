"""What is remembered of addresses and answers: the tables `resources` and `responses`."""

import datetime
import itertools
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, delete, func, select
from sqlalchemy.dialects.postgresql import insert

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
    size: int | None


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
    """Reads and writes what is remembered, for one run (or for none)."""

    def __init__(self, engine: Engine, run: str | None) -> None:
        self._singly = singly(engine)
        self._run = run

    def resource(self, address: str) -> Resource | None:
        """What is known of an address."""
        columns = [resources.c[name] for name in Resource.__dataclass_fields__]
        with self._singly.connect() as connection:
            row = connection.execute(select(*columns).where(resources.c.address == address)).one_or_none()
        return None if row is None else Resource(**row._mapping)

    def settled(self, address: str) -> Settled | None:
        """How the address turned out in this run, if asking again would tell the same."""
        if self._run is None:
            return None
        columns = [responses.c[name] for name in Settled.__dataclass_fields__]
        query = (
            select(*columns)
            .where(responses.c.run == self._run, responses.c.address == address, responses.c.outcome.in_(_SETTLED))
            .order_by(responses.c.id.desc())
            .limit(1)
        )
        with self._singly.connect() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else Settled(**{**row._mapping, "headers": row.headers or {}})

    def asked_in_this_run(self, address: str) -> bool:
        """Whether this run has asked already, to no lasting result."""
        if self._run is None:
            return False
        query = select(responses.c.id).where(responses.c.run == self._run, responses.c.address == address).limit(1)
        with self._singly.connect() as connection:
            return connection.execute(query).first() is not None

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
        if response.outcome in {FETCHED, UNCHANGED}:
            self._came(response)

    def _keep(self, response: Response) -> None:
        row: dict[str, Any] = {name: getattr(response, name) for name in Response.__dataclass_fields__}
        row["detail"] = response.detail and response.detail[:_LONGEST_DETAIL]
        row["headers"] = None if response.headers is None else _public(response.headers)
        with self._singly.connect() as connection:
            connection.execute(insert(responses).values(run=self._run, **row))

    def _came(self, response: Response) -> None:
        known = {
            "outcome": response.outcome,
            "checked_at": response.asked_at,
            "final_address": response.asked,
            "status": response.status,
            "headers": _public(response.headers or {}),
            "kind": response.kind,
            "sha256": response.sha256,
            "size": response.size,
        }
        if response.outcome == FETCHED:
            known["fetched_at"] = response.asked_at
        self._know(response.address, known)

    def forget(self, days: int) -> int:
        """Forget requests of long ago that brought nothing new; how many. The headers of every file are kept."""
        old = responses.c.asked_at < func.now() - func.make_interval(0, 0, 0, days)
        with self._singly.connect() as connection:
            return connection.execute(delete(responses).where(old, responses.c.outcome != FETCHED)).rowcount

    def failed(self, address: str, outcome: str) -> None:
        """Know how an address went this time. The file that came before stays known."""
        self._know(address, {"outcome": outcome, "checked_at": func.clock_timestamp()})

    def _know(self, address: str, known: Mapping[str, Any]) -> None:
        statement = insert(resources).values(address=address, **known)
        with self._singly.connect() as connection:
            connection.execute(statement.on_conflict_do_update(index_elements=["address"], set_=dict(known)))


def _public(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name not in _PRIVATE}
