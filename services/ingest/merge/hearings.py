"""The records of meetings, each from all sources that tell of it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from services.core.store.hearings import HearingRecord, TotalsSaid
from services.core.store.reviews import ReviewRecord
from services.ingest.merge.documents import day_of
from services.ingest.merge.sources import SourceReading
from services.ingest.reading import ReadHearing

Told = tuple[SourceReading, ReadHearing]


def hearing_records(sources: Iterable[SourceReading], review: ReviewRecord | None) -> dict[str, HearingRecord]:
    """The hearings that these sources tell of, by id. What the weightiest source does not say, the next one may.

    `review`: the review they belong to; None for those that are of no one review.
    """
    told: dict[str, list[Told]] = defaultdict(list)
    for source in sources:
        for hearing in source.reading.hearings:
            told[hearing.id].append((source, hearing))
    return {hearing: _record(of_it, review) for hearing, of_it in told.items()}


def _record(told: Sequence[Told], review: ReviewRecord | None) -> HearingRecord:
    hearings = [hearing for _, hearing in told]
    return HearingRecord(
        id=hearings[0].id,
        kind=hearings[0].kind,
        title=next((each.title for each in hearings if each.title), None),
        date=next((day for each in hearings if (day := day_of(each.date))), None),
        states=(review.state_under_review,) if review else hearings[0].states,
        review=review.id if review else None,
        session=review.session if review else None,
        council_session=next((each.council_session for each in hearings if each.council_session), None),
        meeting=next((each.meeting for each in hearings if each.meeting), None),
        announced_speakers=next(
            (each.announced_speakers for each in hearings if each.announced_speakers is not None), None
        ),
        totals_said=next((totals for each in hearings if (totals := _totals(each))), None),
        troika=next((each.troika for each in hearings if each.troika), ()),
        documents=tuple(dict.fromkeys(source.document for source, _ in told)),
        sample=bool(review and review.sample),
    )


def _totals(told: ReadHearing) -> TotalsSaid | None:
    said = (told.recommendations_said, told.supported_said, told.noted_said)
    if said == (None, None, None):
        return None
    return TotalsSaid(recommendations=said[0], supported=said[1], noted=said[2])
