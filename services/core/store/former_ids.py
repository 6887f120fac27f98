"""Ids that no record bears any longer: removed ones answer 410 until their record returns."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Column, Connection, Table, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from services.core.store.metadata import metadata, plain_text, when

former_ids_table = Table(
    "former_ids",
    metadata,
    Column("noun", plain_text(), primary_key=True),
    Column("id", plain_text(), primary_key=True),
    Column("reason", plain_text(), nullable=False),
    Column("removed_at", when(), nullable=False, server_default=func.now()),
)


def remember_removed(connection: Connection, noun: str, reasons: Mapping[str, str]) -> None:
    """Note which records were removed, by id, and why each."""
    if reasons:
        rows = [{"noun": noun, "id": record_id, "reason": reason} for record_id, reason in reasons.items()]
        statement = insert(former_ids_table).values(rows)
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["noun", "id"],
                set_={"reason": statement.excluded.reason, "removed_at": func.now()},
            )
        )


def forget_removed(connection: Connection, noun: str, ids: Sequence[str]) -> None:
    """Records with these ids are back."""
    if ids:
        table = former_ids_table
        connection.execute(delete(table).where(table.c.noun == noun, table.c.id.in_(ids)))


def removal_reason(connection: Connection, noun: str, record_id: str) -> str | None:
    """Why the record with this id was removed; None if none was."""
    table = former_ids_table
    return connection.scalar(select(table.c.reason).where(table.c.noun == noun, table.c.id == record_id))
