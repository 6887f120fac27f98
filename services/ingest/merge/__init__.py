"""One real recommendation is one record, however many sources tell of it (ADR 0004)."""

from services.ingest.merge.review import MergedReview, merge_review
from services.ingest.merge.sources import SourceReading

__all__ = ["MergedReview", "SourceReading", "merge_review"]
