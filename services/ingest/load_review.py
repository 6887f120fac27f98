"""The records of one review, as its readings make them, and what of them is written."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from services.core.domain.documents import DATA_SETS
from services.core.store.changes import ChangeDraft
from services.core.store.labels import LABELS
from services.core.store.records import Stored
from services.core.store.reviews import REVIEWS
from services.core.store.tables import AGGREGATES
from services.ingest.load_paragraphs import write_paragraphs
from services.ingest.load_records import Write, ensure_sample_states, reference_with, sample_states, write_records
from services.ingest.load_shared import label_ids_of, labels_to_write, organisations_to_write
from services.ingest.load_sources import whose_review
from services.ingest.merge import MergedReview, SourceReading, merge_pledges, merge_review

PARTS_OF_A_REVIEW = ("documents", "hearings", "statements", "recommendations", "pledges", "organisations")


_PARTS_WITH_PLEDGES = ("documents", "pledges")


def merged_with(
    connection: Connection, new: Sequence[SourceReading], others: Sequence[SourceReading]
) -> tuple[MergedReview, tuple[str, ...]]:
    """The records of a review with new sources, and the nouns that they can have changed.

    A database's list of pledges touches pledges alone, if it tells nothing new of the review itself.
    """
    state, cycle = whose_review(new[0].reading)
    sample, readings = state in sample_states(), [*others, *new]
    if all(each.reading.pledges and each.kind in DATA_SETS and not each.reading.recommendations for each in new):
        merged = merge_pledges(state, cycle, readings, sample=sample)
        held = REVIEWS.one(connection, merged.review.id)
        if held is not None and replace(held, documents=()) == replace(merged.review, documents=()):
            return merged, _PARTS_WITH_PLEDGES
    return merge_review(state, cycle, readings, sample=sample), PARTS_OF_A_REVIEW


def write_review(write: Write, merged: MergedReview, nouns: tuple[str, ...]) -> list[ChangeDraft]:
    """Write what differs between the records of a review and those that are stored, of these nouns."""
    connection, review = write.connection, merged.review
    if review.sample:
        ensure_sample_states(connection)
    labels = labels_to_write(connection, merged.labels)
    carried = label_ids_of(merged.recommendations, merged.pledges, merged.statements)
    reference = reference_with(write, {**LABELS.read(connection, list(carried)), **labels})
    held_labels = LABELS.read(connection, list(labels))
    drafts = write_records(write, "labels", held_labels, labels, reference)
    held_review = REVIEWS.read(connection, [review.id])
    drafts += write_records(write, "reviews", held_review, {review.id: review}, reference)
    for noun in nouns:
        before: Mapping[str, Stored]
        after: Mapping[str, Stored]
        if noun == "organisations":
            before, after = organisations_to_write(connection, merged.organisations, review=review.id)
        else:
            before, after = _held_of(connection, noun, review.id), getattr(merged, noun)
        drafts += write_records(write, noun, before, after, reference)
    return drafts


def _held_of(connection: Connection, noun: str, review: str) -> Mapping[str, Stored]:
    aggregate = AGGREGATES[noun]
    records = aggregate.where(connection, aggregate.table.c.review == review)
    return {record.id: record for record in records}  # type: ignore[attr-defined]  # each of these nouns has an id


def remove_review(write: Write, review: str) -> list[ChangeDraft]:
    """Delete a review that nothing tells of any longer, and all its records."""
    connection = write.connection
    held = {noun: _held_of(connection, noun, review) for noun in PARTS_OF_A_REVIEW if noun != "organisations"}
    labels = {
        label for records in held.values() for each in records.values() for label in getattr(each, "label_ids", ())
    }
    reference = reference_with(write, LABELS.read(connection, list(labels)))
    before, after = organisations_to_write(connection, {}, review=review)
    drafts = write_records(write, "organisations", before, after, reference)
    for noun, records in held.items():
        drafts += write_records(write, noun, records, {}, reference)
    drafts += write_records(write, "reviews", REVIEWS.read(connection, [review]), {}, reference)
    write_paragraphs(connection, review, [])  # those of other reviews may have cited what is gone now
    return drafts
