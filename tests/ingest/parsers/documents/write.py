"""Writes small documents for the parsers' golden files: `python -m tests.ingest.parsers.documents.write`.

Every State in them is invented (services/core/store/facts/sample_states.csv); the texts are ours. The same bytes come
out every time.
"""

import struct
import sys
import tomllib
from itertools import groupby
from pathlib import Path
from typing import Any

import docx

from samples.write import NOTICE, WRITTEN_ON, Pages, Paragraph, _archived

FOLDER = Path(__file__).parent


def main(folder: Path = FOLDER) -> None:
    for source in sorted(FOLDER.glob("*.toml")):
        told = tomllib.loads(source.read_text(encoding="utf-8"))
        if told.get("format") == "docx":
            (folder / f"{source.stem}.docx").write_bytes(word(told))
        elif told.get("format") == "doc":
            (folder / f"{source.stem}.doc").write_bytes(doc_ole2(told["body"].strip().splitlines()))
        else:
            (folder / f"{source.stem}.pdf").write_bytes(un_pdf(told))


def un_pdf(told: dict[str, Any]) -> bytes:
    """A document with the title page of the United Nations and the body that `told` gives line by line.

    A body line that begins with `#` is a heading, with `##` a smaller one, with `|` a row of a table; `N. ` begins a
    numbered paragraph; anything else is a paragraph of its own.
    """
    pages = Pages(told.get("symbol", ""), told.get("job_number", ""), told["title"][0])
    if "symbol" in told:
        _title_page(pages, told)
    else:
        pages.line(160, 790, told["title"][0], 12, bold=True)
        told["body_on_first_page"] = True
        pages._y = 760.0
    if told.get("body_on_first_page"):
        pages._y = min(pages._y, 430.0 if "symbol" in told else 760.0)
    else:
        pages.turn()
    for line in told["body"].strip().splitlines():
        if line.strip():
            _set(pages, line.strip())
    return pages.done()


def _set(pages: Pages, line: str) -> None:
    if line.startswith("## "):
        pages.paragraph(Paragraph(line[3:], left=90, first=90, size=12, bold=True, space=8))
    elif line.startswith("# "):
        pages.paragraph(Paragraph(line[2:], left=90, first=90, size=14, bold=True, space=10))
    elif line.startswith("|"):
        _row(pages, [cell.strip() for cell in line.strip("|").split("|")])
    elif line.startswith("> "):
        pages.paragraph(Paragraph(line[2:], left=113.4, first=141.7))
    else:
        pages.paragraph(Paragraph(line))


def _row(pages: Pages, cells: list[str]) -> None:
    """A row of a table: the cells one after another, each from the row's top line down, as Word writes them."""
    top, lowest = pages._y, pages._y
    right = pages.right
    for place, cell in enumerate(cells):
        x = 60.0 + 215 * place
        pages._y, pages.right = top, x + 200  # type: ignore[misc]
        pages.paragraph(Paragraph(cell, left=x, first=x))
        lowest = min(lowest, pages._y)
    pages._y, pages.right = lowest, right  # type: ignore[misc]


def word(told: dict[str, Any]) -> bytes:
    """A Word document: the lines of the title, then the body as in `un_pdf`; rows side by side are one table.

    A cell that is `=` is merged with the one before it.
    """
    document = docx.Document()
    core = document.core_properties
    core.title, core.subject, core.author, core.comments = told["title"][0], NOTICE, "OpenUPR", ""
    core.created = core.modified = WRITTEN_ON
    for line in told["title"]:
        document.add_paragraph().add_run(line).bold = True
    lines = [line.strip() for line in told["body"].strip().splitlines() if line.strip()]
    for is_table, group in groupby(lines, lambda line: line.startswith("|")):
        if is_table:
            _table(document, [[cell.strip() for cell in line.strip("|").split("|")] for line in group])
            continue
        for line in group:
            level = len(line) - len(line.lstrip("#"))
            document.add_paragraph(line.lstrip("# "), style=f"Heading {level}" if level else None)
    return _archived(document)


def _table(document: Any, rows: list[list[str]]) -> None:
    table = document.add_table(len(rows), max(map(len, rows)))
    for row, cells in zip(table.rows, rows, strict=True):
        for place, words in enumerate(cells):
            if words == "=":
                row.cells[place - 1].merge(row.cells[place])
            else:
                row.cells[place].text = words


