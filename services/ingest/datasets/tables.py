"""Tables of text and workbooks, row by row, with what exports do to them.

UPR Info's CSV was saved by a classic Mac: line ends CR, encoding mac_roman. Others are UTF-8 with LF, or Windows's.
What a file is, its bytes say.
"""

import codecs
import csv
import datetime
import io
import itertools
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from services.core.domain.errors import UnreadableDocumentError
from services.core.runtime.zip_damage import ZIP_DAMAGE
from services.ingest.archives import ENTITY_MARKS, ArchiveLimits, beginning_of, is_xml, refuse_traps
from services.ingest.datasets.base import delimiter_of, folded_column

_CHUNK = 2**20
_LONGEST_FIELD = 2**20
_SINGLE_BYTE = ("mac_roman", "cp1252")
_LETTERS_OF_NAMES = frozenset("éèêëàâäáãåçíîïìñóôöõòúûüùÉÁÀÇÓÖÜÑØøß’‘“”–—… °·")
"""What stands above ASCII in these texts: letters of names, and typographic signs."""

_WORKBOOK_LIMITS = ArchiveLimits(
    members=5_000, member_bytes=8 * 2**30, total_bytes=12 * 2**30, ratio=200, ratio_counts_from=64 * 2**20
)
"""Sheets are read row by row, so that only what a process has time for bounds them."""

_MOST_TEXTS_BYTES = 2**30
"""The texts of a workbook are held in memory while it is read: 250,000 rows of UHRI have some 150 MB of them."""

_MOST_ROWS = 2**20
"""A sheet can have no more (ECMA-376 part 1, 18.3.1.73, as Excel has it); openpyxl makes up those that are left out."""

_MOST_CELLS = 50_000_000
"""The largest export has five million."""

_EXCEL_DAY_ZERO = datetime.date(1899, 12, 30)  # ECMA-376 part 1, 18.17.4.1, with the leap year that never was

Cells = dict[str, Any]


def text_rows(path: Path) -> Iterator[Cells]:
    """The rows of a CSV by folded column. A row of another width has the key None for what is too much.

    Raises `UnreadableDocumentError` (`damaged_table`) where quotes never end.
    """
    csv.field_size_limit(_LONGEST_FIELD)
    # newline=None: CR, LF and CRLF are all line ends, and inside quotes they are all "\n".
    with path.open(encoding=encoding_of(path), errors="replace", newline=None) as stream:
        header = stream.readline()
        names = next(csv.reader(io.StringIO(header), delimiter=delimiter_of(header)), [])
        reader = csv.DictReader(stream, list(map(folded_column, names)), delimiter=delimiter_of(header))
        try:
            yield from reader
        except csv.Error as error:
            raise UnreadableDocumentError("damaged_table", f"line {reader.line_num}: {error}") from error


def encoding_of(path: Path) -> str:
    """The encoding of a text file: its mark, else UTF-8 if it is that, else the one that makes letters of its bytes."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    high: Counter[int] = Counter()
    is_utf8 = True
    with path.open("rb") as stream:
        start = stream.read(4)
        if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        stream.seek(0)
        while chunk := stream.read(_CHUNK):
            if is_utf8:
                try:
                    decoder.decode(chunk)
                except UnicodeDecodeError:
                    is_utf8 = False
            if not chunk.isascii():
                high.update(byte for byte in chunk if byte > 127)
    if is_utf8:
        return "utf-8-sig"
    return max(_SINGLE_BYTE, key=lambda encoding: _letters(high, encoding))


def _letters(high: Counter[int], encoding: str) -> int:
    return sum(count for byte, count in high.items() if bytes([byte]).decode(encoding, "replace") in _LETTERS_OF_NAMES)


def workbook_rows(path: Path, needed: frozenset[str]) -> Iterator[Cells]:
    """The rows of a workbook's first sheet by folded column, below the first row that holds all `needed` ones.

    Raises `UnreadableDocumentError`: `damaged_table`, `zip_bomb`, `unknown_columns`.
    """
    rows = workbook_cells(path)
    for row in itertools.islice(rows, 20):
        names = [folded_column(str(cell or "")) for cell in row]
        if needed <= set(names):
            break
    else:
        raise UnreadableDocumentError("unknown_columns", "no row of the sheet names the columns")
    for row in rows:
        if any(cell is not None for cell in row):
            yield dict(zip(names, row, strict=False))


def workbook_cells(path: Path, sheet: str | None = None) -> Iterator[tuple[Any, ...]]:
    """All rows of one sheet of a workbook, the first if none is named, as it holds them: texts, numbers, days, None.

    Raises `UnreadableDocumentError`: `damaged_table`, `zip_bomb`, `unsafe_archive`, `forbidden_markup`,
    `encrypted_docx`, `unknown_sheet`.
    """
    import openpyxl  # noqa: PLC0415 - what reads no workbook does without

    _refuse_bombs(path)
    stream = path.open("rb")  # openpyxl looks at names, but not at those of streams
    try:
        workbook = openpyxl.load_workbook(stream, read_only=True, data_only=True)
    except (*ZIP_DAMAGE, SyntaxError, TypeError, AttributeError, IndexError) as error:
        stream.close()
        raise UnreadableDocumentError("damaged_table", f"the workbook cannot be opened: {error}") from error
    try:
        if sheet is not None and sheet not in workbook.sheetnames:
            raise UnreadableDocumentError(
                "unknown_sheet", f"the workbook has no sheet {sheet!r}, but {', '.join(workbook.sheetnames)}"
            )
        chosen = workbook[sheet] if sheet is not None else workbook.worksheets[0]
        cells = 0
        for number, row in enumerate(chosen.iter_rows(values_only=True)):
            cells += len(row)
            if number >= _MOST_ROWS or cells > _MOST_CELLS:
                raise UnreadableDocumentError("damaged_table", "the workbook says that it has rows beyond the last one")
            yield row
    except (*ZIP_DAMAGE, SyntaxError, TypeError, AttributeError, IndexError) as error:
        raise UnreadableDocumentError("damaged_table", f"the workbook is damaged: {error}") from error
    finally:
        workbook.close()
        stream.close()


def _refuse_bombs(path: Path) -> None:
    try:
        with path.open("rb") as stream:
            parts = refuse_traps(stream, _WORKBOOK_LIMITS)
        with zipfile.ZipFile(path) as archive:
            for part in parts:
                if is_xml(part.filename) and any(mark in beginning_of(archive, part.filename) for mark in ENTITY_MARKS):
                    raise UnreadableDocumentError("forbidden_markup", f"{part.filename} declares a document type")
        texts = sum(part.file_size for part in parts if "worksheets" not in part.filename)
    except ZIP_DAMAGE as error:
        raise UnreadableDocumentError("damaged_table", f"the workbook cannot be opened: {error}") from error
    if texts > _MOST_TEXTS_BYTES:
        raise UnreadableDocumentError("zip_bomb", f"the workbook unpacks to {texts:,} bytes beside its sheets")


def day_of(cell: object) -> str | None:
    """The day that a cell or JSON value names, ISO 8601; None where it names none. Numbers are Excel's serial days."""
    if isinstance(cell, datetime.datetime):
        return cell.date().isoformat()
    if isinstance(cell, datetime.date):
        return cell.isoformat()
    text = str(cell or "").strip()
    try:
        if text.replace(".", "", 1).isdecimal() and float(text) < 2**17:
            return (_EXCEL_DAY_ZERO + datetime.timedelta(days=int(float(text)))).isoformat()
        return datetime.date.fromisoformat(text[:10]).isoformat()
    except ValueError:
        return None
