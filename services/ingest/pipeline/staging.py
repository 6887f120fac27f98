"""The files of one run of a source, and how far each is (the table `ingest_staged`)."""

import itertools
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, Row, bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from services.core.store.ingest import staged_table
from services.ingest.reading import Reading, reading_from

_AT_ONCE = 100


class State(StrEnum):
    """How far a file is: `found`, `fetched`, `read`, `compared`, `loaded`, unless it ends in one of the others."""

    FOUND = "found"
    FETCHED = "fetched"
    READ = "read"
    COMPARED = "compared"
    LOADED = "loaded"
    UNCHANGED = "unchanged"
    MISSING = "missing"
    REFUSED = "refused"
    UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Staged:
    """One file of a run. `review`: the one that it was read to tell of, if it is one."""

    place: int
    state: State
    address: str
    name: str
    kinds: frozenset[str]
    symbol: str | None
    language: str | None
    may_be_missing: bool
    most_bytes: int | None
    sha256: str | None
    kind: str | None
    code: str | None
    detail: str | None
    told: int | None
    review: str | None


def packed(reading: Reading) -> bytes:
    """A reading as the table keeps it."""
    return zlib.compress(orjson.dumps(reading), level=1)


class Staging:
    """The files of one run."""

    def __init__(self, engine: Engine, run: str) -> None:
        self._engine = engine
        self._run = run

    def add(self, files: Sequence[Mapping[str, Any]]) -> None:
        """Note files that were found. One whose address is there already is not noted again."""
        if files:
            rows = [{"run": self._run, **file} for file in files]
            with self._engine.begin() as connection:
                connection.execute(insert(staged_table).on_conflict_do_nothing(), rows)

    def take(self, state: State) -> Iterator[Staged]:
        """The files in a state, in the order of their places. They may be taken further meanwhile."""
        return itertools.chain.from_iterable(self.groups(state))

    def groups(self, state: State) -> Iterator[list[Staged]]:
        """The same, some at a time."""
        after = -1
        while some := self._some(state, after):
            yield some
            after = some[-1].place

    def of_review(self, review: str) -> list[Staged]:
        """The files that were read to tell of a review, however far they are, in the order of their places."""
        columns = staged_table.c
        query = select(*(columns[name] for name in _NAMES)).where(columns.run == self._run, columns.review == review)
        with self._engine.connect() as connection:
            return [_staged(row) for row in connection.execute(query.order_by(columns.place))]

    def _some(self, state: State, after: int) -> list[Staged]:
        columns = staged_table.c
        query = select(*(columns[name] for name in _NAMES)).where(columns.run == self._run, columns.state == state)
        query = query.where(columns.place > after).order_by(columns.place).limit(_AT_ONCE)
        with self._engine.connect() as connection:
            return [_staged(row) for row in connection.execute(query)]

    def reading_of(self, place: int) -> Reading | None:
        """What was read of a file; None for the export of a data set, which is read again as it is loaded."""
        columns = staged_table.c
        query = select(columns.reading).where(columns.run == self._run, columns.place == place)
        with self._engine.connect() as connection:
            kept = connection.scalar(query)
        return None if kept is None else reading_from(orjson.loads(zlib.decompress(kept)))

    def set(self, connection: Connection, place: int, state: State, **values: object) -> None:
        """Take a file further, in a transaction of the caller's."""
        columns = staged_table.c
        this = (columns.run == self._run) & (columns.place == place)
        connection.execute(update(staged_table).where(this).values(state=state, **values))

    def set_each(self, connection: Connection, files: Sequence[Mapping[str, object]]) -> None:
        """Take files further, each (`place`) to what it tells of itself: `state` and, all of them, the same others."""
        if files:
            columns = staged_table.c
            this = (columns.run == self._run) & (columns.place == bindparam("at_place"))
            rows = [{**file, "at_place": file["place"]} for file in files]
            changed: dict[str, Any] = {name: bindparam(name) for name in files[0] if name != "place"}
            connection.execute(update(staged_table).where(this).values(changed), rows)

    def add_changes(self, connection: Connection, place: int, changes: Mapping[str, int]) -> None:
        """Add to what loading a file has changed, in the transaction that changes it."""
        columns = staged_table.c
        this = (columns.run == self._run) & (columns.place == place)
        before = connection.scalar(select(columns.changes).where(this).with_for_update()) or {}
        after = {name: before.get(name, 0) + changes.get(name, 0) for name in {*before, *changes}}
        connection.execute(update(staged_table).where(this).values(changes=after))

    def states(self) -> dict[State, int]:
        """How many files are in each state."""
        columns = staged_table.c
        query = select(columns.state, func.count()).where(columns.run == self._run).group_by(columns.state)
        with self._engine.connect() as connection:
            return {State(state): count for state, count in connection.execute(query)}

    def clear(self) -> None:
        """Forget the files: the run has ended."""
        with self._engine.begin() as connection:
            clear_staged(connection, [self._run])


def clear_staged(connection: Connection, runs: Iterable[str]) -> None:
    """Forget the files of runs that have ended."""
    connection.execute(delete(staged_table).where(staged_table.c.run.in_(list(runs))))


_NAMES = [field.name for field in fields(Staged)]


def _staged(row: Row[Any]) -> Staged:
    values = dict(row._mapping)
    values.update(state=State(values["state"]), kinds=frozenset(values["kinds"]))
    return Staged(**values)
