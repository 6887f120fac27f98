"""Matrices printed to PDF, and those written here in every format: real ones must be read as from Word."""

from pathlib import Path

import orjson
import pytest

from services.core.domain.errors import UnreadableDocumentError
from services.ingest.parsers import read_document
from services.ingest.parsers.base import Content
from services.ingest.parsers.ohchr_matrix import OhchrMatrix
from services.ingest.reading import Reading
from tests.ingest.parsers.matrices.write import main as write
from tests.ingest.parsers.matrices.write import matrix_pdf, matrix_xlsx

FOLDER = Path(__file__).parent / "matrices"
GOLDEN = Path(__file__).parent / "golden"
WRITTEN = sorted(path.name for path in FOLDER.iterdir() if path.suffix in {".docx", ".pdf", ".xlsx"})
REAL = {
    "slovenia/cycle4/upr48-slovenia-thematic-list-of-recommendatio.docx": [380, 70, 190, 120],
    "slovenia/cycle2/UPR20__Slovenia_ThematicListRecommendations_E.docx": [380, 70, 190, 120],
    "matrices/EgyptMatriceRecommendations.docx": [370, 110, 80, 200],
}
PRINTED = ({}, {"lines": False}, {"headings": False, "turned": True}, {"lines": False, "headings": False})
NOT_IN_THE_FONT = "\u2011"


@pytest.mark.parametrize("name", WRITTEN)
def test_matrices_written_here_are_read_as_in_their_golden_files(matches_golden, name):
    line = read_document(Content(name, (FOLDER / name).read_bytes())).as_line(name)
    matches_golden(GOLDEN / f"{name}.json", orjson.dumps(line, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def test_the_matrices_are_what_their_script_writes(tmp_path):
    write(tmp_path)
    for name in WRITTEN:
        assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes(), name


def records(reading: Reading) -> list[tuple[object, ...]]:
    return [
        (r.number, r.part, r.text, r.recommending_states, r.position, r.position_detail, r.position_symbol,
         r.position_paragraph)
        for r in reading.recommendations
    ]  # fmt: skip


def labels(reading: Reading) -> set[tuple[object, ...]]:
    return {(label.recommendation, label.part, label.scheme, label.code, label.label) for label in reading.labels}


@pytest.mark.parametrize("printed", PRINTED, ids=lambda printed: "-".join(printed) or "ruled")
@pytest.mark.parametrize("file", REAL)
def test_a_real_matrix_is_read_from_pdf_as_from_word(real_documents, file, printed):
    content = Content(file, (real_documents / file).read_bytes())
    [table] = content.text.tables
    rows = [
        [cell.replace(NOT_IN_THE_FONT, "-").strip().replace("&", "&amp;").replace("\n", "|") for cell in row]
        for row in table.rows
    ]
    heading, *rows = [row[:1] if len(set(row)) == 1 else row for row in rows]
    told = {"head": content.text.running_heads[0], "heading": heading, "rows": rows, "widths": REAL[file], **printed}
    pdf = read_document(Content("printed.pdf", matrix_pdf(told)))
    word = read_document(content)
    assert pdf.document.state_under_review == word.document.state_under_review
    assert records(pdf) == [
        (*record[:2], str(record[2]).replace(NOT_IN_THE_FONT, "-"), *record[3:]) for record in records(word)
    ]
    assert labels(pdf) == labels(word)
    assert [issue.code for issue in pdf.issues] == [issue.code for issue in word.issues]


def test_no_bid_for_a_workbook_that_does_not_say_it_is_a_matrix():
    told = {
        "head": "Our list",
        "heading": ["Recommendation", "Position", "Theme"],
        "rows": [["1.1 Do it", "Noted", ""]],
    }
    assert OhchrMatrix().bid(Content("tracker.xlsx", matrix_xlsx(told))) == 0
    assert OhchrMatrix().bid(Content("m.xlsx", matrix_xlsx({**told, "head": "Matrix of recommendations"}))) > 0.9


def test_pages_without_a_table_are_no_matrix():
    told = {
        "head": "Recommendations and the Position of the State on human rights", "heading": ["Chapter", "Words"],
        "rows": [["1.1 One", "two"]], "widths": [300, 300],
    }  # fmt: skip
    content = Content("other.pdf", matrix_pdf(told))
    assert OhchrMatrix().bid(content) == 0
    with pytest.raises(UnreadableDocumentError):
        OhchrMatrix().read(content)
