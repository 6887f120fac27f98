"""The rows of a matrix: which column is which, where a theme is announced, and which rows are one."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from services.core.store.vocabularies import find_entry
from services.ingest.normalise.attributions import find_attributions
from services.ingest.parsers.ohchr_matrix_words import folded, squeezed, words
from services.ingest.reading import ReadIssue

NUMBERED = (
    r"(?P<number>\d{1,3}\s?\.\s?\d{1,3}(?:\.\d{1,3})?)(?:\s?\((?P<part>[a-z])\)|[-.]?(?P<letter>[a-z])(?=[\s.)]))?"
)
"""A printed number, and the letter of a part that touches it: "140.7", "26 .1", "140.7 (a)", "140.7-b"."""

_BEFORE = r"(?:(?:recommendation|recomendaci[oó]n|recommandation|rec|n[o°º]|para(?:graph)?)\b\.?\s*)?"
NUMBER = re.compile(rf"^{_BEFORE}{NUMBERED}\s*[.:)]?\s*(?=\D|\d{{2,}})", re.IGNORECASE)
PLAIN_NUMBER = re.compile(r"^(?P<number>\d{1,3})\s*[.)]\s+(?=\D)")
SECTION_LINE = re.compile(r"^([^:]{2,40}?)\s*:\s*(.*)$", re.DOTALL)
SOURCE = re.compile(
    r"\s*\b(?:source of (?:the )?position|fuente de la posición|source de la position)\s*:?", re.IGNORECASE
)
_THEME_CODE = re.compile(r"^([A-Z]\d{1,2}|\d{1,2}(?:\.\d{1,2})+\.?|\d{1,2}\.)\s+(?=\S)")
_LISTED = re.compile(r"^\s*[-–—•]")
_EXCERPT = 160


@dataclass(frozen=True, slots=True)
class PrintedRow:
    """One row of a table as it is printed.

    `starts`: the columns at which its cells begin, where merged ones repeat. `first_on_page`: it may be the rest of the
    last row on the page before.
    """

    cells: tuple[str, ...]
    page: int | None = None
    starts: tuple[int, ...] = ()
    first_on_page: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A row that holds a recommendation, by the roles of its columns, and the theme of the heading above it."""

    cells: dict[str, str]
    theme: str
    page: int | None = None

    @property
    def excerpt(self) -> str:
        """The beginning of its words, for an issue."""
        return squeezed(self.cells.get("recommendation", ""))[:_EXCERPT]


def data_rows(tables: Iterable[Iterable[PrintedRow]], issues: list[ReadIssue]) -> Iterator[Row]:
    """The rows that hold recommendations. A table without headings of its own goes on with those before it."""
    columns: dict[str, int] = {}
    starts: tuple[int, ...] = ()
    theme = ""
    waiting: Row | None = None
    for printed in (row for table in tables for row in table):
        distinct = list(dict.fromkeys(text for cell in printed.cells if (text := squeezed(cell))))
        heading = columns_of(printed.cells)
        if heading:
            columns, starts = heading, printed.starts
        if heading or not distinct or not columns:
            continue
        row = Row(_by_role(printed, columns, starts), theme, printed.page)
        opens = squeezed(printed.cells[0]) or squeezed(row.cells.get("recommendation", ""))
        announced = theme_heading(distinct) if opens else None
        if announced is None and waiting is not None and _goes_on(waiting, row, first_on_page=printed.first_on_page):
            waiting = _joined(waiting, row)
            continue
        if waiting is not None:
            yield waiting
            waiting = None
        if announced is not None:
            theme = announced
        elif len(distinct) == 1 and not has_number(distinct[0]):
            issues.append(ReadIssue("warning", "row_not_understood", distinct[0][:_EXCERPT], printed.page))
        else:
            waiting = row
    if waiting is not None:
        yield waiting


