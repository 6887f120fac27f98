"""The queue of deliveries in PostgreSQL: who takes which, and what becomes of it.

A deliverer claims deliveries in a short transaction, which gives it a lease and a token. It tries them outside of any
transaction, and settles them in another short one, which counts only where the token is still the one it was given: had
the lease run out, somebody else may have claimed the delivery since.

Locks are taken in the order endpoint, delivery (as deleting an endpoint does), so that nobody waits in a circle.
"""

import secrets
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from sqlalchemy import Connection, bindparam, func, select, text, update

from services.api.webhooks.endpoints import DISABLED, ENABLED
from services.api.webhooks.schedule import RetrySchedule
from services.api.webhooks.sender import OURS, AttemptResult
from services.core.domain.changes import Match
from services.core.store.bulk import copy_rows
from services.core.store.changes import ChangeRecord, change_from_row, changes_table
from services.core.store.webhooks import attempts_table, deliveries_table, endpoints_table, fanout_table

FAILING_UNTIL_DISABLED = timedelta(days=5)
"""How long an endpoint may give nothing but failures. It is longer than all the tries of one event take."""

PENDING, DELIVERED, FAILED, EXPIRED = "pending", "delivered", "failed", "expired"
"""What a delivery can be: owed; taken by the receiver; given up after the last try; its change is no longer kept."""

Clock = Callable[[Connection], datetime]


def database_clock(connection: Connection) -> datetime:
    """The time of the database, which is the same for all deliverers."""
    return connection.execute(select(func.now())).scalar_one()


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery that is ours until the lease ends. It holds secrets: never log it whole.

    `slow`: its endpoint is slow or failing, and it took one of the places of those.
    """

    delivery: str
    token: int
    endpoint: str
    url: str
    secrets_in_force: tuple[str, ...]
    change: ChangeRecord
    match: Match
    slow: bool

    @property
    def key(self) -> tuple[str, int]:
        """Tells it from every other claim, also of the same delivery."""
        return self.delivery, self.token


@dataclass(frozen=True, slots=True)
class Room:
    """How much may be claimed.

    Endpoints that are slow or failing have places of their own, so that they cannot take all of them. `slow_ones` are
    those that this deliverer knows to be slow; those that fail are known from the store. Of an endpoint with a rate no
    more is claimed (`a_paced_endpoint`) than can begin at once: what waits for a thread would begin together later.
    """

    quick: int
    a_quick_endpoint: int
    slow: int
    a_slow_endpoint: int
    slow_ones: Collection[str] = ()
    a_paced_endpoint: int = 8


@dataclass(frozen=True, slots=True)
class Tried:
    """A claim that was tried, and what came of it."""

    claim: Claim
    started_at: datetime
    result: AttemptResult


@dataclass(frozen=True, slots=True)
class Settled:
    """How many tries were settled in which way. `stale` ones changed nothing: the claim had passed to somebody else.

    `disabled` endpoints are so since now; `closed` are all that get nothing any more, the deleted ones among them.
    """

    delivered: int = 0
    to_retry: int = 0
    failed: int = 0
    stale: int = 0
    disabled: frozenset[str] = frozenset()
    closed: frozenset[str] = frozenset()


_LOCK_CLAIMING = text("SELECT pg_advisory_xact_lock(hashtext('openupr: claim deliveries'))")
"""One claims at a time, for some milliseconds: else several would all look at the same rows, and together go beyond
what one endpoint is to get at once."""

# The first of each endpoint come before the second of any: that is `turn`. The array keeps the database from reading
# the whole table: it does not know how few there are.
_CLAIM = text("""
    WITH busy AS (
        SELECT endpoint, count(*) AS tries FROM webhook_deliveries
        WHERE leased_until > :now AND status = 'pending' GROUP BY endpoint
    ), candidates AS (
        SELECT due.id, e.slow, row_number() OVER (PARTITION BY e.slow ORDER BY due.turn, due.due_at) AS place
        FROM (
            SELECT id, failing_since IS NOT NULL OR id = ANY(CAST(:slow_ones AS text[])) AS slow,
                   least(max_concurrent, CASE WHEN max_per_second IS NOT NULL THEN :a_paced_endpoint END) AS most,
                   floor(:tolerance + max_per_second * least(
                       extract(epoch FROM :now - coalesce(p.empty_at, 'epoch')),
                       greatest(:burst_seconds, 1 / max_per_second))) AS tokens
            FROM webhook_endpoints LEFT JOIN webhook_paces p ON p.endpoint = id WHERE status = 'enabled'
        ) e
        LEFT JOIN busy ON busy.endpoint = e.id
        CROSS JOIN LATERAL (
            SELECT id, due_at, row_number() OVER (ORDER BY due_at, seq) AS turn FROM (
                SELECT id, due_at, seq FROM webhook_deliveries
                WHERE endpoint = e.id AND status = 'pending' AND due_at <= :now
                  AND (leased_until IS NULL OR leased_until <= :now)
                ORDER BY due_at, seq
                LIMIT greatest(least(least(CASE WHEN e.slow THEN :a_slow_endpoint ELSE :a_quick_endpoint END, e.most)
                                     - coalesce(busy.tries, 0), e.tokens), 0)
            ) first_due
        ) due
    ), locked AS (
        SELECT d.id FROM webhook_deliveries d
        WHERE d.id = ANY(ARRAY(SELECT id FROM candidates WHERE place <= CASE WHEN slow THEN :slow ELSE :quick END))
          AND d.status = 'pending' AND (d.leased_until IS NULL OR d.leased_until <= :now)
        FOR UPDATE OF d SKIP LOCKED
    )
    UPDATE webhook_deliveries d SET leased_until = :leased_until, token = d.token + 1
    FROM locked, webhook_endpoints e
    WHERE d.id = locked.id AND e.id = d.endpoint
    RETURNING d.id, d.token, d.endpoint, d.seq, d.match, e.url, e.max_per_second,
              e.failing_since IS NOT NULL OR e.id = ANY(CAST(:slow_ones AS text[])) AS slow,
              CASE WHEN e.former_secret_until > :now THEN ARRAY[e.secret, e.former_secret]
                   ELSE ARRAY[e.secret] END AS secrets
