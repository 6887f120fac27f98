"""The record of a document, from all files of it that are held."""

from collections.abc import Iterable, Sequence
from datetime import date

from services.core.domain.documents import DATA_SETS, read_symbol
from services.core.store.documents import DocumentRecord, FileEntry
from services.core.store.reviews import ReviewRecord
from services.core.store.seed import sample_state_records
from services.ingest.merge.sources import SourceReading
from services.ingest.reading import Reading


def document_record(
    sources: Sequence[SourceReading], current: Sequence[SourceReading], review: ReviewRecord | None
) -> DocumentRecord:
    """The document whose files `sources` are, those that hold (`current`) first and each the weightiest first.

    `review`: the review it belongs to; None where it tells of many.
    """
    ordered = sorted(sources, key=lambda each: (each not in current, each.weight))
    said = ordered[0].reading.document
    return DocumentRecord(
        id=ordered[0].document,
        symbol=said.symbol,
        kind=said.kind,
        title=said.title,
        # An export has a day, its share of a review has none of its own: it stays what it is in the next export.
        published_on=None if said.kind in DATA_SETS else day_of(said.published_on),
        state_under_review=review.state_under_review if review else None,
        review=review.id if review else None,
        session=said.session or (review.session if review else None),
        cycle=review.cycle if review else said.cycle,
        council_session=read_symbol(said.symbol).council_session if said.symbol else None,
        author=said.author,
        author_kind=said.author_kind,
        address=said.address,
        languages=tuple(sorted({source.language for source in ordered})),
        files=[FileEntry(**{**source.file, "current": source in current}) for source in ordered],
        cites=tuple(
            sorted({symbol for source in ordered if source in current for symbol in source.reading.document.cites})
        ),
        sample=bool(review and review.sample) or tells_of_samples_alone(source.reading for source in current),
    )


def tells_of_samples_alone(readings: Iterable[Reading]) -> bool:
    """Whether all States that documents of no review tell of are invented ones."""
    told = {
        state
        for reading in readings
        for several in ((fact.state for fact in reading.facts), *(hearing.states for hearing in reading.hearings))
        for state in several
    }
    return bool(told) and told <= {record.id for record in sample_state_records()}


def day_of(text: str | None) -> date | None:
    """A date as readings tell it, in ISO 8601."""
    return date.fromisoformat(text) if text else None
