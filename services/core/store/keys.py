"""API keys: stored only as a hash, shown once."""

from sqlalchemy import Column, LargeBinary, Table, func

from services.core.store.metadata import metadata, plain_text, texts, when

api_keys_table = Table(
    "api_keys",
    metadata,
    Column("id", plain_text(), primary_key=True),
    Column("name", plain_text(), nullable=False),
    Column("hash", LargeBinary, nullable=False, unique=True),
    Column("scopes", texts(), nullable=False),
    Column("created_at", when(), nullable=False, server_default=func.now()),
    Column("expires_at", when()),
    Column("revoked_at", when()),
    Column("last_used_at", when()),
)
