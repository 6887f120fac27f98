"""The text of a printed table's cells: words to lines, lines to paragraphs, and ruled pages to rows of cells."""

import itertools
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from services.ingest.parsers.text.pdf_words import PrintedPage, Rule, Word

SOFT_BREAK = "\v"

_SAME_LINE = 0.5
"""In heights of the font."""

_SAME_RULE = 2.5
_LEAST_OF_WIDTH = 0.5
"""A row ends where lines run along so much of the table; a line under some words is shorter."""

_LEAST_OF_ROW = 0.6
_LEAST_UPRIGHTS = 3
_LARGEST_GRID = 400
_SUPERSCRIPT_BELOW = 0.75
_BLANK = 0.22
_BULLET = re.compile(r"^[-–—•·▪\uf0b7](?:\s|$)")
_BREAKS_AFTER = re.compile(r".*?(?:[-/–](?=\w)|$)")
_BROKEN = re.compile(r"\w[-/]$")
_SUSPENDED = re.compile(r"(?:and|or|to|y|o|et|ou)\b")
"""What follows a hyphen that stands for the rest of a word: "short- and long-term"."""


@dataclass(frozen=True, slots=True)
class Line:
    """Words on one baseline, from left to right."""

    words: tuple[Word, ...]

    @property
    def text(self) -> str:
        """The words with single blanks."""
        return " ".join(word.text for word in self.words)

    @property
    def y(self) -> float:
        """Its baseline."""
        return self.words[0].y

    @property
    def size(self) -> float:
        """How high its font is."""
        return max(word.size for word in self.words)

    @property
    def right(self) -> float:
        """Where its last word ends."""
        return max(word.right for word in self.words)


@dataclass(frozen=True, slots=True)
class RuledRow:
    """One row of a ruled page: its cells' texts, repeated over the columns that a merged one covers.

    `starts`: the columns at which the cells begin.
    """

    cells: tuple[str, ...]
    starts: tuple[int, ...]


def lines_of(words: Iterable[Word]) -> list[Line]:
    """Words as lines, from the top."""
    lines: list[list[Word]] = []
    for word in sorted(words, key=lambda each: (each.y, each.left)):
        if lines and abs(word.y - lines[-1][0].y) <= _SAME_LINE * min(word.size, lines[-1][0].size):
            lines[-1].append(word)
        else:
            lines.append([word])
    return [Line(tuple(sorted(line, key=lambda each: each.left))) for line in lines]


def cell_text(words: Iterable[Word], right: float) -> str:
    """The lines of a cell. `right`: how far they can run. Raised numbers of footnotes are left out.

    Behind a line that is full comes `SOFT_BREAK` in place of a line end: the next one may be its rest. It is one where
    its first word would not have found room, and in a list where it has no bullet.
    """
    lines = lines_of(_without_superscripts(list(words)))
    text, in_list = "", False
    for place, line in enumerate(lines):
        has_bullet = _BULLET.match(line.text) is not None
        if place:
            goes_on = in_list and not has_bullet and not line.text.endswith(":")
            is_soft = goes_on or _is_full(lines[place - 1], line, right)
            is_broken = _BROKEN.search(text) and not _SUSPENDED.match(line.text)
            text += ("" if is_broken else SOFT_BREAK) if is_soft else "\n"
        text += line.text
        in_list = has_bullet or (in_list and not line.text.endswith(":"))
    return text


def _is_full(before: Line, line: Line, right: float) -> bool:
    """Whether the first word of a line, or what of it could be broken off, would not have fitted in the line before."""
    first = line.words[0]
    piece = _BREAKS_AFTER.match(first.text)
    share = len(piece[0]) / len(first.text) if piece and piece[0] else 1.0
    needed = (first.right - first.left) * share + _BLANK * line.size
    return before.right + needed > right


def _without_superscripts(words: list[Word]) -> list[Word]:
    usual = median(word.size for word in words) if words else 0.0
    return [word for word in words if not (word.text.isdigit() and word.size < _SUPERSCRIPT_BELOW * usual)]


