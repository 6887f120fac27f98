"""All records of one review, from the set of its readings.

`merge_review` is a pure function of that set: it looks at nothing else and sorts it first, and so gives the same
records whatever order the documents were loaded in. `load.py` compares its result with what is stored.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from services.core.domain import identifiers
from services.core.domain.documents import DATA_SETS, DocumentKind, read_symbol
from services.core.store.documents import DocumentRecord, FileEntry
from services.core.store.hearings import HearingRecord
from services.core.store.labels import LabelRecord
from services.core.store.organisations import OrganisationRecord
from services.core.store.pledges import PledgeRecord
from services.core.store.recommendations import LabelEntry, RecommendationRecord
from services.core.store.reviews import ReviewRecord
from services.core.store.statements import StatementRecord
from services.ingest.merge.labels import LabelKey, all_labels, label_records, labels_of_pledges
from services.ingest.merge.organisations import organisation_records
from services.ingest.merge.recommendations import gather, recommendation_records
from services.ingest.merge.sources import SourceReading, split_superseded
from services.ingest.reading import ReadHearing, ReadPledge, ReadStatement


@dataclass(frozen=True)
class MergedReview:
    """All records of one review, by noun, each by id. `labels` are those that its recommendations carry."""

    review: ReviewRecord
    documents: dict[str, DocumentRecord]
    hearings: dict[str, HearingRecord]
    statements: dict[str, StatementRecord]
    recommendations: dict[str, RecommendationRecord]
    pledges: dict[str, PledgeRecord]
    labels: dict[str, LabelRecord]
    organisations: dict[str, OrganisationRecord]


def merge_review(state: str, cycle: int, readings: Iterable[SourceReading], *, sample: bool = False) -> MergedReview:
    """The records that these readings of one review make. `readings` holds at least one."""
    everything = list(readings)
    current, superseded = split_superseded(everything)
    review = _review(state, cycle, current, sample)
    published = {
        source.reading.document.symbol: day
        for source in everything
        if source.reading.document.symbol and (day := _day(source.reading.document.published_on))
    }
    hearings = _hearings(review, current)
    return MergedReview(
        review=review,
        documents=_documents(review, everything, current),
        hearings=hearings,
        statements=_statements(review, current, hearings),
        recommendations=recommendation_records(review, gather(review.id, current, superseded), published),
        pledges=_pledges(review, current),
        labels=label_records(current),
        organisations=organisation_records(review, current),
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
        date=next((day for hearing in held if (day := _day(hearing.date))), None),
        adopted_on=next((day for hearing in held if (day := _day(hearing.adopted_on))), None),
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
    for source in sorted(everything, key=lambda each: (each not in current, each.weight)):
        if source.kind != DocumentKind.COUNCIL_REPORT:  # a document of many reviews (chapter.py)
            by_document[source.document].append(source)
    return {document: _document(review, sources, current) for document, sources in by_document.items()}


def _document(
    review: ReviewRecord, sources: Sequence[SourceReading], current: Sequence[SourceReading]
) -> DocumentRecord:
    said = sources[0].reading.document
    files = [FileEntry(**{**source.file, "current": source in current}) for source in sources]
    return DocumentRecord(
        id=sources[0].document,
        symbol=said.symbol,
        kind=said.kind,
        title=said.title,
        # An export has a day, its share of a review has none of its own: it stays what it is in the next export.
        published_on=None if said.kind in DATA_SETS else _day(said.published_on),
        state_under_review=review.state_under_review,
        review=review.id,
        session=said.session or review.session,
        cycle=review.cycle,
        council_session=read_symbol(said.symbol).council_session if said.symbol else None,
        languages=tuple(sorted({source.language for source in sources})),
        files=files,
        sample=review.sample,
    )


def _hearings(review: ReviewRecord, current: Sequence[SourceReading]) -> dict[str, HearingRecord]:
    told: dict[str, list[tuple[SourceReading, ReadHearing]]] = defaultdict(list)
    for source in current:
        for hearing in source.reading.hearings:
            told[hearing.id].append((source, hearing))
    return {hearing: _hearing(review, sources) for hearing, sources in told.items()}


def _hearing(review: ReviewRecord, told: Sequence[tuple[SourceReading, ReadHearing]]) -> HearingRecord:
    first = told[0][1]
    return HearingRecord(
        id=first.id,
        kind=first.kind,
        title=next((hearing.title for _, hearing in told if hearing.title), None),
        date=next((day for _, hearing in told if (day := _day(hearing.date))), None),
        states=(review.state_under_review,),
        review=review.id,
        session=review.session,
        council_session=next((hearing.council_session for _, hearing in told if hearing.council_session), None),
        announced_speakers=next((h.announced_speakers for _, h in told if h.announced_speakers is not None), None),
        troika=next((hearing.troika for _, hearing in told if hearing.troika), ()),
        documents=tuple(dict.fromkeys(source.document for source, _ in told)),
        sample=review.sample,
    )


def _statements(
    review: ReviewRecord, current: Sequence[SourceReading], hearings: Mapping[str, HearingRecord]
) -> dict[str, StatementRecord]:
    """The statements of each occasion, numbered by speaker and kind in the order in which they were made."""
    spoken: dict[tuple[str, str, str], int] = defaultdict(int)
    records: dict[str, StatementRecord] = {}
    for occasion, told in _occasions(review, current).items():
        for order, (source, statement) in enumerate(told, 1):
            key = (occasion.place, statement.speaker, statement.kind)
            spoken[key] += 1
            counted = (order, spoken[key])
            record = _statement(review, source, statement, occasion=occasion, counted=counted, hearings=hearings)
            records[record.id] = record
    return records


class _Occasion(NamedTuple):
    """Where statements hang (a hearing, or for letters the review), and whether they are advance questions."""

    place: str
    advance: bool


def _occasions(
    review: ReviewRecord, current: Sequence[SourceReading]
) -> dict[_Occasion, list[tuple[SourceReading, ReadStatement]]]:
    """The statements by occasion. Each batch of advance questions adds some; of a meeting the weightiest source tells
    all, for others report the same statements."""
    found: dict[_Occasion, list[tuple[SourceReading, ReadStatement]]] = defaultdict(list)
    for source in sorted(current, key=_by_batch):
        for told in source.reading.statements:
            place = _place(review, told)
            if place is None:
                continue
            held = found[_Occasion(place, told.kind == "question")]
            if not held or held[0][0] is source or told.kind == "question":
                held.append((source, told))
    return found


def _by_batch(source: SourceReading) -> tuple[str, tuple[int, int, str, str]]:
    is_batch = source.kind == DocumentKind.ADVANCE_QUESTIONS
    return (source.reading.document.title or "" if is_batch else "", source.weight)


def _place(review: ReviewRecord, told: ReadStatement) -> str | None:
    if told.kind == "letter":
        return review.id
    if told.hearing or review.session is None:
        return told.hearing
    return identifiers.review_hearing_id(review.session, review.state_under_review)


def _statement(
    review: ReviewRecord,
    source: SourceReading,
    told: ReadStatement,
    *,
    occasion: _Occasion,
    counted: tuple[int, int],
    hearings: Mapping[str, HearingRecord],
) -> StatementRecord:
    """One statement; `counted`: its place on the occasion, and among those of its speaker and kind."""
    public_id = identifiers.statement_id(occasion.place, told.speaker, told.kind, counted[1])
    hangs_on_review = occasion.place == review.id
    hearing = hearings.get(occasion.place)
    before = "0." if occasion.advance else ""  # questions stand before the dialogue
    return StatementRecord(
        id=public_id,
        hearing=None if hangs_on_review else occasion.place,
        review=review.id,
        state_under_review=review.state_under_review,
        cycle=review.cycle,
        session=review.session,
        speaker=told.speaker,
        kind=told.kind,
        sort_key=f"{identifiers.sort_key(occasion.place)}.{before}{counted[0]:06d}.{public_id}",
        on_behalf_of=told.on_behalf_of,
        text=told.text,
        text_language=source.language,
        paragraph=told.paragraph,
        page=told.page,
        document=source.document,
        date=_day(told.date) or (hearing.date if hearing else None if hangs_on_review else review.date),
        sample=review.sample,
    )


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


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
