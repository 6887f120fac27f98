"""Totals that documents say, held against the records that all sources make together.

A parser can only count what its own document prints. Whether the addendum's "217 supported", or what the President of
the Council said, is what the records say shows when report, addendum and matrix have met.
"""

from collections.abc import Iterable, Iterator, Sequence

from services.core.domain.documents import DATA_SETS, DocumentKind
from services.core.domain.positions import Position, PositionDetail
from services.core.store.recommendations import RecommendationRecord
from services.core.store.reviews import ReviewRecord
from services.ingest.merge.sources import SourceReading
from services.ingest.reading import ReadIssue, ReadTotals

_TELL_ALL = frozenset({DocumentKind.WORKING_GROUP_REPORT, DocumentKind.MATRIX})
_TELL_ANSWERS = frozenset({DocumentKind.ADDENDUM, DocumentKind.MATRIX})


def total_issues(
    review: ReviewRecord, current: Sequence[SourceReading], recommendations: Iterable[RecommendationRecord]
) -> tuple[ReadIssue, ...]:
    """An Issue, `totals_differ`, for each source whose totals are not those of the records; it names both.

    Nothing is compared before a source is held that tells all recommendations, nor are answers before they can be
    known: while the report leaves some open, from an addendum or a matrix.
    """
    kinds = {source.kind for source in current}
    printed = [each for each in recommendations if any(source["kind"] not in DATA_SETS for source in each.sources)]
    if not printed or kinds.isdisjoint(_TELL_ALL):
        return ()
    answered = not kinds.isdisjoint(_TELL_ANSWERS) or all(each.position != Position.PENDING for each in printed)
    return tuple(
        ReadIssue("warning", "totals_differ", f"{review.id}: {who} {_words(said)}; the records say {_held(printed)}")
        for document, who, said in _said(current)
        if not _agree(said, printed, answered=answered)
        and not _agree(said, _answered_in(document, printed), answered=answered)
    )


def concerns_totals(source: SourceReading) -> bool:
    """Whether a source can make totals differ or agree; of other sources the findings are old news."""
    said = source.reading
    return source.kind not in DATA_SETS and bool(said.recommendations or said.positions or [*_said([source])])


def _answered_in(document: str, printed: Iterable[RecommendationRecord]) -> list[RecommendationRecord]:
    """Those that a document answers: an addendum may count only what the report left open."""
    return [each for each in printed if any(entry["document"] == document for entry in each.positions)]


def _said(current: Iterable[SourceReading]) -> Iterator[tuple[str, str, ReadTotals]]:
    """The totals of each source, after its document's id and the words that name it."""
    for source in current:
        name = source.reading.document.symbol or source.document
        if source.reading.totals is not None:
            yield source.document, f"{name} says", source.reading.totals
        for hearing in source.reading.hearings:
            said = ReadTotals(hearing.recommendations_said, hearing.supported_said, hearing.noted_said)
            if said != ReadTotals():
                yield source.document, f"the President said ({name})", said


def _agree(said: ReadTotals, printed: Sequence[RecommendationRecord], *, answered: bool) -> bool:
    if said.recommendations is not None and said.recommendations not in _counts(printed):
        return False
    if not answered:
        return True
    of = {position: [each for each in printed if each.position == position] for position in Position}
    in_part = [each for each in of[Position.NOTED] if each.position_detail == PositionDetail.PARTIAL]
    others = [each for each in of[Position.NOTED] if each not in in_part]
    supported = {*_counts(of[Position.SUPPORTED]), *_counts([*of[Position.SUPPORTED], *in_part])}
    noted = {*_counts(of[Position.NOTED]), *_counts(others)}  # an answer in part is counted here or there
    return said.supported in (None, *supported) and said.noted in (None, *noted)


def _counts(records: Sequence[RecommendationRecord]) -> set[int]:
    """How many they are, as records and as printed numbers: a number may hold several, and people count both ways."""
    return {len(records), len({each.number or each.id for each in records})}


def _words(said: ReadTotals) -> str:
    named = ((said.recommendations, "recommendations"), (said.supported, "supported"), (said.noted, "noted"))
    return ", ".join(f"{count} {what}" for count, what in named if count is not None)


def _held(printed: Sequence[RecommendationRecord]) -> str:
    counts = [(sum(each.position == position for each in printed), position) for position in Position]
    return ", ".join([f"{len(printed)} recommendations", *(f"{count} {what}" for count, what in counts)])
