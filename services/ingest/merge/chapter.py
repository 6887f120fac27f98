"""A document that tells of many reviews: the Council's report on a session.

It is taken apart into a share for each review, which joins the other sources of that review, and the rest: the document
itself and the general debate, which are of no one review.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from services.core.domain.documents import DocumentKind
from services.core.store.documents import DocumentRecord
from services.core.store.hearings import HearingRecord
from services.core.store.organisations import OrganisationRecord
from services.core.store.statements import StatementRecord
from services.ingest.merge.documents import document_record
from services.ingest.merge.hearings import hearing_records
from services.ingest.merge.organisations import organisation_records
from services.ingest.merge.sources import SourceReading, split_superseded
from services.ingest.merge.statements import statement_records
from services.ingest.reading import Reading


@dataclass(frozen=True)
class MergedChapter:
    """The records that are of no one review, by noun, each by id."""

    documents: dict[str, DocumentRecord]
    hearings: dict[str, HearingRecord]
    statements: dict[str, StatementRecord]
    organisations: dict[str, OrganisationRecord]


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
    document = document_record(everything, current, None)
    hearings = hearing_records(current, None)
    return MergedChapter(
        documents={document.id: document},
        hearings=hearings,
        statements=statement_records(current, None, hearings),
        organisations=organisation_records(current, None),
    )
