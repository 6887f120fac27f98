"""One real recommendation is one record, however many sources tell of it (ADR 0004)."""

from services.ingest.merge.chapter import MergedChapter, is_chapter, merge_chapter, place_of, rest_of, shares_of
from services.ingest.merge.review import MergedReview, merge_pledges, merge_review
from services.ingest.merge.sources import SourceReading

__all__ = [
    "MergedChapter",
    "MergedReview",
    "SourceReading",
    "is_chapter",
    "merge_chapter",
    "merge_pledges",
    "merge_review",
    "place_of",
    "rest_of",
    "shares_of",
]
