"""Records whose every free text is hostile: what a document could say that wants to be more than text."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, TypeVar

from sqlalchemy import Connection

from services.core.store.labels import LABELS
from services.core.store.paragraphs import ParagraphRecord, paragraph_id, paragraph_sort_key, replace_paragraphs
from services.core.store.records import Stored
from tests.records import RecordMaker, write_records

Hostile = TypeVar("Hostile", Stored, ParagraphRecord)
_PARAGRAPHS = 20
"""Of each document."""
LONGEST = "W" * 100_000
TEXTS = (
    '"><script>window.hurt = 1; alert(1)</script>',
    "<img src=x onerror=alert(2)> <svg/onload=alert(3)> <iframe src=//evil.example></iframe>",
    "javascript:alert(document.domain)",
    "data:text/html,<script>alert(4)</script>",
    "{{ 7 * 7 }} {% raw %} ${7*7} <%= 7 * 7 %> %(a)s {0} {n}",
    "\u202egnirts desrever \u2066never closed \u202b",
    "' onmouseover='alert(5)' style='position:fixed;inset:0' x='",
    '" autofocus onfocus=alert(6) x="',
    "</title></textarea></style></script><svg><script>alert(7)</script>",
    "Z\u0301\u0489\u036f\u0489" + "\u0489\u0301" * 60 + "algo",
    "\u2400 \u0001\u0007\u001b[31m \ufffe \ufeff \u200b end",
    "&lt;b&gt; &#x3c;script&#x3e; <!-- ]]> <mark onclick=alert(8)>marked</mark>",
    "https://evil.example/?q=<script>",
    "\u05d0\u05d1\u05d2 \u05e2\u05d1\u05e8\u05d9\u05ea \u0661\u0662\u0663 12 <b>",
    "//evil.example/x.png",
    LONGEST,
)
SHORT = tuple(text for text in TEXTS if text is not LONGEST)
FREE = frozenset(
    {
        *("text", "translations", "phrase", "paragraph", "title", "titles", "summaries", "author", "address", "name"),
        *("meeting", "scope", "type", "origin", "modality", "video", "press_release", "participants", "speaker_name"),
        *("on_behalf_of", "original_text", "names", "printed_codes", "territory", "acronym", "status", "seat", "city"),
        *("footnotes", "symbol", "number", "part", "heading", "printed"),
    }
)
"""Fields that hold what a document says. The others are ids, codes of lists that the project keeps, and dates."""
_INDEXED = frozenset({"symbol", "number", "part", "speaker_name", "paragraph"})
"""Of these, what the database finds records by: such a text cannot be as long as that."""


def write_hostile_records(connection: Connection) -> None:
    """A store full of them."""
    maker = RecordMaker(3, states=("PER", "SVN", "ESP", "CHL"))
    labels = {label.id: label for label in maker.labels()}
    seeded = LABELS.read(connection, labels)
    plain = maker.records({"recommendations": 60, "statements": 40}, default=8)
    plain["labels"] = [label for label_id, label in labels.items() if label_id not in seeded]
    turn = itertools.count()
    write_records(connection, {noun: [_hostile(each, turn) for each in several] for noun, several in plain.items()})
    for review, paragraphs in _paragraphs(plain["documents"], plain["recommendations"]).items():
        replace_paragraphs(connection, review, [_hostile(each, turn) for each in paragraphs])


def _paragraphs(documents: Sequence[Any], recommendations: Sequence[Any]) -> dict[str, list[ParagraphRecord]]:
    """Some of every document of a review, by review, each citing a recommendation and a number that is not held."""
    found: dict[str, list[ParagraphRecord]] = {}
    for document in documents:
        if document.review is not None:
            several = found.setdefault(document.review, [])
            several += (_paragraph(document, ordinal, recommendations[ordinal].id) for ordinal in range(_PARAGRAPHS))
    return found


def _paragraph(document: Any, ordinal: int, cited: str) -> ParagraphRecord:
    return ParagraphRecord(
        id=paragraph_id(document.id, "en", str(ordinal)),
        document=document.id,
        sort_key=paragraph_sort_key(document.id, "en", ordinal),
        review=document.review,
        state_under_review=document.state_under_review,
        cycle=document.cycle,
        document_kind=document.kind,
        language="en",
        number=str(ordinal),
        heading="Prisons",
        text="Prisons are inspected.",
        page=1,
        citations=[
            {"printed": "1.1", "cycle": None, "recommendations": [cited]},
            {"printed": "9.9", "cycle": 2, "recommendations": []},
        ],
        recommendations=(cited,),
        file="0" * 64,
        parser="plain_document",
        parser_version="1",
    )


def _hostile(record: Hostile, turn: Iterator[int]) -> Hostile:
    names = [each.name for each in fields(record)]
    return replace(record, **{name: _turned(name, getattr(record, name), turn) for name in names})


def _turned(name: str, value: Any, turn: Iterator[int], *, free: bool = False) -> Any:
    free = free or name in FREE
    match value:
        case str() if free:
            several = SHORT if name in _INDEXED else TEXTS
            number = next(turn)
            return f"{several[number % len(several)]} {number}" if name in _INDEXED else several[number % len(several)]
        case list() | tuple():
            return type(value)(_turned(name, each, turn, free=free) for each in value)
        case Mapping():
            return {key: _turned(str(key), each, turn, free=free) for key, each in value.items()}
    return value
