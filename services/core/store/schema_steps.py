"""Which migrations a database has gone through, so that a version can tell whether a newer schema still fits it.

A migration that only adds (expands) leaves the versions before it at work; one that takes away (contracts) says so by
`contract`, the release since whose code nothing uses what goes (CONTRIBUTING.md, "Migrations").
"""

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Connection, Identity, Table, delete, func, insert, select

from services.core.store.metadata import metadata, plain_text, when

schema_steps_table = Table(
    "schema_steps",
    metadata,
    Column("number", BigInteger, Identity(always=True), primary_key=True),
    Column("revision", plain_text(), nullable=False, unique=True),
    Column("contracts", Boolean, nullable=False),
    Column("applied_at", when(), nullable=False, server_default=func.now()),
)


def note_step(*, ctx: Any, step: Any, heads: Any, **_: Any) -> None:
    """Note a migration that was applied or taken back; Alembic calls this (`on_version_apply`)."""
    columns = schema_steps_table.c
    if step.is_upgrade:
        contracts = bool(getattr(step.up_revision.module, "contract", None))
        ctx.connection.execute(insert(schema_steps_table).values(revision=step.up_revision_id, contracts=contracts))
    elif heads:  # without any the table is gone as well
        ctx.connection.execute(delete(schema_steps_table).where(columns.revision == step.up_revision_id))


def only_expanded_since(connection: Connection, revision: str) -> bool:
    """Whether the database has gone through this migration and, since, through none that takes something away."""
    columns = schema_steps_table.c
    number = select(columns.number).where(columns.revision == revision).scalar_subquery()
    return connection.scalar(select(func.bool_or(columns.contracts)).where(columns.number > number)) is False
