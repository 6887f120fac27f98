"""Section III: the voluntary pledges and commitments of the State under review."""

import re
from collections.abc import Iterator, Sequence

from services.ingest.parsers.text.blocks import Block
from services.ingest.parsers.working_group_report.furniture import without_footnote_marks
from services.ingest.reading import ReadIssue, ReadPledge

_NUMBERED = re.compile(r"^(\d{1,3})\.\s*(?=[^\s\d])")
_LISTED = re.compile(r"^(?:[•●▪·o]\s+|[-–—]\s+|\(?(?:[a-z]|[ivx]{1,4})\)\s+)")
_POINTER = re.compile(
    r"\b(?:reference is made|are (?:included|contained|set out|reflected|available|listed)|(?:can|may) be found)\b",
    re.IGNORECASE,
)
_END = re.compile(r"(?:[\s;,.]|\band\b)+$")


class _Entry:
    """A pledge or a paragraph that introduces pledges, while its lines are collected."""

    def __init__(self, paragraph: str | None, page: int | None, text: str, *, listed: bool) -> None:
        self.paragraph, self.page, self.listed = paragraph, page, listed
        self.lines = [text]

    @property
    def text(self) -> str:
        return without_footnote_marks(" ".join(self.lines)).strip()


def read_pledges(lines: Sequence[Block], issues: list[ReadIssue]) -> Iterator[ReadPledge]:
    """The pledges of section III: listed items where a paragraph introduces some, else the paragraphs themselves.

    A paragraph that only says where the pledges stand is an Issue, `pledges_elsewhere`.
    """
    entries = list(_entries(lines))
    introduces = {entry.paragraph for entry in entries if entry.listed}
    for entry in entries:
        if not entry.listed and entry.paragraph in introduces:
            continue
        if not entry.listed and _POINTER.search(entry.text):
            issues.append(ReadIssue("info", "pledges_elsewhere", entry.text, entry.page))
            continue
        yield ReadPledge(text=_END.sub("", entry.text), paragraph=entry.paragraph, page=entry.page)


def _entries(lines: Sequence[Block]) -> Iterator[_Entry]:
    current: _Entry | None = None
    for line in lines:
        opening = _NUMBERED.match(line.text) or _LISTED.match(line.text)
        listed = _is_bullet(line) if opening is None else opening.re is _LISTED
        if current and opening is None and not listed and not _begins_anew(line, current):
            current.lines.append(line.text)
            continue
        if current:
            yield current
        paragraph = opening[1] if opening and not listed else current.paragraph if current else None
        text = line.text[opening.end() :] if opening else line.text
        current = _Entry(paragraph, line.page, text, listed=listed)
    if current:
        yield current


def _is_bullet(line: Block) -> bool:
    """Whether Word itself puts a bullet in front of a paragraph: it stands in its style alone."""
    return "bullet" in (line.style or "").lower()


def _begins_anew(line: Block, current: _Entry) -> bool:
    """Whether a paragraph without a number is an entry of its own: in Word it is one, in a PDF lines follow."""
    return line.page is None and line.style is not None and current.paragraph is None
