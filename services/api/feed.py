"""Reading the feed: the changes that meet an interest, in portions.

Types, causes, nouns and filters are conditions in SQL. Words are not: what is left is read and matched, a bounded
number of texts for one portion.
"""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, RowMapping, Select, and_, func, literal_column, or_, select

from services.api.matching import ChangedRecord, Criterion, Interest
from services.core.domain.changes import EVENT_TYPES, Cause, Match, type_matches
from services.core.domain.errors import UprError
from services.core.schemas.texts import PARTED_NOUNS, SearchedTexts
from services.core.store.changes import ChangeRecord, Kept, change_from_row, changes_table
from services.core.store.filtering import as_array
from services.core.store.metadata import plain_text
from services.core.store.paragraphs import paragraphs_of
from services.core.store.reference import Reference
from services.core.store.tables import AGGREGATES

MOST_TEXTS = 2_000
"""Changes and paragraphs that are looked at for one portion, give or take those read at once."""
_ROWS_AT_ONCE = 250


class ChangesGoneError(UprError):
    """Changes that are no longer kept. `exports` are the whole data; `cursor` is where to go on after reading them."""

    code, status, title = "changes_gone", 410, "These changes are no longer kept"


def refuse_gone(after: int, kept: Kept, public_url: str) -> None:
    """Raise `ChangesGoneError` where not every change after a number is kept."""
    if not kept.tells_all_after(after):
        raise ChangesGoneError(
            f"Changes are kept from {kept.oldest} on. Read the data anew from the exports, then the changes after "
            f"{kept.newest}.",
            oldest=kept.oldest,
            cursor=kept.newest,
            exports=_exports(public_url),
        )


class FeedRestoredError(UprError):
    """Changes that this service does not hold: it was brought back to an earlier state, or another one gave the number.

    `exports` are the whole data; go on after reading them with `cursor` and `epoch`.
    """

    code, status, title = "feed_restored", 410, "The feed goes on from an earlier state"


def refuse_other_history(after: int, epoch: str | None, kept: Kept, public_url: str) -> None:
    """Raise `FeedRestoredError` where the change with this number is not of the history that is held."""
    if not kept.holds(after, epoch):
        since = f"change {after}" + (f" of the epoch {epoch}" if epoch else "")
        raise FeedRestoredError(
            f"What you have up to {since} is not what is held here: the data were brought back to an earlier state, or "
            f"the number is not from here. Read the data anew from the exports, then the changes after {kept.newest}.",
            cursor=kept.newest,
            epoch=kept.epoch,
            exports=_exports(public_url),
        )


def _exports(public_url: str) -> dict[str, str]:
    return {noun: f"{public_url.rstrip('/')}/v1/{noun}.ndjson" for noun in AGGREGATES}


@dataclass(frozen=True)
class Portion:
    """Some changes with how each met the interest. `following`: the number to go on from; None: there are no more."""

    changes: Sequence[tuple[ChangeRecord, Match]]
    following: int | None


def changes_after(
    connection: Connection, interest: Interest, reference: Reference, *, after: int, limit: int
) -> Portion:
    """Up to `limit` changes with greater numbers, in order."""
    columns = changes_table.c
    query = select(changes_table).where(columns.seq > after).order_by(columns.seq)
    return _portion(connection, query, interest, reference, limit)


def changes_before(
    connection: Connection, interest: Interest, reference: Reference, *, before: int, limit: int
) -> Portion:
    """Up to `limit` changes with smaller numbers, the newest first."""
    columns = changes_table.c
    query = select(changes_table).where(columns.seq < before).order_by(columns.seq.desc())
    return _portion(connection, query, interest, reference, limit)


