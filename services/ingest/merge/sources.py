"""The readings of a review in the order in which they weigh, and which of them still hold."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from services.core.domain.documents import DATA_SETS, DocumentKind
from services.core.store.documents import FileEntry
from services.ingest.reading import Reading

_KINDS = (
    *(DocumentKind.WORKING_GROUP_REPORT, DocumentKind.WORKING_GROUP_DRAFT, DocumentKind.MATRIX),
    *(DocumentKind.ADDENDUM, DocumentKind.COUNCIL_REPORT, DocumentKind.COUNCIL_DECISION),
    *(DocumentKind.UHRI, DocumentKind.UPR_INFO),
    *(DocumentKind.IACHR_HEARING, DocumentKind.IACHR_PRESS_RELEASE),
)
LANGUAGES = ("en", "es", "fr")
_CORRIGENDUM = re.compile(r"/Corr\.(\d+)$")
_REVISION = re.compile(r"/Rev\.(\d+)$")


@dataclass(frozen=True)
class SourceReading:
    """What one file says, and which file of which document it is."""

    document: str
    file: FileEntry
    reading: Reading
    seen: tuple[str, str] | None = None
    """Of an edition of a page that its site keeps up to date: when it was first seen, and last (ISO 8601)."""

    @property
    def kind(self) -> str:
        """The document's kind."""
        return self.reading.document.kind

    @property
    def language(self) -> str:
        """The file's language."""
        return self.reading.document.language

    @property
    def bytes_read(self) -> str | None:
        """SHA-256 of the file in which its records stand; None for a database, of which only what it says is kept.

        The hash of all that a database says of a review is no record's own: it is another one with every row that
        changes, and each record of the review would be told as changed.
        """
        return None if self.kind in DATA_SETS else self.file["sha256"]

    @property
    def has_final_numbers(self) -> bool:
        """Whether the numbers it prints are the recommendations' own. A draft's are provisional."""
        return self.kind != DocumentKind.WORKING_GROUP_DRAFT

    @property
    def weight(self) -> tuple[int, int, str, str]:
        """Sorts the weightiest first: by kind, then by language, then by something that is always the same."""
        return (rank(self.kind, _KINDS), rank(self.language, LANGUAGES), self.document, self.file["sha256"])

    @property
    def corrigendum(self) -> int:
        """Which corrigendum it is of the document that it corrects; 0 if it is none."""
        found = _CORRIGENDUM.search(self.reading.document.symbol or "")
        return int(found[1]) if found else 0

    @property
    def text_weight(self) -> tuple[int, int, int, str, str]:
        """As `weight`, but language first: English text stands before other languages whoever holds it.

        A corrigendum stands before what it corrects, and the last one first.
        """
        kind, language, document, sha256 = self.weight
        return (language, kind, -self.corrigendum, document, sha256)


def rank(value: str, order: tuple[str, ...]) -> int:
    """The place of a value in an order; behind all of it if it is not in it."""
    return order.index(value) if value in order else len(order)


def split_superseded(readings: Iterable[SourceReading]) -> tuple[list[SourceReading], list[SourceReading]]:
    """The readings that hold and those that a later one replaced, each the weightiest first.

    A file replaces another of the same document (or of one it revises) in the same language; a review has one matrix
    a language, and of what bears no symbol one document of each kind, title and author; a report replaces its drafts.
    The later one is told by its revision, then its date, and where neither tells by its bytes' hash, so that the order
    of loading does not decide.
    """
    newest: dict[tuple[str, str], SourceReading] = {}
    everything = sorted(readings, key=lambda each: each.weight)
    for each in everything:
        held = newest.get(_slot(each))
        if held is None or _age(each) > _age(held):
            newest[_slot(each)] = each
    current = [each for each in everything if newest[_slot(each)] is each]
    if any(each.kind == DocumentKind.WORKING_GROUP_REPORT for each in current):
        current = [each for each in current if each.kind != DocumentKind.WORKING_GROUP_DRAFT]
    return current, [each for each in everything if each not in current]


def _slot(each: SourceReading) -> tuple[str, str]:
    symbol = each.reading.document.symbol
    if each.reading.document.series:
        return (each.reading.document.series, each.language)
    if each.kind == DocumentKind.MATRIX:
        return (each.kind, each.language)
    if symbol is None:
        said = each.reading.document
        return (f"{each.kind} {said.title or ''} {said.author or ''}".strip(), each.language)
    return (_REVISION.sub("", symbol), each.language)


def _age(each: SourceReading) -> tuple[int, str, tuple[int, str], str]:
    revision = _REVISION.search(each.reading.document.symbol or "")
    published = each.seen[1] if each.seen else each.reading.document.published_on or ""
    # One export read by two versions of its reader is two readings, since a share is known by what was read.
    version = each.reading.parser_version if each.kind in DATA_SETS else ""
    return (int(revision[1]) if revision else 0, published, (len(version), version), each.file["sha256"])
