"""What is printed around the text of a report: running heads, page numbers, job numbers and footnotes."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby

from services.ingest.parsers.text.blocks import Block, DocumentText

_FOOTNOTE_BELOW = 0.95
"""Footnotes of UN documents are set at 9 points (10 before 2010) under a body of 10 (12 before 2010)."""

_HEAD_LINES, _FOOT_LINES = 5, 3
_PAGE_NUMBER = re.compile(r"^(?:[Pp]age\s*)?\d{1,3}$")
_JOB_NUMBER = re.compile(r"^(?:\d{1,3}\s+)?GE\.\s?\d\d-\d+(?:\s*\([A-Z]\))?[\d\s*]*$")
_ISSUED = re.compile(r"\bGE\.\s?\d\d-\d+")
_RUNNING_HEAD = re.compile(r"^A/HRC/[\w./ -]+\*{0,2}(?:\s+[Pp]age\s*\d+)?$")
_HEAD_SYMBOL = re.compile(r"^A/HRC/(?:WG\.6/\d+/L\.\d+| ?\d+/ ?\d+)(?:/(?:Add|Corr|Rev)\.\d+)*(?=[\s*]|$)")
_MARKER = re.compile(r"([⁰¹²³⁴-⁹]+|(?<!\S)\*{1,3}(?=\s))")
_NOTE_START = re.compile(
    r"^[⁰¹²³⁴-⁹]+\s"
    r"|^[*∗]{1,3}\s*(?:(?:The )?(?:conclusions|annex|recommendations|present)\b|Previously|Reissued|Re-issued)",
    re.IGNORECASE,
)
_AS_READ = re.compile(
    r"^(?:\d{1,2}\s*)?(?:The )?(?:text of the )?(?:original )?recommendations? as read\b", re.IGNORECASE
)
_FIRST_PARAGRAPH = re.compile(r"^1\.\s+\S")
_MASTHEAD = re.compile(
    r"^(?:United Nations|Naciones Unidas|Nations Unies)\s+A/|^(?:United Nations|Naciones Unidas|Nations Unies)$"
    r"|^(?:General Assembly|Asamblea General|Assemblée générale)(?:\s+Distr\b|$)|^Distr\. ?:? ?g[eé]n"
)
_LONGEST_NOTE = 4
_NOTE_TO_TITLE = re.compile(r"^[*∗]{1,3}\s*[A-ZÀ-Þ]")
_RAISED_DIGIT = re.compile(r"[⁰¹²³⁴-⁹]")
_SUPERSCRIPT = re.compile(r"(?<!\bm)(?<!\bkm)(?<!\dm)(?<!\dkm)\s?[⁰¹²³⁴-⁹]+")
_DIGITS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")


@dataclass(frozen=True, slots=True)
class Footnote:
    """A footnote: its mark (`3`, `**`), its text and the page it stands on."""

    mark: str
    text: str
    page: int


@dataclass(frozen=True, slots=True)
class PrintedText:
    """A report without its furniture: the running text line by line, the footnotes apart, the running heads' symbol.

    `reserved_symbol` is the one that a draft in Word already carries: that of the report which it will become.
    """

    lines: tuple[Block, ...]
    footnotes: tuple[Footnote, ...]
    symbol: str = ""
    reserved_symbol: str = ""


def strip_furniture(text: DocumentText) -> PrintedText:
    """Take running heads, feet and footnotes out of the text. A title page is left alone down to its paragraph 1."""
    symbol = _symbol(text.blocks)
    body = _body_size(text.blocks)
    lines: list[Block] = list(_masthead_table(text))
    notes: list[Footnote] = []
    for page, blocks in groupby(_tidy(text.blocks), key=lambda block: block.page or 0):
        printed = list(_without_heads(list(blocks), symbol))
        if page == 0:
            lines += printed
            continue
        if page == 1:
            opening = _opening(printed)
            lines += printed[:opening]
            printed = printed[opening : _masthead_below(printed, opening)]
        foot = _foot(printed)
        small: list[Block] = []
        for place, block in enumerate(printed):
            (small if place >= foot or _is_footnote(block, body) else lines).append(block)
        notes += _footnotes(small, page)
    if text.pages is None:
        return PrintedText(tuple(lines), tuple(notes), *_symbols_in_word(text))
    return PrintedText(tuple(lines), tuple(notes), symbol)


def _opening(printed: list[Block]) -> int:
    """Where the running text begins on a title page: at its paragraph 1."""
    return next((place for place, block in enumerate(printed) if _FIRST_PARAGRAPH.match(block.text)), len(printed))


def _masthead_below(printed: list[Block], opening: int) -> int:
    """Where the text of a title page ends: PDFium gives the masthead, and the note above it, after the text."""
    below = range(opening, len(printed))
    masthead = next((place for place in below if _MASTHEAD.match(printed[place].text)), len(printed))
    note = range(max(opening, masthead - _LONGEST_NOTE), masthead)
    return next((place for place in note if _NOTE_TO_TITLE.match(printed[place].text)), masthead)


def _masthead_table(text: DocumentText) -> Iterator[Block]:
    """The lines of the table in which Word documents of the United Nations hold symbol, distribution and date."""
    cells = (cell for table in text.tables if not table.blocks_before for row in table.rows for cell in row)
    for line in dict.fromkeys(line.strip() for cell in cells for line in cell.split("\n")):
        if line:
            yield Block(line)


def _symbols_in_word(text: DocumentText) -> tuple[str, str]:
    """A Word document's own symbol, and the one reserved for it: only what was issued has a job number (GE.…)."""
    heads = (*_masthead_table(text), *(Block(line) for line in text.running_heads))
    symbol = _symbol([*text.blocks, *heads])
    issued = any(_ISSUED.search(block.text) for block in (*text.blocks, *heads))
    return (symbol, "") if issued else ("", symbol)


