"""The lines of the High Commissioner's letters put together to paragraphs, items and headings."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Protocol

from services.ingest.parsers.text.blocks import Block, DocumentText

_BULLET = re.compile(r"^(?:[•●▪·■○◦*►➢✓§-]|[–—]|(?P<number>\(?(?:\d{1,2}|[a-z]|[ivx]{1,4})[.)]))\s+(?=\S)")
_ENDED = (".", ":", ";", "!", "?")
_ZERO_FOR_O = re.compile(r"\b0(?=[a-z]{3,})")
_VV_FOR_W = re.compile(r"(?<=[a-z])vv(?=[a-z]*\b)")
_WITH_TWO_V = ("sa", "na", "ski", "chi", "fli", "re")
"""What stands before "vv" in English words: savvy, navvy, revved …"""

_INDENT = 15.0
_SHORT_LINE = 0.75
_LONGEST_HEADING = 140
_SHORTEST = 4


class _Words(Protocol):
    def is_furniture(self, words: str) -> bool: ...

    def stands_alone(self, words: str) -> bool: ...

    def goes_on(self, heading: str, words: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class Passage:
    """A paragraph, an item or a heading. `text` is as printed, `words` without the item's mark."""

    text: str
    page: int | None = None
    is_heading: bool = False

    @property
    def words(self) -> str:
        """The passage without its bullet or number."""
        return _BULLET.sub("", self.text)

    @property
    def number(self) -> str | None:
        """The item's number or letter, where it has one."""
        found = _BULLET.match(self.text)
        return found["number"].strip("().") if found and found["number"] else None


def mended(text: str) -> str:
    """A line without the two misreadings that no English word bears: `0ctober`, `revievv`."""
    return _VV_FOR_W.sub(_w, _ZERO_FOR_O.sub("O", " ".join(text.split())))


def passages(text: DocumentText, words: _Words) -> list[Passage]:
    """The paragraphs: as Word has them, or printed lines joined. Furniture that cuts one in two is taken out."""
    lines = [replace(block, text=mended(block.text)) for block in text.blocks if block.text.strip()]
    if text.pages is None:
        found = [_of_word(line) for line in lines]
    else:
        found = _without_page_breaks(_joined(lines, words), words)
    return _with_headings(found)


def _of_word(line: Block) -> Passage:
    listed = (line.style or "").startswith("List") and not _BULLET.match(line.text)
    mark = f"{line.label} " if line.label else "• " if listed else ""
    return Passage(f"{mark}{line.text}", line.page, is_heading=_is_bold_heading(line))


def _joined(lines: Sequence[Block], words: _Words) -> list[Passage]:
    edges = Counter(round(line.x / 4) * 4 for line in lines if line.x is not None)
    edge = edges.most_common(1)[0][0] if edges else 0
    longest = max((len(line.text) for line in lines), default=0)
    found: list[Passage] = []
    for before, line, after in zip([None, *lines], lines, [*lines[1:], None], strict=False):
        heading = _is_heading(before, line, after, longest)
        if before is None or heading or _begins(before, line, found[-1], words, edge=edge, longest=longest):
            found.append(Passage(line.text, line.page, is_heading=heading))
        else:
            found[-1] = replace(found[-1], text=f"{found[-1].text} {line.text}")
    return found


def _begins(before: Block, line: Block, held: Passage, words: _Words, *, edge: float, longest: int) -> bool:
    """Whether a printed line begins a paragraph or an item. A first line is set in; of an item, all others are."""
    if words.goes_on(held.text, line.text):
        return False
    if _BULLET.match(line.text) or words.stands_alone(line.text) or words.stands_alone(held.text):
        return True
    if held.is_heading:
        return not line.text[:1].islower()
    ended = before.text.endswith(_ENDED) and len(before.text) < _SHORT_LINE * longest and line.text[:1].isupper()
    if _BULLET.match(held.text):
        return ended and line.x is not None and line.x < edge + _INDENT and (before.x or 0) >= edge + _INDENT
    set_in = line.x is not None and line.x > edge + _INDENT
    alike = before.x is not None and line.x is not None and abs(before.x - line.x) < _INDENT / 2
    return set_in if not alike else ended


def _without_page_breaks(found: Iterable[Passage], words: _Words) -> list[Passage]:
    """Furniture taken out, and the paragraph that it cut in two joined."""
    kept: list[Passage] = []
    cut = False
    for passage in found:
        text = passage.text
        if len(text) < _SHORTEST or words.is_furniture(text):
            cut = True
        elif cut and kept and not kept[-1].text.endswith(_ENDED) and text[:1].islower():
            kept[-1] = replace(kept[-1], text=f"{kept[-1].text} {text}")
            cut = False
        else:
            kept.append(passage)
            cut = False
    return kept


def _with_headings(found: Sequence[Passage]) -> list[Passage]:
    """A short line without a full stop over items is their heading, bold or not."""
    told = [
        replace(passage, is_heading=True)
        if _BULLET.match(following.text) and _reads_as_heading(passage.text)
        else passage
        for passage, following in pairwise(found)
    ]
    return [*told, *found[-1:]]


def _is_heading(before: Block | None, line: Block, after: Block | None, longest: int) -> bool:
    """Whether a printed line is a heading: bold, or short between the end of a sentence and the begin of one."""
    if not _reads_as_heading(line.text) or not line.text[:1].isupper():
        return False
    if line.bold:
        return before is None or not before.bold or before.text.endswith(_ENDED)
    follows = after is not None and (bool(_BULLET.match(after.text)) or after.text[:1].isupper())
    ended = before is not None and before.text.endswith((".", ";"))
    return ended and follows and len(line.text) < _SHORT_LINE * longest


def _reads_as_heading(text: str) -> bool:
    return len(text) < _LONGEST_HEADING and not text.endswith((*_ENDED, ",")) and not _BULLET.match(text)


def _is_bold_heading(line: Block) -> bool:
    return line.bold and _reads_as_heading(line.text)


def _w(found: re.Match[str]) -> str:
    before = found.string[: found.start()][-3:].casefold()
    return found[0] if before.endswith(_WITH_TWO_V) else "w"
