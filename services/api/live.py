"""Readers that wait for changes: one LISTEN, one reader of the store and one matching for all of them.

Who waits holds a place in an event loop, and neither a thread nor a database connection. What is new is read once from
the store, matched once for each different interest, and kept for a little while as a row of *news*; readers take from
it what comes after the number they have. Who has fallen too far behind, or asks for what nobody asked when the news
were matched, reads the store itself, as readers do that do not wait.
"""

import asyncio
import contextlib
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import psycopg
import structlog
from sqlalchemy import Engine, select
from starlette.concurrency import run_in_threadpool

from services.api.feed import matched
from services.api.matching import Interest
from services.core.domain.changes import Match
from services.core.domain.errors import UnavailableError
from services.core.runtime.problems import DATABASE_AWAY
from services.core.store.changes import CHANNEL, ChangeRecord, change_from_row, changes_table, kept_changes
from services.core.store.engine import LIVELINESS, snapshot
from services.core.store.reference import Reference, ReferenceShelf

log = structlog.get_logger(__name__)

POLL_SECONDS = 5.0
"""How often we look without having been told: a notification may be lost with its connection."""
PAUSE_SECONDS = 0.05
"""Between two readings, so that a writer of many small transactions is read in few portions."""
AT_ONCE = 1_000
"""Changes of one reading."""
KEPT = 5_000
"""Changes that are kept for readers who come a little later."""
RECONNECT_SECONDS = 2.0
READING_AT_ONCE = 4
"""Threads, and connections, of those who wait and have to read the store: the rest are for others."""

T = TypeVar("T")


@dataclass(frozen=True)
class News:
    """The changes after `start` up to `end`, of which those are kept that meet an interest of somebody who waited.

    `as_of`, `epoch` and `reference` are of the moment at which `end` was the newest.
    """

    start: int
    end: int
    as_of: datetime
    epoch: str
    reference: Reference
    changes: dict[int, ChangeRecord]
    met: dict[tuple[Any, ...], list[tuple[int, Match]]]
    encoded: dict[tuple[int, str, Match], bytes] = field(default_factory=dict)

    def of(self, interest: Interest, after: int) -> Iterator[tuple[ChangeRecord, Match]]:
        """The changes that meet an interest, with a greater number."""
        return ((self.changes[seq], match) for seq, match in self.met[interest.key] if seq > after)


class TooManyWaitingError(UnavailableError):
    """As many readers wait for changes as this service allows; Retry-After says when to try again."""

    code, status, title = "too_many_waiting", 503, "Too many readers wait for changes"


