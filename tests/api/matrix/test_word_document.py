"""Matrices as Word documents, as Word and its readers see them."""

import io
import zipfile
from pathlib import Path
from typing import Any

import docx
import pytest
from docx.enum.section import WD_ORIENT
from docx.oxml.ns import qn

from services.api.matrix.content import Matrix
from tests.api.matrix.samples import ORIGIN, matrix, recommendation, word_bytes, word_document

LIFE, MIGRANTS = "ohchr-theme:right-to-life", "ohchr-theme:migrants"


@pytest.fixture
def made() -> Matrix:
    return matrix(
        recommendation("140.7", LIFE, "group:children", "sdg:16", text="Ratify it"),
        recommendation("140.8", MIGRANTS, position="noted", translations={"es": "Hacerlo"}),
    )


def rows(made: Matrix) -> list[list[str]]:
    return [[cell.text for cell in row.cells] for row in word_document(made).tables[0].rows]


def test_its_table_is_laid_out_as_ohchr_lays_it_out(made: Matrix) -> None:
    [table] = word_document(made).tables
    told = rows(made)
    assert told[0] == [
        "Recommendation and recommending State", "Position of the State under review",
        "Human rights themes and groups of persons", "Relevant SDGs", "Level of implementation",
    ]  # fmt: skip
    assert told[1] == ["Theme: Right to life"] * 5
    assert table.rows[1]._tr.tc_lst[0].grid_span == 5
    assert told[2][0].startswith("140.7 Ratify it (Peru) (")
    assert told[2][0].endswith(";\nSource of Position: A/HRC/59/15/Add.1 - Para.3")
    assert told[2][1:] == [
        "Supported", "- Right to life\nGroups of Persons:\n- Children",
        "- 16 - Peace, justice and strong institutions", "",
    ]  # fmt: skip


def test_the_number_leads_to_the_record(made: Matrix) -> None:
    document = word_document(made)
    [link, *_] = document.tables[0].rows[2].cells[0].paragraphs[0].hyperlinks
    assert (link.text, link.address) == ("140.7", "https://upr.example.org/data/recommendations/XCM-4-140.7")
    linked = {link.address for paragraph in document.paragraphs for link in paragraph.hyperlinks}
    assert linked == {ORIGIN.address, ORIGIN.records}


def test_pages_are_landscape_numbered_and_begin_with_the_heading(made: Matrix) -> None:
    document = word_document(made)
    section = document.sections[0]
    assert section.orientation is WD_ORIENT.LANDSCAPE
    assert (round(section.page_width.cm, 1), round(section.page_height.cm, 1)) == (29.7, 21.0)
    fields = [field.get(qn("w:instr")) for field in section.footer._element.iter(qn("w:fldSimple"))]
    assert fields == ["PAGE", "NUMPAGES"]
    assert "4711-9f86d081" in section.footer.paragraphs[0].text
    assert section.header.paragraphs[0].text.startswith("UPR of Costamar (cycle 4, session 48)")
    headers = [row._tr.find(f"{qn('w:trPr')}/{qn('w:tblHeader')}") for row in document.tables[0].rows]
    assert [header is not None for header in headers] == [True, False, False, False, False]


def test_readers_of_screens_are_told_language_title_and_headings(made: Matrix) -> None:
    french = matrix(recommendation("140.8", MIGRANTS, text="Stop it"), language="fr")
    document = word_document(french)
    assert (document.core_properties.language, document.core_properties.author) == ("fr-FR", "OpenUPR")
    assert document.core_properties.title == (
        "EPU : Costamar (cycle 4, session 48): Liste thématique des recommandations"
    )
    defaults = [tag.get(qn("w:val")) for tag in document.styles.element.iter(qn("w:lang"))]
    assert defaults
    assert set(defaults) == {"fr-FR"}
    spoken = [tag.get(qn("w:val")) for tag in document.tables[0]._tbl.iter(qn("w:lang"))]
    assert spoken == ["en-GB"]  # the text that is not held in French
    assert document.paragraphs[0].style.name == "Heading 1"
    assert document.tables[0].rows[1].cells[0].paragraphs[0].style.name == "Heading 2"
    caption = document.tables[0]._tbl.tblPr.find(qn("w:tblCaption"))
    assert caption.get(qn("w:val")) == "Liste thématique des recommandations"


def test_the_head_stands_above_the_table(made: Matrix) -> None:
    told = [paragraph.text for paragraph in word_document(made).paragraphs]
    assert told[:2] == ["UPR of Costamar (cycle 4, session 48)", "Thematic list of recommendations"]
    assert told[2 : 2 + len(made.facts)] == [f"{fact.name}\t{fact.value}" for fact in made.facts]


def test_the_same_matrix_is_the_same_bytes(made: Matrix) -> None:
    assert word_bytes(made) == word_bytes(made)
    with zipfile.ZipFile(io.BytesIO(word_bytes(made))) as archive:
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


HOSTILE = [
    "=HYPERLINK(\"https://x\")", "a\x00b\x01\x0b\x1fc", "</w:t><w:p>&amp;<![CDATA[", "\ud800 lone", "\u202eback\u202c",
    "حقوق الإنسان (مصر)", "x" * 500_000, "line\nline\r\nline\ttab", "", " ", "1.1 2.2", "\ufffe\uffff",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_no_text_breaks_it(text: str) -> None:
    made = matrix(recommendation("140.7", LIFE, text=text), recommendation("140.8", LIFE, text="Ratify it"))
    told = rows(made)
    assert len(told) == 4
    assert told[3][0].startswith("140.8 Ratify it")
    assert len(told[2][0]) >= min(len(text.strip()), 1)


def test_a_review_without_recommendations_is_a_table_without_rows() -> None:
    assert len(rows(matrix())) == 1


def test_parts_of_the_table_stand_in_the_order_of_the_format(made: Matrix) -> None:
    """Word refuses a file whose properties stand in another order."""
    order = ["tblW", "tblBorders", "tblLayout", "tblCellMar", "tblLook", "tblCaption", "tblDescription"]
    table: Any = word_document(made).tables[0]._tbl
    assert [child.tag for child in table.tblPr] == [qn(f"w:{name}") for name in order]
    for cell in table.iter(qn("w:tc")):
        assert [child.tag for child in cell][-1] == qn("w:p")  # a cell must end in a paragraph
    body = docx.Document(io.BytesIO(word_bytes(made))).element.body
    assert [child.tag for child in body][-3:] == [qn("w:tbl"), qn("w:p"), qn("w:sectPr")]


def test_a_long_review_is_written(tmp_path: Path) -> None:
    many = matrix(*(recommendation(f"140.{number}", LIFE, "sdg:16", text="Do it " * 40) for number in range(1, 401)))
    (tmp_path / "long.docx").write_bytes(word_bytes(many))
    assert len(docx.Document(str(tmp_path / "long.docx")).tables[0].rows) == 402
