"""What is indexed: records of the store as documents of the index, and paragraphs of documents as their passages.

Of a paragraph's citations the numbers are indexed as they are printed: which recommendations they mean changes without
a change of the document (ADR 0006).
"""

import hashlib
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import Connection, func, select

from services.core.query.analysis import words_edition
from services.core.query.filters import FILTERS
from services.core.schemas.names import Names
from services.core.schemas.shapes import shape_of
from services.core.schemas.terms import filter_values, record_date
from services.core.schemas.texts import (
    PARTED_NOUNS,
    SEARCHED_NOUNS,
    TEXT_FIELDS,
    SearchedTexts,
    printed_citations,
    texts_of_paragraph,
)
from services.core.store.filtering import as_array
from services.core.store.paragraphs import ParagraphRecord, paragraph_counts, paragraphs_of
from services.core.store.records import Stored
from services.core.store.reference import Reference
from services.core.store.tables import AGGREGATES
from services.core.store.vocabularies import vocabulary
from services.search.engines.base import DocumentKey, IndexDocument, IndexLayout, Passage

INDEX_VERSION = f"11.{words_edition()}"
"""Changes whenever the projection below would make other documents of the same records, or texts other words."""

FILTER_NAMES = tuple(
    name for name, known in FILTERS.items() if not known.single and not known.lists_only and name != "scheme"
)

LAYOUT = IndexLayout(
    texts=TEXT_FIELDS,
    filters=FILTER_NAMES,
    dates=("date",),
    sorts=("number",),
    parted=PARTED_NOUNS,
)

_ROWS_AT_ONCE = 2000
_PARTED_AT_ONCE = 50
"""Records that are read with their paragraphs: there may be a thousand to each."""
_SAMPLE = "sample"


class Projection:
    """How records become documents, with the names and groups of one reference."""

    def __init__(self, reference: Reference) -> None:
        self._reference = reference
        self._names = Names(reference)
        self._texts = SearchedTexts(reference)
        self.edition = edition(reference)

    def document(self, noun: str, record: Stored, paragraphs: Sequence[ParagraphRecord] = ()) -> IndexDocument:
        """One record as a document of the index, with its paragraphs."""
        shape = shape_of(noun, record, self._names)
        searched = self._texts.of_record(noun, shape)
        day = record_date(noun, shape)
        return IndexDocument(
            type=noun,
            id=shape["id"],
            record=shape,
            texts=searched.texts,
            languages=searched.languages,
            filters=filter_values(noun, shape, self._reference),
            dates={} if day is None else {"date": day},
            sorts={"number": str(getattr(record, "sort_key", shape["id"]))},
            revision=self.mark(record.revision, record.updated_at, len(paragraphs)),
            passages=tuple(map(_passage, paragraphs)),
        )

    def mark(self, revision: int, updated_at: datetime, paragraphs: int = 0) -> str:
        """What tells two versions of a document apart.

        The moment stands beside the revision because a database restored to an earlier state counts on from there;
        the edition of the names and groups because they change without a revision of the records that show them. The
        number of paragraphs is there to tell of a fault: they change with their document.
        """
        mark = f"{revision}.{_moment(updated_at)}.{self.edition}"
        return f"{mark}.{paragraphs}" if paragraphs else mark


@lru_cache(maxsize=10_000)  # what was written together bears the same moment
def _moment(moment: datetime) -> str:
    return f"{int(moment.timestamp() * 1_000_000):x}"


def edition(reference: Reference) -> str:
    """Eight hex digits that change with facts that come with a version of OpenUPR, and so without a change in the feed.

    They are the names and groups of States, and the vocabularies. Labels that documents brought are left out: the
    changes tell of them. So are the invented States of samples, which come and never change.
    """
    states = [
        (state.id, state.names, state.region, state.blocs)
        for state in sorted(reference.states.values(), key=lambda state: state.id)
        if state.un_status != _SAMPLE
    ]
    groups = sorted((group.id, group.names) for group in reference.groups.values())
    entries = sorted((entry.id, dict(entry.names)) for entry in vocabulary().values())
    facts = orjson.dumps([states, groups, entries], option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(facts).hexdigest()[:8]


def all_documents(connection: Connection, projection: Projection) -> Generator[IndexDocument, None, None]:
    """Every searched record of the store, read in portions on the connection's snapshot. Close what is left early."""
    for noun in SEARCHED_NOUNS:
        aggregate = AGGREGATES[noun]
        with connection.execution_options(yield_per=_ROWS_AT_ONCE).execute(select(aggregate.table)) as rows:
            for portion in rows.partitions(_at_once(noun)):
                yield from _projected(connection, projection, noun, list(map(aggregate.from_row, portion)))


def documents_of(
    connection: Connection, keys: Iterable[DocumentKey], projection: Projection
) -> Iterator[IndexDocument]:
    """The documents of these records, read in portions. Records that are no more are left out."""
    for noun, ids in _by_noun(keys).items():
        for at in range(0, len(ids), _at_once(noun)):
            records = AGGREGATES[noun].read(connection, ids[at : at + _at_once(noun)])
            yield from _projected(connection, projection, noun, list(records.values()))


def _at_once(noun: str) -> int:
    return _PARTED_AT_ONCE if noun in LAYOUT.parted else _ROWS_AT_ONCE


def _projected(
    connection: Connection, projection: Projection, noun: str, records: Sequence[Any]
) -> Iterator[IndexDocument]:
    if noun not in LAYOUT.parted:
        yield from (projection.document(noun, record) for record in records)
        return
    paragraphs = paragraphs_of(connection, [record.id for record in records])
    yield from (projection.document(noun, record, paragraphs.get(record.id, ())) for record in records)


def gone(connection: Connection, keys: Iterable[DocumentKey]) -> list[DocumentKey]:
    """Those of these records that are no more. A query a noun."""
    missing: list[DocumentKey] = []
    for noun, ids in _by_noun(keys).items():
        column = AGGREGATES[noun].key_column
        held = set(connection.scalars(select(column).where(column == func.any(as_array(ids)))))
        missing += [DocumentKey(noun, record_id) for record_id in ids if record_id not in held]
    return missing


def _by_noun(keys: Iterable[DocumentKey]) -> dict[str, list[str]]:
    wanted: dict[str, list[str]] = {}
    for key in dict.fromkeys(keys):
        wanted.setdefault(key.type, []).append(key.id)
    return wanted


def marks(connection: Connection, noun: str, projection: Projection) -> Mapping[str, str]:
    """The mark (`IndexDocument.revision`) that each record of a noun should bear in the index, by id."""
    table = AGGREGATES[noun].table
    rows = connection.execute(select(table.c.id, table.c.revision, table.c.updated_at))
    parts = paragraph_counts(connection) if noun in LAYOUT.parted else {}
    return {row.id: projection.mark(row.revision, row.updated_at, parts.get(row.id, 0)) for row in rows}


def _passage(paragraph: ParagraphRecord) -> Passage:
    searched = texts_of_paragraph(paragraph)
    return Passage(
        content={
            "id": paragraph.id,
            "number": paragraph.number,
            "page": paragraph.page,
            "heading": paragraph.heading,
            "language": paragraph.language,
            "text": paragraph.text,
            "cited": printed_citations(paragraph),
        },
        texts=searched.texts,
        languages=searched.languages,
    )
