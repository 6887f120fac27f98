"""The readings that are held (the table `readings`): one a file and review, or document of no review."""

import itertools
from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select

from services.core.domain.documents import DATA_SETS
from services.core.store.ingest import readings_table
from services.ingest.merge import SourceReading
from services.ingest.merge.sources import split_superseded
from services.ingest.reading import Reading, reading_from

_ITSELF = ("parser", "parser_version", "document")
"""What of a reading says which file of which document it is."""


def readings_of(connection: Connection, review: str) -> dict[str, SourceReading]:
    """All that is held of a review, or of documents of no review, by the hash of the file."""
    return _read(connection, readings_table.c.reading, readings_table.c.review == review)


def heads_of(connection: Connection, review: str) -> dict[str, SourceReading]:
    """The same without what the documents tell: only what each says of itself."""
    return _read(connection, _parts(*_ITSELF), readings_table.c.review == review)


def to_merge(connection: Connection, review: str, heads: Iterable[SourceReading]) -> list[SourceReading]:
    """The readings of a review that these are the heads of, as far as merging looks at them.

    Of those that others of them have superseded, that is the recommendations, which give former ids.
    """
    current, superseded = split_superseded(heads)
    columns = readings_table.c
    found: list[SourceReading] = []
    for some, told in ((current, columns.reading), (superseded, _parts(*_ITSELF, "recommendations"))):
        if some:
            files = [each.file["sha256"] for each in some]
            found += _read(connection, told, columns.review == review, columns.sha256.in_(files)).values()
    return found


def _parts(*names: str) -> ColumnElement[Any]:
    whole = readings_table.c.reading
    return func.jsonb_build_object(*itertools.chain(*((name, whole[name]) for name in names)), type_=whole.type)


def _read(
    connection: Connection, told: ColumnElement[Any], *conditions: ColumnElement[bool]
) -> dict[str, SourceReading]:
    columns = readings_table.c
    query = select(columns.sha256, columns.document, columns.file, columns.first_seen, columns.last_seen)
    rows = connection.execute(query.add_columns(told.label("told")).where(*conditions))
    return {
        row.sha256: SourceReading(
            document=row.document,
            file=row.file,
            reading=reading_from(row.told),
            seen=(row.first_seen, row.last_seen) if row.first_seen else None,
        )
        for row in rows
    }


def is_same(old: SourceReading, new: SourceReading) -> bool:
    """Whether a reading is held already. The share of a data set is, unless a later export says the same again."""
    if new.kind in DATA_SETS and (new.reading.document.published_on or "") > (old.reading.document.published_on or ""):
        return False
    return (old.reading.parser, old.reading.parser_version) == (new.reading.parser, new.reading.parser_version)


def is_better(held: tuple[str, str], reading: Reading) -> bool:
    """Whether a reading that is held, by this parser and version, is a later version's than this one."""
    parser, version = held
    return parser == reading.parser and (len(version), version) > (len(reading.parser_version), reading.parser_version)


def forget(connection: Connection, review: str, *sha256s: str) -> None:
    """Hold what these files say of a review no longer."""
    columns = readings_table.c
    connection.execute(delete(readings_table).where(columns.review == review, columns.sha256.in_(sha256s)))


def store(connection: Connection, review: str, source: SourceReading) -> None:
    """Hold what a file says of a review, in the place of what it was read to say before."""
    sha256 = source.file["sha256"]
    key = f"{sha256}:{review}"
    connection.execute(delete(readings_table).where(readings_table.c.source == key))
    connection.execute(
        insert(readings_table).values(
            source=key,
            review=review,
            document=source.document,
            sha256=sha256,
            parser=source.reading.parser,
            parser_version=source.reading.parser_version,
            file=source.file,
            first_seen=source.seen[0] if source.seen else None,
            last_seen=source.seen[1] if source.seen else None,
            reading=source.reading,  # orjson writes dataclasses as they are
        )
    )
