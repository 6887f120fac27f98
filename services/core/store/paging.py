"""Pages by keyset: a cursor holds the sort values of the last row and is bound to its list."""

import base64
import datetime
import hashlib
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, TypeVar

import orjson
from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    bindparam,
    func,
    select,
    true,
    tuple_,
)

from services.core.domain.errors import InvalidCursorError, InvalidParameterError
from services.core.query.filters import FilterSet
from services.core.store.changes import change_head_table
from services.core.store.filtering import Form, bound_values, conditions, conditions_of_form, form_of
from services.core.store.metadata import day_in_order
from services.core.store.records import Stored, driver_rows
from services.core.store.tables import AGGREGATES

T = TypeVar("T")
MAX_LIMIT = 200
DEFAULT_LIMIT = 50
_ROWS_AT_ONCE = 1000
_VALUE, _ID, _LIMIT = "after_value", "after_id", "most_rows"
CURSOR_PATTERN = "^[A-Za-z0-9_-]{24,2000}$"
_CHECK_BYTES = 6
_NOT_OURS = "The cursor is not one that this list gave out; start again without it."


@dataclass(frozen=True)
class Page:
    """One page of a list, as it was after the change `seq`. `next_cursor` is None on the last one."""

    records: Sequence[Stored]
    total: int
    next_cursor: str | None
    seq: int
    as_of: datetime.datetime


@dataclass(frozen=True, eq=False)
class Sort:
    """How a list of a noun is ordered: by one expression and, for ties, by id."""

    noun: str
    name: str
    expression: ColumnElement[Any]
    descending: bool


def sorts_of(noun: str) -> tuple[str, ...]:
    """The values that `sort` can take for a noun, the default first."""
    columns = AGGREGATES[noun].table.c
    natural = "number" if "sort_key" in columns else "id"
    dated = ("date", "-date") if _date_column(noun) is not None else ()
    return (natural, f"-{natural}", *dated, "updated_at", "-updated_at")


def list_page(
    connection: Connection,
    filters: FilterSet,
    *,
    sort: str | None = None,
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
    shown: bool = False,
) -> Page:
    """One page of the records that meet the filters, with the exact total and the newest change.

    It takes one query, or two where it is empty. `shown`: the records only become JSON (`Aggregate.from_shown`).

    Raises `InvalidCursorError` for a cursor of another list or order, `InvalidParameterError` for an unknown sort.
    """
    assert filters.noun is not None
    aggregate = AGGREGATES[filters.noun]
    order = _sort(filters.noun, sort)
    binding = _binding(filters, order)
    given = {**bound_values(filters), _LIMIT: limit + 1}
    if cursor is not None:
        value, record_id = _place(cursor, binding, order)
        given |= {_VALUE: value, _ID: record_id}
    query = _statement(order, form_of(filters), after=cursor is not None, shown=shown)
    while not (rows := driver_rows(connection, query, given)):
        if (empty := _empty_page(connection, filters, query, given)) is not None:
            return empty
    *_, seq, as_of, value, total = rows[min(limit, len(rows)) - 1]
    next_cursor = None
    if len(rows) > limit:
        next_cursor = write_cursor(binding, value, rows[limit - 1][aggregate.place_of_key])
    record_of = aggregate.from_shown if shown else aggregate.from_row
    return Page([record_of(row) for row in rows[:limit]], total, next_cursor, seq, as_of)


@lru_cache(maxsize=300)
def _statement(order: Sort, form: Form, *, after: bool, shown: bool) -> Select[Any]:
    """The statement of a page: each record with the newest change, what it is sorted by and the total.

    Made once for all values: to make one takes as long as to ask it. `after`: behind the row of a cursor.
    """
    aggregate, head = AGGREGATES[order.noun], change_head_table.c
    where = conditions_of_form(order.noun, form)
    newest = [select(each).scalar_subquery() for each in (head.seq, head.occurred_at)]
    records = aggregate.as_shown() if shown else select(aggregate.table)
    query = records.add_columns(*newest, order.expression, _count(order.noun, where).scalar_subquery()).where(*where)
    if after:
        query = query.where(_after(order, aggregate.key_column))
    return query.order_by(*_keys(order, aggregate.key_column)).limit(bindparam(_LIMIT, type_=Integer()))


def _empty_page(
    connection: Connection, filters: FilterSet, query: Select[Any], given: Mapping[str, Any]
) -> Page | None:
    """The page where `query` finds nothing: the total and the newest change of that moment; None if it finds a row.

    One query asks for all of it: a record that came in between would otherwise be missing from the page, and from the
    changes after it.
    """
    found, head = query.subquery(), change_head_table
    joined = head.outerjoin(found, true())
    assert filters.noun is not None
    count = _count(filters.noun, conditions(filters))
    told = select(count.scalar_subquery(), head.c.seq, head.c.occurred_at, found.c.revision)
    (total, seq, as_of, revision), *_ = driver_rows(connection, told.select_from(joined), given)
    return Page((), total, None, seq, as_of) if revision is None else None


def count_records(connection: Connection, filters: FilterSet) -> int:
    """How many records meet the filters."""
    assert filters.noun is not None
    return connection.scalar(_count(filters.noun, conditions(filters))) or 0


