"""The record of a document, from all files of it that are held."""

from collections.abc import Sequence
from datetime import date

from services.core.domain.documents import DATA_SETS, read_symbol
from services.core.store.documents import DocumentRecord, FileEntry
from services.core.store.reviews import ReviewRecord
from services.ingest.merge.sources import SourceReading


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
        languages=tuple(sorted({source.language for source in ordered})),
        files=[FileEntry(**{**source.file, "current": source in current}) for source in ordered],
        cites=tuple(
            sorted({symbol for source in ordered if source in current for symbol in source.reading.document.cites})
        ),
        sample=bool(review and review.sample),
    )


def day_of(text: str | None) -> date | None:
    """A date as readings tell it, in ISO 8601."""
    return date.fromisoformat(text) if text else None