def ruled_rows(page: PrintedPage) -> list[RuledRow]:
    """The rows of the tables that lines are drawn around. Words outside of them are left out."""
    columns = _columns(page.upright)
    if len(columns) < _LEAST_UPRIGHTS:
        return []
    bounds = _row_bounds(page, columns)
    held: dict[int, list[Word]] = {}
    for word in page.words:
        held.setdefault(bisect_right(bounds, word.y - 0.3 * word.size), []).append(word)
    return [
        row
        for place in range(1, len(bounds))
        if (row := _row(held.get(place, []), columns, _walls(page, columns, bounds[place - 1], bounds[place])))
    ]


def _columns(upright: Sequence[Rule]) -> list[float]:
    """Where upright lines stand."""
    return [sum(each.at for each in group) / len(group) for group in _groups(upright)][:_LARGEST_GRID]


def _groups(rules: Sequence[Rule]) -> list[list[Rule]]:
    groups: list[list[Rule]] = []
    for rule in sorted(rules, key=lambda each: each.at):
        if groups and rule.at - groups[-1][-1].at <= _SAME_RULE:
            groups[-1].append(rule)
        else:
            groups.append([rule])
    return groups


def _row_bounds(page: PrintedPage, columns: list[float]) -> list[float]:
    """Where rows end: at level lines through the table, and where upright lines begin and end."""
    width = columns[-1] - columns[0]
    through = [group[0].at for group in _groups(page.level) if _covered(group) >= _LEAST_OF_WIDTH * width]
    bounds = sorted([*through, min(rule.start for rule in page.upright), max(rule.end for rule in page.upright)])
    apart = [bounds[0]]
    for bound in bounds[1:]:
        if bound - apart[-1] > _SAME_RULE:
            apart.append(bound)
    return apart


def _covered(rules: Iterable[Rule]) -> float:
    """How much of its axis rules on one line cover together."""
    covered, reached = 0.0, float("-inf")
    for rule in sorted(rules, key=lambda each: each.start):
        covered += max(0.0, rule.end - max(rule.start, reached))
        reached = max(reached, rule.end)
    return covered


def _walls(page: PrintedPage, columns: list[float], top: float, bottom: float) -> list[int]:
    """The columns at which an upright line runs through most of a row."""
    walls: dict[int, list[Rule]] = {}
    for rule in page.upright:
        if rule.end > top and rule.start < bottom:
            place = min(range(len(columns)), key=lambda at, rule=rule: abs(columns[at] - rule.at))  # type: ignore[misc]
            walls.setdefault(place, []).append(Rule(0.0, max(rule.start, top), min(rule.end, bottom)))
    return sorted(place for place, rules in walls.items() if _covered(rules) >= _LEAST_OF_ROW * (bottom - top))


def _row(words: list[Word], columns: list[float], walls: list[int]) -> RuledRow | None:
    """The cells between walls. None where there is no cell, or no word in one."""
    if len(walls) < 2:
        return None
    cells = [""] * (len(columns) - 1)
    for start, end in itertools.pairwise(walls):
        left, right = columns[start], columns[end]
        inside = [word for word in words if left <= (word.left + word.right) / 2 < right]
        padding = min((word.left - left for word in inside), default=0.0)
        text = cell_text(inside, right - max(0.0, min(padding, 8.0)))
        cells[start:end] = [text] * (end - start)
    return RuledRow(tuple(cells), tuple(walls[:-1])) if any(cells) else None


def segments_of(line: Line, gap: float) -> Iterator[Line]:
    """A line cut where blanks are wider than `gap` heights of its font."""
    piece: list[Word] = []
    for word in line.words:
        if piece and word.left - piece[-1].right > gap * line.size:
            yield Line(tuple(piece))
            piece = []
        piece.append(word)
    yield Line(tuple(piece))
