"""A record is one row: how rows become frozen dataclasses and back (ADR 0005).

A record's dataclass has a field for each column of its table, under the same name. Lists of codes are PostgreSQL
arrays (tuples here), lists of small structures are JSONB (lists of dicts here).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Generic, TypeVar

from orjson import Fragment
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    Text,
    bindparam,
    cast,
    delete,
    func,
    select,
    type_coerce,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import NullType

from services.core.store.bulk import copy_rows

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Stored:
    """The history of a row. Left out of comparison: two records are equal when they say the same."""

    revision: int = field(default=1, compare=False)
    created_at: datetime = field(default=EPOCH, compare=False)
    updated_at: datetime = field(default=EPOCH, compare=False)


HISTORY = tuple(f.name for f in fields(Stored))
R = TypeVar("R", bound=Stored)


def driver_rows(
    connection: Connection, query: Select[Any], given: Mapping[str, Any] | None = None
) -> Sequence[tuple[Any, ...]]:
    """All rows of a query as the driver hands them over, which is as records hold them.

    Wrapping each row and copying each array once more, as SQLAlchemy does, takes as long again as reading them.
    """
    # Whoever read in portions on this connection has left it so: SQLAlchemy would keep the first rows to itself.
    with connection.execute(query, given, execution_options={"stream_results": False, "yield_per": None}) as result:
        return result.cursor.fetchall()


@dataclass(frozen=True)
class Aggregate(Generic[R]):
    """A table, the dataclass of its rows, and the name of its key.

    `opaque` are columns of JSON that the public shape holds just as they are.
    """

    noun: str
    table: Table
    record: type[R]
    key: str = "id"
    opaque: tuple[str, ...] = ()

    @property
    def key_column(self) -> ColumnElement[str]:
        """The primary key's column."""
        column: ColumnElement[str] = self.table.c[self.key]
        return column

    def from_row(self, row: Sequence[Any]) -> R:
        """A row of `select(table)` as a record. What stands behind the table's columns is left out."""
        record = object.__new__(self.record)
        # As the dataclass' own __init__ would, but at a third of its cost: lists of many records are mostly this.
        values = record.__dict__
        values.update(zip(self._names, row, strict=False))
        for name in self._arrays:
            values[name] = tuple(values[name])
        return record

    def as_shown(self) -> Select[Any]:
        """`select(table)` for what is shown and not looked at: JSON that shapes hold as it is comes as text.

        Arrays come as the driver hands them over (see `driver_rows`), also where rows are streamed.
        """
        columns: list[Any] = [
            cast(each, Text)
            if each.name in self.opaque
            else type_coerce(each, NullType())
            if isinstance(each.type, ARRAY)
            else each
            for each in self.table.columns
        ]
        return select(*columns)

    def from_shown(self, row: Sequence[Any]) -> R:
        """A row of `as_shown()` as a record that only becomes JSON: reading and writing that again is half the work."""
        record = object.__new__(self.record)
        values = record.__dict__
        values.update(zip(self._names, row, strict=False))  # with lists for tuples: JSON does not tell them apart
        for name in self.opaque:
            values[name] = Fragment(values[name])
        return record

    def read(self, connection: Connection, ids: Iterable[str]) -> dict[str, R]:
        """The records with these ids, by id; one query. Ids that do not exist are left out."""
        wanted = list(ids)
        if not wanted:
            return {}
        found = self.where(
            connection, self.key_column == func.any(bindparam(None, wanted, ARRAY(self.key_column.type)))
        )
        return {getattr(record, self.key): record for record in found}

    def one(self, connection: Connection, record_id: str) -> R | None:
        """The record with this id, or None."""
        return self.read(connection, [record_id]).get(record_id)

    def where(self, connection: Connection, *conditions: ColumnElement[bool]) -> list[R]:
        """All records that meet the conditions, in the order of their ids."""
        query = select(self.table).where(*conditions).order_by(self.key_column)
        return [self.from_row(row) for row in driver_rows(connection, query)]

    def insert(self, connection: Connection, records: Sequence[R]) -> None:
        """Insert new records. Their history starts now."""
        copy_rows(connection, self.table, map(self._content, records))

    def update(self, connection: Connection, records: Sequence[R]) -> None:
        """Overwrite the rows of these records, each by one revision."""
        self._overwrite(connection, records, revision=self.table.c.revision + 1, updated_at=func.now())

    def amend(self, connection: Connection, records: Sequence[R]) -> None:
        """Overwrite the rows of these records where nobody outside sees a difference: they are no other revision."""
        self._overwrite(connection, records)

    def _overwrite(self, connection: Connection, records: Sequence[R], **history: ColumnElement[Any]) -> None:
        if records:
            # Many at once, so that the driver need not wait for the answer to each.
            overwrite = update(self.table).where(self.key_column == bindparam("of_key")).values(history)
            rows = [{**self._content(record), "of_key": getattr(record, self.key)} for record in records]
            connection.execute(overwrite, rows)

    def delete(self, connection: Connection, ids: Sequence[str]) -> None:
        """Delete these records."""
        if ids:
            connection.execute(delete(self.table).where(self.key_column.in_(ids)))

    def _content(self, record: R) -> Mapping[str, Any]:
        return {
            name: list(value) if isinstance(value := getattr(record, name), tuple) else value
            for name in self._content_names
        }

    @cached_property
    def _content_names(self) -> tuple[str, ...]:
        return tuple(f.name for f in fields(self.record) if f.name not in HISTORY)

    @cached_property
    def place_of_key(self) -> int:
        """Where the key stands in a row of `select(table)`."""
        return self._names.index(self.key)

    @cached_property
    def _names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.table.columns)

    @cached_property
    def _arrays(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.table.columns if isinstance(column.type, ARRAY))