def _count(noun: str, where: Sequence[ColumnElement[bool]]) -> Select[Any]:
    return select(func.count()).select_from(AGGREGATES[noun].table).where(*where)


def every_record(
    connection: Connection, filters: FilterSet, *, sort: str | None = None, shown: bool = False
) -> Generator[Stored]:
    """All records that meet the filters, in the list's order, read in portions.

    Until the last one is taken, the connection is not to be used for anything else. `shown`: they only become JSON
    (`Aggregate.from_shown`). Raises `InvalidParameterError` for an unknown sort.
    """
    assert filters.noun is not None
    aggregate = AGGREGATES[filters.noun]
    order = _sort(filters.noun, sort)
    records = aggregate.as_shown() if shown else select(aggregate.table)
    query = records.where(*conditions(filters)).order_by(*_keys(order, aggregate.key_column))
    record_of = aggregate.from_shown if shown else aggregate.from_row
    with connection.execute(query, execution_options={"yield_per": _ROWS_AT_ONCE}) as rows:
        for portion in _read_ahead(rows.partitions(_ROWS_AT_ONCE)):
            yield from map(record_of, portion)


def _read_ahead(portions: Iterator[T]) -> Iterator[T]:
    """The portions, each fetched while the one before is worked on: else the database and we would wait in turns."""
    with ThreadPoolExecutor(1, "reading-ahead") as reader:
        following = reader.submit(next, portions, None)
        while (portion := following.result()) is not None:
            following = reader.submit(next, portions, None)
            yield portion


def _keys(order: Sort, key: ColumnElement[str]) -> list[ColumnElement[Any]]:
    return [each.desc() if order.descending else each for each in (order.expression, key)]


@cache
def _sort(noun: str, name: str | None) -> Sort:
    known = sorts_of(noun)
    name = name or known[0]
    if name not in known:
        raise InvalidParameterError(
            f"`sort` cannot be “{name[:60]}”: expected one of {', '.join(known)}.", parameter="sort"
        )
    aggregate = AGGREGATES[noun]
    columns = aggregate.table.c
    expressions: dict[str, ColumnElement[Any]] = {"id": aggregate.key_column, "updated_at": columns["updated_at"]}
    if "sort_key" in columns:
        expressions["number"] = columns["sort_key"]
    if (day := _date_column(noun)) is not None:
        expressions["date"] = day_in_order(day)
    return Sort(noun, name, expressions[name.removeprefix("-")], name.startswith("-"))


def _date_column(noun: str) -> ColumnElement[datetime.date] | None:
    columns = AGGREGATES[noun].table.c
    return columns.get("date") if "date" in columns else columns.get("published_on")


def _after(order: Sort, key: ColumnElement[str]) -> ColumnElement[bool]:
    """Behind the bound row. As a comparison of rows, which an index on both can answer."""
    row = tuple_(order.expression, key)
    bound = tuple_(bindparam(_VALUE, type_=order.expression.type), bindparam(_ID, type_=key.type))
    return row < bound if order.descending else row > bound


def _binding(filters: FilterSet, order: Sort) -> str:
    return binding_of(filters.noun, filters.canonical(), order.name)


def binding_of(*identity: Any) -> str:
    """What stands for a list in its cursors: the same for the same filters and order."""
    return hashlib.sha256(orjson.dumps(identity)).hexdigest()[:12]


def write_cursor(binding: str, value: Any, record_id: str) -> str:
    """A cursor behind one row of the list that `binding` stands for. It vouches for itself, against accidents."""
    place = orjson.dumps([binding, value, record_id])
    return base64.urlsafe_b64encode(hashlib.sha256(place).digest()[:_CHECK_BYTES] + place).decode().rstrip("=")


def _place(cursor: str, binding: str, order: Sort) -> tuple[Any, str]:
    """The sort value and the id that a cursor holds. Raises `InvalidCursorError`."""
    value, record_id = read_cursor(cursor, binding)
    try:
        return _typed(value, order), record_id
    except ValueError as error:
        raise InvalidCursorError(_NOT_OURS, parameter="cursor") from error


def read_cursor(cursor: str, binding: str) -> tuple[str, str]:
    """The sort value, as text, and the id that a cursor of the list `binding` stands for holds.

    Raises `InvalidCursorError`.
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        bound_to, value, record_id = orjson.loads(base64.urlsafe_b64decode(padded)[_CHECK_BYTES:])
        if write_cursor(bound_to, value, record_id) != cursor or "\x00" in "".join((value, record_id)):
            raise ValueError(cursor)
    except (ValueError, TypeError) as error:
        raise InvalidCursorError(_NOT_OURS, parameter="cursor") from error
    if bound_to != binding:
        raise InvalidCursorError(
            "The cursor belongs to a list with other filters or another order; start again without it.",
            parameter="cursor",
        )
    return value, record_id


def _typed(value: str, order: Sort) -> Any:
    match order.name.removeprefix("-"):
        case "date":
            return datetime.date.fromisoformat(value)
        case "updated_at":
            return datetime.datetime.fromisoformat(value)
        case _:
            return value
