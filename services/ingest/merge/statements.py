"""The records of statements: what each speaker said on each occasion."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from services.core.domain import identifiers
from services.core.domain.documents import DocumentKind
from services.core.store.hearings import HearingRecord
from services.core.store.reviews import ReviewRecord
from services.core.store.statements import StatementRecord
from services.ingest.merge.documents import day_of
from services.ingest.merge.labels import spoken_labels
from services.ingest.merge.sources import SourceReading
from services.ingest.normalise.organisations import known_organisation
from services.ingest.reading import ReadStatement

STATE = "state"
"""The kind of a speaker who speaks for a State; other kinds are those of organisations."""

Told = tuple[SourceReading, ReadStatement]


class _Occasion(NamedTuple):
    """Where statements hang (a hearing, or for letters the review), and whether they are advance questions."""

    place: str
    advance: bool


def statement_records(
    current: Sequence[SourceReading], review: ReviewRecord | None, hearings: Mapping[str, HearingRecord]
) -> dict[str, StatementRecord]:
    """The statements of each occasion by id, numbered by speaker and kind in the order in which they were made.

    `review`: the review they belong to; None for those of hearings that are of no one review.
    """
    spoken: dict[tuple[str, str, str], int] = defaultdict(int)
    records: dict[str, StatementRecord] = {}
    for occasion, told in _occasions(current, review).items():
        for order, (source, statement) in enumerate(told, 1):
            key = (occasion.place, known_organisation(statement.speaker), statement.kind)
            spoken[key] += 1
            public_id = identifiers.statement_id(*key, spoken[key])
            records[public_id] = _record(public_id, (occasion, order), (source, statement), review, hearings)
    return records


def _occasions(current: Sequence[SourceReading], review: ReviewRecord | None) -> dict[_Occasion, list[Told]]:
    """The statements by occasion. Each batch of advance questions adds some; of a meeting the weightiest source tells
    all, for others report the same statements."""
    found: dict[_Occasion, list[Told]] = defaultdict(list)
    for source in sorted(current, key=_by_batch):
        for told in source.reading.statements:
            place = _place(told, review)
            if place is None:
                continue
            held = found[_Occasion(place, told.kind == "question")]
            if not held or held[0][0] is source or told.kind == "question":
                held.append((source, told))
    return found


def _by_batch(source: SourceReading) -> tuple[str, tuple[int, int, str, str]]:
    is_batch = source.kind == DocumentKind.ADVANCE_QUESTIONS
    return (source.reading.document.title or "" if is_batch else "", source.weight)


def _place(told: ReadStatement, review: ReviewRecord | None) -> str | None:
    if review is not None and told.kind == "letter":
        return review.id
    if told.hearing or review is None or review.session is None:
        return told.hearing
    return identifiers.review_hearing_id(review.session, review.state_under_review)


def _record(
    public_id: str,
    order: tuple[_Occasion, int],
    spoken: Told,
    review: ReviewRecord | None,
    hearings: Mapping[str, HearingRecord],
) -> StatementRecord:
    """One statement; `order` is its place on its occasion."""
    (occasion, place), (source, told) = order, spoken
    hangs_on_review = review is not None and occasion.place == review.id
    held = hearings[occasion.place].date if occasion.place in hearings else None
    before = "0." if occasion.advance else ""  # questions stand before the dialogue
    labels = spoken_labels(told.text, source.language)
    return StatementRecord(
        id=public_id,
        hearing=None if hangs_on_review else occasion.place,
        review=review.id if review else None,
        state_under_review=review.state_under_review if review else None,
        cycle=review.cycle if review else None,
        session=review.session if review else None,
        speaker=known_organisation(told.speaker),
        speaker_name=told.speaker_name,
        speaker_kind=told.speaker_kind or STATE,
        kind=told.kind,
        sort_key=f"{identifiers.sort_key(occasion.place)}.{before}{place:06d}.{public_id}",
        on_behalf_of=told.on_behalf_of,
        text=told.text,
        text_language=source.language,
        original_text=told.original_text,
        paragraph=told.paragraph,
        page=told.page,
        document=source.document,
        labels=labels,
        label_ids=tuple(sorted(entry["label"] for entry in labels)),
        suggested_mid_term_year=told.suggested_mid_term_year,
        date=day_of(told.date) or held or (None if hangs_on_review or review is None else review.date),
        sample=bool(review and review.sample),
    )
