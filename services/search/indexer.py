"""Keeps an index in step with the store: it follows the changes, and builds the index where there is none.

Whatever is indexed is read in one snapshot of the store and stands in the index at once: at every moment the index
shows exactly what the store held at the change it stands at.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import structlog
from sqlalchemy import ColumnElement, Connection, Engine, Function, func, select, text
from sqlalchemy.exc import DBAPIError

from services.core.domain.errors import UnavailableError
from services.core.schemas.texts import SEARCHED_NOUNS
from services.core.store.changes import changes_table, head, note_read
from services.core.store.engine import snapshot_on
from services.core.store.filtering import as_array
from services.core.store.reference import reference_seen_by
from services.core.store.tables import AGGREGATES
from services.search.documents import Projection, all_documents, documents_of, gone, marks
from services.search.engines.base import DocumentKey, DocumentsRefusedError, IndexMissingError, PreparingEngine
from services.search.engines.base import Engine as SearchEngine
from services.search.preparing import prepared_documents

log = structlog.get_logger(__name__)

FEW = 2000
"""Documents that are replaced one by one whatever the size of the index."""
_LOGGED = 5
"""Documents that the log names."""
REBUILD_FROM_SHARE = 0.8
"""Changed documents as a share of all, from which the index is built anew. In one commit a document takes as long to
replace as to build (0.22 and 0.24 ms: benchmarks/search_service.py --backlogs), and what is built anew is tidier."""


@dataclass(frozen=True)
class Lag:
    """How far an index is behind: the change it stands at, the newest one, and for how long it has missed one."""

    cursor: int | None
    head: int
    seconds: float

    @property
    def changes(self) -> int:
        """Changes that are not in the index yet."""
        return max(self.head - (self.cursor or 0), 0)


@dataclass(frozen=True)
class Reconciled:
    """What a comparison of index and store found, and repaired. `rebuilt`: by building the index anew.

    `missing` are not in the index, `surplus` not in the store; what is `stale` there is of another revision. `refused`
    are those that the engine cannot index, with its reasons.
    """

    documents: int
    missing: tuple[DocumentKey, ...] = ()
    stale: tuple[DocumentKey, ...] = ()
    surplus: tuple[DocumentKey, ...] = ()
    refused: Mapping[DocumentKey, str] = field(default_factory=dict)
    rebuilt: bool = False

    @property
    def wrong(self) -> list[DocumentKey]:
        """Documents that were not as they should be."""
        return [*self.missing, *self.stale, *self.surplus]

    @property
    def repaired(self) -> int:
        """How many of them are now."""
        return sum(key not in self.refused for key in self.wrong)


@dataclass(frozen=True)
class _Standing:
    """The change that an index stood at when this process last looked."""

    seq: int
    change_id: str | None


class Indexer:
    """Brings one index up to date.

    `name` is the index's, as all processes that may write it call it: they take turns by a lock in the database.
    Several processes may each keep an index of their own.

    A document that the engine refuses is left out, so that the others are found; it is tried again when it changes, and
    by the next process.
    """

    def __init__(self, store: Engine, engine: SearchEngine, name: str) -> None:
        self._store = store
        self._engine = engine
        self._name = name
        self._standing: _Standing | None = None
        self._noted: int | None = None
        self._edition: str | None = None
        self._compared = False
        self._refused: dict[DocumentKey, str] = {}

    def step(self) -> bool:
        """Bring the index to the newest change, or build it where there is none. Says whether there was work.

        The first time that there is nothing to follow, and again when the engine was away, index and store are
        compared: what happened to either while nobody followed is repaired.
        """
        try:
            with self._turn() as connection:
                worked = connection is not None and self._step(connection)
        except UnavailableError:
            self._compared = False
            raise
        self._note_read()
        return worked

    def _step(self, connection: Connection) -> bool:
        if self._catch_up(connection):
            return True
        return not self._compared and self._compare(connection).repaired > 0

    def _note_read(self) -> None:
        """Let nobody remove changes that the index has not read. The connection of the turn must be free by now."""
        if self._standing is not None and self._standing.seq != self._noted:
            with self._store.begin() as connection:
                note_read(connection, f"index {self._name}", self._standing.seq)
            self._noted = self._standing.seq

    def rebuild(self) -> int:
        """Build the index anew beside the one in use and put it in its place. Returns the number of documents."""
        with self._own_turn() as connection:
            return self._build(connection)

    def reconcile(self) -> Reconciled:
        """Bring the index to the newest change, compare it with the store both ways, and repair what differs."""
        with self._own_turn() as connection:
            self._catch_up(connection)
            return self._compare(connection)

    def lag(self) -> Lag:
        """How far the index is behind. Raises `UnavailableError` where the engine does not answer."""
        cursor = self._engine.cursor()
        with self._store.connect() as connection:
            missed = (
                select(changes_table.c.occurred_at)
                .where(changes_table.c.seq > (cursor or 0))
                .order_by(changes_table.c.seq)
                .limit(1)
            )
            since = connection.scalar(missed)
            seconds = max((datetime.now(UTC) - since).total_seconds(), 0.0) if since else 0.0
            return Lag(cursor, head(connection), seconds)

    @contextmanager
    def _turn(self) -> Iterator[Connection | None]:
        """A snapshot of the store and the sole right to write the index; None while another process has it."""
        with self._alone(func.pg_try_advisory_lock) as connection:
            yield connection

    @contextmanager
    def _own_turn(self) -> Iterator[Connection]:
        """`_turn`, waiting for it in a queue: a busy follower lets others in between its steps."""
        with self._alone(func.pg_advisory_lock) as connection:
            assert connection is not None
            yield connection

    @contextmanager
    def _alone(self, take: Callable[..., Function[Any]]) -> Iterator[Connection | None]:
        """Without a lock, two could read the same changes, one put a new index in place, and the other mark changes as
        indexed there that it never saw. It is the session's, not the transaction's: the snapshot is taken under it.
        """
        key = func.hashtextextended(f"upr-index {self._name}", 0)
        with self._store.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT")
            if connection.scalar(select(take(key))) is False:
                yield None
                return
            connection.rollback()
            try:
                with snapshot_on(connection):
                    # Building takes as long as it takes, and holds no lock that a writer of records would wait for.
                    connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
                    yield connection
            finally:
                _unlock(connection, key)

    def _catch_up(self, connection: Connection) -> bool:
        cursor = self._engine.cursor()
        if cursor is None:
            self._build(connection)
            return True
        newest = head(connection)
        if fault := self._fault_in_history(connection, cursor, newest):
            log.warning("the index cannot follow and is built anew", reason=fault, cursor=cursor, head=newest)
            self._build(connection)
            return True
        if newest == cursor:
            if self._standing is None:
                self._stands_at(connection, cursor)
            return False
        self._follow(connection, cursor, newest)
        return True

    def _fault_in_history(self, connection: Connection, cursor: int, newest: int) -> str | None:
        """Why the changes after `cursor` do not lead from the index to the store; None where they do."""
        if newest < cursor:
            return "the database is another one, or was restored to an earlier state"
        known = self._standing
        if known is not None and known.seq == cursor and _change_id(connection, cursor) != known.change_id:
            return "the database was restored and written to since"
        after = changes_table.c.seq > cursor
        first = connection.scalar(select(func.min(changes_table.c.seq)).where(after)) if newest > cursor else None
        if newest > cursor and first != cursor + 1:
            return "changes that are not indexed yet are no longer kept"
        return None

    def _follow(self, connection: Connection, cursor: int, newest: int) -> None:
        started = time.monotonic()
        keys = list(_touched(connection, cursor))
        if len(keys) > FEW and len(keys) > REBUILD_FROM_SHARE * sum(self._engine.counts().values()):
            self._build(connection)
            return
        deletes = gone(connection, keys)
        try:
            self._write(connection, keys, deletes, newest, follows=cursor)
        except IndexMissingError:
            self._build(connection)
            return
        self._stands_at(connection, newest)
        log.info(
            "changes indexed",
            changes=newest - cursor,
            upserts=len(keys) - len(deletes),
            deletes=len(deletes),
            cursor=newest,
            seconds=round(time.monotonic() - started, 3),
        )

    def _write(
        self, connection: Connection, keys: Sequence[DocumentKey], deletes: list[DocumentKey], cursor: int, follows: int
    ) -> None:
        """Bring documents to what the store holds. What the engine refuses does not stay there as it was."""
        projection = self._projection(connection)
        for key in keys:
            self._refused.pop(key, None)
        while True:
            refused = [key for key in keys if key in self._refused]
            wanted = [key for key in keys if key not in self._refused]
            upserts = documents_of(connection, wanted, projection)
            try:
                return self._engine.apply(upserts, [*deletes, *refused], cursor, follows=follows)
            except DocumentsRefusedError as fault:
                self._leave_out(fault)

    def _leave_out(self, fault: DocumentsRefusedError) -> None:
        """Note what the engine refuses. Raises the fault where all of it was left out already."""
        if fault.reasons.keys() <= self._refused.keys():
            raise fault
        for key, reason in fault.reasons.items():
            log.error("the search engine refuses a document; it cannot be found", document="/".join(key), reason=reason)
        self._refused.update(fault.reasons)

    def _build(self, connection: Connection) -> int:
        started = time.monotonic()
        cursor = head(connection)
        count = self._rebuilt(connection, cursor)
        self._engine.prune()
        self._compared = True
        self._stands_at(connection, cursor)
        log.info("index built", documents=count, cursor=cursor, seconds=round(time.monotonic() - started, 2))
        return count

    def _rebuilt(self, connection: Connection, cursor: int) -> int:
        projection = self._projection(connection)
        self._refused.clear()
        while True:
            try:
                return self._filled(connection, projection, cursor)
            except DocumentsRefusedError as fault:
                self._leave_out(fault)

    def _filled(self, connection: Connection, projection: Projection, cursor: int) -> int:
        without = frozenset(self._refused)
        if isinstance(self._engine, PreparingEngine):
            prepare = self._engine.preparation
            with closing(prepared_documents(connection, projection, prepare, without=without)) as prepared:
                return self._engine.rebuild(prepared, cursor)
        with closing(all_documents(connection, projection)) as documents:
            return self._engine.rebuild((each for each in documents if each.key not in without), cursor)

    def _compare(self, connection: Connection) -> Reconciled:
        """Compare index and store, which stand at the same change, and repair what differs."""
        projection = self._projection(connection)
        found = Reconciled(0)
        for noun in SEARCHED_NOUNS:
            wanted, held = dict(marks(connection, noun, projection)), self._engine.ids(noun)
            for key in self._refused.keys() & _keys(noun, wanted):
                del wanted[key.id]
            stale = (id_ for id_ in wanted if id_ in held and held[id_] != wanted[id_])
            found = Reconciled(
                found.documents + len(wanted),
                (*found.missing, *_keys(noun, wanted.keys() - held.keys())),
                (*found.stale, *_keys(noun, stale)),
                (*found.surplus, *_keys(noun, held.keys() - wanted.keys())),
            )
        self._compared = True
        return self._repair(connection, found) if found.wrong else replace(found, refused=dict(self._refused))

    def _repair(self, connection: Connection, found: Reconciled) -> Reconciled:
        wrong = found.wrong
        log.warning(
            "index differs from the store",
            missing=len(found.missing),
            stale=len(found.stale),
            surplus=len(found.surplus),
            first=[f"{key.type}/{key.id}" for key in wrong[:_LOGGED]],
        )
        if len(wrong) > FEW and len(wrong) > REBUILD_FROM_SHARE * found.documents:
            self._build(connection)
            return replace(found, refused=dict(self._refused), rebuilt=True)
        seen = head(connection)
        self._write(connection, wrong, gone(connection, wrong), seen, follows=seen)
        return replace(found, refused=dict(self._refused))

    def _projection(self, connection: Connection) -> Projection:
        """How records become documents now. Where the facts about States have changed, all are compared again."""
        projection = Projection(reference_seen_by(connection))
        if self._edition not in {None, projection.edition}:
            self._compared = False
        self._edition = projection.edition
        return projection

    def _stands_at(self, connection: Connection, cursor: int) -> None:
        self._standing = _Standing(cursor, _change_id(connection, cursor))


def _unlock(connection: Connection, key: ColumnElement[int]) -> None:
    """Give the turn back; a connection that cannot is closed, which does the same."""
    try:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.execute(select(func.pg_advisory_unlock(key)))
        connection.rollback()
    except DBAPIError:
        connection.invalidate()


def _keys(noun: str, ids: Iterable[str]) -> list[DocumentKey]:
    return [DocumentKey(noun, id_) for id_ in sorted(ids)]


def _change_id(connection: Connection, seq: int) -> str | None:
    return connection.scalar(select(changes_table.c.id).where(changes_table.c.seq == seq))


def _touched(connection: Connection, cursor: int) -> Iterator[DocumentKey]:
    """The documents that the changes after `cursor` may alter, each once or more often.

    They are the records themselves, the ids that records bore before, and all that show the name of a label.
    """
    table = changes_table.c
    of_searched = (table.seq > cursor, table.noun.in_(SEARCHED_NOUNS))
    for row in connection.execute(select(table.noun, table.subject).where(*of_searched).distinct()):
        yield DocumentKey(row.noun, row.subject)
    former = table.changed["id"][0].astext.label("former")
    for row in connection.execute(select(table.noun, former).where(*of_searched, table.changed.has_key("id"))):
        yield DocumentKey(row.noun, row.former)
    renamed = select(table.subject).where(table.seq > cursor, table.noun == "labels", table.changed.has_key("names"))
    if labels := list(connection.scalars(renamed.distinct())):
        yield from _bearing(connection, labels)


def _bearing(connection: Connection, labels: list[str]) -> Iterator[DocumentKey]:
    """All searched records that bear one of these labels."""
    for noun in SEARCHED_NOUNS:
        columns = AGGREGATES[noun].table.c
        if "label_ids" in columns:
            bearing = columns.label_ids.overlap(as_array(labels))
            yield from (DocumentKey(noun, id_) for id_ in connection.scalars(select(columns.id).where(bearing)))
