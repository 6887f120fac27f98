"""What is held of each file of a source (the table `ingest_held`): the bytes last loaded from its address."""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import Connection, Engine, func, select, update
from sqlalchemy.dialects.postgresql import insert

from services.core.store.ingest import held_table, readings_table, staged_table
from services.ingest.datasets import DATA_SETS
from services.ingest.datasets.base import DataSet
from services.ingest.readers import readers_of


class Outcome(StrEnum):
    """What became of the bytes."""

    LOADED = "loaded"
    UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Held:
    """One file of a source. `told`: how many records it told of.

    `readers`: of an export that is loaded `reader_of_export`, otherwise `readers_version`.
    """

    address: str
    sha256: str
    outcome: Outcome
    readers: str
    told: int


@cache
def readers_version() -> str:
    """Changes with every new version of what reads files: what could not be read before is worth another try."""
    versions = [sorted(readers_of(head).items()) for head in (b"%PDF-", b"PK", b"")]
    return hashlib.sha256(repr(versions).encode()).hexdigest()[:12]


def reader_of_export(data_set: DataSet) -> str:
    """Which version of what reads an export did. Documents need none here: what read them is with their readings."""
    return f"{data_set.parser} {data_set.version}"


def held_at(connection: Connection, source: str, addresses: Collection[str]) -> Mapping[str, Held]:
    """What is held of some addresses, by address."""
    columns = held_table.c
    query = select(columns.address, columns.sha256, columns.outcome, columns.readers, columns.told)
    rows = connection.execute(query.where(columns.source == source, columns.address.in_(addresses)))
    return {row.address: Held(row.address, row.sha256, Outcome(row.outcome), row.readers, row.told) for row in rows}


def is_settled(held: Held | None, sha256: str) -> bool:
    """Whether there is nothing to do for these bytes: they are loaded, or no parser that we have can read them.

    An export is read anew by the next run when the version of its reader has risen; documents are by `reparse`.
    """
    if held is None or held.sha256 != sha256:
        return False
    if held.outcome is Outcome.LOADED:
        return not _is_outgrown(held.readers)
    return held.readers == readers_version()


def _is_outgrown(readers: str) -> bool:
    """Whether there is another version now of what read an export."""
    parser, _, version = readers.partition(" ")
    return any(each.parser == parser and each.version != version for each in DATA_SETS)


def hold(connection: Connection, source: str, run: str, **file: Any) -> None:
    """Note what was made of a file: `address`, `name`, `sha256`, `outcome`, `told`."""
    values = {"readers": readers_version(), "run": run, "gone_since": None, **file}
    stored = insert(held_table).values(source=source, **values)
    columns = held_table.c
    anew = stored.on_conflict_do_update(
        index_elements=[columns.source, columns.address], set_={**values, "loaded_at": func.now()}
    )
    connection.execute(anew)


def there_again(connection: Connection, source: str, run: str) -> None:
    """Note that files which had been gone were found again, as they were."""
    columns = held_table.c
    connection.execute(
        update(held_table)
        .where(columns.source == source, columns.gone_since.is_not(None), columns.address.in_(_got(run)))
        .values(gone_since=None)
    )


def gone_now(connection: Connection, source: str, run: str) -> list[tuple[str, str]]:
    """The address and name of each file that a whole run did not find, or that is missing now. Notes since when."""
    columns = held_table.c
    rows = connection.execute(
        update(held_table)
        .where(columns.source == source, columns.gone_since.is_(None), columns.address.not_in(_there(run)))
        .values(gone_since=func.now())
        .returning(columns.address, columns.name)
    )
    return sorted((row.address, row.name) for row in rows)


def _got(run: str) -> Any:
    columns = staged_table.c
    return select(columns.address).where(columns.run == run, columns.state.in_(["unchanged", "loaded"]))


def _there(run: str) -> Any:
    columns = staged_table.c
    return select(columns.address).where(columns.run == run, columns.state != "missing")


def files_and_records(engine: Engine, source: str) -> tuple[int, int]:
    """How many files are held of a source and not gone, and how many records they told of."""
    columns = held_table.c
    query = select(func.count(), func.coalesce(func.sum(columns.told), 0)).where(
        columns.source == source, columns.outcome == Outcome.LOADED, columns.gone_since.is_(None)
    )
    with engine.connect() as connection:
        files, records = connection.execute(query).one()
        return int(files), int(records)


def former_bytes(engine: Engine, before: Held | None, sha256: str | None) -> str | None:
    """The hash of other bytes, loaded from the same address before, which are held as a document of their own.

    A document with a symbol stays one document, whichever files it has, and so does a page that its site keeps up to
    date; one that is known by its hash does not. Bytes that some other address of any source has still are nobody's
    former ones.
    """
    if before is None or before.outcome is not Outcome.LOADED or before.sha256 == sha256:
        return None
    columns, elsewhere = readings_table.c, held_table.c
    same = select(elsewhere.sha256).where(elsewhere.sha256 == before.sha256, elsewhere.address != before.address)
    query = select(columns.sha256).where(
        columns.sha256 == before.sha256,
        columns.document.startswith("doc-"),
        columns.first_seen.is_(None),
        columns.sha256.not_in(same),
    )
    with engine.connect() as connection:
        return connection.scalar(query.limit(1))
