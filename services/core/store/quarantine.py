"""Files that harm who reads them, and files that a newer parser could not read."""

from sqlalchemy import Column, Integer, PrimaryKeyConstraint, Table, func
from sqlalchemy.dialects.postgresql import JSONB

from services.core.store.metadata import metadata, plain_text, when

quarantine_table = Table(
    "quarantine",
    metadata,
    Column("sha256", plain_text(), primary_key=True),
    Column("name", plain_text(), nullable=False),
    Column("code", plain_text(), nullable=False),
    Column("detail", plain_text(), nullable=False),
    Column("readers", JSONB, nullable=False),
    Column("tries", Integer, nullable=False, server_default="1"),
    Column("since", when(), nullable=False, server_default=func.now()),
    Column("last_tried_at", when(), nullable=False, server_default=func.now()),
)
"""`readers`: the versions of all that could have read it at the last try, by their names."""

failed_rereadings_table = Table(
    "failed_rereadings",
    metadata,
    Column("sha256", plain_text(), nullable=False),
    Column("parser", plain_text(), nullable=False),
    Column("parser_version", plain_text(), nullable=False),
    Column("code", plain_text(), nullable=False),
    Column("detail", plain_text(), nullable=False),
    Column("tried_at", when(), nullable=False, server_default=func.now()),
    PrimaryKeyConstraint("sha256", "parser", "parser_version"),
)
"""What this version of a parser did not read again: the reading of an older version stays, and nobody tries anew."""
