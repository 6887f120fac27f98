"""Fan-out: from the feed of changes to one delivery for each endpoint that wants to hear of a change.

One transaction takes the next block of the feed: it locks the cursor, writes the deliveries and moves the cursor, so
that a change is fanned out once, whatever breaks off and however many deliverers there are.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, literal, select, text, update

from services.api.webhooks.subscriptions import Owed, owed_by, read_subscriptions
from services.core.store.changes import change_head_table, forget_changes, head
from services.core.store.webhooks import endpoints_table, fanout_table, replays_table

BLOCK = 2_000
"""Changes of one transaction."""
MOST_DELIVERIES = 20_000
"""Deliveries of one transaction, give or take those of one change: with many endpoints a block ends sooner."""

_INSERT = text("""
    INSERT INTO webhook_deliveries (id, endpoint, seq, event, type, match)
    SELECT * FROM unnest(CAST(:ids AS text[]), CAST(:endpoints AS text[]), CAST(:seqs AS bigint[]),
                         CAST(:events AS text[]), CAST(:types AS text[]), CAST(:matches AS text[]))
    ON CONFLICT (endpoint, seq) DO NOTHING
""")


@dataclass(frozen=True, slots=True)
class FannedOut:
    """What one transaction did. `behind`: the feed goes on after `seq`."""

    seq: int
    deliveries: int
    behind: bool


def is_behind(connection: Connection) -> bool:
    """Whether there are changes that were not fanned out yet."""
    behind = select(literal(1)).select_from(fanout_table, change_head_table)
    return connection.scalar(behind.where(fanout_table.c.seq < change_head_table.c.seq)) is not None


def fanned_out_up_to(connection: Connection) -> int:
    """The number of the last change that was fanned out."""
    return int(connection.scalar(select(fanout_table.c.seq)) or 0)


def forget_fanned_out(connection: Connection, before: datetime, *, limit: int) -> int:
    """Remove up to `limit` changes that were recorded before a moment and that all have read; answers how many.

    Replays to endpoints that are not enabled are nobody who reads: they would keep changes for ever.
    """
    replays, endpoints = replays_table.c, endpoints_table.c
    running = (replays.status == "running", endpoints.status == "enabled")
    replayed = connection.scalar(select(func.min(replays.seq)).join(endpoints_table).where(*running))
    cursor = fanned_out_up_to(connection)
    read = cursor if replayed is None else min(cursor, replayed)
    return forget_changes(connection, before=before, read_up_to=read, limit=limit)


def fan_out(connection: Connection) -> FannedOut | None:
    """Fan out the next block. None where there is nothing to do, or somebody else is doing it."""
    if not is_behind(connection):
        return None
    cursor = connection.scalar(select(fanout_table.c.seq).with_for_update(skip_locked=True))
    if cursor is None:
        return None
    newest = head(connection)
    # Endpoints cannot be deleted until the transaction ends.
    enabled = select(endpoints_table).where(endpoints_table.c.status == "enabled")
    subscriptions = read_subscriptions(connection, enabled.with_for_update(read=True, key_share=True))
    start = max(cursor, min((each.after for each in subscriptions.all), default=newest))
    block = (start, min(start + BLOCK, newest))
    end, owed = owed_by(connection, block, subscriptions, most=MOST_DELIVERIES)
    if owed:
        connection.execute(_INSERT, columns_of(owed))
    connection.execute(update(fanout_table).values(seq=end))
    return FannedOut(end, len(owed), behind=end < newest)


def columns_of(owed: Sequence[Owed]) -> dict[str, list[Any]]:
    """The rows to insert, by column."""
    return {
        "ids": [f"dlv_{secrets.token_hex(12)}" for _ in owed],
        "endpoints": [each.endpoint for each in owed],
        "seqs": [each.seq for each in owed],
        "events": [each.event for each in owed],
        "types": [each.type for each in owed],
        "matches": [str(each.match) for each in owed],
    }
