"""Editions: what is held of a page or table that its site keeps up to date.

A page that prints the moment it was asked for has other bytes each time and says the same. So editions that say the
same are held once: as the file that was seen first, with the time between the first and the last sight. A page that
goes back to what it said before is thereby seen last again.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

import orjson

from services.ingest.merge import SourceReading


def edition(source: SourceReading, seen_at: datetime) -> SourceReading:
    """The reading as an edition that was seen when it says itself that it was true, else at `seen_at`."""
    said = source.reading.document
    seen = said.as_of or seen_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
    reading = replace(source.reading, document=replace(said, as_of=None))
    return replace(source, reading=reading, seen=(seen, seen))


def among_editions(source: SourceReading, held: Iterable[SourceReading]) -> tuple[SourceReading, tuple[str, ...]]:
    """The edition joined with those held that say the same or are the same file, and the hashes of these.

    What is no edition is answered as it is.
    """
    if source.seen is None:
        return source, (source.file["sha256"],)
    same = [each for each in held if each.seen and _is_same(each, source)]
    if not same:
        return source, (source.file["sha256"],)
    first = min([*(each for each in same if _says(each) == _says(source)), source], key=_first_seen)
    seen = (
        min(each.seen[0] for each in (*same, source) if each.seen),
        max(each.seen[1] for each in (*same, source) if each.seen),
    )
    return replace(first, seen=seen), tuple(each.file["sha256"] for each in same)


def is_read_anew(source: SourceReading, held: Iterable[SourceReading]) -> bool:
    """Whether a document that is held is only read better, or an older edition of it comes late."""
    others = list(held)
    if source.seen is None:
        return bool(others)
    last = source.seen[1]
    return any(each.file["sha256"] == source.file["sha256"] or (each.seen and each.seen[1] > last) for each in others)


def _is_same(one: SourceReading, other: SourceReading) -> bool:
    if one.document != other.document or one.language != other.language:
        return False
    return one.file["sha256"] == other.file["sha256"] or _says(one) == _says(other)


def _says(source: SourceReading) -> bytes:
    document = replace(source.reading.document, pages=None, published_on=None, as_of=None)
    return orjson.dumps(replace(source.reading, document=document))


def _first_seen(source: SourceReading) -> tuple[str, str]:
    return ((source.seen or ("", ""))[0], source.file["sha256"])
