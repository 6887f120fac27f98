"""Who can read a file: parsers, data sets, and the libraries that open its format, each with its version.

What could not be read is tried again when one of these has risen, and not before.
"""

from functools import cache
from importlib.metadata import version

from services.ingest.datasets import DATA_SETS
from services.ingest.parsers import PARSERS

Readers = dict[str, str]
"""Versions by name."""

HEAD_BYTES = 1024

_LIBRARIES = {
    "pdf": ("pypdfium2",),
    "office": ("python-docx", "lxml", "openpyxl"),
    "compound": ("olefile", "python-calamine"),
    "text": ("ijson", "selectolax"),
}
_OF_DOCUMENTS, _OF_TABLES = ("pdf", "office", "compound", "text"), ("office", "text")


def readers_of(head: bytes) -> Readers:
    """Who could read a file that begins so."""
    return _readers(_format(head))


def _format(head: bytes) -> str:
    if b"%PDF-" in head[:HEAD_BYTES]:
        return "pdf"
    if head.startswith(b"PK"):
        return "office"
    return "compound" if head.startswith(bytes.fromhex("d0cf11e0")) else "text"


@cache
def _readers(kind: str) -> Readers:
    found = {name: version(name) for name in _LIBRARIES[kind]}
    if kind in _OF_DOCUMENTS:
        found |= {parser.name: parser.version for parser in PARSERS}
    if kind in _OF_TABLES:
        found |= {data_set.parser: data_set.version for data_set in DATA_SETS}
    return found
