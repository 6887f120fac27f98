"""One run at a time per source: a lock that PostgreSQL holds for a connection, and gives back when that ends."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from services.core.domain.errors import UprError

_KIND = 0x757072
"""The first half of the lock's number, that of all sources; the second half is the source's."""

_SECONDS_UNTIL_DEAD = {"idle": 60, "interval": 10, "count": 6}
"""After how long the server takes a silent machine for dead, and gives its locks back (TCP keep-alive)."""


class SourceBusyError(UprError):
    """Another run of the source is under way, here or on another machine."""

    code, status, title = "source_busy", 409, "The source is being run"


@contextmanager
def source_lock(engine: Engine, source: str) -> Iterator[Connection]:
    """Hold the source's lock. Raises `SourceBusyError`, which says who has it.

    Gives the connection that holds it: as long as it answers, the lock is ours.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.detach()  # it is no longer the pool's, which so has one more for the run
        for name, value in _SECONDS_UNTIL_DEAD.items():
            connection.execute(text(f"SET tcp_keepalives_{name} = {value}"))
        us = f"upr-ingest: {source} on {socket.gethostname()}, process {os.getpid()}"
        connection.execute(text("SELECT set_config('application_name', :us, false)"), {"us": us[:63]})
        key = {"kind": _KIND, "source": source}
        if not connection.scalar(text("SELECT pg_try_advisory_lock(:kind, hashtext(:source))"), key):
            raise SourceBusyError(f"The source {source} is being run already{_holder(connection, source)}.")
        try:
            yield connection
        finally:
            with suppress(DBAPIError):  # at once: the server may take a moment to hear that the connection is closed
                connection.execute(text("SELECT pg_advisory_unlock(:kind, hashtext(:source))"), key)


def is_free(engine: Engine, source: str) -> bool:
    """Whether nobody runs the source at this moment."""
    with engine.connect() as connection:
        return _holder(connection, source) == ""


def _holder(connection: Connection, source: str) -> str:
    row = connection.execute(_HELD_BY, {"kind": _KIND, "source": source}).one_or_none()
    if row is None:
        return ""
    where = f" from {row.client_addr}" if row.client_addr else ""
    return f" (by {row.application_name}{where}, since {row.backend_start:%Y-%m-%d %H:%M} UTC)"


_HELD_BY = text("""
    SELECT activity.application_name, activity.client_addr, activity.backend_start
    FROM pg_locks AS lock JOIN pg_stat_activity AS activity USING (pid)
    WHERE lock.locktype = 'advisory' AND lock.granted AND lock.objsubid = 2
        AND lock.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND lock.classid = CAST(:kind AS integer) AND lock.objid::integer = hashtext(:source)
    LIMIT 1
""")
