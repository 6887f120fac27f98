"""What the ingest service keeps: runs, what each source was read to say, and what was not understood."""

from sqlalchemy import BigInteger, Column, ForeignKey, Identity, Index, Integer, Table, func
from sqlalchemy.dialects.postgresql import JSONB

from services.core.store.metadata import metadata, plain_text, when

runs_table = Table(
    "ingest_runs",
    metadata,
    Column("id", plain_text(), primary_key=True),
    Column("source", plain_text(), nullable=False),
    Column("status", plain_text(), nullable=False, server_default="running"),
    Column("started_at", when(), nullable=False, server_default=func.now()),
    Column("finished_at", when()),
    Column("counts", JSONB, nullable=False),
)

readings_table = Table(
    "readings",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("source", plain_text(), nullable=False, unique=True),
    Column("review", plain_text(), nullable=False),
    Column("document", plain_text(), nullable=False),
    Column("sha256", plain_text(), nullable=False),
    Column("parser", plain_text(), nullable=False),
    Column("parser_version", plain_text(), nullable=False),
    Column("file", JSONB, nullable=False),
    Column("reading", JSONB, nullable=False),
    Column("loaded_at", when(), nullable=False, server_default=func.now()),
)
Index(None, readings_table.c.review)
Index(None, readings_table.c.sha256)

issues_table = Table(
    "ingest_issues",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("run", plain_text(), ForeignKey("ingest_runs.id"), nullable=False),
    Column("file", plain_text(), nullable=False),
    Column("sha256", plain_text()),
    Column("document", plain_text()),
    Column("severity", plain_text(), nullable=False),
    Column("code", plain_text(), nullable=False),
    Column("detail", plain_text(), nullable=False),
    Column("page", Integer),
    Column("created_at", when(), nullable=False, server_default=func.now()),
)
Index(None, issues_table.c.run)
Index(None, issues_table.c.code)
Index(None, issues_table.c.document)
