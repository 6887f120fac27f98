"""The deliverer: fans changes out and posts what is due, until it is told to stop.

One thread does all that touches the database, in short transactions; a pool of threads does the HTTP. Several
deliverers on one database share the work, and one that is killed loses nothing: what it was at is tried again by
another when its lease ends.
"""

import queue
import random
import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import orjson
import psycopg
import structlog
from prometheus_client import CollectorRegistry
from sqlalchemy import Connection, Engine

from services.api.settings import ApiSettings
from services.api.webhooks.fanout import fan_out, is_behind
from services.api.webhooks.forgetting import KeptFor
from services.api.webhooks.metrics import DeliveryMetrics, QueueMetrics
from services.api.webhooks.queue import Claim, Clock, Room, Settled, Tried, claim, database_clock, release, settle
from services.api.webhooks.replaying import replay_block, replays_wait
from services.api.webhooks.schedule import RetrySchedule, load_schedule
from services.api.webhooks.sender import AttemptOutcome, AttemptResult, WebhookSender
from services.api.webhooks.signature import signed_headers
from services.api.webhooks.tries import TryPool
from services.core.runtime.metrics import PoolMetrics, metrics_served, process_registry
from services.core.runtime.tracing import traced, tracer_provider
from services.core.runtime.worker import BackgroundWorker, stop_signals_ignored
from services.core.schemas.events import webhook_body
from services.core.store.changes import CHANNEL
from services.core.store.engine import LIVELINESS, make_engine

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

log = structlog.get_logger(__name__)

POLL_SECONDS = 0.5
"""How often we look for due retries, and for changes whose notification was lost."""
LONGEST_PAUSE = 5.0
"""Seconds that we wait at most before we try a database again that did not answer."""
REPORT_SECONDS = 60.0
FORGET_SECONDS, FORGOTTEN_AT_ONCE = 60.0, 5_000
"""How often old changes are removed, and how many in one transaction."""
START_SHARE, SETTLE_SHARE = 0.5, 0.25
"""What a lease has beyond the deadline of a try, as shares of it: for waiting until it starts, and for settling it."""
SLOW_SECONDS = 1.0
"""A try that takes longer marks its endpoint as slow, until one takes less."""
SLOW_WAIT_SECONDS = 0.25
"""How long slow and failing endpoints wait at most while quick ones are served."""


@dataclass(frozen=True, slots=True)
class Places:
    """How much is done at once by one deliverer.

    `threads` tries run, `running` of them of one endpoint; and in place of those that hang as many more, up to `spare`.
    Of quick endpoints more is claimed than runs (`held` in all, `held_of_one` of one), so that the threads need not
    wait for the database between two tries. Slow or failing endpoints together get `slow` places, each of them
    `slow_of_one`.
    """

    threads: int = 64
    spare: int = 128
    running: int = 8
    held: int = 256
    held_of_one: int = 64
    slow: int = 32
    slow_of_one: int = 2


@dataclass(frozen=True, slots=True)
class _Held:
    """A claim that is not settled yet. Times by the monotonic clock; `since`: when it began to run, None: it waits."""

    claim: Claim
    claimed_at: float
    since: float | None = None


