"""A document that tells of many reviews: the Council's report on a session.

It is taken apart into a share for each review, which joins the other sources of that review, and the rest: the document
itself and the general debate, which are of no one review.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from services.core.domain import identifiers
from services.core.domain.documents import DocumentKind, read_symbol
from services.core.store.documents import DocumentRecord, FileEntry
from services.core.store.hearings import HearingRecord
from services.core.store.statements import StatementRecord
from services.ingest.merge.sources import SourceReading, split_superseded
from services.ingest.reading import ReadHearing, Reading


@dataclass(frozen=True)
class MergedChapter:
    """The records that are of no one review, by noun, each by id."""

    documents: dict[str, DocumentRecord]
    hearings: dict[str, HearingRecord]
    statements: dict[str, StatementRecord]


def is_chapter(reading: Reading) -> bool:
    """Whether a reading has to be taken apart."""
    said = reading.document
    return said.kind == DocumentKind.COUNCIL_REPORT and said.state_under_review is None


def shares_of(reading: Reading) -> list[Reading]:
    """What a reading says of each review: a reading of the same document for each."""
    held = [hearing for hearing in reading.hearings if len(hearing.states) == 1]
    return [
        replace(
            reading,
            document=replace(reading.document, state_under_review=hearing.states[0]),
            hearings=(hearing,),
            statements=tuple(each for each in reading.statements if each.hearing == hearing.id),
            issues=(),
        )
        for hearing in held
    ]


def rest_of(reading: Reading) -> Reading:
    """What is left of a reading: the document, and hearings that are no one State's."""
    held = tuple(hearing for hearing in reading.hearings if len(hearing.states) != 1)
    ids = {hearing.id for hearing in held}
    spoken = tuple(each for each in reading.statements if each.hearing in ids)
    return replace(reading, hearings=held, statements=spoken)


def merge_chapter(readings: Iterable[SourceReading]) -> MergedChapter:
    """The records that the files of one such document make. `readings` holds at least one."""
    everything = list(readings)
    current, _ = split_superseded(everything)
    first = current[0]
    hearings = {hearing.id: _hearing(first, hearing) for hearing in first.reading.hearings}
    document = _document(sorted(everything, key=lambda each: (each not in current, each.weight)), current)
    return MergedChapter({document.id: document}, hearings, _statements(first, hearings))


def _document(sources: list[SourceReading], current: list[SourceReading]) -> DocumentRecord:
    said = sources[0].reading.document
    return DocumentRecord(
        id=sources[0].document,
        symbol=said.symbol,
        kind=said.kind,
        title=said.title,
        published_on=date.fromisoformat(said.published_on) if said.published_on else None,
        session=said.session,
        cycle=said.cycle,
        council_session=read_symbol(said.symbol).council_session if said.symbol else None,
        languages=tuple(sorted({source.language for source in sources})),
        files=[FileEntry(**{**source.file, "current": source in current}) for source in sources],
    )


def _hearing(source: SourceReading, told: ReadHearing) -> HearingRecord:
    return HearingRecord(
        id=told.id,
        kind=told.kind,
        title=told.title,
        date=date.fromisoformat(told.date) if told.date else None,
        states=told.states,
        session=None,
        council_session=told.council_session,
        announced_speakers=told.announced_speakers,
        documents=(source.document,),
    )


def _statements(source: SourceReading, hearings: dict[str, HearingRecord]) -> dict[str, StatementRecord]:
    spoken: dict[tuple[str, str, str], int] = defaultdict(int)
    records: dict[str, StatementRecord] = {}
    for order, told in enumerate(source.reading.statements, 1):
        assert told.hearing is not None
        spoken[told.hearing, told.speaker, told.kind] += 1
        count = spoken[told.hearing, told.speaker, told.kind]
        public_id = identifiers.statement_id(told.hearing, told.speaker, told.kind, count)
        records[public_id] = StatementRecord(
            id=public_id,
            hearing=told.hearing,
            review=None,
            state_under_review=None,
            cycle=None,
            session=None,
            speaker=told.speaker,
            kind=told.kind,
            sort_key=f"{identifiers.sort_key(told.hearing)}.{order:06d}.{public_id}",
            on_behalf_of=told.on_behalf_of,
            text=told.text,
            text_language=source.language,
            paragraph=told.paragraph,
            page=told.page,
            document=source.document,
            date=hearings[told.hearing].date,
        )
    return records
