"""Searches that were given a name, to be followed by feeds and webhooks."""

from sqlalchemy import Column, ForeignKey, Index, Table, func
from sqlalchemy.dialects.postgresql import JSONB

from services.core.store.metadata import metadata, plain_text, when

saved_searches_table = Table(
    "saved_searches",
    metadata,
    Column("id", plain_text(), primary_key=True),
    Column("owner", plain_text(), ForeignKey("api_keys.id"), nullable=False),
    Column("name", plain_text(), nullable=False),
    Column("description", plain_text()),
    Column("noun", plain_text()),
    Column("q", plain_text(), nullable=False),
    Column("filters", JSONB, nullable=False),
    Column("created_at", when(), nullable=False, server_default=func.now()),
    Column("updated_at", when(), nullable=False, server_default=func.now()),
)
Index(None, saved_searches_table.c.owner)
