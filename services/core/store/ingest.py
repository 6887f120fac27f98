"""What the ingest service keeps: runs, what each source was read to say, and what was not understood."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    UniqueConstraint,
    func,
)
from sqlalchemy.dialects.postgresql import JSONB

from services.core.store.metadata import metadata, plain_text, texts, when

runs_table = Table(
    "ingest_runs",
    metadata,
    Column("id", plain_text(), primary_key=True),
    Column("source", plain_text(), nullable=False),
    Column("status", plain_text(), nullable=False, server_default="running"),
    Column("started_at", when(), nullable=False, server_default=func.now()),
    Column("finished_at", when()),
    Column("counts", JSONB, nullable=False),
    Column("stage", plain_text()),
    Column("options", JSONB, nullable=False, server_default="{}"),
    Column("reasons", JSONB, nullable=False, server_default="[]"),
    Column("released_at", when()),
)
"""`stage`, `options`, `reasons` and `released_at` are of runs of sources: how far one is, what it was asked, and why it
was held or failed."""
Index(None, runs_table.c.source, runs_table.c.started_at)
Index(None, runs_table.c.started_at, runs_table.c.id)

staged_table = Table(
    "ingest_staged",
    metadata,
    Column("run", plain_text(), ForeignKey("ingest_runs.id"), primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("state", plain_text(), nullable=False),
    Column("address", plain_text(), nullable=False),
    Column("name", plain_text(), nullable=False),
    Column("kinds", texts(), nullable=False),
    Column("symbol", plain_text()),
    Column("language", plain_text()),
    Column("may_be_missing", Boolean, nullable=False),
    Column("most_bytes", BigInteger),
    Column("sha256", plain_text()),
    Column("kind", plain_text()),
    Column("bytes", BigInteger),
    Column("code", plain_text()),
    Column("detail", plain_text()),
    Column("reading", LargeBinary),
    Column("told", Integer),
    Column("review", plain_text()),
    Column("would", JSONB),
    Column("changes", JSONB),
    UniqueConstraint("run", "address"),
)
"""What a run of a source found, in the order it was found, and how far each file is (`services/ingest/pipeline`)."""
Index(None, staged_table.c.run, staged_table.c.state, staged_table.c.place)

held_table = Table(
    "ingest_held",
    metadata,
    Column("source", plain_text(), primary_key=True),
    Column("address", plain_text(), primary_key=True),
    Column("name", plain_text(), nullable=False),
    Column("sha256", plain_text(), nullable=False),
    Column("outcome", plain_text(), nullable=False),
    Column("readers", plain_text(), nullable=False),
    Column("told", Integer, nullable=False),
    Column("run", plain_text(), nullable=False),
    Column("loaded_at", when(), nullable=False, server_default=func.now()),
    Column("gone_since", when()),
)
"""What is held of each file of a source: the bytes last loaded from its address, and how much they told."""

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
    Column("first_seen", plain_text()),
    Column("last_seen", plain_text()),
    Column("loaded_at", when(), nullable=False, server_default=func.now()),
)
"""`first_seen` and `last_seen`: of an edition of a page that its site keeps up to date, ISO 8601."""
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

fetch_hosts_table = Table(
    "fetch_hosts",
    metadata,
    Column("host", plain_text(), primary_key=True),
    Column("next_at", when(), nullable=False, server_default=func.now()),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("resting_because", plain_text()),
)
"""The manners that we owe each host (with its port): when the next request may go there, and why not before.

`failures`: calls in a row that failed. `resting_because`: `retry_after`, `failures` or `challenged`.
"""

resources_table = Table(
    "resources",
    metadata,
    Column("address", plain_text(), primary_key=True),
    Column("outcome", plain_text(), nullable=False),
    Column("checked_at", when(), nullable=False),
    Column("final_address", plain_text()),
    Column("status", Integer),
    Column("headers", JSONB),
    Column("kind", plain_text()),
    Column("sha256", plain_text()),
    Column("size", BigInteger),
    Column("fetched_at", when()),
)
"""What is known of each address that was asked for. `outcome` is of the latest time; the rest of the latest file."""

responses_table = Table(
    "responses",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("run", plain_text()),
    Column("address", plain_text(), nullable=False),
    Column("asked", plain_text(), nullable=False),
    Column("reason", plain_text(), nullable=False),
    Column("asked_at", when(), nullable=False),
    Column("milliseconds", Integer, nullable=False),
    Column("outcome", plain_text(), nullable=False),
    Column("detail", plain_text()),
    Column("status", Integer),
    Column("headers", JSONB),
    Column("kind", plain_text()),
    Column("sha256", plain_text()),
    Column("size", BigInteger),
)
"""Every request and its answer. `address`: what was wanted; `asked`: the address asked, which a redirect may have
named. `size` and `sha256` are of the bytes, unpacked, where they were kept.
"""
Index(None, responses_table.c.address)
Index(None, responses_table.c.asked_at)
Index(None, responses_table.c.run)
