"""Goes through the range of a replay in the background and makes due what the endpoint would have got.

One transaction takes the next block, as in the fan-out: it locks the replay, writes the deliveries and notes how far it
came, so that whatever breaks off is gone on with from there, by this deliverer or another.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import Connection, Row, literal, select, text, update

from services.api.webhooks.endpoints import ENABLED
from services.api.webhooks.fanout import BLOCK, columns_of
from services.api.webhooks.replays import ALL, DONE, EXPIRED, RUNNING
from services.api.webhooks.subscriptions import owed_by, read_subscriptions
from services.core.store.changes import kept_changes
from services.core.store.webhooks import endpoints_table, replays_table

log = structlog.get_logger(__name__)

# A try that is under way goes on: its lease and token stay. Who holds a token of before must not settle what is owed
# anew, hence the next one where the delivery was settled.
_MAKE_DUE = """
    INSERT INTO webhook_deliveries (id, endpoint, seq, event, type, match, due_at)
    SELECT owed.*, CAST(:now AS timestamptz)
    FROM unnest(CAST(:ids AS text[]), CAST(:endpoints AS text[]), CAST(:seqs AS bigint[]),
                CAST(:events AS text[]), CAST(:types AS text[]), CAST(:matches AS text[])) owed
    ON CONFLICT (endpoint, seq) DO UPDATE SET
        status = 'pending',
        match = excluded.match,
        attempts_before = webhook_deliveries.attempts,
        due_at = CASE WHEN webhook_deliveries.status = 'pending' THEN least(webhook_deliveries.due_at, :now)
                      ELSE :now END,
        token = webhook_deliveries.token + CASE WHEN webhook_deliveries.status = 'pending' THEN 0 ELSE 1 END,
        settled_at = NULL
"""
_ALL = text(_MAKE_DUE)
_UNDELIVERED = text(f"{_MAKE_DUE} WHERE webhook_deliveries.status <> 'delivered'")


@dataclass(frozen=True, slots=True)
class Replayed:
    """What one transaction did. `ended`: the replay is over."""

    replay: str
    deliveries: int
    ended: bool


def replays_wait(connection: Connection) -> bool:
    """Whether there is a replay to go on with."""
    waiting = select(literal(1)).join_from(replays_table, endpoints_table)
    return connection.scalar(waiting.where(*_RUNS).limit(1)) is not None


def replay_block(connection: Connection, now: datetime) -> Replayed | None:
    """Go on with the replay that has waited longest. None where there is none, or others are at all of them."""
    row = _next(connection)
    if row is None:
        return None
    own = select(endpoints_table).where(endpoints_table.c.id == row.endpoint)
    subscriptions = read_subscriptions(connection, own)
    if not kept_changes(connection).tells_all_after(row.seq) and row.seq < row.to_seq:
        log.warning("replay broken off: changes are no longer kept", replay=row.id, seq=row.seq)
        return _note(connection, row, row.seq, 0, now, status=EXPIRED)
    whole = replace(subscriptions, all=[replace(each, after=0) for each in subscriptions.all])
    end, owed = owed_by(connection, (row.seq, min(row.seq + BLOCK, row.to_seq)), whole, most=BLOCK)
    made = 0
    if owed:
        statement = _ALL if row.deliveries == ALL else _UNDELIVERED
        made = connection.execute(statement, {**columns_of(owed), "now": now}).rowcount
    return _note(connection, row, end, made, now, status=RUNNING if end < row.to_seq else DONE)


_RUNS = (replays_table.c.status == RUNNING, endpoints_table.c.status == ENABLED)


def _next(connection: Connection) -> Row[Any] | None:
    """The first of each endpoint are taken in turn.

    It is locked together with its endpoint, without waiting for either: who deletes an endpoint, and who settles, takes
    that one first, and deliveries and replays afterwards.
    """
    earlier = replays_table.alias()
    first = ~select(literal(1)).where(
        earlier.c.endpoint == replays_table.c.endpoint,
        earlier.c.status == RUNNING,
        earlier.c.number < replays_table.c.number,
    ).exists()  # fmt: skip
    wanted = select(replays_table).join(endpoints_table).where(*_RUNS, first).order_by(replays_table.c.moved_at)
    return connection.execute(
        wanted.limit(1).with_for_update(of=[replays_table, endpoints_table], key_share=True, skip_locked=True)
    ).one_or_none()


def _note(connection: Connection, row: Row[Any], seq: int, made: int, now: datetime, *, status: str) -> Replayed:
    columns = replays_table.c
    values = {"seq": seq, "owed": columns.owed + made, "status": status, "moved_at": now}
    ended = status != RUNNING
    moved = update(replays_table).where(columns.number == row.number)
    connection.execute(moved.values(**values, finished_at=now if ended else None))
    return Replayed(row.id, made, ended)
