"""One record, and the moment at which it was read."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from services.core.store.changes import change_head_table
from services.core.store.records import Stored, driver_rows
from services.core.store.tables import AGGREGATES


@dataclass(frozen=True)
class Detail:
    """A record as it was after the change `seq`; None where there is none with this id."""

    record: Stored | None
    seq: int
    as_of: datetime


def read_detail(connection: Connection, noun: str, record_id: str) -> Detail:
    """The record with this id: one query."""
    aggregate, head = AGGREGATES[noun], change_head_table
    joined = head.outerjoin(aggregate.table, aggregate.key_column == record_id)
    query = select(aggregate.table, head.c.seq, head.c.occurred_at).select_from(joined)
    (row,) = driver_rows(connection, query)
    *_, seq, as_of = row
    held = row[aggregate.place_of_key] is not None
    return Detail(aggregate.from_row(row) if held else None, seq, as_of)
