"""Tables that are files of their own: CSV, and workbooks of Excel 97-2003 and later, as rows of text."""

import codecs
import csv
import datetime
import io
from itertools import islice

from python_calamine import CalamineWorkbook

from services.core.domain.errors import UnreadableDocumentError
from services.ingest.parsers.text.sniff import FileType
from services.ingest.parsers.text.xlsx import read_xlsx

Rows = tuple[tuple[str, ...], ...]

_MOST_ROWS = 20_000
_MOST_COLUMNS = 64
_LONGEST_FIELD = 100_000
_DELIMITERS = ",;\t"


def read_rows(data: bytes, file_type: FileType) -> Rows:
    """The rows of a file's first table, days as ISO 8601, whole numbers without decimals; none of other files.

    Raises `UnreadableDocumentError` (`damaged_table`).
    """
    if file_type is FileType.TEXT:
        return _csv_rows(data)
    if file_type is FileType.XLS:
        return _xls_rows(data)
    if file_type is FileType.XLSX:
        tables = read_xlsx(data).tables
        return tables[0].rows if tables else ()
    return ()


def _csv_rows(data: bytes) -> Rows:
    text = _decoded(data)
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(_DELIMITERS, key=first.count)
    csv.field_size_limit(_LONGEST_FIELD)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        rows = [tuple(cell.strip() for cell in row[:_MOST_COLUMNS]) for row in islice(reader, _MOST_ROWS)]
    except csv.Error as error:
        raise UnreadableDocumentError("damaged_table", f"the table is damaged: {error}") from error
    return tuple(row for row in rows if any(row))


def _decoded(data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _xls_rows(data: bytes) -> Rows:
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(data))
        sheet = workbook.get_sheet_by_index(0).to_python(skip_empty_area=False, nrows=_MOST_ROWS)
    except Exception as error:  # calamine has an error class for each format
        raise UnreadableDocumentError("damaged_table", f"the workbook is damaged: {error}"[:300]) from error
    return tuple(tuple(map(_shown, row[:_MOST_COLUMNS])) for row in sheet)


def _shown(cell: object) -> str:
    if isinstance(cell, datetime.datetime):
        return cell.date().isoformat()
    if isinstance(cell, datetime.date):
        return cell.isoformat()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return " ".join(str(cell).split())
