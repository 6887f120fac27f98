"""Keeps an index in step with the store: it follows the changes, and builds the index where there is none."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection, Engine, select

from services.core.store.changes import changes_table, head
from services.core.store.engine import snapshot
from services.core.store.filtering import as_array
from services.core.store.recommendations import recommendations_table
from services.core.store.reference import read_reference
from services.search.documents import SEARCHED_NOUNS, all_documents, documents_of
from services.search.engines.base import DocumentKey, IndexMissingError
from services.search.engines.base import Engine as SearchEngine

log = structlog.get_logger(__name__)

CHANGES_AT_ONCE = 2000


@dataclass(frozen=True)
class Lag:
    """How far an index is behind: the change it stands at, and the newest one."""

    cursor: int | None
    head: int

    @property
    def changes(self) -> int:
        """Changes that are not in the index yet."""
        return self.head - (self.cursor or 0)


class Indexer:
    """Brings one index up to date. One at a time writes an index; several processes may each keep their own."""

    def __init__(self, store: Engine, engine: SearchEngine) -> None:
        self._store = store
        self._engine = engine

    def step(self) -> bool:
        """Index the next changes, or build the index where there is none. Says whether there was anything to do."""
        cursor = self._engine.cursor()
        if cursor is None:
            self.rebuild()
            return True
        return self._follow(cursor)

    def rebuild(self) -> int:
        """Build the index anew beside the one in use and put it in its place. Returns the number of documents."""
        started = time.monotonic()
        reference = read_reference(self._store)
        with snapshot(self._store) as connection:
            cursor = head(connection)
            count = self._engine.rebuild(all_documents(connection, reference), cursor)
        self._engine.prune()
        log.info("index built", documents=count, cursor=cursor, seconds=round(time.monotonic() - started, 2))
        return count

    def lag(self) -> Lag:
        """How far the index is behind."""
        cursor = self._engine.cursor()
        with self._store.connect() as connection:
            return Lag(cursor, head(connection))

    def _follow(self, cursor: int) -> bool:
        with self._store.connect() as connection:
            newest = head(connection)
        if newest == cursor:
            return False
        if newest < cursor:
            # The database is another one, or was restored to an earlier state: the index knows what never was.
            log.warning("index is ahead of the store", cursor=cursor, head=newest)
            self.rebuild()
            return True
        reference = read_reference(self._store)
        with snapshot(self._store) as connection:
            rows = connection.execute(
                select(changes_table.c.seq, changes_table.c.noun, changes_table.c.subject, changes_table.c.changed)
                .where(changes_table.c.seq > cursor)
                .order_by(changes_table.c.seq)
                .limit(CHANGES_AT_ONCE)
            ).all()
            if not rows:
                return False
            keys = [key for row in rows for key in _touched(connection, row.noun, row.subject, row.changed)]
            upserts, deletes = documents_of(connection, keys, reference)
        try:
            self._engine.apply(upserts, deletes, rows[-1].seq)
        except IndexMissingError:
            self.rebuild()
        log.info("changes indexed", upserts=len(upserts), deletes=len(deletes), cursor=rows[-1].seq)
        return True


def _touched(
    connection: Connection, noun: str, subject: str, changed: dict[str, list[object]]
) -> Iterator[DocumentKey]:
    """The documents that a change may alter: the record, the id it bore before, and all that show a label's name."""
    if noun in SEARCHED_NOUNS:
        yield DocumentKey(noun, subject)
        if "id" in changed:
            yield DocumentKey(noun, str(changed["id"][0]))
    elif noun == "labels" and "names" in changed:
        bearing = recommendations_table.c.label_ids.overlap(as_array([subject]))
        for record_id in connection.scalars(select(recommendations_table.c.id).where(bearing)):
            yield DocumentKey("recommendations", record_id)
