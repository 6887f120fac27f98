"""What a file's bytes are, whatever its name says.

Names lie: advance questions of 2014 are called `.doc` and are OOXML, those of 2019 are called `.doc` and are
OLE2; a UN document server answers a missing symbol with HTTP 200 and an HTML page.
"""

import io
import zipfile
from enum import StrEnum

from services.core.domain.errors import UnreadableDocumentError
from services.core.runtime.zip_damage import ZIP_DAMAGE
from services.ingest.archives import refuse_long_directory
from services.ingest.parsers.text.blocks import DocumentText
from services.ingest.parsers.text.doc_ole2 import holds_workbook, read_doc
from services.ingest.parsers.text.docx import read_docx
from services.ingest.parsers.text.pdf import read_pdf
from services.ingest.parsers.text.xlsx import read_xlsx


class FileType(StrEnum):
    """The formats we tell apart. DOC_OLE2 is any file of Office 97-2003 but a workbook (XLS).

    Those of `PAGES_AND_TABLES` are documents only to parsers that know what is on them.
    """

    PDF = "pdf"
    DOCX = "docx"
    DOC_OLE2 = "doc_ole2"
    XLSX = "xlsx"
    RTF = "rtf"
    XLS = "xls"
    HTML = "html"
    TEXT = "text"


PAGES_AND_TABLES = frozenset({FileType.XLS, FileType.HTML, FileType.TEXT})


_PDF_HEADER_WITHIN = 1024
"""Readers accept the `%PDF-` header anywhere in the first 1,024 bytes (Adobe PDF Reference 1.7, app.
H.3.4.1)."""

_OLE2_MAGIC = bytes.fromhex("d0cf11e0a1b11ae1")  # [MS-CFB] 2.2
_ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06")  # APPNOTE.TXT 4.3.7, 4.3.16: a member, an empty archive
_HTML_OPENINGS = (
    *(b"<!doctype html", b"<html", b"<head", b"<body", b"<script", b"<!--", b"<meta", b"<title", b"<link"),
    *(b"<table", b"<div", b"<center", b"<style"),
)
_XML_OPENING = b"<?xml"
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f\x1b"))
_REFUSALS = {
    FileType.RTF: ("unsupported_format", "the file is a Rich Text document; save it as .docx or PDF"),
    FileType.XLS: ("unsupported_format", "the file is a workbook of Office 97-2003, and of no kind that is read"),
    FileType.HTML: (
        "html_instead_of_document",
        "the file is an HTML page, as servers send in place of a missing document",
    ),
    FileType.TEXT: ("not_a_document", "the file is neither a PDF nor a Word document"),
}


def sniff(data: bytes) -> FileType:
    """What `data` is, by its bytes alone.

    Raises `UnreadableDocumentError`: `empty_file`, `not_a_document`, `damaged_docx`, `zip_bomb`.
    """
    if not data.strip(b"\x00\t\n\r "):
        raise UnreadableDocumentError("empty_file", "the file is empty")
    head = data[:_PDF_HEADER_WITHIN]
    opening = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if opening.startswith(_HTML_OPENINGS) or (opening.startswith(_XML_OPENING) and b"<html" in opening):
        return FileType.HTML
    if b"%PDF-" in head:
        return FileType.PDF
    if head.startswith(_OLE2_MAGIC):
        return FileType.XLS if holds_workbook(data) else FileType.DOC_OLE2
    if head.startswith(b"{\\rtf"):
        return FileType.RTF
    if head.startswith(_ZIP_MAGICS):
        return _sniff_zip(data)
    if head.translate(None, _CONTROLS) == head:
        return FileType.TEXT
    raise UnreadableDocumentError("not_a_document", "the file is neither a PDF nor a Word document")


def open_text(data: bytes, file_type: FileType) -> DocumentText:
    """The text of a file of a known type.

    Raises `UnreadableDocumentError`: `unsupported_format`, `html_instead_of_document`, `not_a_document`, and whatever
    `read_pdf`, `read_docx`, `read_doc` and `read_xlsx` raise.
    """
    if file_type is FileType.PDF:
        return read_pdf(data)
    if file_type is FileType.DOCX:
        return read_docx(data)
    if file_type is FileType.DOC_OLE2:
        return read_doc(data)
    if file_type is FileType.XLSX:
        return read_xlsx(data)
    raise UnreadableDocumentError(*_REFUSALS[file_type])


def _sniff_zip(data: bytes) -> FileType:
    try:
        refuse_long_directory(io.BytesIO(data))
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = set(archive.namelist())
    except ZIP_DAMAGE as error:
        raise UnreadableDocumentError(
            "damaged_docx", "the file starts as a Word document (a ZIP archive) but is cut off or damaged"
        ) from error
    if "[Content_Types].xml" in names:
        # Word names its main part word/document.xml, Word for the web also word/document2.xml.
        if any(name.startswith("word/document") for name in names):
            return FileType.DOCX
        if any(name.startswith("xl/workbook") for name in names):
            return FileType.XLSX
    raise UnreadableDocumentError("not_a_document", "the file is a ZIP archive but not a Word document")