class Deliverer:
    """Fans out, claims, posts and settles. `step` is the work of a `BackgroundWorker`; `wake` is its `wake`.

    `deadline_seconds` is the sender's, after which no try goes on: leases are as long as that and something more.
    """

    def __init__(
        self,
        engine: Engine,
        sender: WebhookSender,
        *,
        public_url: str,
        deadline_seconds: float,
        schedule: RetrySchedule | None = None,
        places: Places | None = None,
        kept: KeptFor | None = None,
        clock: Clock = database_clock,
        chance: Callable[[], float] = random.random,
        metrics: DeliveryMetrics | None = None,
        tracing: "TracerProvider | None" = None,
    ) -> None:
        self.wake: Callable[[], None] = lambda: None
        self._engine = engine
        self._sender = sender
        self._public_url = public_url
        self._start_within = deadline_seconds * START_SHARE
        self._lease = timedelta(seconds=deadline_seconds * (1 + START_SHARE + SETTLE_SHARE))
        self._schedule = schedule or load_schedule()
        self._places = places or Places()
        self._kept = kept or KeptFor()
        self._forget_at = 0.0
        self._clock = clock
        self._chance = chance
        self._metrics = metrics or DeliveryMetrics(CollectorRegistry())
        self._tracing = tracing
        self._pool = TryPool(
            self._try_and_tell,
            threads=self._places.threads,
            spare_threads=self._places.spare,
            an_endpoint=self._places.running,
        )
        self._held: dict[tuple[str, int], _Held] = {}  # by delivery and token
        self._slow: set[str] = set()
        self._slow_had_turn_at = 0.0
        self._closed: frozenset[str] = frozenset()
        self._finished: queue.SimpleQueue[Tried] = queue.SimpleQueue()
        self._too_late: queue.SimpleQueue[Claim] = queue.SimpleQueue()
        self._unsettled: list[Tried] = []
        self._figures = dict.fromkeys(("fanned_out", "replayed", "delivered", "to_retry", "failed", "stale"), 0)
        self._reported_at = time.monotonic()

    def step(self) -> bool:
        """Settle what has finished, start what is due, fan out a block. Whether there was anything."""
        self._collect_finished()
        given_back = [*self._withdraw(self._new_slow_ones() | self._closed), *self._take_late()]
        self._pool.note_hanging(len(self._hanging()))
        claimed_at = time.monotonic()
        with self._engine.begin() as connection:
            now = self._clock(connection)
            settled = self._settle(connection, now)
            release(connection, given_back)
            behind, replays = is_behind(connection), replays_wait(connection)
            claims = self._claim(connection, now, behind=behind)
        self._note_settled(settled)
        self._start(claims, claimed_at)
        fanned_out = self._fan_out() if behind else False
        replayed = self._replay() if replays else False
        forgot = self._forget()
        self._report()
        return bool(settled or claims or fanned_out or replayed or forgot)

    def _forget(self) -> bool:
        """Remove what is older than it is kept, every now and then; whether there may be more of it."""
        if time.monotonic() < self._forget_at:
            return False
        with self._engine.begin() as connection:
            gone = self._kept.forget(connection, self._clock(connection), limit=FORGOTTEN_AT_ONCE)
        if any(gone.values()):
            log.info("old rows removed", **gone)
        more = FORGOTTEN_AT_ONCE in gone.values()
        if not more:
            self._forget_at = time.monotonic() + FORGET_SECONDS
        return more

    def finish(self) -> None:
        """Give back what has not begun, wait for the tries that run, and settle them. Nothing can start afterwards."""
        with self._engine.begin() as connection:
            release(connection, self._pool.withdraw())
        self._pool.close()
        self._collect_finished()
        with self._engine.begin() as connection:
            settled = self._settle(connection, self._clock(connection))
        self._note_settled(settled)

    @property
    def idle(self) -> bool:
        """Whether every claim is settled or given back: none runs, and none waits for a thread."""
        return not self._held

    @property
    def running(self) -> int:
        """Tries that have begun and are not settled."""
        return sum(held.since is not None for held in list(self._held.values()))

    def _collect_finished(self) -> None:
        while not self._finished.empty():
            self._unsettled.append(self._finished.get())

    def _settle(self, connection: Connection, now: datetime) -> Settled | None:
        """Tries stay in `_unsettled` until the transaction is committed."""
        if not self._unsettled:
            return None
        return settle(connection, self._unsettled, schedule=self._schedule, now=now, chance=self._chance)

    def _note_settled(self, settled: Settled | None) -> None:
        if settled is None:
            return
        figures = {name: getattr(settled, name) for name in ("delivered", "to_retry", "failed", "stale")}
        for name, number in figures.items():
            self._figures[name] += number
        self._metrics.settled(figures)
        for endpoint in settled.disabled:
            log.warning("webhook endpoint disabled", endpoint=endpoint)
        self._closed = settled.closed
        for tried in self._unsettled:
            self._note_end(tried)
        self._unsettled = []

    def _note_end(self, tried: Tried) -> None:
        self._metrics.tried(str(tried.result.outcome), tried.result.milliseconds)
        self._held.pop(tried.claim.key, None)
        if tried.result.milliseconds > SLOW_SECONDS * 1000:
            self._slow.add(tried.claim.endpoint)
        else:
            self._slow.discard(tried.claim.endpoint)
        log.debug(
            "webhook tried",
            endpoint=tried.claim.endpoint,
            delivery=tried.claim.delivery,
            change=tried.claim.change.id,
            outcome=str(tried.result.outcome),
            status=tried.result.status,
            ms=tried.result.milliseconds,
        )

    def _new_slow_ones(self) -> set[str]:
        """Note which endpoints have become slow. What waits for them is given back, because they get fewer places."""
        fresh = {held.claim.endpoint for held in self._hanging()} - self._slow
        self._slow |= fresh
        return fresh

    def _hanging(self) -> list[_Held]:
        """The tries that have taken long already."""
        late = time.monotonic() - SLOW_SECONDS
        return [held for held in list(self._held.values()) if held.since is not None and held.since < late]

    def _withdraw(self, endpoints: Collection[str]) -> list[Claim]:
        """Take back what waits for these endpoints."""
        withdrawn = [each for endpoint in endpoints for each in self._pool.withdraw(endpoint)]
        for each in withdrawn:
            self._held.pop(each.key, None)
        return withdrawn

    def _take_late(self) -> list[Claim]:
        """Those that waited for so long that their leases might end before the try."""
        late = []
        while not self._too_late.empty():
            late.append(self._too_late.get())
            self._held.pop(late[-1].key, None)
        return late

    def _claim(self, connection: Connection, now: datetime, *, behind: bool) -> list[Claim]:
        """Take what is due of quick endpoints; of slow ones when nothing of quick ones is under way or to be fanned
        out, or when they have waited for a while. So they take no time from the others, and get their turn nonetheless.
        """
        held = self._held_now()
        room = self._room(held)
        claims = claim(connection, replace(room, slow=0), now=now, lease=self._lease)
        waited = time.monotonic() - self._slow_had_turn_at > SLOW_WAIT_SECONDS
        if waited or not (behind or claims or any(not each.slow for each in held)):
            self._slow_had_turn_at = time.monotonic()
            claims += claim(connection, replace(room, quick=0), now=now, lease=self._lease)
        return claims

    def _held_now(self) -> list[Claim]:
        """The claims that have not ended."""
        ended = {each.claim.key for each in self._unsettled}
        return [each.claim for key, each in list(self._held.items()) if key not in ended]

    def _room(self, held: Sequence[Claim]) -> Room:
        of_slow = sum(each.slow or each.endpoint in self._slow for each in held)
        return Room(
            quick=max(self._places.held - len(held), 0),
            a_quick_endpoint=self._places.held_of_one,
            slow=max(self._places.slow - of_slow, 0),
            a_slow_endpoint=self._places.slow_of_one,
            slow_ones=tuple(self._slow),
            a_paced_endpoint=self._places.running,
        )

    def _start(self, claims: Sequence[Claim], claimed_at: float) -> None:
        for each in claims:
            self._held[each.key] = _Held(each, claimed_at)
        for each in claims:
            self._pool.add(each)

    def _fan_out(self) -> bool:
        with self._engine.begin() as connection:
            fanned_out = fan_out(connection)
        made = fanned_out.deliveries if fanned_out else 0
        self._figures["fanned_out"] += made
        self._metrics.fanned_out(made)
        return fanned_out is not None

    def _replay(self) -> bool:
        with self._engine.begin() as connection:
            replayed = replay_block(connection, self._clock(connection))
        if replayed is None:
            return False
        self._figures["replayed"] += replayed.deliveries
        if replayed.ended:
            log.info("replay ended", replay=replayed.replay)
        return True

    def _try_and_tell(self, claimed: Claim) -> None:
        """What a thread of the pool does with one claim."""
        started, claimed_at = time.monotonic(), self._held[claimed.key].claimed_at
        if started - claimed_at > self._start_within:
            self._too_late.put(claimed)
            return
        self._held[claimed.key] = _Held(claimed, claimed_at, started)
        started_at = datetime.now(UTC)
        try:
            result = self._try(claimed, started_at)
        except Exception:
            log.exception("webhook could not be tried", endpoint=claimed.endpoint, delivery=claimed.delivery)
            error = "OpenUPR failed to send this event."
            result = AttemptResult(None, AttemptOutcome.INTERNAL_ERROR, 0, error)
        self._finished.put(Tried(claimed, started_at, result))
        self.wake()

    def _try(self, claimed: Claim, started_at: datetime) -> AttemptResult:
        body = orjson.dumps(webhook_body(claimed.change, self._public_url, claimed.match))
        headers = signed_headers(
            message_id=claimed.change.id, signed_at=started_at, body=body, secrets_in_force=claimed.secrets_in_force
        )
        told = {"delivery": claimed.delivery, "endpoint": claimed.endpoint, "event": claimed.change.id}
        with traced(self._tracing, "webhook", **told) as found:
            result = self._sender.send(claimed.url, body, headers)
            found["outcome"] = str(result.outcome)
        return result

    def _report(self) -> None:
        """A sign of life in the log, with what was done since the last."""
        if time.monotonic() - self._reported_at >= REPORT_SECONDS:
            log.info("deliveries", **self._figures, running=self.running, slow_endpoints=len(self._slow))
            self._figures = dict.fromkeys(self._figures, 0)
            self._reported_at = time.monotonic()


