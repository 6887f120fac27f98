"""Writes matrices of recommendations in the formats in which they are published:
`python -m tests.ingest.parsers.matrices.write`.

Every State in them is invented (services/core/store/facts/sample_states.csv); the texts are ours. The same bytes come
out every time. A row of one cell runs across the table. In a cell, `|` begins a paragraph.
"""

import io
import re
import sys
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import docx
import openpyxl
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph, SimpleDocTemplate, Table, TableStyle

from samples.write import NOTICE, WRITTEN_ON, _archived, _slim

FOLDER = Path(__file__).parent
HEIGHT = 300


def main(folder: Path = FOLDER) -> None:
    for source in sorted(FOLDER.glob("*.toml")):
        told = tomllib.loads(source.read_text(encoding="utf-8"))
        for kind in told["kinds"]:
            (folder / f"{source.stem}.{kind}").write_bytes(WRITERS[kind](told))


def matrix_docx(told: dict[str, Any]) -> bytes:
    """The matrix as a Word document, with the head in the page header."""
    document = docx.Document()
    document.sections[0].header.paragraphs[0].text = told["head"]
    document.add_paragraph(NOTICE)
    table = document.add_table(0, len(told["heading"]))
    for row in [told["heading"], *told["rows"]]:
        cells = table.add_row().cells
        if len(row) == 1:
            cells[0].merge(cells[-1])
        for cell, text in zip(cells, row, strict=False):
            cell.text, *more = text.split("|")
            for paragraph in more:
                cell.add_paragraph(paragraph)
    core = document.core_properties
    core.title, core.author, core.comments = NOTICE, "OpenUPR", ""
    core.created = core.modified = WRITTEN_ON
    _slim(document)
    return _archived(document)


def matrix_pdf(told: dict[str, Any]) -> bytes:
    """The matrix as it is printed: on small landscape pages, so that rows are cut at their ends.

    `lines`: whether lines are drawn; `turned`: whether the pages lie on their side; `headings`: whether each page
    repeats the heading; `cut`: whether rows are.
    """
    style = ParagraphStyle("cell", fontName="Times-Roman", fontSize=9, leading=11)
    heading: list[Any] = [Paragraph(cell, style) for cell in told["heading"]]
    rows = [
        [[Paragraph(text, style) for text in cell.split("|") if text] for cell in row]
        + [""] * (len(heading) - len(row))
        for row in told["rows"]
    ]
    repeated = 1 if told.get("headings", True) else 0
    table = Table([heading, *rows], colWidths=told["widths"], repeatRows=repeated, splitInRow=told.get("cut", 1))
    across = [("SPAN", (0, place), (-1, place)) for place, row in enumerate(told["rows"], 1) if len(row) == 1]
    drawn = [("GRID", (0, 0), (-1, -1), 0.5, colors.black)] if told.get("lines", True) else []
    table.setStyle(TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), *drawn, *across]))
    width, turned = landscape(A4)[0], told.get("turned", False)

    def furnish(canvas: Any, page: Any) -> None:
        if turned:
            canvas.translate(HEIGHT, 0)
            canvas.rotate(90)
        canvas.setFont("Times-Roman", 9)
        canvas.drawString(40, HEIGHT - 25, told["head"].replace("\t", "   "))
        canvas.drawRightString(width - 40, 20, f"Page {page.page}")
        canvas.drawString(40, 20, NOTICE)

    written = io.BytesIO()
    margins = {f"{side}Margin": 40 for side in ("left", "right", "top", "bottom")}
    SimpleDocTemplate(written, pagesize=(width, HEIGHT), title=NOTICE, **margins).build(
        [table], onFirstPage=furnish, onLaterPages=furnish, canvasmaker=canvas_of(turned=turned)
    )
    return written.getvalue()


def canvas_of(*, turned: bool) -> Callable[..., Canvas]:
    """A canvas that writes the same bytes every time; with its sides swapped, if the pages are turned."""

    class Same(Canvas):
        def __init__(self, *given: Any, **options: Any) -> None:
            super().__init__(*given, **{**options, "invariant": True, "pageCompression": 0})

        def setPageSize(self, size: Any) -> None:
            super().setPageSize(size[::-1] if turned and size[0] > size[1] else size)

    return Same


def matrix_xlsx(told: dict[str, Any]) -> bytes:
    """The matrix as a workbook, with the head above the table."""
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.append([told["head"]])
    for row in [told["heading"], *told["rows"]]:
        sheet.append([cell.replace("|", "\n") for cell in row])
    workbook.properties.title, workbook.properties.creator = NOTICE, "OpenUPR"
    written = io.BytesIO()
    workbook.save(written)
    return undated(written)


def undated(written: io.BytesIO) -> bytes:
    """The workbook's archive without the time of its writing."""
    stored = io.BytesIO()
    with zipfile.ZipFile(written) as source, zipfile.ZipFile(stored, "w", zipfile.ZIP_STORED) as target:
        for member in source.infolist():
            if member.filename != "docProps/core.xml":
                target.writestr(
                    zipfile.ZipInfo(member.filename, WRITTEN_ON.timetuple()[:6]), without_core(source.read(member))
                )
    return stored.getvalue()


def without_core(part: bytes) -> bytes:
    """A part without its reference to the properties."""
    return re.sub(rb"<(?:Relationship|Override)\b[^>]*core(?:\.xml|-properties)[^>]*/>", b"", part)


WRITERS = {"docx": matrix_docx, "pdf": matrix_pdf, "xlsx": matrix_xlsx}

if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
