"""Short forms of records, as they stand inside of other records."""

import datetime
from collections.abc import Iterable

from pydantic import Field

from services.api.details.parts import Setting
from services.core.schemas.models import Public
from services.core.schemas.shapes import Shape
from services.core.store.documents import DOCUMENTS, DocumentRecord
from services.core.store.hearings import HearingRecord


class DocumentBrief(Public):
    """A document in short."""

    id: str = Field(examples=["A-HRC-22-15"])
    url: str = Field(description="Permalink.")
    symbol: str | None = Field(examples=["A/HRC/22/15"])
    kind: str = Field(examples=["working_group_report"])
    title: str | None
    published_on: datetime.date | None
    languages: list[str]
    author: str | None
    author_kind: str | None = Field(description="state, nhri, organisation or intergovernmental, where it is told.")


class HearingBrief(Public):
    """A hearing in short."""

    id: str = Field(examples=["hrc-22-PER"])
    url: str = Field(description="Permalink.")
    kind: str = Field(examples=["council_adoption"])
    title: str | None
    date: datetime.date | None
    session: int | None
    council_session: int | None
    meeting: str | None
    announced_speakers: int | None
    iachr_period: int | None = Field(description="Period of sessions of the Inter-American Commission.")


def document_brief(record: DocumentRecord, setting: Setting) -> Shape:
    """The short form of a document."""
    return {
        "id": record.id,
        "url": setting.permalink("documents", record.id),
        "symbol": record.symbol,
        "kind": record.kind,
        "title": record.title,
        "published_on": record.published_on,
        "languages": list(record.languages),
        "author": record.author,
        "author_kind": record.author_kind,
    }


def hearing_brief(record: HearingRecord, setting: Setting) -> Shape:
    """The short form of a hearing."""
    return {
        "id": record.id,
        "url": setting.permalink("hearings", record.id),
        "kind": record.kind,
        "title": record.title,
        "date": record.date,
        "session": record.session,
        "council_session": record.council_session,
        "meeting": record.meeting,
        "announced_speakers": record.announced_speakers,
        "iachr_period": record.iachr_period,
    }


def documents_named(setting: Setting, records: Iterable[tuple[str, Iterable[str]]]) -> dict[str, list[Shape]]:
    """Of each record, by its id, the short forms of the documents that it names. One query."""
    named = {record: list(documents) for record, documents in records}
    wanted = dict.fromkeys(each for documents in named.values() for each in documents)
    held = DOCUMENTS.read(setting.connection, wanted)
    return {
        record: [document_brief(held[each], setting) for each in documents if each in held]
        for record, documents in named.items()
    }