_SECTOR = 512
_END, _FREE, _IS_FAT = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD


def doc_ole2(paragraphs: list[str]) -> bytes:
    """A Word 97-2003 document of plain paragraphs, in two pieces: of one byte a character, and of two."""
    text = "\r".join(paragraphs) + "\r"
    cut = next((at for at, character in enumerate(text) if ord(character) > 255), len(text) // 2)
    first, second = text[:cut].encode("cp1252"), text[cut:].encode("utf-16-le")
    start = 1024
    main = bytearray(start) + first + second
    struct.pack_into("<H", main, 0, 0xA5EC)
    struct.pack_into("<H", main, 0x0A, 0x0200)
    struct.pack_into("<I", main, 0x4C, len(text))
    pieces = struct.pack("<3I", 0, cut, len(text))
    pieces += struct.pack("<HIH", 0, 0x40000000 | start * 2, 0) + struct.pack("<HIH", 0, start + len(first), 0)
    clx = b"\x02" + struct.pack("<I", len(pieces)) + pieces
    struct.pack_into("<2I", main, 0x1A2, 0, len(clx))
    return compound_file({"WordDocument": bytes(main), "1Table": clx})


def compound_file(streams: dict[str, bytes]) -> bytes:
    """A compound file ([MS-CFB]) with one sector of directory and one of allocation table."""
    fat, body, entries = [_IS_FAT, _END], b"", [_entry("Root Entry", 5, child=1, start=_END)]
    for place, (name, content) in enumerate(sorted(streams.items()), start=1):
        data = content.ljust(8 * _SECTOR, b"\0")  # smaller streams stand elsewhere
        sectors = -(-len(data) // _SECTOR)
        first = len(fat)
        fat += [*range(first + 1, first + sectors), _END]
        body += data.ljust(sectors * _SECTOR, b"\0")
        right = place + 1 if place < len(streams) else _FREE
        entries.append(_entry(name, 2, right=right, start=first, size=len(data)))
    entries += [bytes(68) + struct.pack("<3I", _FREE, _FREE, _FREE) + bytes(48)] * (4 - len(entries))
    table = struct.pack(f"<{_SECTOR // 4}I", *fat, *[_FREE] * (_SECTOR // 4 - len(fat)))
    header = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16) + struct.pack("<5H", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    header += struct.pack("<9I", 0, 1, 1, 0, 4096, _END, 0, _END, 0) + struct.pack("<109I", 0, *[_FREE] * 108)
    return header + table + b"".join(entries) + body


def _entry(name: str, kind: int, *, start: int, child: int = _FREE, right: int = _FREE, size: int = 0) -> bytes:
    encoded = (name + "\0").encode("utf-16-le")
    return (
        encoded.ljust(64, b"\0") + struct.pack("<H2B3I", len(encoded), kind, 1, _FREE, right, child) + bytes(36)
        + struct.pack("<IQ", start, size)
    )  # fmt: skip


_MASTHEADS = {
    "en": ("General Assembly", "Distr.: General", "Original: English", "Human Rights Council"),
    "es": ("Asamblea General", "Distr. general", "Español", "Consejo de Derechos Humanos"),
    "fr": ("Assemblée générale", "Distr. générale", "Français", "Conseil des droits de l’homme"),
}


def _title_page(pages: Pages, told: dict[str, Any]) -> None:
    assembly, distribution, original, council = _MASTHEADS[told.get("language", "en")]
    pages.line(113.4, 785, "Sample, not a United Nations document", 12)
    pages.line(430, 785, told["symbol"], 12)
    pages.line(113.4, 745, assembly, 20, bold=True)
    pages.line(392.4, 755, distribution)
    pages.line(392.4, 743, told["published"])
    pages.line(392.4, 722, original)
    pages.line(56.7, 683, council, 12, bold=True)
    y = 669.0
    for line in told["council"]:
        pages.line(56.7, y, line)
        y -= 12
    y = 580.0
    for line in told["title"]:
        pages.line(113.4, y, line, 14, bold=True)
        y -= 16
    pages.line(113.4, y - 8, NOTICE, 9)
    pages.line(56.7, 56, told["job_number"])


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
