"""Documents that are of no one review: the Council's report on a session, hearings elsewhere, tables of facts.

The Council's report is taken apart into a share for each review, which joins the other sources of that review, and the
rest: the document itself and the general debate. What tells of the hearings of one period of sessions of the
Inter-American Commission is merged together; other documents each by itself.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from services.core.domain.documents import OF_NO_REVIEW, DocumentKind
from services.core.store.documents import DocumentRecord
from services.core.store.hearings import HearingRecord
from services.core.store.organisations import OrganisationRecord
from services.core.store.statements import StatementRecord
from services.core.store.states import Fact
from services.ingest.merge.documents import document_record
from services.ingest.merge.facts import facts_by_state
from services.ingest.merge.hearings import hearing_records
from services.ingest.merge.iachr import identified
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
    facts: dict[str, list[Fact]] = field(default_factory=dict)
    """What they tell of States, by code."""


def is_chapter(reading: Reading) -> bool:
    """Whether a reading is of no one review, or has to be taken apart."""
    said = reading.document
    return said.kind in OF_NO_REVIEW or (said.kind == DocumentKind.COUNCIL_REPORT and said.state_under_review is None)


def place_of(document: str, reading: Reading) -> str:
    """What is merged together with a document of no review: its period of sessions, or the document itself."""
    period = next((hearing.iachr_period for hearing in reading.hearings if hearing.iachr_period), None)
    return f"iachr-{period}" if period else document


def shares_of(reading: Reading) -> list[Reading]:
    """What a reading says of each review: a reading of the same document for each."""
    if reading.document.kind != DocumentKind.COUNCIL_REPORT:
        return []
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
    if reading.document.kind != DocumentKind.COUNCIL_REPORT:
        return reading
    held = tuple(hearing for hearing in reading.hearings if len(hearing.states) != 1)
    ids = {hearing.id for hearing in held}
    spoken = tuple(each for each in reading.statements if each.hearing in ids)
    return replace(reading, hearings=held, statements=spoken)


def merge_chapter(readings: Iterable[SourceReading]) -> MergedChapter:
    """The records that readings of one place (`place_of`) make. `readings` holds at least one."""
    everything = list(readings)
    current, _ = split_superseded(everything)
    told, aliases = identified(current)
    hearings = {
        key: replace(record, aliases=aliases.get(key, ())) for key, record in hearing_records(told, None).items()
    }
    return MergedChapter(
        documents=_documents(everything, current),
        hearings=hearings,
        statements=statement_records(told, None, hearings),
        organisations=organisation_records(told, None),
        facts=facts_by_state(current),
    )


def _documents(everything: list[SourceReading], current: list[SourceReading]) -> dict[str, DocumentRecord]:
    files: dict[str, list[SourceReading]] = defaultdict(list)
    for source in everything:
        files[source.document].append(source)
    return {
        key: document_record(of_it, [each for each in current if each in of_it], None) for key, of_it in files.items()
    }
