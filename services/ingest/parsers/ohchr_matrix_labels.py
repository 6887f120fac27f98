"""The labels of a matrix's row: themes, groups of persons, goals and targets."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from services.core.domain.identifiers import normalised_text
from services.core.store.vocabularies import find_entry
from services.ingest.parsers.ohchr_matrix_rows import SECTION_LINE, Row, theme_code
from services.ingest.parsers.ohchr_matrix_words import folded, squeezed, words
from services.ingest.parsers.text.pdf_cells import SOFT_BREAK

_BULLET = re.compile(r"^[\s\-–—•·*\uf0b7▪]*(?:o\s+(?=\S))?")
_HAS_BULLET = re.compile(r"^[\-–—•·*\uf0b7▪]\s*")
_MOST_LINES = 8
"""The longest label runs over six lines of a narrow column."""

_SDG = re.compile(
    r"^(?:sdgs?|goals?|targets?|ods|odd|objetivos?|objectifs?|metas?|cibles?)?\s*"
    r"(\d{1,2}(?:\.(?:\d{1,2}|[a-z]))?)(?:\s*[-–—:.)]\s*(\S.*)|\s+(\D.*))?$",
    re.IGNORECASE,
)
_SDG_LIST = re.compile(r"\d{1,2}(?:\.(?:\d{1,2}|[a-z])\b)?", re.IGNORECASE)
_ONLY_NUMBERS = re.compile(
    r"^(?:sdgs?|goals?|targets?|ods|odd|objetivos?|objectifs?|metas?|cibles?)?[\s:]*"
    r"\d{1,2}(?:\.(?:\d{1,2}|[a-z]))?(?:\s*(?:[,;&/]|and|y|et)\s*\d{1,2}(?:\.(?:\d{1,2}|[a-z]))?)+\.?$",
    re.IGNORECASE,
)
_GOALS = 17
_JOINTS = (r"\s*;\s*", r"\s+[-–•]\s+", r"\s*,\s*")
_COLUMNS = (("labels", "ohchr-theme"), ("groups", "group"), ("sdgs", "sdg"))


@dataclass(frozen=True, slots=True)
class PrintedLabel:
    """One label of a row. `known`: whether a vocabulary has it."""

    scheme: str
    label: str
    code: str | None
    known: bool


def labels_of(row: Row) -> list[PrintedLabel]:
    """The labels of one row: those of its cells; before them the theme it stands under, where they leave it out."""
    lines = [line for role, scheme in _COLUMNS for line in _section_lines(row.cells.get(role, ""), scheme)]
    found = [label for scheme, line in lines for label in _labels_in(scheme, line)]
    if row.theme and not _names_theme(found, row.theme):
        return [*_labels_in("ohchr-theme", row.theme), *found]
    return found


def _names_theme(found: Iterable[PrintedLabel], theme: str) -> bool:
    """Whether the theme of the heading is among the labels, with or without its code."""
    spelled = {normalised_text(theme), normalised_text(theme_code(theme)[1])}
    return any(label.scheme == "ohchr-theme" and normalised_text(label.label) in spelled for label in found)


def _section_lines(cell: str, scheme: str) -> Iterator[tuple[str, str]]:
    """Scheme and line for every label in a cell; "Affected persons:" and the like change the scheme."""
    pieces = [
        (squeezed(piece), place > 0)
        for line in cell.split("\n")
        for place, piece in enumerate(line.split(SOFT_BREAK))
        if squeezed(piece)
    ]
    at = 0
    while at < len(pieces):
        section = SECTION_LINE.match(pieces[at][0])
        named = words().sections.get(folded(section[1])) if section else None
        if section is not None and named is not None:
            scheme = named
            if section[2]:
                pieces[at] = (section[2], False)
            else:
                at += 1
                continue
        count = _length(scheme, pieces[at:])
        label = _BULLET.sub("", " ".join(piece for piece, _ in pieces[at : at + count])).strip()
        if label:
            yield scheme, label
        at += count


def _length(scheme: str, pieces: Sequence[tuple[str, bool]]) -> int:
    """How many printed lines the first label runs over; a piece comes with whether it may be the rest of a line.

    Most that are a label we know, else all that may go on and do not open another.
    """
    most = min(len(pieces), _MOST_LINES)
    most = next((at for at in range(1, most) if _opens_section(pieces[at][0])), most)
    known = [count for count in range(1, most + 1) if _is_known(scheme, pieces[:count])]
    if known:
        return known[-1]
    count = 1
    while count < most and pieces[count][1] and not _opens_label(scheme, pieces[count:]):
        count += 1
    return count


def _opens_section(piece: str) -> bool:
    section = SECTION_LINE.match(piece)
    return section is not None and folded(section[1]) in words().sections


def _opens_label(scheme: str, pieces: Sequence[tuple[str, bool]]) -> bool:
    piece = pieces[0][0]
    if _HAS_BULLET.match(piece) or (scheme == "ohchr-theme" and theme_code(piece)[0]):
        return True
    return any(_is_known(scheme, pieces[:count]) for count in range(1, _MOST_LINES))


def _is_known(scheme: str, pieces: Sequence[tuple[str, bool]]) -> bool:
    """Whether printed lines are together one label that we know by its words."""
    first, *rest = (piece for piece, _ in pieces)
    if scheme == "sdg" and any(_HAS_BULLET.match(piece) or piece[0].isdigit() for piece in rest):
        return False
    printed = _BULLET.sub("", " ".join([first, *rest]))
    if scheme == "sdg" and (numbered := _SDG.match(printed)):
        printed = numbered[2] or numbered[3] or printed
    return find_entry(scheme, theme_code(printed)[1] if scheme == "ohchr-theme" else printed) is not None


def _labels_in(scheme: str, line: str) -> list[PrintedLabel]:
    """The labels of one line: one, unless each piece of it is one that we know."""
    if scheme == "sdg" and _ONLY_NUMBERS.match(line):
        return [_sdg(number) for number in _SDG_LIST.findall(line)]
    whole = _label(scheme, line)
    if not whole.known:
        for joint in _JOINTS:
            pieces = [_label(scheme, piece) for piece in re.split(joint, line.strip(" ;,.")) if piece]
            if len(pieces) > 1 and all(piece.known for piece in pieces):
                return pieces
    return [whole]


def _label(scheme: str, line: str) -> PrintedLabel:
    if scheme == "sdg":
        return _sdg(line)
    code, label = theme_code(line) if scheme == "ohchr-theme" else (None, line.strip())
    return PrintedLabel(scheme, label, code, find_entry(scheme, label, code) is not None)


def _sdg(line: str) -> PrintedLabel:
    """A goal or target, by its number or by its name."""
    numbered = _SDG.match(line)
    if numbered:
        known = 1 <= int(numbered[1].split(".")[0]) <= _GOALS
        return PrintedLabel("sdg", (numbered[2] or numbered[3] or line).strip(), numbered[1], known)
    entry = find_entry("sdg", line)
    return PrintedLabel("sdg", line, entry.code if entry else None, entry is not None)
