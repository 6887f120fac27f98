"""Connections to PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager

import orjson
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.engine import make_url

IDLE_IN_TRANSACTION_MS = 60_000
"""A writer that falls asleep inside a transaction would hold `change_head`, and with it every other writer."""


def make_engine(url: str, *, pool_size: int = 10, name: str = "upr") -> Engine:
    """An engine for a libpq URL. `name` is what the server shows as the application."""
    # Filters differ so much in what they meet that a plan for all values alike is often a bad one: the feed filtered
    # by one State took three times as long with it.
    plans = "-c plan_cache_mode=force_custom_plan"
    options = f"-c idle_in_transaction_session_timeout={IDLE_IN_TRANSACTION_MS} -c timezone=UTC {plans}"
    return create_engine(
        make_url(url).set(drivername="postgresql+psycopg"),
        pool_size=pool_size,
        max_overflow=0,
        pool_pre_ping=True,
        connect_args={"application_name": name, "options": options, "connect_timeout": 10},
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
    )


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """A read-only connection on which all queries see the same moment."""
    with engine.connect() as connection, snapshot_on(connection):
        yield connection


@contextmanager
def snapshot_on(connection: Connection) -> Iterator[None]:
    """The same on a connection that is in no transaction. The moment is that of the first query."""
    connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    with connection.begin():
        yield
