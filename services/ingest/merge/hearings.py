"""The records of meetings, each from all sources that tell of it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from services.core.domain.organisations import organisation_id
from services.core.store.hearings import HearingRecord, Requester, TotalsSaid
from services.core.store.reviews import ReviewRecord
from services.core.store.seed import sample_state_records
from services.ingest.merge.documents import day_of
from services.ingest.merge.sources import SourceReading
from services.ingest.normalise.organisations import known_organisation
from services.ingest.reading import ReadHearing

Told = tuple[SourceReading, ReadHearing]


def hearing_records(sources: Iterable[SourceReading], review: ReviewRecord | None) -> dict[str, HearingRecord]:
    """The hearings that these sources tell of, by id. What the weightiest source does not say, the next one may.

    `review`: the review they belong to; None for those that are of no one review.
    """
    told: dict[str, list[Told]] = defaultdict(list)
    for source in sources:
        for hearing in source.reading.hearings:
            if hearing.id:
                told[hearing.id].append((source, hearing))
    return {hearing: _record(of_it, review) for hearing, of_it in told.items()}


def _record(told: Sequence[Told], review: ReviewRecord | None) -> HearingRecord:
    hearings = [hearing for _, hearing in told]
    requesters = _requesters(hearings)
    states = (review.state_under_review,) if review else _first(hearings, "states") or ()
    return HearingRecord(
        id=hearings[0].id,
        kind=hearings[0].kind,
        title=next((each.title for each in hearings if each.title), None),
        date=next((day for each in hearings if (day := day_of(each.date))), None),
        states=states,
        review=review.id if review else None,
        session=review.session if review else None,
        council_session=next((each.council_session for each in hearings if each.council_session), None),
        meeting=next((each.meeting for each in hearings if each.meeting), None),
        announced_speakers=next(
            (each.announced_speakers for each in hearings if each.announced_speakers is not None), None
        ),
        totals_said=next((totals for each in hearings if (totals := _totals(each))), None),
        troika=next((each.troika for each in hearings if each.troika), ()),
        **{name: _first(hearings, name) for name in _OF_THE_COMMISSION},
        requesting_organisations=requesters,
        organisation_ids=tuple(each["id"] for each in requesters),
        participants=_first(hearings, "participants") or (),
        languages=_first(hearings, "languages") or (),
        titles=_by_language(told, "title") if hearings[0].iachr_period else {},
        summaries=_by_language(told, "summary"),
        documents=tuple(dict.fromkeys(source.document for source, _ in told)),
        sample=bool(review and review.sample) or (not review and _are_samples(states)),
    )


_OF_THE_COMMISSION = (*("iachr_period", "number", "scope", "type", "origin", "modality", "video", "press_release"),)


def _first(hearings: Sequence[ReadHearing], name: str) -> Any:
    """What the weightiest source says that says anything."""
    return next((value for each in hearings if (value := getattr(each, name))), None)


def _by_language(told: Sequence[Told], name: str) -> dict[str, str]:
    texts: dict[str, str] = {}
    for source, hearing in told:
        if text := getattr(hearing, name):
            texts.setdefault(source.language, text)
    return dict(sorted(texts.items()))


def _requesters(hearings: Sequence[ReadHearing]) -> list[Requester]:
    """The organisations that asked for a hearing, by all sources, each once under the name first told."""
    found: dict[str, Requester] = {}
    for hearing in hearings:
        for name in hearing.requesting_organisations:
            key = known_organisation(organisation_id(name))
            found.setdefault(key, Requester(id=key, name=name))
    return list(found.values())


def _are_samples(states: Sequence[str]) -> bool:
    return bool(states) and set(states) <= {record.id for record in sample_state_records()}


def _totals(told: ReadHearing) -> TotalsSaid | None:
    said = (told.recommendations_said, told.supported_said, told.noted_said)
    if said == (None, None, None):
        return None
    return TotalsSaid(recommendations=said[0], supported=said[1], noted=said[2])