def columns_of(row: tuple[str, ...]) -> dict[str, int]:
    """Role to column, where `row` is the table's heading; empty where it is not."""
    found: dict[str, int] = {}
    for at, cell in enumerate(row):
        role = column_role(cell)
        if role is not None:
            found.setdefault(role, at)
    is_heading = {"recommendation", "position"} <= found.keys() and found["recommendation"] != found["position"]
    return found if is_heading and not any(NUMBER.match(squeezed(cell)) for cell in row) else {}


def column_role(heading: str) -> str | None:
    """What a column holds, by its heading."""
    told = folded(heading)
    if told in words().numbers:
        return "number"
    return next((role for begins, role in words().columns if told.startswith(begins)), None)


def has_theme_word(text: str) -> bool:
    """Whether a line begins with the word that announces a theme ("Theme:", "Right or area:")."""
    line = SECTION_LINE.match(text)
    return line is not None and words().sections.get(folded(line[1])) == "ohchr-theme"


def theme_heading(distinct: list[str]) -> str | None:
    """The theme that a row across the whole table announces: by its word, or because it is one that we know.

    Empty where it says that the rows below have none.
    """
    line = SECTION_LINE.match(distinct[0]) if has_theme_word(distinct[0]) else None
    if len(distinct) == 2 and line and not line[2]:
        return distinct[1]
    if len(distinct) != 1 or _LISTED.match(distinct[0]):
        return None
    if line:
        return "" if folded(line[2]) in words().no_theme else line[2].strip()
    return distinct[0] if find_entry("ohchr-theme", theme_code(distinct[0])[1]) else None


def theme_code(line: str) -> tuple[str | None, str]:
    """The code that is printed before a theme (`A12`, `2.1.`), and the theme."""
    code = _THEME_CODE.match(line)
    return (code[1].rstrip("."), line[code.end() :].strip()) if code else (None, line.strip())


def has_number(text: str) -> bool:
    """Whether a row's words begin with the number of a recommendation."""
    return bool(NUMBER.match(text) or PLAIN_NUMBER.match(text))


def _by_role(printed: PrintedRow, columns: dict[str, int], starts: tuple[int, ...]) -> dict[str, str]:
    """The cells by the roles of their columns.

    A row with as many cells as the heading is read cell by cell: grids are often drawn a little askew.
    """
    if starts and len(printed.starts) == len(starts):
        columns = {role: printed.starts[starts.index(at)] for role, at in columns.items() if at in starts}
    return {role: printed.cells[at] for role, at in columns.items() if at < len(printed.cells)}


def _goes_on(before: Row, row: Row, *, first_on_page: bool) -> bool:
    """Whether a row is the rest of the row before it, which was cut in two by a page or by hand.

    It has no number, and no answer or States of its own.
    """
    text, position, states = (squeezed(row.cells.get(role, "")) for role in ("recommendation", "position", "states"))
    if squeezed(row.cells.get("number", "")) or has_number(text):
        return False
    was = {role: squeezed(before.cells.get(role, "")) for role in ("position", "states")}
    has_its_own = (position and position != was["position"]) or (states and states != was["states"])
    if first_on_page:
        return not (has_its_own and position and was["position"]) or _is_open(before)
    if has_its_own and was["position"]:
        return False
    return not text or bool(SOURCE.match(text)) or _is_open(before)


def _is_open(row: Row) -> bool:
    """Whether its words stop before they name a State, or a source."""
    text = squeezed(row.cells.get("recommendation", ""))
    return not SOURCE.search(text) and not find_attributions(text)


def _joined(before: Row, row: Row) -> Row:
    """Two rows as one. What a merged cell repeats is not doubled."""
    cells = dict(before.cells)
    for role, text in row.cells.items():
        held = cells.get(role, "")
        if squeezed(text) and squeezed(text) != squeezed(held):
            cells[role] = f"{held}{_joint(held, text)}{text}" if held else text
    return replace(before, cells=cells)


def _joint(held: str, text: str) -> str:
    """A line end, unless a list goes on in the middle of an entry."""
    is_list = _LISTED.search(held.rpartition("\n")[2]) is not None
    return " " if is_list and not _LISTED.match(text) and not SECTION_LINE.match(text) else "\n"