class ChangeListener:
    """Calls `wake` when changes were committed. A lost connection is made anew; polling bridges the gap."""

    def __init__(self, database_url: str, wake: Callable[[], None]) -> None:
        self._database_url = database_url
        self._wake = wake
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="changes", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self) -> None:
        """Listen no longer; takes half a second at the longest."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._listen()
            except psycopg.OperationalError as fault:
                log.warning("no notifications of changes for now", fault=str(fault))
                self._stopping.wait(2.0)

    def _listen(self) -> None:
        with psycopg.connect(
            self._database_url, autocommit=True, application_name="upr-deliver", **LIVELINESS
        ) as connection:
            connection.execute(f"LISTEN {CHANNEL}")
            while not self._stopping.is_set():
                for _ in connection.notifies(timeout=0.5, stop_after=1):
                    self._wake()


def deliver_until_stopped(settings: ApiSettings, database_url: str) -> None:
    """Deliver until SIGTERM or SIGINT, then finish the tries under way, which takes one deadline at the longest."""
    engine = make_engine(database_url, pool_size=3, name="upr-deliver")
    registry = process_registry("deliver")
    registry.register(QueueMetrics(engine))
    registry.register(PoolMetrics(engine))
    seconds = settings.webhook_deadline_seconds
    deliverer = Deliverer(
        engine,
        WebhookSender.from_settings(settings),
        public_url=settings.public_url,
        deadline_seconds=seconds,
        kept=KeptFor.from_settings(settings),
        metrics=DeliveryMetrics(registry),
        tracing=tracer_provider(settings, "deliver"),
    )
    worker = BackgroundWorker("deliver", deliverer.step, idle_wait=POLL_SECONDS, longest_pause=LONGEST_PAUSE)
    deliverer.wake = worker.wake
    listener = ChangeListener(database_url, worker.wake)
    listener.start()
    with metrics_served(settings, registry, worker.seconds_since_beat):
        worker.run()
    with stop_signals_ignored():
        log.info("finishing the tries that run", tries=deliverer.running)
        listener.stop()
        deliverer.finish()
    engine.dispose()
