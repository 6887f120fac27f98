"""Fan-out: from the feed of changes to one delivery for each endpoint that wants to hear of a change.

One transaction takes the next block of the feed: it locks the cursor, writes the deliveries and moves the cursor, so
that a change is fanned out once, whatever breaks off and however many deliverers there are.
"""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, literal, select, text, update

from services.core.domain.changes import type_matches
from services.core.query.filters import FilterSet
from services.core.store.changes import change_head_table, changes_table, head
from services.core.store.webhooks import endpoints_table, fanout_table

BLOCK = 2_000
"""Changes of one transaction."""
MOST_DELIVERIES = 20_000
"""Deliveries of one transaction, give or take those of one change: with many endpoints a block ends sooner."""

_INSERT = text("""
    INSERT INTO webhook_deliveries (id, endpoint, seq, event)
    SELECT * FROM unnest(CAST(:ids AS text[]), CAST(:endpoints AS text[]), CAST(:seqs AS bigint[]),
                         CAST(:events AS text[]))
    ON CONFLICT (endpoint, seq) DO NOTHING
""")


@dataclass(frozen=True, slots=True)
class FannedOut:
    """What one transaction did. `behind`: the feed goes on after `seq`."""

    seq: int
    deliveries: int
    behind: bool


@dataclass(frozen=True, slots=True)
class Heading:
    """Of a change what decides who hears of it."""

    seq: int
    id: str
    type: str
    cause: str
    terms_before: frozenset[str]
    terms_after: frozenset[str]


@dataclass(frozen=True, slots=True)
class Subscription:
    """What one endpoint wants to hear of. `event_types` empty: all."""

    endpoint: str
    from_seq: int
    event_types: frozenset[str]
    causes: frozenset[str]
    filters: FilterSet

    def wants(self, change: Heading) -> bool:
        """Whether the record met the filters before the change or after it, and the rest fits."""
        if change.seq <= self.from_seq or change.cause not in self.causes:
            return False
        if self.event_types and not type_matches(self.event_types, change.type):
            return False
        return self.filters.matches(change.terms_before) or self.filters.matches(change.terms_after)


def is_behind(connection: Connection) -> bool:
    """Whether there are changes that were not fanned out yet."""
    behind = select(literal(1)).select_from(fanout_table, change_head_table)
    return connection.scalar(behind.where(fanout_table.c.seq < change_head_table.c.seq)) is not None


def fan_out(connection: Connection) -> FannedOut | None:
    """Fan out the next block. None where there is nothing to do, or somebody else is doing it."""
    if not is_behind(connection):
        return None
    cursor = connection.scalar(select(fanout_table.c.seq).with_for_update(skip_locked=True))
    if cursor is None:
        return None
    newest = head(connection)
    subscriptions = _subscriptions(connection)
    start = max(cursor, min((each.from_seq for each in subscriptions), default=newest))
    end = min(start + BLOCK, newest)
    end, rows = _deliveries(_headings(connection, start, end, subscriptions), subscriptions, end)
    count = len(rows["ids"])
    if count:
        connection.execute(_INSERT, rows)
    connection.execute(update(fanout_table).values(seq=end))
    return FannedOut(end, count, behind=end < newest)


def _subscriptions(connection: Connection) -> list[Subscription]:
    """Of all enabled endpoints, which cannot be deleted until the transaction ends."""
    columns = endpoints_table.c
    chosen = select(columns.id, columns.from_seq, columns.event_types, columns.causes, columns.filters)
    enabled = chosen.where(columns.status == "enabled")
    rows = connection.execute(enabled.with_for_update(read=True, key_share=True))
    return [
        Subscription(
            endpoint=row.id,
            from_seq=row.from_seq,
            event_types=frozenset(row.event_types),
            causes=frozenset(row.causes),
            filters=FilterSet(None, {name: tuple(values) for name, values in row.filters.items()}),
        )
        for row in rows
    ]


def _headings(connection: Connection, start: int, end: int, subscriptions: Sequence[Subscription]) -> Iterable[Heading]:
    """The changes after `start` up to `end` whose cause anybody wants, in order."""
    causes = {cause for each in subscriptions for cause in each.causes}
    if not causes or start >= end:
        return
    columns = changes_table.c
    chosen = select(columns.seq, columns.id, columns.type, columns.cause, columns.terms_before, columns.terms_after)
    wanted = chosen.where(columns.seq > start, columns.seq <= end, columns.cause.in_(causes))
    for row in connection.execute(wanted.order_by(columns.seq)):
        yield Heading(row.seq, row.id, row.type, row.cause, frozenset(row.terms_before), frozenset(row.terms_after))


def _deliveries(
    changes: Iterable[Heading], subscriptions: Sequence[Subscription], end: int
) -> tuple[int, dict[str, list[Any]]]:
    """The rows to insert, by column, and the number up to which they reach."""
    owed: list[tuple[Heading, str]] = []
    for change in changes:
        owed.extend((change, each.endpoint) for each in subscriptions if each.wants(change))
        if len(owed) >= MOST_DELIVERIES:
            end = change.seq
            break
    return end, {
        "ids": [f"dlv_{secrets.token_hex(12)}" for _ in owed],
        "endpoints": [endpoint for _, endpoint in owed],
        "seqs": [change.seq for change, _ in owed],
        "events": [change.id for change, _ in owed],
    }
