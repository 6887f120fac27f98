"""Pages by keyset: a cursor holds the sort values of the last row and is bound to its list."""

import base64
import binascii
import datetime
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, and_, func, literal, or_, select

from services.core.domain.errors import InvalidCursorError, InvalidParameterError
from services.core.query.filters import FilterSet
from services.core.store.filtering import conditions
from services.core.store.records import Stored
from services.core.store.tables import AGGREGATES

MAX_LIMIT = 200
DEFAULT_LIMIT = 50

_BEFORE_ALL_DAYS = datetime.date(1, 1, 1)


@dataclass(frozen=True)
class Page:
    """One page of a list. `next_cursor` is None on the last one."""

    records: Sequence[Stored]
    total: int
    next_cursor: str | None


@dataclass(frozen=True)
class Sort:
    """How a list is ordered: by one expression and, for ties, by id."""

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
) -> Page:
    """One page of the records that meet the filters, with the exact total: two queries.

    Raises `InvalidCursorError` for a cursor of another list or order, `InvalidParameterError` for an unknown sort.
    """
    assert filters.noun is not None
    aggregate = AGGREGATES[filters.noun]
    order = _sort(filters.noun, sort)
    where = conditions(filters)
    total = connection.scalar(select(func.count()).select_from(aggregate.table).where(*where)) or 0
    binding = _binding(filters, order)
    query = select(aggregate.table, order.expression.label("_sort")).where(*where)
    if cursor is not None:
        query = query.where(_after(order, aggregate.key_column, _read_cursor(cursor, binding, order)))
    keys = [order.expression, aggregate.key_column]
    query = query.order_by(*(key.desc() if order.descending else key for key in keys)).limit(limit + 1)
    rows = connection.execute(query).all()
    next_cursor = None
    if len(rows) > limit:
        rows = rows[:limit]
        next_cursor = _write_cursor(binding, rows[-1]._mapping["_sort"], rows[-1]._mapping[aggregate.key])
    records = [aggregate.from_mapping({k: v for k, v in row._mapping.items() if k != "_sort"}) for row in rows]
    return Page(records, total, next_cursor)


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
        expressions["date"] = func.coalesce(day, literal(_BEFORE_ALL_DAYS))
    return Sort(name, expressions[name.removeprefix("-")], name.startswith("-"))


def _date_column(noun: str) -> ColumnElement[datetime.date] | None:
    columns = AGGREGATES[noun].table.c
    return columns.get("date") if "date" in columns else columns.get("published_on")


def _after(order: Sort, key: ColumnElement[str], last: tuple[Any, str]) -> ColumnElement[bool]:
    value, record_id = last
    if order.descending:
        return or_(order.expression < value, and_(order.expression == value, key < record_id))
    return or_(order.expression > value, and_(order.expression == value, key > record_id))


def _binding(filters: FilterSet, order: Sort) -> str:
    identity = orjson.dumps([filters.noun, filters.canonical(), order.name])
    return hashlib.sha256(identity).hexdigest()[:12]


def _write_cursor(binding: str, value: Any, record_id: str) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([binding, value, record_id])).decode().rstrip("=")


def _read_cursor(cursor: str, binding: str, order: Sort) -> tuple[Any, str]:
    malformed = InvalidCursorError("The cursor is not one that this list gave out; start again without it.")
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        found_binding, value, record_id = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        value = _typed(value, order)
    except (ValueError, TypeError, binascii.Error) as error:
        raise malformed from error
    if found_binding != binding:
        raise InvalidCursorError(
            "The cursor belongs to a list with other filters or another order; start again without it."
        )
    if not isinstance(record_id, str) or "\x00" in record_id:
        raise malformed
    return value, record_id


def _typed(value: Any, order: Sort) -> Any:
    if not isinstance(value, str) or "\x00" in value:
        raise TypeError(value)
    match order.name.removeprefix("-"):
        case "date":
            return datetime.date.fromisoformat(value)
        case "updated_at":
            moment = datetime.datetime.fromisoformat(value)
            if moment.tzinfo is None:
                raise ValueError(value)
            return moment
        case _:
            return value
