"""Our own reader of matrices understands those that we write: nothing is lost on paper."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.api.matrix.content import Matrix, Origin, matrix_of
from services.core.store.labels import LabelRecord
from services.core.store.recommendations import RecommendationRecord
from services.ingest.merge.labels import label_id
from services.ingest.merge.review import MergedReview, merge_review
from services.ingest.parsers import read_document
from services.ingest.parsers.base import Content
from services.ingest.reading import Reading
from tests.api.matrix.samples import REVIEW, matrix, names, recommendation, word_bytes, workbook_bytes
from tests.readings import source

ROOT = Path(__file__).parents[3]
REAL = {
    "slovenia-4": ("SVN", 4, [
        "slovenia/cycle4/g2502644.pdf", "slovenia/cycle4/g2505828.pdf",
        "slovenia/cycle4/upr48-slovenia-thematic-list-of-recommendatio.docx",
    ]),
    "egypt-2": ("EGY", 2, ["matrices/EgyptMatriceRecommendations.docx"]),
}  # fmt: skip
SHOWN = ("ohchr-theme:", "group:", "sdg:")
WRITERS = {"docx": word_bytes, "xlsx": workbook_bytes}


def told(record: RecommendationRecord) -> tuple[object, ...]:
    labels = {label for label in record.label_ids if label.startswith(SHOWN)}
    return (record.text, record.recommending_states, record.position, record.position_detail, labels)


def read(reading: Reading) -> dict[tuple[str | None, str | None], tuple[object, ...]]:
    labels: dict[tuple[str | None, str | None], set[str]] = {}
    for label in reading.labels:
        labels.setdefault((label.recommendation, label.part), set()).add(label_id(label))
    return {
        (each.number, each.part): (
            each.text, each.recommending_states, each.position, each.position_detail,
            labels.get((each.number, each.part), set()),
        )
        for each in reading.recommendations
    }  # fmt: skip


def merged_matrix(merged: MergedReview, language: str) -> Matrix:
    extra: dict[str, LabelRecord] = dict(merged.labels)
    origin = Origin(
        "1-a", datetime(2026, 11, 21, tzinfo=UTC), "https://x.example/m", "https://x.example/l", "https://x.example"
    )
    records, documents = list(merged.recommendations.values()), list(merged.documents.values())
    return matrix_of(merged.review, records, documents, names(language, extra), origin)


@pytest.mark.parametrize("language", ["en", "es", "fr"])
@pytest.mark.parametrize("form", WRITERS)
def test_samples_come_back(form: str, language: str) -> None:
    content = (ROOT / "samples/documents/costamar-matrix.docx").read_bytes()
    merged = merge_review("XCM", 4, [source(read_document(Content("matrix.docx", content)), "matrix.docx")])
    reading = read_document(Content(f"ours.{form}", WRITERS[form](merged_matrix(merged, language))))
    assert read(reading) == {(each.number, each.part): told(each) for each in merged.recommendations.values()}
    assert (reading.parser, reading.document.language) == ("ohchr_matrix", language)
    assert (reading.document.state_under_review, reading.document.session, reading.document.cycle) == ("XCM", 48, 4)


@pytest.fixture(params=REAL)
def real(request: pytest.FixtureRequest) -> MergedReview:
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"the real documents are not at {folder}")
    state, cycle, files = REAL[request.param]
    return merge_review(
        state, cycle, [source(read_document(Content(name, (folder / name).read_bytes())), name) for name in files]
    )


def test_real_reviews_come_back(real: MergedReview) -> None:
    expected = {(each.number, each.part): told(each) for each in real.recommendations.values()}
    assert len(expected) > 250
    for language in ("en", "es", "fr"):
        reading = read_document(Content("ours.docx", word_bytes(merged_matrix(real, language))))
        assert read(reading) == expected, language
        sources = {each.number: (each.position_symbol, each.position_paragraph) for each in reading.recommendations}
        assert sum(symbol is not None for symbol, _ in sources.values()) >= 0.99 * len(sources)


def test_what_has_no_label_comes_back_without_one() -> None:
    records = [recommendation("140.1", "ohchr-theme:migrants", "group:children"), recommendation("140.2"),
               recommendation("140.3", part="a"), recommendation("140.3", part="b", text="Stop it")]  # fmt: skip
    reading = read_document(Content("ours.docx", word_bytes(matrix(*records))))
    assert read(reading) == {(each.number, each.part): told(each) for each in records}
    assert not reading.issues
    assert reading.document.state_under_review == REVIEW.state_under_review


@pytest.mark.parametrize("language", ["en", "es", "fr"])
@pytest.mark.parametrize(
    ("position", "detail"),
    [("supported", None), ("supported", "implemented"), ("supported", "in_process"), ("noted", None),
     ("noted", "partial"), ("noted", "not_supported"), ("pending", None)],
)  # fmt: skip
def test_positions_come_back(language: str, position: str, detail: str | None) -> None:
    made = matrix(recommendation("140.1", position=position, detail=detail), language=language)
    [each] = read_document(Content("ours.docx", word_bytes(made))).recommendations
    assert (each.position, each.position_detail) == (position, detail)
    assert (each.position_symbol, each.position_paragraph) == ("A/HRC/59/15/Add.1", "3")


def test_issues_of_upr_info_are_not_read_as_themes_of_ohchr() -> None:
    made = matrix(recommendation("140.1", "upr-info-issue:justice", "sdg:16", by="upr-info"))
    reading = read_document(Content("ours.docx", word_bytes(made)))
    assert [label.scheme for label in reading.labels] == ["sdg"]