def matched(
    connection: Connection, rows: Sequence[RowMapping], interests: Sequence[Interest], reference: Reference
) -> Iterator[tuple[RowMapping, list[Match | None], int]]:
    """Rows of `changes`, how each meets each of the interests, and how many texts it has. Paragraphs: one query."""
    asks_words = any(each.asks_words for each in interests)
    parted = {row["subject"] for row in rows if row["noun"] in PARTED_NOUNS} if asks_words else set()
    paragraphs = paragraphs_of(connection, sorted(parted)) if parted else {}
    searched = SearchedTexts(reference)
    for row in rows:
        change = ChangedRecord(row, searched, lambda document: paragraphs.get(document, ()))
        texts = 1 + (len(paragraphs.get(row["subject"], ())) if row["noun"] in PARTED_NOUNS else 0)
        yield row, [each.match(change) for each in interests], texts


def _portion(
    connection: Connection, query: Select[Any], interest: Interest, reference: Reference, limit: int
) -> Portion:
    query = query.where(*_conditions(interest))
    found: list[tuple[RowMapping, Match]] = []
    if not interest.asks_words:  # then the conditions say all
        rows = connection.execute(query.limit(limit + 1)).mappings().all()
        found = [(row, match) for row, (match,), _ in matched(connection, rows, [interest], reference) if match]
        return _cut(found, limit, None)
    texts = 0
    read = connection.execute(query.limit(MOST_TEXTS), execution_options={"yield_per": _ROWS_AT_ONCE}).mappings()
    with contextlib.closing(read):
        for rows in read.partitions():
            for row, (match,), more_texts in matched(connection, rows, [interest], reference):
                texts += more_texts
                found += [(row, match)] if match else []
                if len(found) > limit or texts >= MOST_TEXTS:
                    return _cut(found, limit, row["seq"])
    return _cut(found, limit, None)


def _cut(found: Sequence[tuple[RowMapping, Match]], limit: int, looked_up_to: int | None) -> Portion:
    """`looked_up_to`: the number of the last change looked at, where there are more behind it."""
    shown = [(change_from_row(row), match) for row, match in found[:limit]]
    return Portion(shown, shown[-1][0].seq if len(found) > limit else looked_up_to)


def _conditions(interest: Interest) -> list[ColumnElement[bool]]:
    """What a change must meet in SQL: all that is asked for, but for words."""
    columns = changes_table.c
    conditions: list[ColumnElement[bool]] = []
    if interest.event_types:
        wanted = [each for each in EVENT_TYPES if type_matches(interest.event_types, each)]
        conditions.append(columns.type.in_(wanted))
    if interest.causes and interest.causes != frozenset(Cause):
        conditions.append(columns.cause.in_(sorted(interest.causes)))
    nouns = [frozenset(each.nouns) for each in interest.criteria if each.nouns is not None]
    if nouns:
        conditions.append(columns.noun.in_(sorted(frozenset.intersection(*nouns))))
    if any(each.conditions for each in interest.criteria):
        sides = (columns.terms_before, columns.terms_after)
        conditions.append(or_(*(_meets(interest.criteria, terms) for terms in sides)))
    return conditions


def _meets(criteria: Sequence[Criterion], terms: ColumnElement[list[str]]) -> ColumnElement[bool]:
    """`FilterSet.matches` of all criteria in SQL, on one side of a change."""
    return and_(*(_meets_one(name, values, terms) for each in criteria for name, values in each.conditions))


def _meets_one(name: str, values: tuple[str, ...], terms: ColumnElement[list[str]]) -> ColumnElement[bool]:
    if name in ("date_from", "date_to"):
        # Sorted as bytes, all dates stand between `date:` and `date;`.
        unnested = func.unnest(terms).table_valued(Column("term", plain_text())).render_derived()
        first, last = (f"date:{values[0]}", "date;") if name == "date_from" else ("date:", f"date:{values[0]}")
        in_between = (unnested.c.term >= first, unnested.c.term <= last)
        return select(literal_column("1")).select_from(unnested).where(*in_between).correlate(changes_table).exists()
    met: ColumnElement[bool] = terms.overlap(as_array([f"{name}:{value}" for value in values]))
    return met
