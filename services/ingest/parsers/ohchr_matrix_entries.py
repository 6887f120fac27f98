"""The recommendations of one cell: mostly one with its number; at times several, or several numbers for one."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from services.ingest.parsers.ohchr_matrix_rows import NUMBER, NUMBERED, PLAIN_NUMBER, SOURCE, Row
from services.ingest.parsers.ohchr_matrix_words import squeezed

_NEXT_NUMBER = re.compile(
    rf"\s*(?:[.:]?\s*(?P<joint>,|;|&|/|[-–—]|\b(?:and|to|y|al?|et|à)\b))\s*{NUMBERED}", re.IGNORECASE
)
_ELIDED_END = re.compile(r"\s?[-–—]\s?(?P<last>\d{1,3})(?=[\s.:]+\D)")
_ENDS_NUMBER = re.compile(r"\s*[.:)]?\s*")
_ENDS_ENTRY = re.compile(r"[;.):\d]\s*$")
_LINE_ENDS = re.compile("[\n\v]")
_RANGES = ("-", "–", "—", "to", "al", "a", "à")
_LONGEST_RANGE = 60


@dataclass(frozen=True, slots=True)
class Entry:
    """One recommendation of a cell: its printed number and letter, its words with the States, and what stands behind
    "Source of Position:"."""

    number: str | None
    part: str | None
    text: str
    source: str | None

    @property
    def shown(self) -> str:
        """How issues call it."""
        return self.number or "no number"


def entries_of(row: Row) -> list[Entry]:
    """The recommendations of a row; one without a number where it has words and none of them is a number.

    Empty where it has no words.
    """
    cell = row.cells.get("recommendation", "")
    number = squeezed(row.cells.get("number", ""))
    if number:
        cell = cell if NUMBER.match(squeezed(cell)) else f"{number.rstrip('.')} {cell}"
    return [entry for piece in _pieces(cell) for entry in _numbered(piece)]


def _pieces(cell: str) -> Iterator[str]:
    """A cell cut where a line begins another number of the same paragraph, and the line before it ends a sentence."""
    lines = _LINE_ENDS.split(cell)
    first = NUMBER.match(squeezed(lines[0])) if lines else None
    piece: list[str] = []
    for line in lines:
        found = NUMBER.match(squeezed(line)) if first and piece else None
        is_new = found and first and _paragraph(found) == _paragraph(first) and _ENDS_ENTRY.search(squeezed(piece[-1]))
        if is_new:
            yield "\n".join(piece)
            piece = []
        piece.append(line)
    yield "\n".join(piece)


def _paragraph(number: re.Match[str]) -> str:
    return number["number"].split(".")[0].strip()


def _numbered(piece: str) -> Iterator[Entry]:
    entry, *after = SOURCE.split(piece, maxsplit=1)
    text, source = squeezed(entry), squeezed(after[0]) if after else None
    if not text:
        return
    dotted = NUMBER.match(text)
    if dotted is None:
        plain = PLAIN_NUMBER.match(text)
        yield Entry(plain["number"] if plain else None, None, text[plain.end() :] if plain else text, source)
        return
    numbers, end = _numbers(text, dotted)
    for number, part in numbers:
        yield Entry(number, part, text[end:], source)


def _numbers(text: str, first: re.Match[str]) -> tuple[list[tuple[str, str | None]], int]:
    """All numbers that open an entry ("140.7, 140.8", "140.7-140.9", "140.7-9"), and where its words begin."""
    numbers = [_read(first)]
    end, whole = first.end("number"), first.end()
    if elided := _ELIDED_END.match(text, end):
        numbers += _range(numbers[0][0], f"{numbers[0][0].split('.')[0]}.{elided['last']}")
        whole = elided.end()
    while not elided and (found := _NEXT_NUMBER.match(text, end)):
        number, part = _read(found)
        is_range = found["joint"].casefold() in _RANGES
        numbers += _range(numbers[-1][0], number) if is_range else [(number, part)]
        end = whole = max(found.end("number"), found.end("part"), found.end("letter"))
    return list(dict.fromkeys(numbers)), _end_of(text, whole)


def _end_of(text: str, at: int) -> int:
    found = _ENDS_NUMBER.match(text, at)
    return found.end() if found else at


def _read(found: re.Match[str]) -> tuple[str, str | None]:
    part = found["part"] or found["letter"]
    return found["number"].replace(" ", ""), part.lower() if part else None


def _range(first: str, last: str) -> list[tuple[str, str | None]]:
    """The numbers after `first` up to `last`; `last` alone where they make no range."""
    (start_of, _, start), (end_of, _, end) = first.rpartition("."), last.rpartition(".")
    if start_of != end_of or not 0 < int(end) - int(start) <= _LONGEST_RANGE:
        return [(last, None)]
    return [(f"{start_of}.{each}", None) for each in range(int(start) + 1, int(end) + 1)]
