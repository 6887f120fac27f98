"""Reviews to make matrices of, in memory."""

import datetime
import io
from collections.abc import Mapping, Sequence
from typing import Any

import docx
import openpyxl

from services.api.matrix.content import Matrix, Origin, matrix_of
from services.api.matrix.word_document import write_word_document
from services.api.matrix.workbook import write_workbook
from services.core.domain import identifiers
from services.core.schemas.names import Names
from services.core.store.documents import DocumentRecord
from services.core.store.labels import LabelRecord
from services.core.store.recommendations import LabelEntry, PositionEntry, RecommendationRecord
from services.core.store.reference import reference_of
from services.core.store.reviews import ReviewRecord
from services.core.store.seed import sample_state_records, state_records
from services.core.store.vocabularies import vocabulary

REVIEW = ReviewRecord(
    id="XCM-4", state_under_review="XCM", cycle=4, session=48, date=datetime.date(2025, 1, 28), sample=True
)
ORIGIN = Origin(
    "4711-9f86d081",
    datetime.datetime(2026, 11, 21, 9, 30, 15, 123456, tzinfo=datetime.UTC),
    "https://upr.example.org/data/v1/reviews/XCM-4/matrix.docx?lang=en",
    "https://upr.example.org/data/v1/recommendations?review=XCM-4&lang=en",
    "https://upr.example.org/data",
)
STATES = {record.id: record for record in (*state_records(), *sample_state_records())}
LABELS = {
    entry.id: LabelRecord(id=entry.id, scheme=entry.scheme, code=entry.code, names=dict(entry.names))
    for entry in vocabulary().values()
}


def names(language: str = "en", extra: Mapping[str, LabelRecord] | None = None) -> Names:
    return Names(reference_of(STATES, {}, {**LABELS, **(extra or {})}), language)


def answer(position: str, detail: str | None = None, **members: Any) -> PositionEntry:
    entry = PositionEntry(
        position=position, detail=detail, phrase=None, effective_on=None, symbol="A/HRC/59/15/Add.1", paragraph="3",
        document="A-HRC-59-15-Add.1", source_kind="addendum",
    )  # fmt: skip
    return entry | members  # type: ignore[return-value]


def recommendation(number: str | None, *labels: str, by: str = "ohchr-matrix", **members: Any) -> RecommendationRecord:
    part = members.get("part")
    text = members.get("text", f"Ratify the Convention of {number}")
    record_id = (
        identifiers.recommendation_id("XCM-4", number, part)
        if number
        else identifiers.unnumbered_recommendation_id("XCM-4", text)
    )
    held = [LabelEntry(label=label, assigned_by=by) for label in labels]
    position, detail = members.pop("position", "supported"), members.pop("detail", None)
    values: dict[str, Any] = {
        "id": record_id, "review": "XCM-4", "state_under_review": "XCM", "cycle": 4, "session": 48, "number": number,
        "part": None, "sort_key": identifiers.sort_key(record_id), "text": text, "text_language": "en",
        "translations": {}, "recommending_states": ("PER", "BOL"), "position": position, "position_detail": detail,
        "positions": [answer(position, detail)], "labels": held, "label_ids": tuple(sorted(labels)), "sources": [],
        "documents": (), "date": None,
    }  # fmt: skip
    return RecommendationRecord(**{**values, **members})


def matrix(
    *records: RecommendationRecord,
    language: str = "en",
    documents: Sequence[DocumentRecord] = (),
    review: ReviewRecord = REVIEW,
    extra: Mapping[str, LabelRecord] | None = None,
) -> Matrix:
    return matrix_of(review, records, documents, names(language, extra), ORIGIN)


def word_bytes(made: Matrix) -> bytes:
    file = io.BytesIO()
    write_word_document(file, made)
    return file.getvalue()


def workbook_bytes(made: Matrix) -> bytes:
    file = io.BytesIO()
    write_workbook(file, made)
    return file.getvalue()


def word_document(made: Matrix) -> Any:
    return docx.Document(io.BytesIO(word_bytes(made)))


def workbook(made: Matrix) -> Any:
    return openpyxl.load_workbook(io.BytesIO(workbook_bytes(made)))
