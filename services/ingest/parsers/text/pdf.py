"""The text of a PDF: one block a printed line, in the order of the content stream, with font size and left edge."""

import ctypes
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

from services.core.domain.errors import UnreadableDocumentError
from services.ingest.parsers.text.blocks import Block, DocumentText

_HEADER_WITHIN = 1024
"""A PDF may start with that many foreign bytes (ISO 32000-1, annex H, implementation note 13)."""

_TAIL = 2048
_SUPERSCRIPT_BELOW = 0.75
"""Footnote references of UN documents are printed at 6 to 6.5 points in lines of 9 to 12."""

_SHORT_NUMBER = re.compile(r"(?<!\d)\d{1,7}(?!\d)")
"""At most a year with a footnote's number on it: "in 2013¹²"."""

_OPENS_WITH_MARK = re.compile(r"^\s*\d{1,3}(?!\d)")
_GAP_BEFORE_MARK = 6
"""Points; a blank of 10-point type is some 2.5."""

_RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_SUPERSCRIPTS = str.maketrans("0123456789", _RAISED)
_LINE_END_HYPHEN = "\ufffe"
"""What PDFium gives for a hyphen at the end of a line, and it joins the next line to it."""

_BOLD_FROM = 600
_MOST_PAGES = 5_000
"""The Council's longest report on a session has some 400."""


def read_pdf(data: bytes) -> DocumentText:
    """Read the text of a PDF.

    Digits printed as superscripts (footnote references) come as superscript characters (`¹`), so that they can be told
    from numbers. A hyphen at a line's end stays: UN documents are set without automatic hyphenation (of 331 such
    hyphens in 60 reports, none was a soft one).

    Raises `UnreadableDocumentError` with `not_a_pdf`, `truncated_pdf`, `too_many_pages`, `encrypted_pdf` or `no_text`.
    """
    document = _open(data)
    try:
        blocks = tuple(block for number in range(len(document)) for block in _page(document, number))
        properties = {name: value for name, value in document.get_metadata_dict().items() if value}
        pages = len(document)
    except pypdfium2.PdfiumError as error:
        raise UnreadableDocumentError("truncated_pdf", "The PDF is damaged: a page cannot be read") from error
    finally:
        document.close()
    if not blocks:
        raise UnreadableDocumentError("no_text", "The PDF holds no text: its pages are images or empty")
    return DocumentText(blocks=blocks, pages=pages, properties=properties)


def _open(data: bytes) -> Any:
    if b"%PDF-" not in data[:_HEADER_WITHIN]:
        raise UnreadableDocumentError("not_a_pdf", "The file does not begin with a PDF header")
    tail = data.rstrip(b"\0\r\n\t ")[-_TAIL:]
    truncated = b"%%EOF" not in tail and b"startxref" not in tail
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if getattr(error, "err_code", None) == pdfium.FPDF_ERR_PASSWORD:
            raise UnreadableDocumentError("encrypted_pdf", "The PDF is locked with a password") from error
        raise UnreadableDocumentError("truncated_pdf", "The PDF is cut off or damaged") from error
    if (pages := len(document)) > _MOST_PAGES:
        document.close()
        raise UnreadableDocumentError("too_many_pages", f"The PDF says that it has {pages:,} pages")
    if truncated or not len(document):
        document.close()
        raise UnreadableDocumentError("truncated_pdf", "The PDF is cut off: its end is missing")
    return document


def _page(document: Any, number: int) -> Iterator[Block]:
    page = document[number]
    text_page = page.get_textpage()
    try:
        text = text_page.get_text_range()
        # PDFium's text and its characters run in step unless a character has no Unicode value.
        geometry = _Geometry(text_page.raw) if text_page.count_chars() == len(text) else None
        yield from _blocks(text, number + 1, geometry)
    finally:
        text_page.close()
        page.close()


def _blocks(text: str, page: int, geometry: "_Geometry | None") -> Iterator[Block]:
    """A block for each line; what PDFium breaks off a line before a footnote's number goes back to it."""
    waiting: Block | None = None
    ended, at = 0, 0
    for line in text.split("\r\n"):
        if line.strip():
            first = at + len(line) - len(line.lstrip())
            block = _block(line, at, page, geometry)
            if waiting and geometry and _OPENS_WITH_MARK.match(line) and geometry.raised_after(ended, first):
                raised = _OPENS_WITH_MARK.sub(lambda found: found[0].translate(_SUPERSCRIPTS), block.text)
                waiting = replace(waiting, text=waiting.text + raised)
            else:
                if waiting:
                    yield waiting
                waiting = block
            ended = at + len(line.rstrip()) - 1
        at += len(line) + 2
    if waiting:
        yield waiting


class _Geometry:
    """Where the characters of one page stand and how large they are. Holds the out-parameters of PDFium's calls."""

    def __init__(self, text_page: Any) -> None:
        self._text_page = text_page
        self._matrix = pdfium.FS_MATRIX()
        self._edges = tuple(ctypes.c_double() for _ in range(4))

    def size(self, at: int) -> float:
        """The size in points of character `at`, as printed: many UN documents set 1-point text through a matrix."""
        pdfium.FPDFText_GetMatrix(self._text_page, at, self._matrix)
        scale = float(abs(self._matrix.d) or abs(self._matrix.b))
        return float(pdfium.FPDFText_GetFontSize(self._text_page, at)) * scale

    def left(self, at: int) -> float:
        """The left edge of character `at` in points from the page's left edge."""
        return self._box(at)[0]

    def raised_after(self, before: int, at: int) -> bool:
        """Whether character `at` stands right after `before` on the same line, as small as a superscript."""
        if self.size(at) >= _SUPERSCRIPT_BELOW * self.size(before):
            return False
        left, _, bottom, top = self._box(at)
        _, right, foot, _ = self._box(before)
        return -1 < left - right < _GAP_BEFORE_MARK and foot < (bottom + top) / 2 < foot + 2 * self.size(before)

    def _box(self, at: int) -> tuple[float, float, float, float]:
        """Left, right, bottom and top edge of a character in points."""
        pdfium.FPDFText_GetCharBox(self._text_page, at, *self._edges)
        left, right, bottom, top = (float(edge.value) for edge in self._edges)
        return left, right, bottom, top

    def bold(self, at: int) -> bool:
        """Whether character `at` is of a bold font."""
        return int(pdfium.FPDFText_GetFontWeight(self._text_page, at)) >= _BOLD_FROM


def _block(line: str, at: int, page: int, geometry: _Geometry | None) -> Block:
    if geometry is None:
        return Block(_clean(line), page)
    first = at + len(line) - len(line.lstrip())
    last = at + len(line.rstrip()) - 1
    size = max(geometry.size(first), geometry.size(last))
    text = _SHORT_NUMBER.sub(lambda found: _marked(found, at, size, geometry), line)
    unmarked = text.rstrip().rstrip(_RAISED)
    bold = geometry.bold(at + max(len(unmarked.rstrip()) - 1, 0))
    return Block(_clean(text), page, bold=bold, size=round(size, 1), x=round(geometry.left(first), 1))


def _marked(found: re.Match[str], at: int, size: float, geometry: _Geometry) -> str:
    """A number with the digits at its end that are raised as superscripts: all of them, or those after a year."""
    number, below = found[0], _SUPERSCRIPT_BELOW * size
    full = len(number)
    while full and geometry.size(at + found.start() + full - 1) < below:
        full -= 1
    return number[:full] + number[full:].translate(_SUPERSCRIPTS)


def _clean(line: str) -> str:
    return " ".join(line.replace(_LINE_END_HYPHEN, "-").replace("\u00ad", "").split())
