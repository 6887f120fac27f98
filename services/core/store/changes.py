"""The feed of changes: dense numbers in commit order (ADR 0003).

Whoever writes records appends their changes as the last step of the same transaction. Taking the numbers locks the
single row of `change_head` until the commit, so numbers become visible in their own order and without gaps.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Date,
    Engine,
    Index,
    Table,
    case,
    delete,
    false,
    func,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.sql.dml import ReturningUpdate

from services.core.domain.changes import Cause
from services.core.store.bulk import copy_rows
from services.core.store.metadata import metadata, plain_text, texts, when
from services.core.store.records import EPOCH

CHANNEL = "upr_changes"
"""Readers that wait LISTEN here; the payload is the newest `seq`."""


def new_epoch() -> str:
    """A name that no epoch has had."""
    return secrets.token_hex(6)


changes_table = Table(
    "changes",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("id", plain_text(), nullable=False, unique=True),
    Column("type", plain_text(), nullable=False),
    Column("cause", plain_text(), nullable=False),
    Column("occurred_at", when(), nullable=False, server_default=func.now()),
    Column("effective_on", Date),
    Column("noun", plain_text(), nullable=False),
    Column("subject", plain_text(), nullable=False),
    Column("data", JSONB, nullable=False),
    Column("changed", JSONB, nullable=False),
    Column("terms_before", texts(), nullable=False),
    Column("terms_after", texts(), nullable=False),
)
Index(None, changes_table.c.subject, changes_table.c.seq)
Index(None, changes_table.c.type, changes_table.c.seq)
Index(None, changes_table.c.occurred_at, changes_table.c.seq)
Index(None, changes_table.c.terms_before, postgresql_using="gin")
Index(None, changes_table.c.terms_after, postgresql_using="gin")

change_head_table = Table(
    "change_head",
    metadata,
    Column("one", BigInteger, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("occurred_at", when(), nullable=False, server_default=func.now()),
    Column("epoch", plain_text(), nullable=False, default=new_epoch),
    Column("ended_epochs", JSONB, nullable=False, server_default="{}"),
    Column("restored", Boolean, nullable=False, server_default=false()),
)
"""The newest number, and the epoch that it was given in: the name of one unbroken history of changes.

A store that was brought back to an earlier state (`restored`) begins another epoch with its next change, because the
numbers that follow have stood for other changes before. `ended_epochs` has the last number of each epoch before.
"""

feed_readers_table = Table(
    "feed_readers",
    metadata,
    Column("name", plain_text(), primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("read_at", when(), nullable=False, server_default=func.now()),
)
"""How far each of our own readers has read, so that nothing is removed before. Readers outside are not known."""


@dataclass(frozen=True, kw_only=True)
class ChangeDraft:
    """A change that has no number yet. `terms_*` are the filter terms of the record before and after."""

    type: str
    cause: Cause
    effective_on: date | None
    noun: str
    subject: str
    data: dict[str, Any]
    changed: dict[str, list[Any]]
    terms_before: tuple[str, ...]
    terms_after: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ChangeRecord(ChangeDraft):
    """A change as it stands in the feed."""

    seq: int
    id: str
    occurred_at: datetime


def append_changes(connection: Connection, drafts: Sequence[ChangeDraft]) -> int:
    """Number and write the changes; answers the last number. Must be the last write of its transaction."""
    if not drafts:
        return head(connection)
    last = int(connection.execute(_moved_head(len(drafts))).scalar_one())
    first = last - len(drafts) + 1
    rows = [
        {
            "seq": seq,
            "id": f"evt_{secrets.token_hex(12)}",
            **{name: getattr(draft, name) for name in _PLAIN},
            "terms_before": list(draft.terms_before),
            "terms_after": list(draft.terms_after),
        }
        for seq, draft in enumerate(drafts, first)
    ]
    copy_rows(connection, changes_table, rows)
    connection.execute(select(func.pg_notify(CHANNEL, str(last))))
    return last


def _moved_head(changes: int) -> ReturningUpdate[Any]:
    """Take so many numbers; the first ones after a restore begin an epoch."""
    now = change_head_table.c
    ended = now.ended_epochs.op("||")(func.jsonb_build_object(now.epoch, now.seq))
    moved = update(change_head_table).values(
        seq=now.seq + changes,
        occurred_at=func.now(),
        epoch=case((now.restored, new_epoch()), else_=now.epoch),
        ended_epochs=case((now.restored, ended), else_=now.ended_epochs),
        restored=False,
    )
    return moved.returning(now.seq)


def head(connection: Connection) -> int:
    """The number of the newest change that this transaction sees; 0 before the first."""
    return int(connection.scalar(select(change_head_table.c.seq)) or 0)


def head_and_time(connection: Connection) -> tuple[int, datetime]:
    """The newest change's number and the moment it was recorded."""
    row = connection.execute(select(change_head_table.c.seq, change_head_table.c.occurred_at)).one()
    return int(row.seq), row.occurred_at


