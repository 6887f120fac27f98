"""The text of Word 97–2003 documents: a compound file (olefile reads it) that holds a piece table ([MS-DOC] 2.4.1).

Word stores text in pieces, in the order in which they were typed; the piece table puts them in the order in which they
are read. Character properties are not read: so nothing is bold here, and text that was deleted under revision marks
and never accepted is still in it.
"""

import io
import re
import struct
from collections.abc import Iterator

import olefile

from services.core.domain.errors import UnreadableDocumentError
from services.ingest.parsers.text.blocks import Block, DocumentText

_MAGIC_WORD = 0xA5EC  # [MS-DOC] 2.5.2, wIdent
_MAGIC_WORD_95 = 0xA5DC  # the same place in documents of Word 6 and 95
_ENCRYPTED, _TABLE_1 = 0x0100, 0x0200  # fEncrypted and fWhichTblStm of the word at 0x0A
_CCP_TEXT = 0x4C  # characters of the main document
_FC_CLX, _LCB_CLX = 0x1A2, 0x1A6  # where the piece table is in the table stream
_PRC, _PCDT = 0x01, 0x02  # [MS-DOC] 2.9.38: what a Clx is made of
_COMPRESSED = 0x40000000  # [MS-DOC] 2.9.73: one byte a character, code page 1252
_MOST_CHARACTERS = 20_000_000
_DAMAGE = (OSError, struct.error, ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError)

_DEEPEST_FIELD = 20
_FIELD = re.compile("\x13[^\x13\x14\x15]*(?:\x14([^\x13\x14\x15]*))?\x15")
"""A field: its instruction, and after \\x14 what it shows ([MS-DOC] 2.8.25)."""

_MARKS = str.maketrans({
    "\x0b": "\n", "\x1e": "-", "\x1f": None, "\xad": None, "\xa0": " ", "\x01": None, "\x02": None, "\x05": None,
    "\x08": None, "\x00": None, "\x13": None, "\x14": None, "\x15": None,
})  # fmt: skip
_PARAGRAPH_ENDS = re.compile("[\r\x0c\x07]")


def read_doc(data: bytes) -> DocumentText:
    """The paragraphs of a Word 97–2003 document; each cell of a table is one.

    Raises `UnreadableDocumentError`: `unsupported_format` where the compound file is no Word document, `damaged_doc`,
    `encrypted_doc`, `no_text`.
    """
    try:
        with olefile.OleFileIO(io.BytesIO(data)) as archive:
            if not archive.exists("WordDocument"):
                raise UnreadableDocumentError("unsupported_format", "the file is of Office 97-2003, but not a document")
            text = _text(archive)
            properties = _properties(archive)
    except _DAMAGE as error:
        raise UnreadableDocumentError("damaged_doc", f"the Word document is damaged: {_one_line(error)}") from error
    blocks = tuple(Block(line) for line in _paragraphs(text))
    if not any(block.text for block in blocks):
        raise UnreadableDocumentError("no_text", "The Word document holds no text")
    return DocumentText(blocks=blocks, properties=properties)


def holds_workbook(data: bytes) -> bool:
    """Whether a compound file holds a workbook of Excel ([MS-XLS] 2.1.2) and no document; False for a damaged one."""
    try:
        with olefile.OleFileIO(io.BytesIO(data)) as archive:
            return any(map(archive.exists, ("Workbook", "Book"))) and not archive.exists("WordDocument")
    except _DAMAGE:
        return False


def _text(archive: olefile.OleFileIO) -> str:
    main = archive.openstream("WordDocument").read()
    magic, flags = _word(main, 0), _word(main, 0x0A)
    if magic == _MAGIC_WORD_95:
        raise UnreadableDocumentError("unsupported_format", "the document is of Word 95 or older; save it as .docx")
    if magic != _MAGIC_WORD:
        raise ValueError("it does not begin as one")
    if flags & _ENCRYPTED:
        raise UnreadableDocumentError("encrypted_doc", "the Word document is locked with a password")
    table = archive.openstream("1Table" if flags & _TABLE_1 else "0Table").read()
    start, size = _long(main, _FC_CLX), _long(main, _LCB_CLX)
    wanted = min(_long(main, _CCP_TEXT), _MOST_CHARACTERS)
    return "".join(_pieces(main, table[start : start + size]))[:wanted]


def _pieces(main: bytes, clx: bytes) -> Iterator[str]:
    """The text piece by piece, in reading order."""
    at = 0
    while clx[at] == _PRC:
        at += 3 + _word(clx, at + 1)
    if clx[at] != _PCDT:
        raise ValueError("it has no piece table")
    pieces = clx[at + 5 : at + 5 + _long(clx, at + 1)]
    count = (len(pieces) - 4) // 12
    places = struct.unpack_from(f"<{count + 1}I", pieces)
    held = 0
    for number in range(count):
        offset = _long(pieces, 4 * (count + 1) + 8 * number + 2)
        length = places[number + 1] - places[number]
        held += length
        if length < 0 or held > _MOST_CHARACTERS:
            raise ValueError("its pieces contradict each other")
        if offset & _COMPRESSED:
            first = (offset & ~_COMPRESSED) // 2
            yield main[first : first + length].decode("cp1252", "replace")
        else:
            yield main[offset : offset + 2 * length].decode("utf-16-le", "replace")


def _paragraphs(text: str) -> Iterator[str]:
    for _ in range(_DEEPEST_FIELD):
        text, changed = _FIELD.subn(lambda found: found[1] or "", text)
        if not changed:
            break
    for paragraph in _PARAGRAPH_ENDS.split(text):
        yield paragraph.translate(_MARKS).strip()


def _properties(archive: olefile.OleFileIO) -> dict[str, str]:
    """Title and dates from the summary information; nothing where that alone is damaged."""
    try:
        held = archive.get_metadata()
        title = held.title.decode("cp1252", "replace") if isinstance(held.title, bytes) else ""
        dates = {"created": held.create_time, "modified": held.last_saved_time}
        return {
            name: value
            for name, value in {
                "title": title.strip("\0 "),
                **{name: day.date().isoformat() if day else "" for name, day in dates.items()},
            }.items()
            if value
        }
    except _DAMAGE:
        return {}


def _word(data: bytes, at: int) -> int:
    return int(struct.unpack_from("<H", data, at)[0])


def _long(data: bytes, at: int) -> int:
    return int(struct.unpack_from("<I", data, at)[0])


def _one_line(error: BaseException) -> str:
    return (str(error).splitlines() or [""])[0][:200] or type(error).__name__
