"""Ids that no record bears: removed ones, which answer 410 until their record returns; those that a recommendation or a
hearing bore before; and numbers that hold several recommendations."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Column, Connection, Table, delete, func, literal, select
from sqlalchemy.dialects.postgresql import insert

from services.core.store.hearings import hearings_table
from services.core.store.metadata import metadata, plain_text, when
from services.core.store.recommendations import recommendations_table

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


_RENAMED = {"recommendations": recommendations_table, "hearings": hearings_table}


def bearer_of(connection: Connection, noun: str, former: str) -> str | None:
    """The id of the recommendation or hearing that once bore another id; None for records whose ids stay."""
    if noun not in _RENAMED:
        return None
    columns = _RENAMED[noun].c
    return connection.scalar(select(columns.id).where(columns.aliases.contains([former])))


def parts_of(connection: Connection, record_id: str) -> list[Any]:
    """The recommendations that stand under one number, `…-134.1-a`, `…-134.1-b` …"""
    columns = recommendations_table.c
    stem = f"{record_id}-"
    # The range is there for the index: as bytes, a full stop is what follows a dash.
    between = (columns.id > stem, columns.id < f"{record_id}.")
    parts = select(recommendations_table).where(*between, columns.id == literal(stem, columns.id.type) + columns.part)
    return list(connection.execute(parts.order_by(columns.sort_key)))
