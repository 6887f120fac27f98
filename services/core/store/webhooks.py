"""Webhook endpoints, what is owed to them, and each try."""

from sqlalchemy import BigInteger, Column, Double, ForeignKey, Identity, Index, Integer, LargeBinary, Table, func, text
from sqlalchemy.dialects.postgresql import JSONB

from services.core.store.metadata import metadata, plain_text, texts, when

endpoints_table = Table(
    "webhook_endpoints",
    metadata,
    Column("id", plain_text(), primary_key=True),
    Column("owner", plain_text(), ForeignKey("api_keys.id"), nullable=False),
    Column("url", plain_text(), nullable=False),
    Column("description", plain_text()),
    Column("event_types", texts(), nullable=False),
    Column("causes", texts(), nullable=False),
    Column("filters", JSONB, nullable=False),
    Column("noun", plain_text()),
    Column("q", plain_text(), nullable=False, server_default=""),
    Column("saved_search", plain_text(), ForeignKey("saved_searches.id")),
    Column("secret", plain_text(), nullable=False),
    Column("former_secret", plain_text()),
    Column("former_secret_until", when()),
    Column("status", plain_text(), nullable=False, server_default="enabled"),
    Column("status_reason", plain_text()),
    Column("failing_since", when()),
    Column("from_seq", BigInteger, nullable=False),
    Column("missed_after", BigInteger),
    Column("max_per_second", Double),
    Column("max_concurrent", Integer),
    Column("created_at", when(), nullable=False, server_default=func.now()),
    Column("updated_at", when(), nullable=False, server_default=func.now()),
)
Index(None, endpoints_table.c.owner)
Index(None, endpoints_table.c.saved_search)

paces_table = Table(
    "webhook_paces",
    metadata,
    Column("endpoint", plain_text(), ForeignKey("webhook_endpoints.id", ondelete="CASCADE"), primary_key=True),
    Column("empty_at", when(), nullable=False),
)
"""Of endpoints with a rate: when their bucket of tokens was empty. Who claims writes here, and not in the endpoint's
row: that one is locked by those who settle, and they may be waiting to claim."""

deliveries_table = Table(
    "webhook_deliveries",
    metadata,
    Column("id", plain_text(), primary_key=True),
    Column("endpoint", plain_text(), ForeignKey("webhook_endpoints.id", ondelete="CASCADE"), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("event", plain_text(), nullable=False),
    Column("type", plain_text(), nullable=False),
    Column("match", plain_text(), nullable=False),
    Column("status", plain_text(), nullable=False, server_default="pending"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("attempts_before", Integer, nullable=False, server_default="0"),
    Column("due_at", when(), nullable=False, server_default=func.now()),
    Column("leased_until", when()),
    Column("token", BigInteger, nullable=False, server_default="0"),
    Column("created_at", when(), nullable=False, server_default=func.now()),
    Column("settled_at", when()),
)
Index(
    "ix_webhook_deliveries_due",
    deliveries_table.c.endpoint,
    deliveries_table.c.due_at,
    deliveries_table.c.seq,
    postgresql_where=text("status = 'pending'"),
)
Index(
    "ix_webhook_deliveries_leased",
    deliveries_table.c.leased_until,
    postgresql_where=text("leased_until IS NOT NULL"),
)
Index(
    "ix_webhook_deliveries_settled",
    deliveries_table.c.settled_at,
    postgresql_where=text("settled_at IS NOT NULL"),
)
Index("uq_webhook_deliveries_endpoint_seq", deliveries_table.c.endpoint, deliveries_table.c.seq, unique=True)

attempts_table = Table(
    "webhook_attempts",
    metadata,
    Column("id", plain_text(), primary_key=True),
    Column("delivery", plain_text(), ForeignKey("webhook_deliveries.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("started_at", when(), nullable=False),
    Column("milliseconds", Integer, nullable=False),
    Column("status", Integer),
    Column("outcome", plain_text(), nullable=False),
    Column("error", plain_text()),
    Column("answer_start", LargeBinary),
)
Index(None, attempts_table.c.delivery)

fanout_table = Table(
    "webhook_fanout",
    metadata,
    Column("one", BigInteger, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
)

replays_table = Table(
    "webhook_replays",
    metadata,
    Column("number", BigInteger, Identity(always=True), primary_key=True),
    Column("id", plain_text(), nullable=False, unique=True),
    Column("endpoint", plain_text(), ForeignKey("webhook_endpoints.id", ondelete="CASCADE"), nullable=False),
    Column("reason", plain_text(), nullable=False),
    Column("asked", JSONB, nullable=False),
    Column("deliveries", plain_text(), nullable=False),
    Column("after", BigInteger, nullable=False),
    Column("to_seq", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("owed", BigInteger, nullable=False, server_default="0"),
    Column("status", plain_text(), nullable=False, server_default="running"),
    Column("created_at", when(), nullable=False, server_default=func.now()),
    Column("moved_at", when(), nullable=False, server_default=func.now()),
    Column("finished_at", when()),
)
Index(None, replays_table.c.endpoint, replays_table.c.number)
Index("ix_webhook_replays_running", replays_table.c.moved_at, postgresql_where=text("status = 'running'"))
