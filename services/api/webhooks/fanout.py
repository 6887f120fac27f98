"""Fan-out: from the feed of changes to one delivery for each endpoint that wants to hear of a change.

One transaction takes the next block of the feed: it locks the cursor, writes the deliveries and moves the cursor, so
that a change is fanned out once, whatever breaks off and however many deliverers there are.
"""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, literal, select, text, update

from services.api.bodies import stored_criterion
from services.api.matching import ChangedRecord, Interest
from services.api.saved_searches import find_saved_searches
from services.core.domain.changes import Match
from services.core.schemas.texts import SearchedTexts
from services.core.store.changes import change_head_table, changes_table, forget_changes, head
from services.core.store.paragraphs import paragraphs_of
from services.core.store.reference import Reference, reference_of, reference_seen_by
from services.core.store.webhooks import endpoints_table, fanout_table

BLOCK = 2_000
"""Changes of one transaction."""
MOST_DELIVERIES = 20_000
"""Deliveries of one transaction, give or take those of one change: with many endpoints a block ends sooner."""

_INSERT = text("""
    INSERT INTO webhook_deliveries (id, endpoint, seq, event, match)
    SELECT * FROM unnest(CAST(:ids AS text[]), CAST(:endpoints AS text[]), CAST(:seqs AS bigint[]),
                         CAST(:events AS text[]), CAST(:matches AS text[]))
    ON CONFLICT (endpoint, seq) DO NOTHING
""")


@dataclass(frozen=True, slots=True)
class FannedOut:
    """What one transaction did. `behind`: the feed goes on after `seq`."""

    seq: int
    deliveries: int
    behind: bool


@dataclass(frozen=True, slots=True)
class Subscription:
    """What one endpoint wants to hear of."""

    endpoint: str
    from_seq: int
    interest: Interest


@dataclass(frozen=True, slots=True)
class _Owed:
    endpoint: str
    seq: int
    event: str
    match: Match


def is_behind(connection: Connection) -> bool:
    """Whether there are changes that were not fanned out yet."""
    behind = select(literal(1)).select_from(fanout_table, change_head_table)
    return connection.scalar(behind.where(fanout_table.c.seq < change_head_table.c.seq)) is not None


def forget_fanned_out(connection: Connection, before: datetime, *, limit: int) -> int:
    """Remove up to `limit` changes that were recorded before a moment and that all have read; answers how many."""
    cursor = connection.scalar(select(fanout_table.c.seq)) or 0
    return forget_changes(connection, before=before, read_up_to=cursor, limit=limit)


def fan_out(connection: Connection) -> FannedOut | None:
    """Fan out the next block. None where there is nothing to do, or somebody else is doing it."""
    if not is_behind(connection):
        return None
    cursor = connection.scalar(select(fanout_table.c.seq).with_for_update(skip_locked=True))
    if cursor is None:
        return None
    newest = head(connection)
    reference, subscriptions = _subscriptions(connection)
    start = max(cursor, min((each.from_seq for each in subscriptions), default=newest))
    end, owed = _owed(connection, reference, (start, min(start + BLOCK, newest)), subscriptions)
    if owed:
        connection.execute(_INSERT, _columns(owed))
    connection.execute(update(fanout_table).values(seq=end))
    return FannedOut(end, len(owed), behind=end < newest)


def _subscriptions(connection: Connection) -> tuple[Reference, list[Subscription]]:
    """Of all enabled endpoints, which cannot be deleted until the transaction ends. Only queries need the reference."""
    columns = endpoints_table.c
    enabled = select(endpoints_table).where(columns.status == "enabled")
    rows = connection.execute(enabled.with_for_update(read=True, key_share=True)).mappings().all()
    saved = find_saved_searches(connection, {row["saved_search"] for row in rows} - {None})
    asks_words = any(each["q"] for each in (*rows, *saved.values()))
    reference = reference_seen_by(connection) if asks_words else reference_of({}, {}, {})
    return reference, [
        Subscription(
            endpoint=row["id"],
            from_seq=row["from_seq"],
            interest=Interest(
                criteria=tuple(
                    stored_criterion(each, reference.vocabulary)
                    for each in (row, saved.get(row["saved_search"]))
                    if each is not None
                ),
                event_types=frozenset(row["event_types"]),
                causes=frozenset(row["causes"]),
            ),
        )
        for row in rows
    ]


def _owed(
    connection: Connection, reference: Reference, block: tuple[int, int], subscriptions: Sequence[Subscription]
) -> tuple[int, list[_Owed]]:
    """What the changes of a block (after one number up to another) owe, and the number up to which this reaches."""
    owed: list[_Owed] = []
    for row, change in _changes(connection, reference, block, subscriptions):
        heard = [each for each in subscriptions if row["seq"] > each.from_seq]
        matches = ((each, each.interest.match(change)) for each in heard)
        owed.extend(_Owed(each.endpoint, row["seq"], row["id"], match) for each, match in matches if match)
        if len(owed) >= MOST_DELIVERIES:
            return row["seq"], owed
    return block[1], owed


def _changes(
    connection: Connection, reference: Reference, block: tuple[int, int], subscriptions: Sequence[Subscription]
) -> Iterator[tuple[RowMapping, ChangedRecord]]:
    """The changes of a block whose cause anybody wants, in order. Each is analysed once for all."""
    start, end = block
    causes = {cause for each in subscriptions for cause in each.interest.causes}
    if not causes or start >= end:
        return
    asks_words = any(each.interest.asks_words for each in subscriptions)
    searched = SearchedTexts(reference)
    columns = changes_table.c
    told = [columns[name] for name in ("seq", "id", "type", "cause", "noun", "subject", "terms_before", "terms_after")]
    chosen = select(*told, *((columns.data, columns.changed) if asks_words else ()))
    wanted = chosen.where(columns.seq > start, columns.seq <= end, columns.cause.in_(causes)).order_by(columns.seq)
    for row in connection.execute(wanted).mappings():
        yield row, ChangedRecord(row, searched, lambda key: paragraphs_of(connection, [key]).get(key, []))


def _columns(owed: Sequence[_Owed]) -> dict[str, list[Any]]:
    """The rows to insert, by column."""
    return {
        "ids": [f"dlv_{secrets.token_hex(12)}" for _ in owed],
        "endpoints": [each.endpoint for each in owed],
        "seqs": [each.seq for each in owed],
        "events": [each.event for each in owed],
        "matches": [str(each.match) for each in owed],
    }