class LiveFeed:
    """Tells waiting readers of new changes. All of it but the reading of the store runs in one event loop."""

    def __init__(self, engine: Engine, database_url: str, reference: ReferenceShelf, *, most_waiting: int) -> None:
        self._engine = engine
        self._database_url = database_url
        self._reference = reference
        self._most_waiting = most_waiting
        self._waiting: Counter[tuple[Any, ...]] = Counter()
        self._interests: dict[tuple[Any, ...], Interest] = {}
        self._news: deque[News] = deque()
        self._told = asyncio.Event()
        self._arrived = asyncio.Event()
        self._stopped = False
        self._restores = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._reading = asyncio.Semaphore(READING_AT_ONCE)

    @property
    def waiting(self) -> int:
        """How many readers wait."""
        return self._waiting.total()

    @property
    def restores(self) -> int:
        """How often the store was brought back to an earlier state: who waited before is not to wait on."""
        return self._restores

    @property
    def stopped(self) -> bool:
        """Whether the service stops: nobody is to wait any longer."""
        return self._stopped

    @asynccontextmanager
    async def reader(self, interest: Interest) -> AsyncIterator[None]:
        """A place for somebody who waits. Raises `TooManyWaitingError`, and `UnavailableError` while stopping."""
        if self._stopped:
            raise UnavailableError("The service is stopping.")
        if self.waiting >= self._most_waiting:
            raise TooManyWaitingError(f"{self.waiting} readers wait for changes; no more are taken.")
        self._start()
        if not self._waiting:
            self._told.set()  # nobody has read for a while
        self._waiting[interest.key] += 1
        self._interests[interest.key] = interest
        try:
            yield
        finally:
            self._waiting[interest.key] -= 1
            if not self._waiting[interest.key]:
                del self._waiting[interest.key], self._interests[interest.key]

    def newest(self) -> News | None:
        """What was read last; None where nothing is kept."""
        return self._news[-1] if self._news else None

    def after(self, interest: Interest, seq: int) -> Sequence[News] | None:
        """The news after a number, none where there are none yet; None where they have to be read from the store."""
        held = [news for news in self._news if news.end > seq]
        if held and held[0].start > seq:
            return None
        return None if any(interest.key not in news.met for news in held) else held

    async def wait(self, seconds: float) -> None:
        """Until there are news, the service stops, or the time is over."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._arrived.wait()

    async def read(self, function: Callable[..., T], *arguments: Any) -> T:
        """Run what reads the store in a thread. All who wait together get but a few threads and connections."""
        async with self._reading:
            return await run_in_threadpool(function, *arguments)

    def stop(self) -> None:
        """Let everybody go. What is being read is finished."""
        self._stopped = True
        self._wake_readers()
        for task in self._tasks:
            task.cancel()

    def _start(self) -> None:
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._follow())]

    def _wake_readers(self) -> None:
        self._arrived.set()
        self._arrived = asyncio.Event()
        if self._stopped:
            self._arrived.set()

    async def _listen(self) -> None:
        """The one LISTEN of this process."""
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(
                    self._database_url, autocommit=True, application_name="upr-api-listen", **LIVELINESS
                ) as connection:
                    await connection.execute(f"LISTEN {CHANNEL}")
                    self._told.set()
                    async for _ in connection.notifies():
                        self._told.set()
            except psycopg.OperationalError as fault:
                log.warning("no notifications of changes for now", fault=str(fault))
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _follow(self) -> None:
        """Read what is new whenever somebody waits and something was told."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await self._told.wait()
            self._told.clear()
            if not self._waiting:
                self._news.clear()
                continue
            try:
                more = await asyncio.to_thread(self._read, dict(self._interests), self.newest())
            except DATABASE_AWAY as fault:
                log.warning("changes cannot be read for now", fault=str(fault))
                continue
            except Exception:
                log.exception("changes could not be read")
                continue
            if more is not None:
                self._keep(more)
                self._wake_readers()
                if more.end - more.start >= AT_ONCE:
                    self._told.set()
            await asyncio.sleep(PAUSE_SECONDS)

    def _keep(self, news: News) -> None:
        if self._news and (news.epoch != self._news[-1].epoch or news.end < self._news[-1].end):
            log.warning("the store was brought back to an earlier state", newest=news.end, epoch=news.epoch)
            self._restores += 1
            self._news.clear()
        self._news.append(news)
        while len(self._news) > 1 and self._news[-1].end - self._news[0].start > KEPT:
            self._news.popleft()

    def _read(self, interests: dict[tuple[Any, ...], Interest], last: News | None) -> News | None:
        """What comes after the last; None where there is nothing new. Without a last one only where the feed stands."""
        with snapshot(self._engine) as connection:
            kept = kept_changes(connection)
            newest, as_of = kept.newest, kept.as_of
            reference = self._reference.as_of(connection, newest)
            goes_on = last is not None and last.epoch == kept.epoch and last.end <= newest
            start = last.end if last is not None and goes_on else newest
            if goes_on and start == newest:
                return None
            end = min(newest, start + AT_ONCE)
            columns = changes_table.c
            new = select(changes_table).where(columns.seq > start, columns.seq <= end).order_by(columns.seq)
            rows = connection.execute(new).mappings().all() if end > start else []
            changes: dict[int, ChangeRecord] = {}
            met: dict[tuple[Any, ...], list[tuple[int, Match]]] = {key: [] for key in interests}
            for row, matches, _ in matched(connection, rows, list(interests.values()), reference):
                for key, match in zip(interests, matches, strict=True):
                    if match is not None:
                        met[key].append((row["seq"], match))
                        changes.setdefault(row["seq"], change_from_row(row))
        return News(start, end, as_of, kept.epoch, reference, changes, met)
