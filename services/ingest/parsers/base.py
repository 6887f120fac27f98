"""What a parser is: it bids for a document, and the highest bidder reads it."""

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from services.ingest.parsers.text.blocks import DocumentText
from services.ingest.parsers.text.html import Page, read_page
from services.ingest.parsers.text.rows import Rows, read_rows
from services.ingest.parsers.text.sniff import FileType, open_text, sniff
from services.ingest.reading import Reading


@dataclass(frozen=True)
class Content:
    """One file's bytes and, once someone asks, its text. `name` is for people only: it decides nothing."""

    name: str
    data: bytes

    @cached_property
    def file_type(self) -> FileType:
        """What the bytes are. Raises `UnreadableDocumentError` where they are nothing we read."""
        return sniff(self.data)

    @cached_property
    def page(self) -> Page:
        """The file as a web page. Raises `UnreadableDocumentError` where it is none."""
        return read_page(self.data)

    @cached_property
    def rows(self) -> Rows:
        """The rows of the file's first table: of a workbook or CSV; none of other files.

        Raises `UnreadableDocumentError` where it is damaged.
        """
        return read_rows(self.data, self.file_type)

    @cached_property
    def text(self) -> DocumentText:
        """The file's blocks. Raises `UnreadableDocumentError` where the file is damaged or a trap."""
        return open_text(self.data, self.file_type)


class Parser(Protocol):
    """Reads one kind of document."""

    name: str
    version: str

    def bid(self, content: Content) -> float:
        """How sure the parser is, 0 to 1, that this is its kind of document. Cheap, and never raises on odd text."""
        ...

    def read(self, content: Content) -> Reading:
        """Read the document. Raises `UnreadableDocumentError` where it holds none of what its kind must hold."""
        ...
