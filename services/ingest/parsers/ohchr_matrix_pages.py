"""Matrices that were printed to PDF: the rows of the table, from the words' places and the lines around them.

Where no lines are drawn, the heading tells in what order the columns stand, blank strips between the words where they
end, and the numbers of the recommendations where rows begin.
"""

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import median

from services.ingest.parsers.ohchr_matrix_rows import NUMBER, PrintedRow, columns_of, has_theme_word, theme_heading
from services.ingest.parsers.ohchr_matrix_words import squeezed
from services.ingest.parsers.text.pdf_cells import Line, cell_text, lines_of, ruled_rows, segments_of
from services.ingest.parsers.text.pdf_words import PrintedPage, Word

_MORE_BY_WORDS = 1.2
"""Lines know better where rows end, unless they are drawn between columns only."""

_GAP_BETWEEN_COLUMNS = 0.7
_HEADING_LINES = 6
_LAST_HEADING = 60
_FURNITURE_LINES = 3
_LEFT_EDGE = 12.0
_DIGITS = re.compile(r"\d+")
_PAGE_LINE = re.compile(r"^(?:page|página|pág\.?)?\s*\d+(?:\s*(?:of|de|sur|/)\s*\d+)?$", re.IGNORECASE)
_ENDS_ENTRY = re.compile(r"[;.):\d]\s*$")


def rows_of_pages(pages: Sequence[PrintedPage]) -> list[PrintedRow]:
    """The rows of a printed matrix, in their order: as its lines part them, or where that parts more, its words."""
    by_lines = _ruled_rows(pages)
    by_words = list(_unruled_rows(pages))
    return by_lines if _numbered(by_lines) * _MORE_BY_WORDS >= _numbered(by_words) else by_words


def _numbered(rows: list[PrintedRow]) -> int:
    """How many rows begin with a number."""
    return sum(any(NUMBER.match(squeezed(cell)) for cell in row.cells) for row in rows)


def _ruled_rows(pages: Sequence[PrintedPage]) -> list[PrintedRow]:
    ruled = [[PrintedRow(row.cells, page.number, row.starts) for row in ruled_rows(page)] for page in pages]
    heading = next((row for rows in ruled for row in rows if columns_of(row.cells)), None)
    if heading is None:
        return []
    return [row for rows in ruled for row in _marked([_without_heading(row, heading) for row in rows])]


def _without_heading(row: PrintedRow, heading: PrintedRow) -> PrintedRow:
    """A row without the heading, where no line parts them: some programs draw none above the rest of a row."""
    rest = tuple(cell.removeprefix(name).strip() for cell, name in zip(row.cells, heading.cells, strict=False))
    is_headed = all(cell.startswith(name) for cell, name in zip(row.cells, heading.cells, strict=False))
    return replace(row, cells=rest) if is_headed and any(rest) else row


def _marked(rows: list[PrintedRow]) -> list[PrintedRow]:
    """The rows of a page, the first one marked that is no heading."""
    first = next((place for place, row in enumerate(rows) if not columns_of(row.cells)), None)
    return [replace(row, first_on_page=place == first) for place, row in enumerate(rows)]


@dataclass(frozen=True, slots=True)
class _Page:
    """One page's lines: all that are printed, and those that belong to the table."""

    number: int
    printed: list[Line]
    lines: list[Line]


@dataclass(slots=True)
class _HeadingCell:
    """A cell of the heading: its words, and from where to where they run."""

    left: float
    right: float
    text: str


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where the columns of a table without lines stand: where each but the last ends, how far the lines of each run.

    `edge`: where numbers begin; `position`: which column holds the positions.
    """

    bounds: tuple[float, ...]
    rights: tuple[float, ...]
    edge: float
    position: int

    def column(self, word: Word) -> int:
        """The column that a word stands in."""
        middle = (word.left + word.right) / 2
        return sum(middle >= bound for bound in self.bounds)


def _unruled_rows(pages: Sequence[PrintedPage]) -> Iterator[PrintedRow]:
    """The rows of pages without lines: those below the first heading."""
    printed = [(page.number, lines_of(page.words)) for page in pages]
    headed = next(((place, zone) for place, (_, lines) in enumerate(printed) if (zone := _heading_zone(lines))), None)
    if headed is None:
        return
    first, zone = headed
    below = [_Page(number, lines, _below_heading(lines, zone)) for number, lines in printed[first:]]
    below = _without_furniture(below)
    heading = _heading_cells(zone)
    layout = _layout(heading, [line for page in below for line in page.lines])
    yield PrintedRow(tuple(cell.text for cell in heading), below[0].number)
    for page in below:
        for place, lines in enumerate(_cut_at_rows(page.lines, layout)):
            if lines:
                yield _unruled_row(lines, layout, page.number, first=place == 0)


def _heading_zone(lines: list[Line]) -> list[Line]:
    """The lines of the heading of a page's table, if it has one."""
    above = next((place for place, line in enumerate(lines) if NUMBER.match(line.text)), len(lines))
    for count in range(1, _HEADING_LINES + 1):
        for place in range(min(above, _LAST_HEADING) - count + 1):
            if columns_of(tuple(cell.text for cell in _heading_cells(lines[place : place + count]))):
                return lines[place : _end_of_heading(lines, place + count)]
    return []


def _below_heading(lines: list[Line], zone: list[Line]) -> list[Line]:
    """A page's lines without the heading, wherever it stands again, and without what is above it at the top."""
    texts, told = [line.text for line in lines], [line.text for line in zone]
    kept: list[Line] = []
    place = 0
    while place < len(lines):
        if texts[place : place + len(told)] == told:
            kept = [] if place <= _HEADING_LINES or lines[place] is zone[0] else kept
            place += len(told)
        else:
            kept.append(lines[place])
            place += 1
    return kept


