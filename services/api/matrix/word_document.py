"""A matrix as a Word document: landscape A4, the head above one table whose heading is repeated on every page.

The table is built from its elements. python-docx looks a cell up in the whole grid each time, and takes minutes where
this takes a blink.
"""

from collections.abc import Iterable
from typing import IO, Any

import docx
from docx.document import Document
from docx.enum.section import WD_ORIENT
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_TAB_ALIGNMENT
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor

from services.api.matrix.content import Fact, Matrix, MatrixRow
from services.api.printable import printable
from services.api.word_files import save_document
from services.api.word_parts import add, add_field, add_link, add_run, set_font, tag, twips

_PAGE = (Cm(29.7), Cm(21.0))
_MARGIN = Cm(1.5)
_WIDTHS = (9.6, 2.5, 5.7, 5.2, 3.7)
"""Centimetres of the five columns: what is between the margins."""

_FACT_INDENT = Cm(4.2)
_INK, _LINK, _QUIET = RGBColor(0x1A, 0x1A, 0x1A), RGBColor(0x0B, 0x4F, 0x8A), RGBColor(0x50, 0x50, 0x50)
_SHADES = {"header": "1F4E79", "theme": "DCE6F1"}


def write_word_document(file: IO[bytes], matrix: Matrix) -> None:
    """Write the matrix into a file, the same bytes whenever the same is written."""
    document = docx.Document()
    _describe(document, matrix)
    _set_styles(document, matrix.words.locale)
    _set_page(document, matrix)
    _write_head(document, matrix)
    document.element.body.insert(len(document.element.body) - 1, _table(document, matrix))
    document.add_paragraph(style="Matrix small")  # Word wants a paragraph behind a table
    save_document(document, file)


def _describe(document: Document, matrix: Matrix) -> None:
    about = document.core_properties
    about.title = f"{matrix.review}: {matrix.title}"[:255]
    about.subject = matrix.review[:255]
    about.author = about.last_modified_by = "OpenUPR"
    about.language = matrix.words.locale
    about.comments = printable(matrix.origin.address)[:255]
    about.version = printable(matrix.origin.version)[:255]
    about.created = about.modified = matrix.origin.as_of.replace(tzinfo=None)
    about.revision = 1


# How it looks


def _set_styles(document: Document, locale: str) -> None:
    styles = document.styles
    for each in styles.element.iter(qn("w:lang")):
        each.set(qn("w:val"), locale)
    normal = styles["Normal"]
    set_font(normal, 9)
    normal.paragraph_format.space_after = Pt(0)
    normal.paragraph_format.line_spacing = 1.0
    for name, size, before, after in (("Heading 1", 16, 0, 2), ("Heading 2", 9.5, 2, 2), ("Subtitle", 11, 0, 8)):
        set_font(styles[name], size)
        styles[name].paragraph_format.space_before, styles[name].paragraph_format.space_after = Pt(before), Pt(after)
    for spacing in styles["Subtitle"].element.rPr.findall(qn("w:spacing")):
        styles["Subtitle"].element.rPr.remove(spacing)
    styles["Subtitle"].font.italic = False
    for name, size, colour in (("Matrix small", 8, _QUIET), ("Matrix fact", 9, _INK), ("Matrix heading", 9, None)):
        style = styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
        style.base_style = normal
        style.font.size, style.font.color.rgb = Pt(size), colour or RGBColor(0xFF, 0xFF, 0xFF)
    styles["Matrix heading"].font.bold = True
    fact = styles["Matrix fact"].paragraph_format
    fact.left_indent, fact.first_line_indent, fact.space_after = _FACT_INDENT, -_FACT_INDENT, Pt(2)
    fact.tab_stops.add_tab_stop(_FACT_INDENT)
    link = styles.add_style("Matrix link", WD_STYLE_TYPE.CHARACTER)
    link.font.color.rgb, link.font.underline = _LINK, True


def _set_page(document: Document, matrix: Matrix) -> None:
    section = document.sections[0]
    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = _PAGE
    section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = _MARGIN
    section.header_distance = section.footer_distance = Cm(0.7)
    between = section.page_width - 2 * _MARGIN
    words = matrix.words
    page = words("page", page="\0page\0", pages="\0pages\0").split("\0")
    head, foot = section.header.paragraphs[0], section.footer.paragraphs[0]
    for paragraph in (head, foot):
        paragraph.style = document.styles["Matrix small"]
        paragraph.paragraph_format.tab_stops.add_tab_stop(between, WD_TAB_ALIGNMENT.RIGHT)
    add_run(head._p, f"{matrix.review}\t{matrix.title}")
    add_run(foot._p, f"{words('value.dataset', version=matrix.origin.version, date=_day(matrix))}\t")
    for piece in page:
        if piece in ("page", "pages"):
            add_field(foot._p, "PAGE" if piece == "page" else "NUMPAGES")
        else:
            add_run(foot._p, piece)


