"""Matrices as workbooks."""

import pytest

from services.api.matrix.content import Matrix
from services.api.matrix.workbook import _in_footer
from tests.api.matrix.samples import matrix, recommendation, workbook, workbook_bytes
from tests.api.matrix.test_word_document import HOSTILE

LIFE, MIGRANTS = "ohchr-theme:right-to-life", "ohchr-theme:migrants"


@pytest.fixture
def made() -> Matrix:
    return matrix(
        recommendation("140.10", LIFE, "group:children", "sdg:16", text="Ratify it"),
        recommendation("140.8", MIGRANTS, position="noted"),
    )


def test_its_sheet_is_laid_out_as_the_document(made: Matrix) -> None:
    sheet = workbook(made)["Matrix"]
    told = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert told[0][0] == "UPR of Costamar (cycle 4, session 48): Thematic list of recommendations"
    assert told[1][0] == "OpenUPR, version 4711-9f86d081 of 21 November 2026"
    assert told[2] == ["No.", *made.columns]
    assert told[3] == ["Theme: Right to life", None, None, None, None, None]
    assert told[4][0] == "140.10"
    assert told[4][1].endswith(";\nSource of Position: A/HRC/59/15/Add.1 - Para.3")
    assert told[4][2:] == [
        "Supported", "- Right to life\nGroups of Persons:\n- Children",
        "- 16 - Peace, justice and strong institutions", None,
    ]  # fmt: skip
    assert sheet["A5"].hyperlink.target == "https://upr.example.org/data/recommendations/XCM-4-140.10"
    assert sheet["A5"].data_type == "s"  # a number would lose its last zero


def test_it_prints_on_landscape_pages_with_the_heading_on_each(made: Matrix) -> None:
    sheet = workbook(made)["Matrix"]
    assert (sheet.page_setup.orientation, sheet.page_setup.paperSize) == ("landscape", 9)
    assert sheet.page_setup.fitToHeight == 0
    assert sheet.print_title_rows == "$3:$3"
    assert sheet.freeze_panes == "B4"
    assert sheet.auto_filter.ref == "A3:F7"
    assert "Page &P of &N" in (sheet.oddFooter.right.text or "").replace("&[Page]", "&P")
    assert sheet.row_dimensions[5].outlineLevel == 1


def test_rows_are_as_high_as_their_texts_need() -> None:
    made = matrix(recommendation("1.1", LIFE, text="word " * 100), recommendation("1.2", LIFE, text="word " * 10_000))
    heights = [workbook(made)["Matrix"].row_dimensions[row].height for row in (3, 5, 6)]
    assert heights[0] >= 30
    assert 120 <= heights[1] < heights[2] <= 409  # Excel's highest


def test_the_second_sheet_says_what_it_is(made: Matrix) -> None:
    book = workbook(made)
    told = {row[0]: row[1] for row in book["About"].iter_rows(values_only=True)}
    assert told == {fact.name: fact.value for fact in made.facts}
    assert book.properties.title.startswith("UPR of Costamar")
    assert workbook(matrix(language="fr")).sheetnames == ["Matrice", "À propos"]


def test_the_same_matrix_is_the_same_bytes(made: Matrix) -> None:
    assert workbook_bytes(made) == workbook_bytes(made)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_no_text_breaks_it(text: str) -> None:
    made = matrix(recommendation("140.7", LIFE, text=text), recommendation("140.8", LIFE, text="Ratify it"))
    sheet = workbook(made)["Matrix"]
    assert sheet["B6"].value.startswith("Ratify it")
    assert sheet["B5"].data_type == "s"
    assert len(sheet["B5"].value) <= 32_767


def test_an_ampersand_is_no_command_in_the_footer() -> None:
    assert _in_footer("Antigua & Barbuda") == "Antigua && Barbuda"
