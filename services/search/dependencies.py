"""What the search service stands on: the store, the engine, the indexer; opened once a process."""

import importlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
import structlog
from prometheus_client import CollectorRegistry
from sqlalchemy import Engine

from services.core.domain.errors import SettingsError
from services.core.runtime.metrics import metrics_served
from services.core.runtime.worker import BackgroundWorker
from services.core.schemas.dataset import dataset
from services.core.schemas.shapes import Shape
from services.core.store.changes import CHANNEL, occurred_at
from services.core.store.engine import LIVELINESS, make_engine
from services.core.store.reference import Reference, ReferenceShelf
from services.search.cutoff import Cutoff
from services.search.documents import INDEX_VERSION, LAYOUT
from services.search.engines import ENGINES
from services.search.engines.base import Engine as SearchEngine
from services.search.indexer import Indexer
from services.search.settings import SearchSettings

log = structlog.get_logger(__name__)

LONGEST_PAUSE = 5.0
"""Seconds that the follower waits at most before it tries an engine or a database again that did not answer."""


@dataclass(frozen=True)
class Desk:
    """Everything a route or a command needs that outlives it."""

    settings: SearchSettings
    store: Engine
    reference: ReferenceShelf
    datasets: "DatasetShelf"
    engine: SearchEngine
    indexer: Indexer
    cutoff: Cutoff


class DatasetShelf:
    """What answers say of the state of the data, worked out once a change and not once a search. Threads share it."""

    def __init__(self, store: Engine) -> None:
        self._store = store
        self._held: tuple[int, Reference, Shape] | None = None

    def at(self, seq: int, reference: Reference) -> Shape:
        """`{version, as_of, cursor}` of the data as of the change `seq`."""
        held = self._held
        if held is None or held[0] != seq or held[1] is not reference:
            told = dataset(seq, occurred_at(self._store, seq), reference)
            held = self._held = (seq, reference, told)
        return held[2]


@contextmanager
def open_desk(settings: SearchSettings, database_url: str) -> Iterator[Desk]:
    """A desk on a database and the engine that the settings choose."""
    store = make_engine(database_url, pool_size=settings.database_pool_size, name="upr-search")
    engine = make_search_engine(settings)
    indexer = Indexer(store, engine, index_name(settings))
    cutoff = Cutoff(settings.search_cutoff_seconds)
    try:
        yield Desk(settings, store, ReferenceShelf(store), DatasetShelf(store), engine, indexer, cutoff)
    finally:
        cutoff.close()
        engine.close()
        store.dispose()


def make_search_engine(settings: SearchSettings) -> SearchEngine:
    """The engine that the settings choose. Raises `SettingsError` where it needs more of them."""
    module, _, name = ENGINES[settings.search_engine].partition(":")
    kind = getattr(importlib.import_module(module), name)
    engine: SearchEngine
    if settings.search_engine == "meilisearch":
        if not settings.meili_url:
            raise SettingsError("UPR_SEARCH_ENGINE is meilisearch, but UPR_MEILI_URL is not set.")
        if not settings.meili_url.startswith(("http://", "https://")):
            raise SettingsError("UPR_MEILI_URL is no address: it begins with http:// or https://.")
        engine = kind(
            settings.meili_url,
            settings.meili_key,
            LAYOUT,
            INDEX_VERSION,
            index=settings.meili_index,
            cutoff=settings.search_cutoff_seconds,
        )
    else:
        engine = kind(settings.data_dir / "search", LAYOUT, INDEX_VERSION)
    return engine


def index_name(settings: SearchSettings) -> str:
    """What all processes that may write one index call it: they take turns by this name."""
    if settings.search_engine == "meilisearch":
        return f"meilisearch {settings.meili_url} {settings.meili_index}"
    return f"embedded {socket.gethostname()} {settings.data_dir.resolve()}"


def follower(desk: Desk) -> BackgroundWorker:
    """The worker that keeps the index in step."""
    wait = desk.settings.search_poll_seconds
    return BackgroundWorker("indexer", desk.indexer.step, idle_wait=wait, longest_pause=LONGEST_PAUSE)


@contextmanager
def following(desk: Desk, database_url: str) -> Iterator[BackgroundWorker]:
    """Run the follower in a thread."""
    worker = follower(desk)
    thread = threading.Thread(target=worker.run, name="indexer")
    with _woken_by_changes(worker, database_url):
        thread.start()
        try:
            yield worker
        finally:
            worker.stop()
            thread.join()


def follow_until_stopped(desk: Desk, database_url: str, registry: CollectorRegistry) -> None:
    """Run the follower in this thread until SIGTERM or SIGINT. `registry` is what it shows of itself."""
    worker = follower(desk)
    with (
        metrics_served(desk.settings, registry, worker.seconds_since_beat),
        _woken_by_changes(worker, database_url),
    ):
        worker.run()


@contextmanager
def _woken_by_changes(worker: BackgroundWorker, database_url: str) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=_wake_on_changes, args=(database_url, worker, stop), name="changes")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _wake_on_changes(database_url: str, worker: BackgroundWorker, stop: threading.Event) -> None:
    """LISTEN until told to stop. Without the connection the worker still looks every now and then."""
    while not stop.is_set():
        try:
            with psycopg.connect(
                database_url, autocommit=True, application_name="upr-search-listen", **LIVELINESS
            ) as connection:
                connection.execute(f"LISTEN {CHANNEL}")
                worker.wake()
                while not stop.is_set():
                    for _ in connection.notifies(timeout=0.5):
                        worker.wake()
        except psycopg.OperationalError as error:
            log.warning("cannot listen for changes", fault=str(error))
            stop.wait(1.0)