def _day(matrix: Matrix) -> str:
    return matrix.words.day(matrix.origin.as_of.date())


# What it says


def _write_head(document: Document, matrix: Matrix) -> None:
    document.add_paragraph(matrix.review, style="Heading 1")
    document.add_paragraph(matrix.title, style="Subtitle")
    for fact in matrix.facts:
        _write_fact(document, fact)
    document.add_paragraph(style="Matrix small")


def _write_fact(document: Document, fact: Fact) -> None:
    paragraph = document.add_paragraph(style="Matrix fact")._p
    add_run(paragraph, f"{fact.name}\t", bold=True)
    if fact.address is None:
        add_run(paragraph, printable(fact.value))
    else:
        add_link(document, paragraph, fact.address, printable(fact.value), style="Matrixlink")


def _table(document: Document, matrix: Matrix) -> Any:
    table = OxmlElement("w:tbl")
    _set_table(table, matrix)
    header = _add_row(table, is_header=True)
    for width, heading in zip(_WIDTHS, matrix.columns, strict=True):
        add_run(_add_paragraph(_add_cell(header, width, shade="header"), "Matrix heading"), heading)
    for group in matrix.groups:
        across = _add_cell(_add_row(table), sum(_WIDTHS), columns=len(_WIDTHS), shade="theme")
        add_run(_add_paragraph(across, "Heading 2"), group.heading)
        for row in group.rows:
            _add_recommendation(document, _add_row(table), row, matrix)
    return table


def _set_table(table: Any, matrix: Matrix) -> None:
    """Its properties, in the order in which the format wants them."""
    properties = add(table, "tblPr")
    add(properties, "tblW", w=str(twips(sum(_WIDTHS))), type="dxa")
    borders = add(properties, "tblBorders")
    for side in ("top", "left", "bottom", "right", "insideH", "insideV"):
        add(borders, side, val="single", sz="4", space="0", color="9AA5B1")
    add(properties, "tblLayout", type="fixed")
    margins = add(properties, "tblCellMar")
    for side in ("top", "left", "bottom", "right"):
        add(margins, side, w="60" if side in ("top", "bottom") else "90", type="dxa")
    add(properties, "tblLook", val="0020", firstRow="1", lastRow="0", firstColumn="0", lastColumn="0", noHBand="1",
         noVBand="1")  # fmt: skip
    add(properties, "tblCaption", val=matrix.title)
    add(properties, "tblDescription", val=matrix.review)
    grid = add(table, "tblGrid")
    for width in _WIDTHS:
        add(grid, "gridCol", w=str(twips(width)))


def _add_recommendation(document: Document, row: Any, told: MatrixRow, matrix: Matrix) -> None:
    text, position, labels, goals, level = (_add_cell(row, width) for width in _WIDTHS)
    words = _add_paragraph(text)
    add_link(document, words, told.url, told.number, style="Matrixlink")
    add_run(words, f" {told.text}", language=told.text_language)
    add_run(words, told.words[len(told.text) :])
    for line in filter(None, (told.source, told.note)):
        add_run(_add_paragraph(text, "Matrix small"), line)
    add_run(_add_paragraph(position), told.position)
    _add_lines(labels, [f"- {name}" for name in told.themes])
    if told.groups:
        _add_lines(labels, [matrix.words("groups"), *(f"- {name}" for name in told.groups)])
    _add_lines(goals, [f"- {name}" for name in told.goals])
    for cell in (labels, goals, level):
        if cell[-1].tag != tag("p"):
            _add_paragraph(cell)


def _add_lines(cell: Any, lines: Iterable[str]) -> None:
    for line in lines:
        add_run(_add_paragraph(cell), line)


# Elements


def _add_row(table: Any, *, is_header: bool = False) -> Any:
    row = add(table, "tr")
    properties = add(row, "trPr")
    add(properties, "cantSplit")
    if is_header:
        add(properties, "tblHeader")
    return row


def _add_cell(row: Any, width: float, *, columns: int = 1, shade: str | None = None) -> Any:
    cell = add(row, "tc")
    properties = add(cell, "tcPr")
    add(properties, "tcW", w=str(twips(width)), type="dxa")
    if columns > 1:
        add(properties, "gridSpan", val=str(columns))
    if shade:
        add(properties, "shd", val="clear", color="auto", fill=_SHADES[shade])
    return cell


def _add_paragraph(parent: Any, style: str | None = None) -> Any:
    paragraph = add(parent, "p")
    if style:
        add(add(paragraph, "pPr"), "pStyle", val=_STYLE_IDS[style])
    return paragraph


_STYLE_IDS = {"Heading 2": "Heading2", "Matrix small": "Matrixsmall", "Matrix heading": "Matrixheading"}
