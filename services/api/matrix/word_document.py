"""A matrix as a Word document: landscape A4, the head above one table whose heading is repeated on every page.

The table is built from its elements. python-docx looks a cell up in the whole grid each time, and takes minutes where
this takes a blink.
"""

from collections.abc import Iterable
from functools import cache
from typing import IO, Any

import docx
from docx.document import Document
from docx.enum.section import WD_ORIENT
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_TAB_ALIGNMENT
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor

from services.api.matrix.content import Fact, Matrix, MatrixRow, printable
from services.api.matrix.words import locale_of
from services.api.word_files import save_document

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
    for tag in styles.element.iter(qn("w:lang")):
        tag.set(qn("w:val"), locale)
    normal = styles["Normal"]
    _set_font(normal, 9)
    normal.paragraph_format.space_after = Pt(0)
    normal.paragraph_format.line_spacing = 1.0
    for name, size, before, after in (("Heading 1", 16, 0, 2), ("Heading 2", 9.5, 2, 2), ("Subtitle", 11, 0, 8)):
        _set_font(styles[name], size)
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


def _set_font(style: Any, size: float) -> None:
    """One face for all: the template's headings take theirs from a theme, whatever the style says."""
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for name in list(fonts.attrib):
        del fonts.attrib[name]
    for name in ("ascii", "hAnsi", "cs", "eastAsia"):
        fonts.set(qn(f"w:{name}"), "Arial")
    style.font.size, style.font.color.rgb = Pt(size), _INK


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
    _add_run(head._p, f"{matrix.review}\t{matrix.title}")
    _add_run(foot._p, f"{words('value.dataset', version=matrix.origin.version, date=_day(matrix))}\t")
    for piece in page:
        if piece in ("page", "pages"):
            _add_field(foot._p, "PAGE" if piece == "page" else "NUMPAGES")
        else:
            _add_run(foot._p, piece)


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
    _add_run(paragraph, f"{fact.name}\t", bold=True)
    if fact.address is None:
        _add_run(paragraph, printable(fact.value))
    else:
        _add_link(document, paragraph, fact.address, printable(fact.value))


def _table(document: Document, matrix: Matrix) -> Any:
    table = OxmlElement("w:tbl")
    _set_table(table, matrix)
    header = _add_row(table, is_header=True)
    for width, heading in zip(_WIDTHS, matrix.columns, strict=True):
        _add_run(_add_paragraph(_add_cell(header, width, shade="header"), "Matrix heading"), heading)
    for group in matrix.groups:
        across = _add_cell(_add_row(table), sum(_WIDTHS), columns=len(_WIDTHS), shade="theme")
        _add_run(_add_paragraph(across, "Heading 2"), group.heading)
        for row in group.rows:
            _add_recommendation(document, _add_row(table), row, matrix)
    return table


def _set_table(table: Any, matrix: Matrix) -> None:
    """Its properties, in the order in which the format wants them."""
    properties = _add(table, "tblPr")
    _add(properties, "tblW", w=str(_twips(sum(_WIDTHS))), type="dxa")
    borders = _add(properties, "tblBorders")
    for side in ("top", "left", "bottom", "right", "insideH", "insideV"):
        _add(borders, side, val="single", sz="4", space="0", color="9AA5B1")
    _add(properties, "tblLayout", type="fixed")
    margins = _add(properties, "tblCellMar")
    for side in ("top", "left", "bottom", "right"):
        _add(margins, side, w="60" if side in ("top", "bottom") else "90", type="dxa")
    _add(properties, "tblLook", val="0020", firstRow="1", lastRow="0", firstColumn="0", lastColumn="0", noHBand="1",
         noVBand="1")  # fmt: skip
    _add(properties, "tblCaption", val=matrix.title)
    _add(properties, "tblDescription", val=matrix.review)
    grid = _add(table, "tblGrid")
    for width in _WIDTHS:
        _add(grid, "gridCol", w=str(_twips(width)))


