"""A dossier as a Word document: portrait A4, with numbered references to symbols, paragraphs and pages."""

from datetime import datetime
from typing import IO, Any

import docx
from docx.document import Document
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_TAB_ALIGNMENT
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor

from services.api.dossier.telling import Entry, Items, Line, Paragraph, Run, Section, Table, Telling, plain
from services.api.matrix.words import locale_of
from services.api.word_files import save_document
from services.api.word_parts import add, add_bookmark, add_field, add_link, add_link_within, add_run, set_font
from services.core.pages.words import Words

_PAGE = (Cm(21.0), Cm(29.7))
_MARGIN = Cm(2)
_LINK, _QUIET, _SHADE = RGBColor(0x0B, 0x4F, 0x8A), RGBColor(0x50, 0x50, 0x50), "DCE6F1"
_LINK_STYLE = "Dossierlink"
_STYLES = {"notice": "Dossier notice", "paragraph": "Normal"}


def write_word_document(file: IO[bytes], telling: Telling, dataset: dict[str, Any]) -> None:
    """Write a dossier into a file, the same bytes whenever the same is written. `dataset` is the state of the data."""
    document = docx.Document()
    _describe(document, telling, datetime.fromisoformat(dataset["as_of"]))
    _set_styles(document, locale_of(telling.language))
    _set_page(document, telling)
    _Writer(document, telling).write()
    save_document(document, file)


def _describe(document: Document, telling: Telling, as_of: datetime) -> None:
    about = document.core_properties
    about.title, about.author = telling.title[:255], "OpenUPR"
    about.last_modified_by, about.comments = "OpenUPR", telling.address[:255]
    about.created = about.modified = as_of.replace(tzinfo=None)
    about.revision, about.language = 1, locale_of(telling.language)


def _set_styles(document: Document, locale: str) -> None:
    styles = document.styles
    for each in styles.element.iter(qn("w:lang")):
        each.set(qn("w:val"), locale)
    for name, size in (("Normal", 10), ("Heading 1", 17), ("Heading 2", 12.5), ("Heading 3", 10), ("List Bullet", 10)):
        set_font(styles[name], size)
    styles["Normal"].paragraph_format.space_after = Pt(4)
    for name in ("Heading 2", "Heading 3"):
        styles[name].paragraph_format.space_before, styles[name].paragraph_format.space_after = Pt(10), Pt(2)
        styles[name].paragraph_format.keep_with_next = True
    for name, size in (("Dossier small", 8.5), ("Dossier notice", 10)):
        style = styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
        style.base_style, style.font.size = styles["Normal"], Pt(size)
    styles["Dossier small"].font.color.rgb = _QUIET
    styles["Dossier notice"].paragraph_format.left_indent = Cm(0.6)
    styles["Dossier notice"].font.italic = True
    link = styles.add_style("Dossier link", WD_STYLE_TYPE.CHARACTER)
    link.font.color.rgb, link.font.underline = _LINK, True


def _set_page(document: Document, telling: Telling) -> None:
    section = document.sections[0]
    section.page_width, section.page_height = _PAGE
    section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = _MARGIN
    between = section.page_width - 2 * _MARGIN
    head, foot = section.header.paragraphs[0], section.footer.paragraphs[0]
    for paragraph in (head, foot):
        paragraph.style = document.styles["Dossier small"]
        paragraph.paragraph_format.tab_stops.add_tab_stop(between, WD_TAB_ALIGNMENT.RIGHT)
    add_run(head._p, f"{telling.title}\tOpenUPR")
    add_run(foot._p, f"{plain(telling.about[0].line)}\t")
    for piece in Words(telling.language)("dossier.page_of", page="\0PAGE\0", pages="\0NUMPAGES\0").split("\0"):
        if piece in ("PAGE", "NUMPAGES"):
            add_field(foot._p, piece)
        else:
            add_run(foot._p, piece)


class _Writer:
    """Writes what a dossier tells."""

    def __init__(self, document: Document, telling: Telling) -> None:
        self._document = document
        self._telling = telling

    def write(self) -> None:
        """All of it."""
        self._document.add_heading(self._telling.title, level=1)
        for paragraph in self._telling.about:
            self._paragraph(paragraph)
        if self._telling.counts:
            self._table(self._telling.counts)
        for section in self._telling.sections:
            self._section(section)
        if self._telling.references:
            self._document.add_heading(self._telling.references_title, level=2)
        for number, reference in enumerate(self._telling.references, 1):
            paragraph = self._document.add_paragraph(style="Dossier small")._p
            add_bookmark(paragraph, number, f"reference_{number}")
            add_run(paragraph, f"[{number}] ")
            self._line(paragraph, reference)

        words = Words(self._telling.language)
        paragraph = self._document.add_paragraph(style="Dossier small")._p
        add_run(paragraph, f"{words('search.cite')}: ", bold=True)
        add_run(paragraph, self._telling.citation)

    def _section(self, section: Section) -> None:
        self._document.add_heading(section.title, level=2)
        for block in section.blocks:
            match block:
                case Paragraph():
                    self._paragraph(block)
                case Items():
                    for line in block.lines:
                        self._line(self._document.add_paragraph(style="List Bullet")._p, line)
                case Entry():
                    self._entry(block)
                case Table():
                    self._table(block)

    def _paragraph(self, paragraph: Paragraph) -> None:
        self._line(self._document.add_paragraph(style=_STYLES[paragraph.kind])._p, paragraph.line)

    def _entry(self, entry: Entry) -> None:
        self._line(self._document.add_paragraph(style="Heading 3")._p, entry.title)
        self._line(self._document.add_paragraph(style="Dossier small")._p, entry.facts)
        if entry.text:
            self._line(self._document.add_paragraph()._p, entry.text)

    def _table(self, told: Table) -> None:
        table = self._document.add_table(rows=0, cols=len(told.columns), style="Table Grid")
        self._row(table, [(Run(column, "strong"),) for column in told.columns], numbers=told.numbers, is_header=True)
        for row in told.rows:
            self._row(table, row, numbers=told.numbers)
        self._document.add_paragraph(style="Dossier small")

    def _row(self, table: Any, cells: Any, *, numbers: bool, is_header: bool = False) -> None:
        row = table.add_row()._tr
        properties = row.get_or_add_trPr()
        add(properties, "cantSplit")
        if is_header:
            add(properties, "tblHeader")
        for place, (cell, line) in enumerate(zip(row.tc_lst, cells, strict=True)):
            if is_header:
                add(cell.get_or_add_tcPr(), "shd", val="clear", color="auto", fill=_SHADE)
            paragraph = cell.p_lst[0]
            if numbers and place:
                add(paragraph.get_or_add_pPr(), "jc", val="end")
            self._line(paragraph, line)

    def _line(self, paragraph: Any, line: Line) -> None:
        for run in line:
            if run.reference:
                add_link_within(paragraph, f"reference_{run.reference}", run.text, style=_LINK_STYLE)
            elif run.address:
                add_link(
                    self._document, paragraph, run.address, run.text, style=_LINK_STYLE, bold=run.style == "strong"
                )
            else:
                language = run.language if run.language != self._telling.language else None
                bold = run.style not in ("", "emphasis")
                add_run(paragraph, run.text, bold=bold, italic=run.style == "emphasis", language=language)
