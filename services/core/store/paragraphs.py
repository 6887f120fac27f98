"""Paragraphs of documents that are read as text, and the recommendations that they cite.

A paragraph is a part of its document, as a file is, and no record: it has no history of its own, and is replaced when
its document is read anew (ADR 0006). Which recommendations it cites is told twice: as printed, and as the ids of the
records that are meant, where that can be told.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypedDict

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Connection,
    ForeignKey,
    Index,
    Integer,
    Table,
    bindparam,
    delete,
    func,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB

from services.core.domain.identifiers import sort_key
from services.core.store.bulk import copy_rows
from services.core.store.metadata import metadata, plain_text, texts


class Citation(TypedDict):
    """A number as printed, and the ids of the recommendations that it means: several where it has parts.

    `cycle` is the one in which they were made, where the document says so.
    """

    printed: str
    cycle: int | None
    recommendations: list[str]


@dataclass(frozen=True, kw_only=True)
class ParagraphRecord:
    """One paragraph of one file of a document.

    `id` is the document's id, the language and the anchor: the printed number if it is the first of its kind there.
    """

    id: str
    document: str
    sort_key: str
    review: str
    state_under_review: str
    cycle: int
    document_kind: str
    language: str
    number: str | None
    heading: str | None
    text: str
    page: int | None
    citations: list[Citation]
    recommendations: tuple[str, ...]
    file: str
    parser: str
    parser_version: str
    sample: bool = False


paragraphs_table = Table(
    "paragraphs",
    metadata,
    Column("id", plain_text(), primary_key=True),
    Column("document", plain_text(), ForeignKey("documents.id", ondelete="CASCADE"), nullable=False),
    Column("sort_key", plain_text(), nullable=False),
    Column("review", plain_text(), nullable=False),
    Column("state_under_review", plain_text(), nullable=False),
    Column("cycle", Integer, nullable=False),
    Column("document_kind", plain_text(), nullable=False),
    Column("language", plain_text(), nullable=False),
    Column("number", plain_text()),
    Column("heading", plain_text()),
    Column("text", plain_text(), nullable=False),
    Column("page", Integer),
    Column("citations", JSONB, nullable=False),
    Column("recommendations", texts(), nullable=False),
    Column("file", plain_text(), nullable=False),
    Column("parser", plain_text(), nullable=False),
    Column("parser_version", plain_text(), nullable=False),
    Column("sample", Boolean, nullable=False),
)
_c = paragraphs_table.c
_CITES = func.jsonb_array_length(_c.citations) > 0
Index(None, _c.document, _c.sort_key)
Index(None, _c.review)
Index(None, _c.sort_key)
Index("ix_paragraphs_citing", _c.state_under_review, postgresql_where=_CITES)
Index(None, _c.recommendations, postgresql_using="gin")


@dataclass(frozen=True)
class ParagraphPage:
    """One page of a list of paragraphs. `last` is the sort key of its last row; None on the last page."""

    records: Sequence[ParagraphRecord]
    total: int
    last: str | None


def paragraph_id(document: str, language: str, anchor: str) -> str:
    """`A-HRC-WG.6-20-SVN-1.en.12`."""
    return f"{document}.{language}.{anchor}"


def paragraph_sort_key(document: str, language: str, ordinal: int) -> str:
    """Orders the paragraphs of all documents: those of one file as they stand in it."""
    return f"{sort_key(document)}.{language}.{ordinal:06d}"


def replace_paragraphs(connection: Connection, review: str, records: Iterable[ParagraphRecord]) -> bool:
    """Make these the paragraphs of a review's documents; says whether any differ from those that were held.

    Those of a file that the same reader read are the same, and are left as they are. Their documents must be stored.
    """
    wanted: dict[Any, list[ParagraphRecord]] = {}
    for record in records:
        wanted.setdefault((record.document, record.language, record.file, record.parser, record.parser_version), [])
        wanted[record.document, record.language, record.file, record.parser, record.parser_version].append(record)
    reading = (_c.document, _c.language, _c.file, _c.parser, _c.parser_version)
    held = {tuple(row) for row in connection.execute(select(*reading).where(_c.review == review).distinct())}
    gone, new = held - wanted.keys(), [each for key, group in wanted.items() if key not in held for each in group]
    if gone:
        connection.execute(delete(paragraphs_table).where(_c.review == review, tuple_(*reading).in_(gone)))
    copy_rows(connection, paragraphs_table, map(_row, new))
    return bool(gone or new)


def citing_paragraphs(connection: Connection, state: str) -> list[ParagraphRecord]:
    """The paragraphs of all documents on a State that cite recommendations."""
    rows = connection.execute(select(paragraphs_table).where(_c.state_under_review == state, _CITES))
    return [_record(row._mapping) for row in rows]


def set_citations(connection: Connection, citations: Mapping[str, list[Citation]]) -> None:
    """Write what paragraphs cite, by the id of the paragraph."""
    if not citations:
        return
    changed = update(paragraphs_table).where(_c.id == bindparam("of"))
    values = changed.values(citations=bindparam("cited"), recommendations=bindparam("ids"))
    connection.execute(
        values, [{"of": key, "cited": cited, "ids": cited_ids(cited)} for key, cited in citations.items()]
    )


def cited_ids(citations: Iterable[Citation]) -> list[str]:
    """The recommendations that citations mean, each once."""
    return list(dict.fromkeys(each for citation in citations for each in citation["recommendations"]))


def one_paragraph(connection: Connection, paragraph: str) -> ParagraphRecord | None:
    """The paragraph with this id, or None."""
    row = connection.execute(select(paragraphs_table).where(_c.id == paragraph)).one_or_none()
    return _record(row._mapping) if row else None


def paragraphs_beside(
    connection: Connection, document: str, language: str, paragraph: str
) -> tuple[ParagraphRecord | None, ParagraphRecord | None]:
    """The paragraphs before and after the one with this id, in the same file. One query."""
    same_file = (_c.document == document, _c.language == language)
    own = select(_c.sort_key).where(_c.id == paragraph).scalar_subquery()
    before = select(func.max(_c.sort_key)).where(*same_file, _c.sort_key < own).scalar_subquery()
    after = select(func.min(_c.sort_key)).where(*same_file, _c.sort_key > own).scalar_subquery()
    query = select(paragraphs_table, _c.sort_key < own).where(*same_file, _c.sort_key.in_([before, after]))
    beside = {
        row[-1]: _record({column.name: row._mapping[column] for column in _c}) for row in connection.execute(query)
    }
    return beside.get(True), beside.get(False)


def paragraphs_of(connection: Connection, documents: Sequence[str]) -> dict[str, list[ParagraphRecord]]:
    """All paragraphs of these documents, by document, in their order. One query."""
    found: dict[str, list[ParagraphRecord]] = {}
    query = select(paragraphs_table).where(_c.document.in_(documents)).order_by(_c.sort_key)
    for row in connection.execute(query):
        found.setdefault(row.document, []).append(_record(row._mapping))
    return found


def paragraph_counts(connection: Connection) -> dict[str, int]:
    """How many paragraphs each document has that has any."""
    counted = connection.execute(select(_c.document, func.count()).group_by(_c.document))
    return {row[0]: row[1] for row in counted}


def paragraph_page(
    connection: Connection, *, where: Sequence[ColumnElement[bool]], after: str | None, limit: int
) -> ParagraphPage:
    """One page of the paragraphs that meet the conditions, in their order, with the exact total: two queries."""
    total = connection.scalar(select(func.count()).select_from(paragraphs_table).where(*where)) or 0
    query = select(paragraphs_table).where(*where).order_by(_c.sort_key).limit(limit + 1)
    if after is not None:
        query = query.where(_c.sort_key > after)
    records = [_record(row._mapping) for row in connection.execute(query)]
    more = len(records) > limit
    return ParagraphPage(records[:limit], total, records[limit - 1].sort_key if more else None)


def of_document(document: str) -> ColumnElement[bool]:
    """Whether a paragraph is of this document."""
    return _c.document == document


def in_languages(languages: Sequence[str]) -> ColumnElement[bool]:
    """Whether a paragraph is of a file in one of these languages."""
    return _c.language.in_(languages)


def of_kinds(kinds: Sequence[str]) -> ColumnElement[bool]:
    """Whether a paragraph is of a document of one of these kinds."""
    return _c.document_kind.in_(kinds)


def citing(recommendations: Sequence[str]) -> ColumnElement[bool]:
    """Whether a paragraph cites one of these recommendations."""
    wanted = bindparam(None, list(recommendations), _c.recommendations.type)
    overlaps: ColumnElement[bool] = _c.recommendations.overlap(wanted)
    return overlaps


def _row(record: ParagraphRecord) -> Mapping[str, Any]:
    return {**asdict(record), "recommendations": list(record.recommendations)}


def _record(columns: Mapping[Any, Any]) -> ParagraphRecord:
    return ParagraphRecord(**{**columns, "recommendations": tuple(columns["recommendations"])})
