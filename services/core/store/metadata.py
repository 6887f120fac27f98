"""What all tables share: one metadata, names of constraints, and the kinds of columns."""

from typing import Any

from sqlalchemy import BigInteger, Column, ColumnElement, Date, DateTime, MetaData, Text, func, literal_column
from sqlalchemy.dialects.postgresql import ARRAY

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def plain_text() -> Text:
    """Text that sorts and compares byte by byte, so that ids and sort keys mean the same on every server."""
    return Text(collation="C")


def texts() -> ARRAY[str]:
    """A list of codes or ids; indexed with GIN and asked with `&&`."""
    return ARRAY(plain_text())


def when() -> DateTime:
    """A moment, always with its offset."""
    return DateTime(timezone=True)


BEFORE_ALL_DAYS = literal_column("'0001-01-01'", Date)
"""Where records without a date stand. Written out and never bound, or the indexes on it would not be used."""


def day_in_order(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """A date to sort by: records without one come before all days. Large tables have an index on it."""
    return func.coalesce(column, BEFORE_ALL_DAYS)


def row_history() -> list[Column[object]]:
    """The columns by which every record says how often and when it changed (`records.Stored`)."""
    return [
        Column("revision", BigInteger, nullable=False, server_default="1"),
        Column("created_at", when(), nullable=False, server_default=func.now()),
        Column("updated_at", when(), nullable=False, server_default=func.now()),
    ]