@dataclass(frozen=True)
class Kept:
    """What there is of the feed: the newest change, when it was recorded, the oldest that is kept, and its epochs."""

    newest: int
    as_of: datetime
    oldest: int
    epoch: str
    ended_epochs: Mapping[str, int]

    def tells_all_after(self, seq: int) -> bool:
        """Whether every change with a greater number is kept."""
        return seq >= self.oldest - 1

    def holds(self, seq: int, epoch: str | None) -> bool:
        """Whether the change with this number, given in this epoch, is of this feed's history. None: in whichever."""
        last = self.newest if epoch in (None, self.epoch) else self.ended_epochs.get(str(epoch), -1)
        return seq <= last


def kept_changes(connection: Connection) -> Kept:
    """What this transaction sees of the feed; one query. Without any change the oldest is the next one."""
    oldest = select(func.min(changes_table.c.seq)).scalar_subquery()
    columns = change_head_table.c
    row = connection.execute(select(*columns, oldest.label("oldest"))).one()
    return Kept(int(row.seq), row.occurred_at, int(row.oldest or row.seq + 1), row.epoch, row.ended_epochs)


def note_read(connection: Connection, reader: str, seq: int) -> None:
    """Remember that one of our own readers needs nothing before this number any more."""
    columns = feed_readers_table.c
    stored = insert(feed_readers_table).values(name=reader, seq=seq)
    values = {columns.seq: stored.excluded.seq, columns.read_at: func.now()}
    connection.execute(stored.on_conflict_do_update(index_elements=[columns.name], set_=values))


def forget_changes(connection: Connection, *, before: datetime, read_up_to: int, limit: int) -> int:
    """Remove up to `limit` of the oldest changes, recorded before a moment; answers how many.

    The feed stays dense. What one of our readers has not read stays, and so does the last that it read: by that it
    knows that the feed is still the same. A reader that has read nothing since that moment is none any more, or is
    behind by more than is kept: an index is then built anew.
    """
    columns, readers = changes_table.c, feed_readers_table.c
    read = connection.scalar(select(func.min(readers.seq)).where(readers.read_at >= before))
    last = min(read_up_to, read_up_to if read is None else int(read), head(connection)) - 1
    oldest = select(columns.seq, columns.occurred_at).where(columns.seq <= last).order_by(columns.seq).limit(limit)
    old = 0
    for row in connection.execute(oldest):
        if row.occurred_at >= before:
            break
        old = row.seq
    return connection.execute(delete(changes_table).where(columns.seq <= old)).rowcount if old else 0


def occurred_at(engine: Engine, seq: int) -> datetime:
    """When the change with this number was recorded. Of 0: the beginning of time; of one no longer kept: now."""
    if seq == 0:
        return EPOCH
    with engine.connect() as connection:
        query = select(changes_table.c.occurred_at).where(changes_table.c.seq == seq)
        return connection.scalar(query) or datetime.now(UTC)


def changes_after(connection: Connection, seq: int, limit: int) -> list[ChangeRecord]:
    """Up to `limit` changes with greater numbers, in order."""
    rows = connection.execute(
        select(changes_table).where(changes_table.c.seq > seq).order_by(changes_table.c.seq).limit(limit)
    )
    return [change_from_row(row._mapping) for row in rows]


def change_from_row(row: Any) -> ChangeRecord:
    """A row of `changes` as a record."""
    values = dict(row)
    for name in ("terms_before", "terms_after"):
        values[name] = tuple(values[name])
    return ChangeRecord(**values)


_PLAIN = ("type", "cause", "effective_on", "noun", "subject", "data", "changed")
