"""Workbooks as documents with tables."""

import io

import openpyxl
import pytest

from services.core.domain.errors import UnreadableDocumentError
from services.ingest.parsers.text.xlsx import read_xlsx


def workbook(*rows: tuple[object, ...], number_format: str = "General") -> bytes:
    book = openpyxl.Workbook()
    book.active.title = "List"
    for row in rows:
        book.active.append(row)
    for row in book.active.iter_rows():
        for cell in row:
            cell.number_format = number_format
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def test_sheets_are_tables_and_lone_cells_blocks():
    text = read_xlsx(workbook(("UPR of Costamar",), (None,), ("a", None, "b")))
    assert [table.rows for table in text.tables] == [(("UPR of Costamar", "", ""), ("a", "", "b"))]
    assert [block.text for block in text.blocks] == ["UPR of Costamar"]
    assert text.running_heads == ("List",)


@pytest.mark.parametrize(("number_format", "shown"), [("0.00", "116.10"), ("General", "116.1")])
def test_numbers_as_they_are_shown(number_format, shown):
    assert read_xlsx(workbook((116.1, "x"), number_format=number_format)).tables[0].rows == ((shown, "x"),)


def test_no_more_than_so_many_columns():
    assert len(read_xlsx(workbook(tuple(range(10_000)))).tables[0].rows[0]) == 63


def test_every_truncation_is_refused():
    data = workbook(("a", "b"))
    for cut in range(0, len(data) - 1, 97):
        with pytest.raises(UnreadableDocumentError) as refusal:
            read_xlsx(data[:cut])
        assert refusal.value.code == "damaged_table"
