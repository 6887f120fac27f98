"""What is held of reviews: documents read and not read, and how far recommendations are labelled."""

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files

from pydantic import Field
from sqlalchemy import Connection, column, func, select, true

from services.core.query.filters import FILTERS
from services.core.schemas.models import Public
from services.core.schemas.shapes import Shape
from services.core.store.documents import DocumentRecord
from services.core.store.filtering import as_array
from services.core.store.metadata import plain_text
from services.core.store.recommendations import recommendations_table
from services.core.store.reviews import ReviewRecord

SCHEMES = tuple(dict.fromkeys(known.scheme for known in FILTERS.values() if known.scheme))
"""The vocabularies of which it is told how many recommendations they label."""


class DocumentsHeld(Public):
    """Documents of reviews by kind."""

    read: dict[str, list[str]] = Field(
        description="Ids of the documents that were read, by kind; data sets among them.",
        examples=[{"working_group_report": ["A-HRC-22-15"]}],
    )
    missing: list[str] = Field(
        description="Kinds that a review of this cycle usually has and of which none was read: it may not be there.",
        examples=[["advance_questions", "matrix"]],
    )


class LabelShare(Public):
    """How many recommendations carry a label of a vocabulary."""

    labelled: int
    unlabelled: int
    share: float | None = Field(description="0 to 1; null where no recommendation is held.", examples=[0.97])


class ReviewCoverage(Public):
    """What is held of a review. An unread review is never a zero."""

    documents: DocumentsHeld
    recommendations: int = Field(description="How many are held.")
    labels: dict[str, LabelShare] = Field(description="By vocabulary (the `scheme` of labels).")


def documents_held(review: ReviewRecord, documents: Iterable[DocumentRecord]) -> Shape:
    """The members of `DocumentsHeld` for one review."""
    read: dict[str, list[str]] = defaultdict(list)
    for document in documents:
        read[document.kind].append(document.id)
    missing = [kind for kind, since in usual_documents().items() if kind not in read and review.cycle >= since]
    return {"read": dict(sorted(read.items())), "missing": missing}


@cache
def usual_documents() -> Mapping[str, int]:
    """The kinds of documents that every review has, and the cycle since when (`usual_documents.csv`, with sources).

    Mid-term reports are voluntary, and never missing.
    """
    table = (files("services.api.details") / "usual_documents.csv").read_text(encoding="utf-8")
    return {row["kind"]: int(row["from_cycle"]) for row in csv.DictReader(io.StringIO(table, newline=""))}


def labelled_by_review(connection: Connection, reviews: Sequence[str]) -> dict[str, dict[str, int]]:
    """How many recommendations of each review carry a label of each vocabulary. One query."""
    columns = recommendations_table.c
    label = func.unnest(columns.label_ids).table_valued(column("id", plain_text())).render_derived()
    scheme = func.split_part(label.c.id, ":", 1)
    query = (
        select(columns.review, scheme, func.count(columns.id.distinct()))
        .select_from(recommendations_table.join(label, true()))
        .where(columns.review == func.any(as_array(list(reviews))))
        .group_by(columns.review, scheme)
    )
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for review, name, count in connection.execute(query):
        found[review][name] = count
    return found


def label_shares(labelled: Mapping[str, int], total: int) -> Shape:
    """Of each vocabulary, how many of `total` recommendations it labels."""
    return {
        scheme: {
            "labelled": labelled.get(scheme, 0),
            "unlabelled": total - labelled.get(scheme, 0),
            "share": round(labelled.get(scheme, 0) / total, 4) if total else None,
        }
        for scheme in SCHEMES
    }
