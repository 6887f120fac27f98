"""Documents that somebody sent: what waits to be read, and what became of the rest."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, func, text
from sqlalchemy.dialects.postgresql import JSONB

from services.core.store.metadata import metadata, plain_text, when

uploads_table = Table(
    "uploads",
    metadata,
    Column("id", plain_text(), primary_key=True),
    Column("sha256", plain_text(), nullable=False, unique=True),
    Column("name", plain_text(), nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("owner", plain_text(), ForeignKey("api_keys.id"), nullable=False),
    Column("status", plain_text(), nullable=False, server_default="waiting"),
    Column("code", plain_text()),
    Column("detail", plain_text()),
    Column("document", plain_text()),
    Column("run", plain_text(), ForeignKey("ingest_runs.id")),
    Column("readers", JSONB, nullable=False),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("leased_until", when()),
    Column("created_at", when(), nullable=False, server_default=func.now()),
    Column("finished_at", when()),
)
"""The same bytes are one upload, whoever sends them. `tries` tells an earlier worker that it has lost its lease;
`readers` are the versions of all that can read a file of the kind, by their names.
"""
Index("ix_uploads_waiting", uploads_table.c.created_at, postgresql_where=text("status = 'waiting'"))