def _tidy(blocks: Iterable[Block]) -> Iterator[Block]:
    """Blocks with single spaces and without empty ones: Word paragraphs hold tabs and line breaks.

    Word's own numbers, which are not in the text, are put in front of it.
    """
    for block in blocks:
        words = " ".join(block.text.split())
        if block.label and words:
            words = f"{block.label} {words}"
        if words == block.text:
            yield block
        elif words:
            yield replace(block, text=words)


def footnote_marks(text: str) -> tuple[str, ...]:
    """The marks of the footnotes that `text` refers to, as digits."""
    return tuple(mark.strip().translate(_DIGITS) for mark in _SUPERSCRIPT.findall(text))


def without_footnote_marks(text: str) -> str:
    """`text` without references to footnotes; "km²" stays."""
    return _SUPERSCRIPT.sub("", text) if _RAISED_DIGIT.search(text) else text


def _symbol(blocks: Iterable[Block]) -> str:
    """The symbol that stands at the head of most pages."""
    heads = Counter(_squeezed(found[0]) for block in blocks if (found := _HEAD_SYMBOL.match(block.text)))
    return heads.most_common(1)[0][0] if heads else ""


def _squeezed(text: str) -> str:
    return text.replace(" ", "").rstrip("*")


def _body_size(blocks: Iterable[Block]) -> float:
    sizes: Counter[float] = Counter()
    for block in blocks:
        if block.size:
            sizes[block.size] += len(block.text)
    return sizes.most_common(1)[0][0] if sizes else 0.0


def _without_heads(blocks: list[Block], symbol: str) -> Iterator[Block]:
    for place, block in enumerate(blocks):
        at_edge = place < _HEAD_LINES or place >= len(blocks) - _FOOT_LINES
        if at_edge and _is_furniture(block.text):
            continue
        if block.text.startswith("A/") and symbol and _squeezed(block.text) == symbol:
            continue
        yield block


def _is_furniture(text: str) -> bool:
    return bool(_PAGE_NUMBER.match(text) or _RUNNING_HEAD.match(text) or _JOB_NUMBER.match(text))


def _foot(printed: list[Block]) -> int:
    """Where a page's footnotes begin whatever their size: at words that only footnotes of recommendations have."""
    for place, block in enumerate(printed):
        if _AS_READ.match(block.text):
            return place
    return len(printed)


def _is_footnote(block: Block, body: float) -> bool:
    return bool((block.size and block.size < _FOOTNOTE_BELOW * body) or _NOTE_START.match(block.text))


def _footnotes(blocks: list[Block], page: int) -> Iterator[Footnote]:
    pieces = _MARKER.split(" ".join(block.text for block in blocks))
    for mark, text in zip(pieces[1::2], pieces[2::2], strict=False):
        if text.strip():
            yield Footnote(mark.translate(_DIGITS), text.strip(), page)