def _end_of_heading(lines: list[Line], at: int) -> int:
    """The line behind the heading: the first that begins a row."""
    for place in range(at, min(at + _HEADING_LINES, len(lines))):
        if NUMBER.match(lines[place].text) or theme_heading([lines[place].text]) is not None:
            return place
    return at


def _heading_cells(lines: list[Line]) -> list[_HeadingCell]:
    """The cells of a heading: pieces of its lines that stand above each other."""
    cells: list[_HeadingCell] = []
    for piece in (piece for line in lines for piece in segments_of(line, _GAP_BETWEEN_COLUMNS)):
        left, right = piece.words[0].left, piece.right
        above = [cell for cell in cells if cell.left < right and left < cell.right]
        if len(above) == 1:
            cell = above[0]
            cell.left, cell.right = min(cell.left, left), max(cell.right, right)
            cell.text = f"{cell.text} {piece.text}"
        else:
            cells.append(_HeadingCell(left, right, piece.text))
    return sorted(cells, key=lambda cell: cell.left)


def _without_furniture(pages: list[_Page]) -> list[_Page]:
    """Pages without what most of them have in one place at the top or the bottom, and without the numbers of pages."""
    edges = [{_masked(line) for line in _edges(page)} for page in pages]
    counts = Counter(text for texts in edges for text in texts)
    repeated = {text for text, count in counts.items() if count >= 2 and count * 2 > len(pages)}
    return [
        replace(page, lines=[line for line in page.lines if not _is_furniture(line, page, repeated)]) for page in pages
    ]


def _edges(page: _Page) -> list[Line]:
    return [*page.printed[:_FURNITURE_LINES], *page.printed[-_FURNITURE_LINES:]]


def _is_furniture(line: Line, page: _Page, repeated: set[tuple[str, int]]) -> bool:
    return line in _edges(page) and (_masked(line) in repeated or bool(_PAGE_LINE.match(squeezed(line.text))))


def _masked(line: Line) -> tuple[str, int]:
    """What pages print alike, but for numbers, and at which height."""
    return _DIGITS.sub("#", line.text), round(line.y)


def _layout(heading: Sequence[_HeadingCell], lines: list[Line]) -> _Layout:
    """The layout, from the heading and the lines below it.

    A column ends between the middles of two headings, in the widest strip that the fewest words cross.
    """
    lefts = [line.words[0].left for line in lines if NUMBER.match(line.text)]
    edge = median(lefts) if lefts else 0.0
    words = [word for line in lines if not _announces(line, edge) for word in line.words]
    bounds = []
    for cell, after in itertools.pairwise(heading):
        start, end = int((cell.left + cell.right) / 2), int((after.left + after.right) / 2)
        bounds.append(_widest_strip(words, start, max(end, start + 1)))
    rights = [0.0] * len(heading)
    for word in words:
        column = sum((word.left + word.right) / 2 >= bound for bound in bounds)
        rights[column] = max(rights[column], word.right)
    position = columns_of(tuple(cell.text for cell in heading))["position"]
    return _Layout(tuple(bounds), tuple(rights), edge, position)


def _announces(line: Line, edge: float) -> bool:
    """Whether a line announces a theme: with its word wherever it stands, else where numbers begin."""
    text = squeezed(line.text)
    at_edge = line.words[0].left - edge <= _LEFT_EDGE
    return has_theme_word(text) or (at_edge and theme_heading([text]) is not None)


def _widest_strip(words: list[Word], start: int, end: int) -> float:
    """The right end of the widest strip between `start` and `end` that the fewest words cross."""
    steps = [0] * (end - start + 2)
    for word in words:
        first, last = max(int(word.left) - start, 0), min(int(word.right) + 1 - start, end - start + 1)
        if first < last:
            steps[first] += 1
            steps[last] -= 1
    crossing, count = [], 0
    for step in steps[: end - start + 1]:
        count += step
        crossing.append(count)
    fewest, best, run = min(crossing), (0, 0), 0
    for place, each in enumerate(crossing):
        run = run + 1 if each == fewest else 0
        best = max(best, (run, place))
    return float(start + best[1])


def _cut_at_rows(lines: list[Line], layout: _Layout) -> list[list[Line]]:
    """A page's lines row by row; the first ones may be the rest of a row of the page before."""
    rows: list[list[Line]] = [[]]
    before = ""
    for line in lines:
        announces = _announces(line, layout.edge)
        if announces or _begins_row(line, before, layout):
            rows.append([])
        rows[-1].append(line)
        first = _first_column(line, layout)
        before = "" if announces else first or before
    return rows


def _first_column(line: Line, layout: _Layout) -> str:
    return " ".join(word.text for word in line.words if layout.column(word) == 0)


def _begins_row(line: Line, before: str, layout: _Layout) -> bool:
    """Whether a line opens with a number that is not within a sentence: an answer stands beside it, or one ended."""
    if not NUMBER.match(_first_column(line, layout)) or line.words[0].left - layout.edge > _LEFT_EDGE:
        return False
    is_answered = any(layout.column(word) == layout.position for word in line.words)
    return is_answered or not before or bool(_ENDS_ENTRY.search(before))


def _unruled_row(lines: list[Line], layout: _Layout, page: int, *, first: bool) -> PrintedRow:
    if _announces(lines[0], layout.edge):
        return PrintedRow((squeezed(" ".join(line.text for line in lines)),) * len(layout.rights), page)
    held: list[list[Word]] = [[] for _ in layout.rights]
    for word in (word for line in lines for word in line.words):
        held[layout.column(word)].append(word)
    cells = tuple(cell_text(words, right) for words, right in zip(held, layout.rights, strict=True))
    return PrintedRow(cells, page, first_on_page=first)
