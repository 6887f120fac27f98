"""Connections to PostgreSQL."""

import select
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson
import psycopg
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DisconnectionError

IDLE_IN_TRANSACTION_MS = 60_000
"""A writer that falls asleep inside a transaction would hold `change_head`, and with it every other writer."""

POOL_SECONDS = 5.0
"""How long we wait for one of the pool's connections while others have them all."""
RECYCLE_SECONDS = 1800
"""The age at which a connection is made anew: what a server behind an address changes to is found in time."""
LIVELINESS: dict[str, Any] = {
    "connect_timeout": 5,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
"""How soon a connection of ours gives up a server that is gone without a word: in seconds, the last in milliseconds."""


def make_engine(
    url: str, *, pool_size: int = 10, name: str = "upr", statement_seconds: float = 0, durable: bool = True
) -> Engine:
    """An engine for a libpq URL. `name` is what the server shows as the application.

    The server cancels a statement that takes longer than `statement_seconds`; 0: none. Not `durable`: what is committed
    may be lost if the server's machine crashes in the next moment, and no commit waits for the disk.
    """
    # Filters differ so much in what they meet that a plan for all values alike is often a bad one: the feed filtered
    # by one State took three times as long with it.
    plans = "-c plan_cache_mode=force_custom_plan"
    options = f"-c idle_in_transaction_session_timeout={IDLE_IN_TRANSACTION_MS} -c timezone=UTC {plans}"
    options += f" -c statement_timeout={round(statement_seconds * 1000)}" if statement_seconds else ""
    options += "" if durable else " -c synchronous_commit=off"
    engine = create_engine(
        make_url(url).set(drivername="postgresql+psycopg"),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=POOL_SECONDS,
        pool_recycle=RECYCLE_SECONDS,
        connect_args={"application_name": name, "options": options, **LIVELINESS},
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
    )
    event.listen(engine, "checkout", _refuse_ended)
    return engine


class _EndedError(DisconnectionError):
    """The server has ended the connection, and so probably all that are as old."""

    invalidate_pool = True


def _refuse_ended(connection: psycopg.Connection[Any], *_: object) -> None:
    """Do not hand out a connection that the server has ended: the pool then makes a new one.

    Nothing comes unasked over a connection in use but its end, so that looking at the socket is enough: SQLAlchemy's
    own way (`pool_pre_ping`) asks the server each time.
    """
    waiting = select.poll()
    waiting.register(connection.fileno(), select.POLLIN)
    if waiting.poll(0):
        try:
            connection.execute("SELECT 1")
            connection.rollback()
        except psycopg.Error:
            raise _EndedError from None


@contextmanager
def single_queries(engine: Engine) -> Iterator[Connection]:
    """A connection on which each query is a transaction by itself and sees the moment at which it begins.

    For answers that take one query: what else belongs to a transaction takes longer than most of those.
    """
    with engine.connect() as connection:
        yield connection.execution_options(isolation_level="AUTOCOMMIT")


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
