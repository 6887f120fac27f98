"""What endpoints want to hear of, and what the changes of a block owe them: alike for fan-out and replay."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, select

from services.api.bodies import stored_criterion
from services.api.matching import ChangedRecord, Interest
from services.api.saved_searches import find_saved_searches
from services.core.domain.changes import Match
from services.core.schemas.texts import SearchedTexts
from services.core.store.changes import changes_table
from services.core.store.paragraphs import paragraphs_of
from services.core.store.reference import Reference, reference_of, reference_seen_by


@dataclass(frozen=True, slots=True)
class Subscription:
    """What one endpoint wants to hear of, of changes with a greater number than `after`."""

    endpoint: str
    after: int
    interest: Interest


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """Those of several endpoints, with the reference that their words and filters are understood by."""

    reference: Reference
    all: Sequence[Subscription]


@dataclass(frozen=True, slots=True)
class Owed:
    """A change that an endpoint is to hear of."""

    endpoint: str
    seq: int
    event: str
    type: str
    match: Match


def read_subscriptions(connection: Connection, endpoints: Select[Any]) -> Subscriptions:
    """Those of the endpoints that a query selects. Only words need the reference: else it is not read."""
    rows = connection.execute(endpoints).mappings().all()
    saved = find_saved_searches(connection, {row["saved_search"] for row in rows} - {None})
    asks_words = any(each["q"] for each in (*rows, *saved.values()))
    reference = reference_seen_by(connection) if asks_words else reference_of({}, {}, {})
    subscriptions = [
        Subscription(
            endpoint=row["id"],
            after=row["from_seq"],
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
    return Subscriptions(reference, subscriptions)


def owed_by(
    connection: Connection, block: tuple[int, int], subscriptions: Subscriptions, *, most: int
) -> tuple[int, list[Owed]]:
    """What the changes of a block (after one number up to another) owe, and the number up to which this reaches.

    It ends with the change that makes it `most` or more.
    """
    owed: list[Owed] = []
    for row, change in _changes(connection, block, subscriptions):
        heard = [each for each in subscriptions.all if row["seq"] > each.after]
        matches = ((each, each.interest.match(change)) for each in heard)
        owed.extend(Owed(each.endpoint, row["seq"], row["id"], row["type"], match) for each, match in matches if match)
        if len(owed) >= most:
            return row["seq"], owed
    return block[1], owed


def _changes(
    connection: Connection, block: tuple[int, int], subscriptions: Subscriptions
) -> Iterator[tuple[RowMapping, ChangedRecord]]:
    """The changes of a block whose cause anybody wants, in order. Each is analysed once for all."""
    start, end = block
    causes = {cause for each in subscriptions.all for cause in each.interest.causes}
    if not causes or start >= end:
        return
    asks_words = any(each.interest.asks_words for each in subscriptions.all)
    searched = SearchedTexts(subscriptions.reference)
    columns = changes_table.c
    told = [columns[name] for name in ("seq", "id", "type", "cause", "noun", "subject", "terms_before", "terms_after")]
    chosen = select(*told, *((columns.data, columns.changed) if asks_words else ()))
    wanted = chosen.where(columns.seq > start, columns.seq <= end, columns.cause.in_(causes)).order_by(columns.seq)
    for row in connection.execute(wanted).mappings():
        yield row, ChangedRecord(row, searched, lambda key: paragraphs_of(connection, [key]).get(key, []))