def _add_recommendation(document: Document, row: Any, told: MatrixRow, matrix: Matrix) -> None:
    text, position, labels, goals, level = (_add_cell(row, width) for width in _WIDTHS)
    words = _add_paragraph(text)
    _add_link(document, words, told.url, told.number)
    _add_run(words, f" {told.text}", language=told.text_language)
    _add_run(words, told.words[len(told.text) :])
    for line in filter(None, (told.source, told.note)):
        _add_run(_add_paragraph(text, "Matrix small"), line)
    _add_run(_add_paragraph(position), told.position)
    _add_lines(labels, [f"- {name}" for name in told.themes])
    if told.groups:
        _add_lines(labels, [matrix.words("groups"), *(f"- {name}" for name in told.groups)])
    _add_lines(goals, [f"- {name}" for name in told.goals])
    for cell in (labels, goals, level):
        if cell[-1].tag != _tag("p"):
            _add_paragraph(cell)


def _add_lines(cell: Any, lines: Iterable[str]) -> None:
    for line in lines:
        _add_run(_add_paragraph(cell), line)


# Elements


def _add_row(table: Any, *, is_header: bool = False) -> Any:
    row = _add(table, "tr")
    properties = _add(row, "trPr")
    _add(properties, "cantSplit")
    if is_header:
        _add(properties, "tblHeader")
    return row


def _add_cell(row: Any, width: float, *, columns: int = 1, shade: str | None = None) -> Any:
    cell = _add(row, "tc")
    properties = _add(cell, "tcPr")
    _add(properties, "tcW", w=str(_twips(width)), type="dxa")
    if columns > 1:
        _add(properties, "gridSpan", val=str(columns))
    if shade:
        _add(properties, "shd", val="clear", color="auto", fill=_SHADES[shade])
    return cell


def _add_paragraph(parent: Any, style: str | None = None) -> Any:
    paragraph = _add(parent, "p")
    if style:
        _add(_add(paragraph, "pPr"), "pStyle", val=_STYLE_IDS[style])
    return paragraph


_STYLE_IDS = {"Heading 2": "Heading2", "Matrix small": "Matrixsmall", "Matrix heading": "Matrixheading"}


def _add_run(
    parent: Any, text: str, *, bold: bool = False, style: str | None = None, language: str | None = None
) -> Any:
    run = _add(parent, "r")
    if bold or style or language:
        properties = _add(run, "rPr")
        if style:
            _add(properties, "rStyle", val=style)
        if bold:
            _add(properties, "b")
        if language:
            _add(properties, "lang", val=locale_of(language))
    _add_text(run, text)
    return run


def _add_text(run: Any, text: str) -> None:
    """A text; line ends and tabs are elements of their own."""
    for place, line in enumerate(text.splitlines() or [""]):
        if place:
            _add(run, "br")
        for at, piece in enumerate(line.split("\t")):
            if at:
                _add(run, "tab")
            if piece:
                written = _add(run, "t")
                written.text = piece
                written.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")


def _add_link(document: Document, paragraph: Any, address: str, text: str) -> None:
    relation = document.part.relate_to(printable(address), RELATIONSHIP_TYPE.HYPERLINK, is_external=True)
    link = _add(paragraph, "hyperlink")
    link.set(qn("r:id"), relation)
    _add_run(link, text, style="Matrixlink")


def _add_field(paragraph: Any, instruction: str) -> None:
    field = _add(paragraph, "fldSimple", instr=instruction)
    _add_run(field, "1")


def _add(parent: Any, name: str, **attributes: str) -> Any:
    element = OxmlElement(f"w:{name}")
    for key, value in attributes.items():
        element.set(_tag(key), value)
    parent.append(element)
    return element


@cache
def _tag(name: str) -> str:
    return str(qn(f"w:{name}"))


def _twips(centimetres: float) -> int:
    return round(centimetres * 1440 / 2.54)