""")

BURST_SECONDS = 0.5
"""Tokens of an endpoint with a rate gather for so long: as long as a deliverer may sleep, so that the rate is reached.
Nor does an endpoint ever get more than one and a half times its rate within a second."""
_TOLERANCE = 1e-6
"""Of a token: what is lost by rounding."""

# The bucket is kept as the moment at which it was empty. Only who claims writes here, one at a time; the row of an
# endpoint that is being deleted is passed by.
_TAKE_TOKENS = text("""
    UPDATE webhook_paces p
    SET empty_at = greatest(p.empty_at, :now - greatest(:burst_seconds, 1 / taken.rate) * interval '1 second')
                   + taken.tokens / taken.rate * interval '1 second'
    FROM unnest(CAST(:endpoints AS text[]), CAST(:tokens AS int[]), CAST(:rates AS float8[])) taken(id, tokens, rate),
         (SELECT endpoint FROM webhook_paces WHERE endpoint = ANY(CAST(:endpoints AS text[]))
          FOR UPDATE SKIP LOCKED) free
    WHERE p.endpoint = taken.id AND p.endpoint = free.endpoint
""")


def claim(connection: Connection, room: Room, *, now: datetime, lease: timedelta) -> list[Claim]:
    """Take what is due, fairly among endpoints, in the transaction that the caller commits."""
    if room.quick <= 0 and room.slow <= 0:
        return []
    connection.execute(_LOCK_CLAIMING)
    values = {**asdict(room), "slow_ones": list(room.slow_ones), "now": now, "leased_until": now + lease}
    rows = connection.execute(_CLAIM, {**values, "burst_seconds": BURST_SECONDS, "tolerance": _TOLERANCE}).all()
    _take_tokens(connection, {row.endpoint: row.max_per_second for row in rows if row.max_per_second}, rows, now)
    changes = _changes(connection, {row.seq for row in rows})
    _expire(connection, [row.id for row in rows if row.seq not in changes], now)
    return [
        Claim(
            row.id, row.token, row.endpoint, row.url, tuple(row.secrets), changes[row.seq], Match(row.match), row.slow
        )
        for row in sorted(rows, key=lambda row: row.seq)
        if row.seq in changes
    ]


def _take_tokens(connection: Connection, rates: Mapping[str, float], rows: Sequence[Any], now: datetime) -> None:
    if rates:
        taken = Counter(row.endpoint for row in rows if row.endpoint in rates)
        values = {"endpoints": list(rates), "tokens": [taken[each] for each in rates], "rates": list(rates.values())}
        connection.execute(_TAKE_TOKENS, {**values, "now": now, "burst_seconds": BURST_SECONDS})


_RELEASE = text("""
    UPDATE webhook_deliveries d SET leased_until = NULL
    FROM (
        SELECT id FROM webhook_deliveries
        JOIN unnest(CAST(:ids AS text[]), CAST(:tokens AS bigint[])) held(delivery, held_token)
          ON id = delivery AND token = held_token
        FOR NO KEY UPDATE OF webhook_deliveries SKIP LOCKED
    ) ours
    WHERE d.id = ours.id
