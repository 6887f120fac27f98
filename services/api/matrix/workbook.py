"""A matrix as a workbook: a sheet laid out as the table of the document, and one that says what it is."""

import math
from collections.abc import Sequence
from typing import IO, Any

from services.api.matrix.content import Matrix, MatrixRow
from services.api.printable import printable

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

_LONGEST_CELL = 32_767
_LONGEST_LINK = 2_000
_WIDTHS = (11, 70, 18, 42, 32, 28)
_A4 = 9
_LINE, _HIGHEST = 15, 405
"""Points of a line of text, and of the highest row."""
_HEADING = 2
"""The row of the columns' headings: below the title and the review."""

_OPTIONS = {
    "in_memory": True,
    "strings_to_urls": False,
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "default_date_format": "yyyy-mm-dd",
}


def write_workbook(file: IO[bytes], matrix: Matrix) -> None:
    """Write the matrix into a file, the same bytes whenever the same is written. Texts too long for a cell are cut."""
    import xlsxwriter  # noqa: PLC0415 - 17 MB, which a service that writes no workbook does without

    with xlsxwriter.Workbook(file, _OPTIONS) as book:
        book.set_properties(
            {
                "title": f"{matrix.review}: {matrix.title}"[:255],
                "subject": matrix.review[:255],
                "author": "OpenUPR",
                "comments": matrix.origin.address[:255],
                "created": matrix.origin.as_of.replace(tzinfo=None, microsecond=0),
            }
        )
        _Sheet(book, matrix).write()
        _write_about(book, matrix)


class _Sheet:
    """The sheet with the table."""

    def __init__(self, book: Any, matrix: Matrix) -> None:
        self._matrix = matrix
        self._sheet = book.add_worksheet(matrix.words("sheet"))
        self._title = book.add_format({"bold": True, "font_size": 14})
        self._quiet = book.add_format({"font_color": "#505050"})
        borders = {"border": 1, "border_color": "#9AA5B1", "valign": "top", "text_wrap": True}
        self._heading = book.add_format({**borders, "bold": True, "font_color": "#FFFFFF", "bg_color": "#1F4E79"})
        self._theme = book.add_format({"bold": True, "bg_color": "#DCE6F1", "top": 1, "bottom": 1})
        self._cell = book.add_format(borders)
        self._link = book.add_format({**borders, "font_color": "#0B4F8A", "underline": 1})

    def write(self) -> None:
        """All of it."""
        sheet, matrix = self._sheet, self._matrix
        self._set_page()
        sheet.write_string(0, 0, _fitting(f"{matrix.review}: {matrix.title}"), self._title)
        told = {"version": matrix.origin.version, "date": matrix.words.day(matrix.origin.as_of.date())}
        sheet.write_string(1, 0, _fitting(matrix.words("value.dataset", **told)), self._quiet)
        headings = (matrix.words("column.number"), *matrix.columns)
        sheet.set_row(_HEADING, _height([[heading] for heading in headings]))
        for column, heading in enumerate(headings):
            sheet.write_string(_HEADING, column, _fitting(heading), self._heading)
        row = _HEADING
        for group in matrix.groups:
            row += 1
            self._write_theme(row, group.heading)
            for told_row in group.rows:
                row += 1
                self._write_row(row, told_row)
        sheet.autofilter(_HEADING, 0, row, len(headings) - 1)
        sheet.ignore_errors({"number_stored_as_text": f"A1:A{row + 1}"})

    def _set_page(self) -> None:
        sheet, words = self._sheet, self._matrix.words
        for column, width in enumerate(_WIDTHS):
            sheet.set_column(column, column, width)
        sheet.freeze_panes(_HEADING + 1, 1)
        sheet.outline_settings(visible=True, symbols_below=False)
        sheet.set_landscape()
        sheet.set_paper(_A4)
        sheet.set_margins(left=0.5, right=0.5, top=0.6, bottom=0.6)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(_HEADING)
        page = words("page", page="&P", pages="&N")
        sheet.set_footer(f"&L{_in_footer(self._matrix.review)}&R{page}")

    def _write_theme(self, row: int, heading: str) -> None:
        """Across the table. Cells are not merged: a filter over merged ones hides what it should not."""
        self._sheet.write_string(row, 0, _fitting(heading), self._theme)
        for column in range(1, len(_WIDTHS)):
            self._sheet.write_blank(row, column, None, self._theme)

    def _write_row(self, row: int, told: MatrixRow) -> None:
        sheet = self._sheet
        if len(told.url) <= _LONGEST_LINK:
            sheet.write_url(row, 0, told.url, self._link, string=_fitting(told.number))
        else:
            sheet.write_string(row, 0, _fitting(told.number), self._cell)
        groups = [self._matrix.words("groups"), *_listed(told.groups)] if told.groups else []
        cells: tuple[list[str], ...] = (
            [told.words, *filter(None, (told.source, told.note))],
            [told.position],
            [*_listed(told.themes), *groups],
            _listed(told.goals),
            [],
        )
        sheet.set_row(row, _height([[told.number], *cells]), None, {"level": 1})
        for column, lines in enumerate(cells, 1):
            if lines:
                sheet.write_string(row, column, _fitting("\n".join(lines)), self._cell)
            else:
                sheet.write_blank(row, column, None, self._cell)  # a text without letters would count as an entry


def _write_about(book: Any, matrix: Matrix) -> None:
    sheet = book.add_worksheet(matrix.words("about"))
    name, value = book.add_format({"bold": True, "valign": "top"}), book.add_format({"text_wrap": True})
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, 110)
    for row, fact in enumerate(matrix.facts):
        sheet.write_string(row, 0, _fitting(fact.name), name)
        sheet.write_string(row, 1, _fitting(printable(fact.value)), value)


def _height(cells: Sequence[Sequence[str]]) -> int:
    """How high a row has to be, as far as it can be told without its face: not every reader of workbooks works it out.

    `cells` are the lines of each column.
    """
    lines = [
        sum(math.ceil(len(line) / width) or 1 for text in cell for line in text.splitlines())
        for cell, width in zip(cells, _WIDTHS, strict=True)
    ]
    return min(max(*lines, 1) * _LINE, _HIGHEST)


def _listed(names: tuple[str, ...]) -> list[str]:
    return [f"- {name}" for name in names]


def _fitting(text: str) -> str:
    return f"{text[: _LONGEST_CELL - 1]}…" if len(text) > _LONGEST_CELL else text


def _in_footer(text: str) -> str:
    """A footer holds 255 characters, and reads what follows "&" as a command."""
    return text.replace("&", "&&")[:150].rstrip("&")
