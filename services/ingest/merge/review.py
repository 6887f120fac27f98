"""All records of one review, from the set of its readings.

`merge_review` is a pure function of that set: it looks at nothing else and sorts it first, and so gives the same
records whatever order the documents were loaded in. `load.py` compares its result with what is stored.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from services.core.domain import identifiers
from services.core.domain.documents import DATA_SETS, DocumentKind
from services.core.store.documents import DocumentRecord
from services.core.store.hearings import HearingRecord
from services.core.store.labels import LabelRecord
from services.core.store.organisations import OrganisationRecord
from services.core.store.pledges import PledgeRecord
from services.core.store.recommendations import LabelEntry, RecommendationRecord
from services.core.store.reviews import ReviewRecord
from services.core.store.statements import StatementRecord
from services.ingest.merge.documents import day_of, document_record
from services.ingest.merge.hearings import hearing_records
from services.ingest.merge.labels import LabelKey, all_labels, label_records, labels_of_pledges
from services.ingest.merge.organisations import organisation_records
from services.ingest.merge.recommendations import gather, recommendation_records
from services.ingest.merge.sources import SourceReading, split_superseded
from services.ingest.merge.statements import statement_records
from services.ingest.merge.totals import total_issues
from services.ingest.reading import ReadHearing, ReadIssue, ReadPledge


@dataclass(frozen=True)
class MergedReview:
    """All records of one review, by noun, each by id. `labels` are those that its recommendations carry.

    `issues`: what the sources together bring to light and none of them tells alone.
    """

    review: ReviewRecord
    documents: dict[str, DocumentRecord]
    hearings: dict[str, HearingRecord]
    statements: dict[str, StatementRecord]
    recommendations: dict[str, RecommendationRecord]
    pledges: dict[str, PledgeRecord]
    labels: dict[str, LabelRecord]
    organisations: dict[str, OrganisationRecord]
    issues: tuple[ReadIssue, ...] = ()


def merge_review(state: str, cycle: int, readings: Iterable[SourceReading], *, sample: bool = False) -> MergedReview:
    """The records that these readings of one review make. `readings` holds at least one."""
    everything = list(readings)
    current, superseded = split_superseded(everything)
    review = _review(state, cycle, current, sample)
    published = {
        source.reading.document.symbol: day
        for source in everything
        if source.reading.document.symbol and (day := day_of(source.reading.document.published_on))
    }
    hearings = hearing_records(current, review)
    recommendations = recommendation_records(review, gather(review.id, current, superseded), published)
    return MergedReview(
        review=review,
        documents=_documents(review, everything, current),
        hearings=hearings,
        statements=statement_records(current, review, hearings),
        recommendations=recommendations,
        pledges=_pledges(review, current),
        labels=label_records(current),
        organisations=organisation_records(current, review),
        issues=total_issues(review, current, recommendations.values()),
    )


def merge_pledges(state: str, cycle: int, readings: Iterable[SourceReading], *, sample: bool = False) -> MergedReview:
    """The review, its documents and its pledges alone, as `merge_review` would give them; all else is left out."""
    everything = list(readings)
    current, _ = split_superseded(everything)
    review = _review(state, cycle, current, sample)
    return MergedReview(
        review=review,
        documents=_documents(review, everything, current),
        hearings={},
        statements={},
        recommendations={},
        pledges=_pledges(review, current),
        labels=label_records(each for each in current if each.reading.pledges and not each.reading.recommendations),
        organisations={},
    )


def _review(state: str, cycle: int, current: Sequence[SourceReading], sample: bool) -> ReviewRecord:
    held = [hearing for _, hearing in _review_hearings(current)]
    sessions = [source.reading.document.session for source in current if source.reading.document.session]
    return ReviewRecord(
        id=identifiers.review_id(state, cycle),
        state_under_review=state,
        cycle=cycle,
        session=sessions[0] if sessions else None,
        date=next((day for hearing in held if (day := day_of(hearing.date))), None),
        adopted_on=next((day for hearing in held if (day := day_of(hearing.adopted_on))), None),
        troika=next((hearing.troika for hearing in held if hearing.troika), ()),
        documents=tuple(sorted({source.document for source in current})),
        sample=sample,
    )


def _review_hearings(current: Sequence[SourceReading]) -> Iterator[tuple[SourceReading, ReadHearing]]:
    for source in current:
        for hearing in source.reading.hearings:
            if hearing.kind == "working_group_review":
                yield source, hearing


def _documents(
    review: ReviewRecord, everything: Sequence[SourceReading], current: Sequence[SourceReading]
) -> dict[str, DocumentRecord]:
    by_document: dict[str, list[SourceReading]] = defaultdict(list)
    for source in everything:
        if source.kind != DocumentKind.COUNCIL_REPORT:  # a document of many reviews (chapter.py)
            by_document[source.document].append(source)
    return {document: document_record(sources, current, review) for document, sources in by_document.items()}


def _pledges(review: ReviewRecord, current: Sequence[SourceReading]) -> dict[str, PledgeRecord]:
    """The pledges of the weightiest source that has any, then those that only databases tell, with their labels."""
    printed = next((each for each in current if each.reading.pledges and each.kind not in DATA_SETS), None)
    told: dict[str, _Pledge] = {}
    for source in current:
        if source is printed or source.kind in DATA_SETS:
            labels = labels_of_pledges(source)
            for place, pledge in enumerate(source.reading.pledges, 1):
                key = f"{source.language} {identifiers.normalised_text(pledge.text)}"
                # A document may print the same words twice; a database then has a row for each.
                while source is printed and key in told:
                    key += " again"
                told.setdefault(key, _Pledge(source, pledge)).labels.update(labels.get(place, {}))
    records = (_pledge(review, ordinal, pledge) for ordinal, pledge in enumerate(told.values(), 1))
    return {record.id: record for record in records}


@dataclass
class _Pledge:
    """A pledge in the making: where it was found first, and the labels of all who tell it."""

    source: SourceReading
    told: ReadPledge
    labels: dict[LabelKey, LabelEntry] = field(default_factory=dict)


def _pledge(review: ReviewRecord, ordinal: int, pledge: _Pledge) -> PledgeRecord:
    public_id = identifiers.pledge_id(review.id, ordinal)
    labels = all_labels(pledge.told.text, pledge.source.language, pledge.labels.values())
    return PledgeRecord(
        id=public_id,
        review=review.id,
        state_under_review=review.state_under_review,
        cycle=review.cycle,
        session=review.session,
        sort_key=identifiers.sort_key(public_id),
        text=pledge.told.text,
        text_language=pledge.source.language,
        paragraph=pledge.told.paragraph,
        page=pledge.told.page,
        document=pledge.source.document,
        labels=labels,
        label_ids=tuple(sorted({entry["label"] for entry in labels})),
        date=review.date,
        sample=review.sample,
    )