""")
"""Without waiting for anybody: what is locked becomes free when its lease ends."""


def release(connection: Connection, claims: Iterable[Claim]) -> None:
    """Give back claims that were not tried, so that others can take them at once."""
    held = list(claims)
    if held:
        values = {"ids": [each.delivery for each in held], "tokens": [each.token for each in held]}
        connection.execute(_RELEASE, values)


def _changes(connection: Connection, seqs: Collection[int]) -> dict[int, ChangeRecord]:
    if not seqs:
        return {}
    rows = connection.execute(select(changes_table).where(changes_table.c.seq.in_(seqs)))
    return {row.seq: change_from_row(row._mapping) for row in rows}


def _expire(connection: Connection, deliveries: Sequence[str], now: datetime) -> None:
    if deliveries:
        ended = update(deliveries_table).where(deliveries_table.c.id.in_(deliveries))
        connection.execute(ended.values(status=EXPIRED, settled_at=now, leased_until=None))


def settle(
    connection: Connection,
    tried: Sequence[Tried],
    *,
    schedule: RetrySchedule,
    now: datetime,
    chance: Callable[[], float],
) -> Settled:
    """Record what came of tries. Those whose claim has passed to somebody else change nothing."""
    asked = frozenset(each.claim.endpoint for each in tried)
    endpoints = _lock_endpoints(connection, asked)
    held = _lock_deliveries(connection, {each.claim.delivery for each in tried})
    ours = [each for each in tried if each.claim.key in held]
    outcomes = [_outcome(each, held[each.claim.key], schedule=schedule, now=now, chance=chance) for each in ours]
    if ours:
        _store_outcomes(connection, outcomes)
        copy_rows(connection, attempts_table, [_attempt(each, held[each.claim.key].attempts + 1) for each in ours])
    disabled = frozenset(name for name, row in endpoints.items() if _judge(connection, row, ours, now))
    enabled = frozenset(name for name, row in endpoints.items() if row.status == ENABLED)
    return Settled(
        delivered=sum(outcome["new_status"] == DELIVERED for outcome in outcomes),
        to_retry=sum(outcome["new_status"] == PENDING for outcome in outcomes),
        failed=sum(outcome["new_status"] == FAILED for outcome in outcomes),
        stale=len(tried) - len(ours),
        disabled=disabled,
        closed=asked - (enabled - disabled),
    )


def _lock_endpoints(connection: Connection, ids: Collection[str]) -> dict[str, Any]:
    columns = endpoints_table.c
    chosen = select(columns.id, columns.status, columns.failing_since).where(columns.id.in_(ids)).order_by(columns.id)
    return {row.id: row for row in connection.execute(chosen.with_for_update(key_share=True))}


def _lock_deliveries(connection: Connection, ids: Collection[str]) -> dict[tuple[str, int], Any]:
    """Those that are still owed, by id and token, with the number of attempts and of those before this schedule."""
    columns = deliveries_table.c
    owed = select(columns.id, columns.token, columns.attempts, columns.attempts_before)
    owed = owed.where(columns.id.in_(ids), columns.status == PENDING).order_by(columns.id)
    rows = connection.execute(owed.with_for_update(key_share=True))
    return {(row.id, row.token): row for row in rows}


def _outcome(
    tried: Tried, held: Any, *, schedule: RetrySchedule, now: datetime, chance: Callable[[], float]
) -> dict[str, Any]:
    """What is to stand in the row of the delivery. Attempts before it was sent again do not count for the schedule."""
    result = tried.result
    failed_tries = held.attempts - held.attempts_before + 1
    again = None
    if not result.succeeded and result.status != HTTPStatus.GONE:
        again = schedule.next_try(failed_tries, now=now, chance=chance, retry_after=result.retry_after)
    return {
        "wanted": tried.claim.delivery,
        "new_status": DELIVERED if result.succeeded else FAILED if again is None else PENDING,
        "new_attempts": held.attempts + 1,
        "new_due_at": again or now,
        "new_settled_at": now if again is None else None,
    }


def _store_outcomes(connection: Connection, outcomes: Sequence[Mapping[str, Any]]) -> None:
    columns = deliveries_table.c
    settled = update(deliveries_table).where(columns.id == bindparam("wanted"))
    values: dict[Any, Any] = {
        columns.status: bindparam("new_status"),
        columns.attempts: bindparam("new_attempts"),
        columns.due_at: bindparam("new_due_at"),
        columns.settled_at: bindparam("new_settled_at"),
        columns.leased_until: None,
    }
    connection.execute(settled.values(values), outcomes)


def _attempt(tried: Tried, number: int) -> dict[str, Any]:
    result = tried.result
    return {
        "id": f"att_{secrets.token_hex(12)}",
        "delivery": tried.claim.delivery,
        "number": number,
        "started_at": tried.started_at,
        "milliseconds": result.milliseconds,
        "status": result.status,
        "outcome": str(result.outcome),
        "error": result.error,
        "answer_start": result.answer_start or None,
    }


def _judge(connection: Connection, endpoint: Any, tried: Iterable[Tried], now: datetime) -> bool:
    """Note how an endpoint fares; whether it was disabled."""
    results = [each.result for each in tried if each.claim.endpoint == endpoint.id]
    results = [result for result in results if result.outcome not in OURS]
    if not results:
        return False
    failing_since = None if any(result.succeeded for result in results) else endpoint.failing_since or now
    values: dict[str, Any] = {}
    if failing_since != endpoint.failing_since:
        values["failing_since"] = failing_since
    reason = _reason_to_disable(results, failing_since, now) if endpoint.status == ENABLED else None
    if reason is not None:
        values.update(status=DISABLED, status_reason=reason, missed_after=select(fanout_table.c.seq).scalar_subquery())
    if values:
        connection.execute(
            update(endpoints_table).where(endpoints_table.c.id == endpoint.id).values(**values, updated_at=now)
        )
    return reason is not None


def _reason_to_disable(results: Sequence[AttemptResult], failing_since: datetime | None, now: datetime) -> str | None:
    if any(result.status == HTTPStatus.GONE for result in results):
        return f"The receiver answered 410 (gone) on {now:%Y-%m-%d at %H:%M} UTC."
    if failing_since is not None and now - failing_since >= FAILING_UNTIL_DISABLED:
        return f"Every try has failed since {failing_since:%Y-%m-%d %H:%M} UTC; the last one: {results[-1].error}"
    return None
