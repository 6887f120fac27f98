"""File types by their bytes."""

import io
import zipfile

import pytest

from services.core.domain.errors import UnreadableDocumentError
from services.ingest.parsers.text.sniff import FileType, open_text, sniff


def archive(*names: str) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as target:
        for name in names:
            target.writestr(name, "content")
    return written.getvalue()


@pytest.mark.parametrize(
    ("data", "file_type"),
    [
        (b"%PDF-1.7\n", FileType.PDF),
        (b"\xef\xbb\xbf%PDF-1.4", FileType.PDF),
        (b"junk before the header\r\n%PDF-1.4", FileType.PDF),
        (bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 600, FileType.DOC_OLE2),
        (b"{\\rtf1\\ansi", FileType.RTF),
        (archive("[Content_Types].xml", "word/document.xml"), FileType.DOCX),
        (archive("[Content_Types].xml", "word/document2.xml"), FileType.DOCX),
        (archive("[Content_Types].xml", "xl/workbook.xml"), FileType.XLSX),
        (b"\n<!DOCTYPE html><html>", FileType.HTML),
        (b"\xef\xbb\xbf<HTML>", FileType.HTML),
        (b"<html>%PDF-1.4</html>", FileType.HTML),
        (b'<?xml version="1.0"?>\n<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0"><html>', FileType.HTML),
        (b"state,cycle\nPER,2\n", FileType.TEXT),
    ],
)
def test_known_bytes(data, file_type):
    assert sniff(data) is file_type


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_file"),
        (b"\0\0\n \r\n", "empty_file"),
        (b"\x89PNG\r\n\x1a\n", "not_a_document"),
        (archive("photo.jpg"), "not_a_document"),
        (archive(), "not_a_document"),
        (archive("word/document.xml"), "not_a_document"),
        (archive("[Content_Types].xml", "word/document.xml")[:-30], "damaged_docx"),
        (b"PK\x03\x04" + b"\0" * 100, "damaged_docx"),
    ],
)
def test_bytes_that_are_no_document(data, code):
    with pytest.raises(UnreadableDocumentError) as refusal:
        sniff(data)
    assert refusal.value.code == code
    assert "\n" not in refusal.value.detail


@pytest.mark.parametrize(
    ("file_type", "code"),
    [
        (FileType.RTF, "unsupported_format"),
        (FileType.XLS, "unsupported_format"),
        (FileType.HTML, "html_instead_of_document"),
        (FileType.TEXT, "not_a_document"),
    ],
)
def test_a_format_that_is_known_but_no_document(file_type, code):
    with pytest.raises(UnreadableDocumentError) as refusal:
        open_text(b"", file_type)
    assert refusal.value.code == code


def test_extensions_lie(real_documents):
    ooxml = real_documents / "slovenia" / "cycle2" / "AdvancedQuestionsSlovenia.doc"
    ole2 = real_documents / "advance_questions" / "Advance_questions_Slovenia_first_batch.doc"
    assert sniff(ooxml.read_bytes()) is FileType.DOCX
    assert sniff(ole2.read_bytes()) is FileType.DOC_OLE2
