"""The skeleton of a report: its sections, and the numbered paragraphs inside them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from services.ingest.parsers.text.blocks import Block
from services.ingest.parsers.working_group_report.languages import in_all_languages
from services.ingest.parsers.working_group_report.line_ends import joined


def _heading(name: str, before: str, english: str, after: str = "") -> re.Pattern[str]:
    return re.compile(before + in_all_languages(name, english) + after, re.IGNORECASE)


_ROMAN = r"^(?:[IVX]{1,4}\.?\s*)?"
_HEADINGS = {
    "summary": _heading("summary", _ROMAN, "summary of the proceedings"),
    "presentation": _heading("presentation", r"^(?:A\.?\s*)?", "presentation by the state under review"),
    "dialogue": _heading("dialogue", r"^(?:B\.?\s*)?", "interactive dialogue and responses"),
    "conclusions": _heading(
        "conclusions", _ROMAN, r"conclusions? and\s?(?:/\s?or)?\s?recommendations?", r"[*∗\s\d⁰-⁹¹²³]*$"
    ),
    "pledges": _heading("pledges", _ROMAN, "voluntary (?:pledges|commitments)", r"\b(?!.*[.;,]$)"),
    "annex": _heading("annex", "^", "annex(?:es)?", r"(?: [IVX]+)?[*\s]*$"),
}
_ROMAN_NUMBER = re.compile(r"^[IVXAB]{1,4}\.\s*|^[IVX]{1,4}\s+")
_ENDS = re.compile(r"[.;:)”\"*∗⁰-⁹¹²³]\s*$|^[A-Z\s]+$|^.{0,60}$")
_CONTENTS_LINE = re.compile(r"\.{4}|…|\d\s*[-–]\s*\d+\s+\d+$|\s\d+\s+\d+$")
_FIRST_PARAGRAPH = re.compile(
    r"^1\.\s*" + in_all_languages("first_paragraph", "The Working Group on the Universal Periodic"), re.IGNORECASE
)
_NUMBERED = re.compile(r"^(\d{1,3})\.\s*(?=[^\s\d])")
_LEAD_IN = re.compile(
    in_all_languages("lead_in", "recommendations.{0,120}?(?:enjoy|examined|noted|were made|support)|enjoy the support"),
    re.IGNORECASE | re.DOTALL,
)
_LONGEST_HEADING = 90


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A numbered paragraph of section I. `lines` are its printed lines, the number taken off the first."""

    number: int
    lines: tuple[str, ...]
    page: int | None

    @property
    def text(self) -> str:
        """The paragraph in one line."""
        return joined(self.lines)


@dataclass(frozen=True, slots=True)
class Skeleton:
    """The lines of each section. A section that the report does not have is empty.

    Where nothing tells the introduction from the proceedings, each holds both.
    """

    masthead: Sequence[Block]
    introduction: Sequence[Block]
    proceedings: Sequence[Block]
    conclusions: Sequence[Block]
    pledges: Sequence[Block]


def find_skeleton(lines: Sequence[Block]) -> Skeleton:
    """Cut a report at its headings. Older reports print every heading twice (contents, text): the last one counts."""
    headings = _last_headings(lines)
    end = len(lines)
    conclusions = headings.get("conclusions", _first_list(lines))
    annex = _after(headings, "annex", conclusions, end)
    pledges = _after(headings, "pledges", conclusions, annex)
    first = next((n for n, line in enumerate(lines) if _FIRST_PARAGRAPH.match(line.text)), 0)
    starts = [headings[name] for name in ("summary", "presentation", "dialogue") if name in headings]
    proceedings = min((start for start in starts if first < start < conclusions), default=None)
    return Skeleton(
        masthead=lines[:first],
        introduction=lines[first : conclusions if proceedings is None else proceedings],
        proceedings=lines[first if proceedings is None else proceedings : conclusions],
        conclusions=lines[conclusions + 1 : min(pledges, annex)],
        pledges=lines[pledges + 1 : annex],
    )


def _first_list(lines: Sequence[Block]) -> int:
    """Where a report without the heading begins its conclusions: before the paragraph that introduces a list."""
    for place, line in enumerate(lines):
        opened = _NUMBERED.match(line.text)
        if not opened or not _LEAD_IN.search(" ".join(part.text for part in lines[place : place + 6])):
            continue
        following = [part.text for part in lines[place + 1 : place + 8]]
        if any(re.match(rf"^(?:{opened[1]}\.)?1\.?\s", text) for text in following):
            return place - 1
    return len(lines)


def _last_headings(lines: Sequence[Block]) -> dict[str, int]:
    found = {}
    for place, line in enumerate(lines):
        if len(line.text) > _LONGEST_HEADING or line.text[:1].isdigit():
            continue
        for name, pattern in _HEADINGS.items():
            if pattern.match(line.text) and not _CONTENTS_LINE.search(line.text) and _stands_alone(lines, place):
                found[name] = place
    return found


def _stands_alone(lines: Sequence[Block], place: int) -> bool:
    """Whether a line can be a heading: it is numbered (`II.`), or the line before it ends a sentence or a page."""
    letters = _ROMAN_NUMBER.sub("", lines[place].text)
    if not letters[:1].isupper() or letters != lines[place].text:
        return letters[:1].isupper()
    before = lines[place - 1] if place else None
    return before is None or before.page != lines[place].page or bool(_ENDS.search(before.text))


def _after(headings: dict[str, int], name: str, start: int, default: int) -> int:
    place = headings.get(name, default)
    return place if start < place <= default else default


def read_paragraphs(lines: Sequence[Block], first: int = 1) -> list[Paragraph]:
    """The numbered paragraphs of running text, told from other numbers by their sequence.

    `first` is the lowest number that may open the list. A paragraph whose number is missing joins the one before;
    up to two missing numbers are bridged.
    """
    paragraphs: list[Paragraph] = []
    number, page, collected = 0, None, list[str]()
    for line in lines:
        found = _NUMBERED.match(line.text)
        if found and _follows(int(found[1]), number, first):
            if number:
                paragraphs.append(Paragraph(number, tuple(collected), page))
            number, page, collected = int(found[1]), line.page, [line.text[found.end() :]]
        elif number and not _is_heading(line.text):
            collected.append(line.text)
    if number:
        paragraphs.append(Paragraph(number, tuple(collected), page))
    return paragraphs


def _follows(number: int, last: int, first: int) -> bool:
    if not last:
        return first <= number
    return last < number <= last + 3


def _is_heading(text: str) -> bool:
    return len(text) <= _LONGEST_HEADING and any(
        pattern.match(text) for name, pattern in _HEADINGS.items() if name in ("presentation", "dialogue", "summary")
    )
