"""Readings as those of files of documents, and where what they say is held."""

import hashlib
import mimetypes
from dataclasses import replace
from datetime import UTC, datetime

import orjson

from services.core.domain import identifiers
from services.core.domain.errors import UnreadableDocumentError
from services.core.store.documents import FileEntry
from services.ingest.editions import edition
from services.ingest.merge import SourceReading, is_chapter, place_of, shares_of
from services.ingest.reading import Reading

CHAPTER = "chapter:"  # no review bears such a name


def review_told(reading: Reading) -> str | None:
    """The one review that a reading tells of; None for what tells of none or of many, or does not say of which."""
    said = reading.document
    if is_chapter(reading) or said.state_under_review is None or said.cycle is None:
        return None
    return identifiers.review_id(said.state_under_review, said.cycle)


def whose_review(reading: Reading) -> tuple[str, int]:
    """The State and the cycle that a reading is about. Raises `UnreadableDocumentError` (`unknown_review`)."""
    said = reading.document
    if said.state_under_review is None or said.cycle is None:
        missing = "which State it is about" if said.state_under_review is None else "which cycle it belongs to"
        raise UnreadableDocumentError("unknown_review", f"The document does not tell {missing}.")
    return said.state_under_review, said.cycle


def file_entry(name: str, size: int, sha256: str, reading: Reading) -> FileEntry:
    """A file as its document lists it."""
    entry = FileEntry(
        sha256=sha256,
        name=name,
        media_type=mimetypes.guess_type(name)[0] or "application/octet-stream",
        language=reading.document.language,
        bytes=size,
        pages=reading.document.pages,
        current=True,
        parser=reading.parser,
        parser_version=reading.parser_version,
    )
    if reading.document.ocr is not None:
        entry["ocr"] = dict(reading.document.ocr)
    return entry


def source_of(entry: FileEntry, reading: Reading, seen_at: datetime) -> SourceReading:
    """A reading as that of a file of a document, an edition of it where its site keeps it up to date."""
    said = reading.document
    key = hashlib.sha256(said.series.encode()).hexdigest() if said.series else entry["sha256"]
    source = SourceReading(document=identifiers.document_id(said.symbol, key), file=entry, reading=reading)
    return edition(source, seen_at) if said.series else source


def share_source(reading: Reading) -> SourceReading:
    """What a data set says of one review, as a document of its own, known by the hash of what it says."""
    review = identifiers.review_id(*whose_review(reading))
    said = orjson.dumps(replace(reading, document=replace(reading.document, published_on=None)))
    share = f"{reading.document.kind} {reading.document.title} {review}"
    title = reading.document.title or reading.parser
    entry = file_entry(title, len(said), hashlib.sha256(said).hexdigest(), reading)
    return SourceReading(
        document=identifiers.document_id(None, hashlib.sha256(share.encode()).hexdigest()),
        file=FileEntry(**{**entry, "media_type": "application/json"}),
        reading=reading,
    )


def places_told(sha256: str, reading: Reading) -> set[str]:
    """`spoken_of` for a file of which nothing else is known."""
    return spoken_of(source_of(file_entry("", 0, sha256, reading), reading, datetime.now(UTC)))


def spoken_of(source: SourceReading) -> set[str]:
    """The reviews of which a document tells, and where what is of no one review is held."""
    chapter = is_chapter(source.reading)
    shares = shares_of(source.reading) if chapter else [source.reading]
    return {identifiers.review_id(*whose_review(each)) for each in shares} | (
        {chapter_of(source)} if chapter else set()
    )


def chapter_of(source: SourceReading) -> str:
    """Where what a document says of no one review is held."""
    return f"{CHAPTER}{place_of(source.document, source.reading)}"
