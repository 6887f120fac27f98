"""What fetched bytes are, whatever the server calls them: documents as `sniff` tells them, and what APIs send.

The parent looks, so it looks at little: the first bytes, and of ZIP archives the list of members, if it is short enough
to be one of a document's.
"""

import io
import re
import struct
import zipfile
from pathlib import Path

from services.core.domain.errors import UnreadableDocumentError
from services.core.runtime.zip_damage import ZIP_DAMAGE
from services.ingest.parsers.text.sniff import FileType, sniff

HEAD = 8_192
"""Bytes that are looked at."""
MOST_ZIP_MEMBERS = 10_000
MOST_ZIP_DIRECTORY = 2_000_000
"""Bytes of a ZIP archive's list of members. Those of real documents have a thousandth of it."""

_END_OF_DIRECTORY = struct.Struct("<4s4H2LH")  # APPNOTE.TXT 4.3.16
_ZIP64, _ZIP64_LOCATOR = b"PK\x06\x07", 20
"""What stands before the last record of an archive whose real bounds are elsewhere (4.3.15). No document needs it."""
_END_WITHIN = _END_OF_DIRECTORY.size + 65_535
_HTML = re.compile(rb"<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_MARKUP = re.compile(rb"<[A-Za-z!?/]")
_SEPARATORS = (",", ";", "\t")


def kind_of(path: Path) -> str:
    """One word: `pdf`, `docx`, `xlsx`, `doc_ole2`, `rtf`, `zip`, `html`, `xml`, `json`, `csv`, `text` or `unknown`."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    if head.startswith(b"PK"):
        return _kind_of_zip(path)
    try:
        known = sniff(head)
    except UnreadableDocumentError:
        return _kind_of_text(head)
    return _kind_of_text(head) if known is FileType.TEXT else known.value


def is_whole(path: Path, kind: str) -> bool:
    """Whether the file ends as files of its kind do; True for kinds of which nobody can tell."""
    if kind == "pdf":
        return any(mark in _tail(path, 4_096) for mark in (b"%%EOF", b"startxref"))
    if kind in {"docx", "xlsx", "zip"}:
        return b"PK\x05\x06" in _tail(path, _END_WITHIN)
    return True


def _kind_of_text(head: bytes) -> str:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if b"\x00" in head:
        return "unknown"
    if _MARKUP.match(start):
        return "html" if _HTML.search(start) else "xml"
    if start.startswith((b"{", b"[")):
        return "json"
    return "csv" if _is_table(head) else "text"


def _is_table(head: bytes) -> bool:
    """Whether the first lines have as many separators each, outside quotes, and at least one."""
    lines = re.split(r"\r\n|\r|\n", re.sub(r'"[^"]*"', "", head.decode("latin-1")))[:3]
    return any(0 < lines[0].count(separator) == lines[1].count(separator) for separator in _SEPARATORS if lines[1:])


def _kind_of_zip(path: Path) -> str:
    """By the names of its members, if their list is of a size that a document's has."""
    tail = _tail(path, _END_WITHIN)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < _END_OF_DIRECTORY.size:
        return "zip"
    _, _, _, _, members, size, _, _ = _END_OF_DIRECTORY.unpack_from(tail, at)
    is_zip64 = tail[max(0, at - _ZIP64_LOCATOR) : at].startswith(_ZIP64)
    if is_zip64 or members > MOST_ZIP_MEMBERS or size > MOST_ZIP_DIRECTORY:
        return "zip"
    try:
        with zipfile.ZipFile(path) as archive:
            names = frozenset(archive.namelist())
    except ZIP_DAMAGE:
        return "zip"
    return _kind_by_members(names)


def _kind_by_members(names: frozenset[str]) -> str:
    """As `sniff` tells them, of an archive that has the same members and nothing in them."""
    empty = io.BytesIO()
    with zipfile.ZipFile(empty, "w") as archive:
        for name in names:
            if name == "[Content_Types].xml" or name.startswith(("word/document", "xl/workbook")):
                archive.writestr(name, b"")
    try:
        return sniff(empty.getvalue()).value
    except UnreadableDocumentError:
        return "zip"


def _tail(path: Path, size: int) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - size))
        return file.read(size)


DOCUMENT_KINDS = frozenset({FileType.PDF.value, FileType.DOCX.value, FileType.DOC_OLE2.value, FileType.XLSX.value})
"""What documents are published as."""
