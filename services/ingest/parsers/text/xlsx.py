"""The tables of Excel workbooks (OOXML): what a parser of documents sees of a list that was saved as one.

Databases that come as workbooks are read elsewhere, row by row; here a workbook is a document with a table a sheet.
"""

import io
import re
import warnings
from collections.abc import Iterator
from itertools import islice
from typing import Any

from services.core.domain.errors import UnreadableDocumentError
from services.core.runtime.zip_damage import ZIP_DAMAGE
from services.ingest.parsers.text.blocks import Block, DocumentText, Table
from services.ingest.parsers.text.docx import check_archive

_MOST_SHEETS = 20
_MOST_ROWS = 20_000
_MOST_COLUMNS = 63
_MOST_BLOCKS = 200
_DECIMALS = re.compile(r"^0\.(0+)(?:_.*)?$")
_DAMAGE = (*ZIP_DAMAGE, SyntaxError, TypeError, IndexError, AttributeError)
"""What zipfile, lxml (a `SyntaxError`) and openpyxl raise on archives and parts that are not as they should be."""


def read_xlsx(data: bytes) -> DocumentText:
    """The sheets of a workbook as tables. Rows of one cell are blocks, too: titles stand there.

    Raises `UnreadableDocumentError`: `damaged_table`, `zip_bomb`, `forbidden_markup`, `encrypted_docx`.
    """
    try:
        check_archive(data)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what openpyxl leaves out: validations, drawings
            names, sheets = _sheets(data)
    except _DAMAGE as error:
        raise UnreadableDocumentError("damaged_table", f"the workbook is damaged: {error}"[:300]) from error
    alone = (held[0] for rows in sheets for row in rows if len(held := [cell for cell in row if cell]) == 1)
    return DocumentText(
        blocks=tuple(Block(text) for text in islice(alone, _MOST_BLOCKS)),
        tables=tuple(Table(tuple(rows)) for rows in sheets if rows),
        running_heads=names,
    )


def _sheets(data: bytes) -> tuple[tuple[str, ...], list[list[tuple[str, ...]]]]:
    import openpyxl  # noqa: PLC0415 - what reads no workbook does without

    workbook = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    try:
        chosen = workbook.worksheets[:_MOST_SHEETS]
        return tuple(sheet.title for sheet in chosen), [_without_margin(list(_rows(sheet))) for sheet in chosen]
    finally:
        workbook.close()


def _without_margin(rows: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Rows up to the last column that holds something."""
    width = max((place for row in rows for place, cell in enumerate(row, 1) if cell), default=0)
    return [row[:width] for row in rows]


def _rows(sheet: Any) -> Iterator[tuple[str, ...]]:
    """The rows of a sheet that hold something, all as wide."""
    for row in islice(sheet.iter_rows(max_row=_MOST_ROWS, max_col=_MOST_COLUMNS), _MOST_ROWS):
        cells = tuple(map(_text, row))
        if any(cells):
            yield cells


def _text(cell: Any) -> str:
    """A cell as it is shown: 116.10 is held as 116.1, and its format has the other decimal."""
    value = cell.value
    if value is None:
        return ""
    decimals = _DECIMALS.match(str(cell.number_format)) if isinstance(value, float) else None
    return f"{value:.{len(decimals[1])}f}" if decimals else str(value).strip()
