"""Connections that the server has ended are replaced before anybody meets them."""

import psycopg
import pytest
from sqlalchemy import Engine, text

from services.core.store.engine import make_engine, single_queries, snapshot


@pytest.fixture
def pooled(engine: Engine) -> Engine:
    """An engine of its own on the same database, with two connections in its pool."""
    own = make_engine(engine.url.set(drivername="postgresql").render_as_string(hide_password=False), pool_size=2)
    with own.connect() as one, own.connect() as other:
        one.execute(text("SELECT 1"))
        other.execute(text("SELECT 1"))
    return own


def _processes(engine: Engine) -> set[int]:
    with engine.connect() as one, engine.connect() as other:
        return {connection.scalar(text("SELECT pg_backend_pid()")) for connection in (one, other)}


def test_ended_connections_are_replaced(pooled: Engine, engine: Engine) -> None:
    before = _processes(pooled)
    with engine.connect() as connection:
        for process in before:
            connection.execute(text("SELECT pg_terminate_backend(:process, 5000)"), {"process": process})
    assert not _processes(pooled) & before
    pooled.dispose()


def test_connections_that_live_are_kept(pooled: Engine) -> None:
    assert _processes(pooled) == _processes(pooled)
    pooled.dispose()


def test_a_word_of_the_server_is_no_end(pooled: Engine) -> None:
    """A setting that the server reloads tells every session of its new value."""
    before = _processes(pooled)
    with pooled.connect() as connection:
        driver = connection.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        connection.execute(text("LISTEN unasked"))
        connection.commit()
    with psycopg.connect(pooled.url.set(drivername="postgresql").render_as_string(hide_password=False)) as other:
        other.execute("NOTIFY unasked")
    assert _processes(pooled) == before
    pooled.dispose()


def test_single_queries_are_no_transaction(pooled: Engine) -> None:
    with single_queries(pooled) as connection:
        first = connection.scalar(text("SELECT now()"))
        assert connection.scalar(text("SELECT now()")) > first
    with snapshot(pooled) as connection:
        first = connection.scalar(text("SELECT now()"))
        assert connection.scalar(text("SELECT now()")) == first
    pooled.dispose()
