"""Documents and their files."""

import datetime
from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict

from sqlalchemy import Boolean, Column, Date, Index, Integer, Table
from sqlalchemy.dialects.postgresql import JSONB

from services.core.store.metadata import metadata, plain_text, row_history, texts
from services.core.store.records import Aggregate, Stored


class FileEntry(TypedDict):
    """One file of a document. `current` is false where a later file of the same language replaced it.

    `ocr`, where its pages are pictures: who recognised the letters, and how sure of them (0 to 1).
    """

    sha256: str
    name: str
    media_type: str
    language: str
    bytes: int
    pages: int | None
    current: bool
    parser: str
    parser_version: str
    ocr: NotRequired[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class DocumentRecord(Stored):
    """One source document. Its languages and formats are `files`.

    `author` is who wrote it, as printed, where others than the United Nations may have (a mid-term report); and
    `author_kind` what they are: `state`, `nhri`, `organisation` or `intergovernmental`.
    `address`: where the world finds it, where no symbol tells that.
    """

    id: str
    symbol: str | None
    kind: str
    title: str | None = None
    published_on: datetime.date | None = None
    state_under_review: str | None = None
    review: str | None = None
    session: int | None = None
    cycle: int | None = None
    council_session: int | None = None
    author: str | None = None
    author_kind: str | None = None
    address: str | None = None
    languages: tuple[str, ...] = ()
    files: list[FileEntry]
    cites: tuple[str, ...] = ()
    sample: bool = False


documents_table = Table(
    "documents",
    metadata,
    Column("id", plain_text(), primary_key=True),
    Column("symbol", plain_text()),
    Column("kind", plain_text(), nullable=False),
    Column("title", plain_text()),
    Column("published_on", Date),
    Column("state_under_review", plain_text()),
    Column("review", plain_text()),
    Column("session", Integer),
    Column("cycle", Integer),
    Column("council_session", Integer),
    Column("author", plain_text()),
    Column("author_kind", plain_text()),
    Column("address", plain_text()),
    Column("languages", texts(), nullable=False),
    Column("files", JSONB, nullable=False),
    Column("cites", texts(), nullable=False),
    Column("sample", Boolean, nullable=False),
    *row_history(),
)
Index(None, documents_table.c.review)
Index(None, documents_table.c.state_under_review)
Index(None, documents_table.c.kind, documents_table.c.published_on)
DOCUMENTS = Aggregate("documents", documents_table, DocumentRecord)
