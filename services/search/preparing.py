"""The documents of a whole store for a build, made by processes of their own: faster, and searches go on beside it.

Reading, projecting and analysing is the most of a build, and all of it Python. The workers see the store at the
building process's snapshot (PostgreSQL exports it) and read portions of it by id. Portions come back in the order of
nouns and ids, so that an index never depends on who was faster; at most two a worker are ahead, so that memory is
bounded.
"""

import gc
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Collection, Generator, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import psycopg
from sqlalchemy import Connection, event, func, select, text

from services.core.domain.errors import UnavailableError
from services.core.runtime.cores import usable_cores
from services.core.schemas.texts import SEARCHED_NOUNS
from services.core.store.engine import make_engine, snapshot_on
from services.core.store.reference import reference_seen_by
from services.core.store.tables import AGGREGATES
from services.search.documents import LAYOUT, Projection, documents_of
from services.search.engines.base import DocumentKey, IndexDocument, Prepared

Prepare = Callable[[IndexDocument], Prepared]

PORTION = 500
PARTED_PORTION = 10
"""Documents that have passages: there may be a thousand to each."""
MOST_WORKERS = 4
"""More would wait for the one thread that writes the index."""
WORTH_WORKERS = 10
"""Portions from which processes are started: it takes them half a second."""
_AHEAD = 2


def prepared_documents(
    connection: Connection,
    projection: Projection,
    prepare: Prepare,
    *,
    without: Collection[DocumentKey] = (),
    workers: int | None = None,
) -> Generator[Prepared, None, None]:
    """Every searched record of the store as the connection's snapshot shows it, ready to be written, `without` some.
    Close it if it is left early: its workers wait for that.

    `workers` are one for each core unless told, and none for few documents. Raises `UnavailableError` where a worker
    dies.
    """
    portions = list(_portions(connection, without))
    if workers is None:
        workers = min(usable_cores(), MOST_WORKERS) if len(portions) >= WORTH_WORKERS else 0
    if workers < 2:
        for portion in portions:
            yield from _made(connection, portion, projection, prepare)
        return
    try:
        yield from _by_workers(connection, prepare, portions, workers)
    except BrokenProcessPool as error:
        raise UnavailableError(f"a process that reads documents for the search index ended: {error}") from error


def _portions(connection: Connection, without: Collection[DocumentKey]) -> Iterator[list[DocumentKey]]:
    for noun in SEARCHED_NOUNS:
        column = AGGREGATES[noun].key_column
        keys = [DocumentKey(noun, id_) for id_ in connection.scalars(select(column).order_by(column))]
        keys = [key for key in keys if key not in without] if without else keys
        size = PARTED_PORTION if noun in LAYOUT.parted else PORTION
        yield from (keys[at : at + size] for at in range(0, len(keys), size))


def _made(
    connection: Connection, portion: list[DocumentKey], projection: Projection, prepare: Prepare
) -> list[Prepared]:
    """All documents of a portion are read before the first is prepared: going to and fro takes 4 to 9 % longer."""
    documents = list(documents_of(connection, portion, projection))
    return list(map(prepare, documents))


def _by_workers(
    connection: Connection, prepare: Prepare, portions: list[list[DocumentKey]], workers: int
) -> Iterator[Prepared]:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, type(prepare).__module__])
    told = (connection.engine.url.render_as_string(hide_password=False), _exported(connection), prepare)
    pool = ProcessPoolExecutor(workers, context, _begin, told)
    try:
        waiting: deque[Future[list[Prepared]]] = deque()
        for portion in portions:
            waiting.append(pool.submit(_prepared, portion))
            if len(waiting) > _AHEAD * workers:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _exported(connection: Connection) -> str:
    """The name by which other connections can see what this one sees, as long as its transaction lasts."""
    return str(connection.scalar(select(func.pg_export_snapshot())))


# In a worker


class _Binary(psycopg.Cursor[Any]):
    """Takes rows in PostgreSQL's binary form: a third of the time of text."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.format = psycopg.pq.Format.BINARY


_worker: dict[str, Any] = {}


def _begin(url: str, snapshot: str, prepare: Prepare) -> None:
    """Open the store at the snapshot; end when the parent does, however that ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()  # nothing here is cyclic, and looking for cycles among caches took a third of the time
    threading.Thread(target=_end_with_parent, daemon=True).start()
    store = make_engine(url, pool_size=1, name="upr-search-build")
    event.listen(store, "connect", _read_binary)
    connection = store.connect()
    reading = snapshot_on(connection)
    reading.__enter__()
    connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
    connection.execute(text(f"SET TRANSACTION SNAPSHOT '{snapshot}'"))
    projection = Projection(reference_seen_by(connection))
    _worker.update(connection=connection, reading=reading, projection=projection, prepare=prepare)


def _read_binary(connection: psycopg.Connection[Any], *_: object) -> None:
    connection.cursor_factory = _Binary


def _prepared(portion: list[DocumentKey]) -> list[Prepared]:
    return _made(_worker["connection"], portion, _worker["projection"], _worker["prepare"])


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
