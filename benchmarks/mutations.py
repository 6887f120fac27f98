"""Documents in any number: those of ../shared/data, and mutations of all of them in turn.

Some are damaged as transfers and disks damage files, and most of these can no longer be read; some are whole and say
something else, as a document does that was published again: a page, a row or a paragraph is missing.
"""

import io
import itertools
import random
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pypdfium2

SHARED = Path(__file__).parents[2] / "shared" / "data"
SAMPLES = Path(__file__).parents[1] / "samples" / "documents"
SUFFIXES = frozenset({".pdf", ".docx", ".doc", ".xlsx"})
_PARTS = (re.compile(rb"<w:tr[ >].*?</w:tr>", re.DOTALL), re.compile(rb"<w:p[ >].*?</w:p>", re.DOTALL))
_MEMBER = "word/document.xml"

Mutate = Callable[[bytes, random.Random], bytes]


def documents(wanted: int, seed: int = 20261122) -> dict[str, bytes]:
    """So many files by their names: the shared documents, else the samples, and mutations of each in turn."""
    places = [path for path in sorted(SHARED.rglob("*")) if path.suffix in SUFFIXES and path.is_file()]
    originals = places or [path for path in sorted(SAMPLES.iterdir()) if path.suffix in SUFFIXES]
    drawn = random.Random(seed)
    files: dict[str, bytes] = {}
    for number, path in enumerate(itertools.islice(itertools.cycle(originals), wanted)):
        data = path.read_bytes()
        name = re.sub(r"[^A-Za-z0-9.]+", "-", path.name)
        files[f"{number:04}-{name}"] = data if number < len(originals) else mutated(path.suffix, data, drawn)
    return files


def mutated(suffix: str, data: bytes, drawn: random.Random) -> bytes:
    """One mutation: half of them say something else, where we know how to make such."""
    other = {".pdf": _without_a_page, ".docx": _without_a_part}.get(suffix)
    chosen: Mutate = drawn.choice([_cut_off, _bytes_changed, _part_left_out, _more_behind_its_end])
    return other(data, drawn) if other is not None and drawn.random() < 0.5 else chosen(data, drawn)


def _cut_off(data: bytes, drawn: random.Random) -> bytes:
    return data[: drawn.randrange(len(data) // 2, len(data))]


def _bytes_changed(data: bytes, drawn: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(drawn.randrange(1, 20)):
        changed[drawn.randrange(16, len(data))] = drawn.randrange(256)
    return bytes(changed)


def _part_left_out(data: bytes, drawn: random.Random) -> bytes:
    at = drawn.randrange(len(data) // 2, len(data))
    return data[:at] + data[at + drawn.randrange(1, 2_000) :]


def _more_behind_its_end(data: bytes, drawn: random.Random) -> bytes:
    """It says the same, and is another file."""
    return data + drawn.randbytes(drawn.randrange(1, 200))


def _without_a_page(data: bytes, drawn: random.Random) -> bytes:
    with pypdfium2.PdfDocument(data) as document:
        if len(document) > 1:
            document.del_page(drawn.randrange(1, len(document)))
        written = io.BytesIO()
        document.save(written)
        return written.getvalue()


def _without_a_part(data: bytes, drawn: random.Random) -> bytes:
    """A Word document without one row of its tables, or one paragraph."""
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.infolist():
            told = old.read(member)
            if member.filename == _MEMBER:
                parts = next((found for kind in _PARTS if len(found := list(kind.finditer(told))) > 1), [])
                if parts:
                    out = drawn.choice(parts)
                    told = told[: out.start()] + told[out.end() :]
            new.writestr(member.filename, told)
    return written.getvalue()
