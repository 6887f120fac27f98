"""National reports and compilations, read as text."""

import pytest

from services.core.domain.errors import UnreadableDocumentError
from services.ingest.parsers import read_document
from services.ingest.parsers.base import Content
from services.ingest.parsers.plain_document import PlainDocument, read_paragraphs
from services.ingest.parsers.text.blocks import Block, DocumentText
from services.ingest.parsers.title_page import read_title_page

REAL = {
    "slovenia/cycle2/g1413493.pdf": ("national_report", "A/HRC/WG.6/20/SVN/1", 106),
    "slovenia/cycle2/g1414064.pdf": ("compilation", "A/HRC/WG.6/20/SVN/2", 53),
    "slovenia/cycle4/g2419943.pdf": ("compilation", "A/HRC/WG.6/48/SVN/2", 82),
    "slovenia/cycle4/g2420070.pdf": ("national_report", "A/HRC/WG.6/48/SVN/1", 151),
}


@pytest.mark.parametrize("name", REAL)
def test_real_ones(real_documents, name):
    reading = read_document(Content(name, (real_documents / name).read_bytes()))
    kind, symbol, paragraphs = REAL[name]
    assert (reading.parser, reading.document.kind, reading.document.symbol) == ("plain_document", kind, symbol)
    assert reading.document.state_under_review == "SVN"
    assert [each.number for each in reading.paragraphs] == [str(n) for n in range(1, paragraphs + 1)]
    assert not any("A/HRC/WG.6/" in each.text[-40:] and each.text.endswith("SVN") for each in reading.paragraphs)
    assert reading.issues == ()


def test_recommendations_of_a_heading_belong_to_its_paragraphs(real_documents):
    name = "slovenia/cycle4/g2420070.pdf"
    reading = read_document(Content(name, (real_documents / name).read_bytes()))
    fourth = reading.paragraphs[3]
    assert fourth.heading == "A. International obligations (Recommendations 1, 5, 7–9, 11–12, 158–160)"
    assert tuple(each.number for each in fourth.recommendations) == (
        "1",
        "5",
        "7",
        "8",
        "9",
        "11",
        "12",
        "158",
        "159",
        "160",
    )


def test_a_document_without_numbered_paragraphs_is_refused():
    with pytest.raises(UnreadableDocumentError) as refusal:
        read_paragraphs(DocumentText((Block("Hello"),)), read_title_page(DocumentText(())))
    assert refusal.value.code == "no_paragraphs"


def _read(*lines: Block) -> list[tuple[str | None, str | None, str]]:
    """Number, heading and text of each paragraph of a document whose first page holds all of it."""
    text = DocumentText(lines, pages=max(line.page or 1 for line in lines))
    return [(each.number, each.heading, each.text) for each in read_paragraphs(text, read_title_page(text))]


def _line(text: str, page: int = 1, *, bold: bool = False, size: float = 10.0) -> Block:
    return Block(text, page, bold=bold, size=size)


def test_a_paragraph_goes_on_after_the_masthead_that_the_pdf_gives_below_it():
    read = _read(
        _line("I. Background", bold=True),
        _line("1. The Ombudsman reported on a shortage of staff for children and"),
        _line("* The present document is being issued without formal editing."),
        _line("United Nations A/HRC/WG.⁶/⁴⁸/FRD/³", size=14),
        _line("General Assembly Distr.: General", size=20),
        _line("6 November 2024"),
        _line("Original: English"),
        _line("A/HRC/WG.6/48/FRD/3", 2, size=9),
        _line("2", 2, size=9),
        _line("adolescents.", 2),
        _line("2. The Ombudsman welcomed it.", 2),
    )
    assert read == [
        ("1", "I. Background", "The Ombudsman reported on a shortage of staff for children and adolescents."),
        ("2", "I. Background", "The Ombudsman welcomed it."),
    ]


def test_headings_set_like_the_text_are_no_part_of_it():
    read = _read(
        _line("1. Schools should be open to all."),
        _line("Right to social security, and to an adequate standard"),
        _line("of living"),
        _line("2. Pensions should be raised, as the Committee"),
        _line("Against Poverty and others asked"),
        _line("3. Houses should be built."),
    )
    assert read == [
        ("1", None, "Schools should be open to all."),
        (
            "2",
            "Right to social security, and to an adequate standard of living",
            "Pensions should be raised, as the Committee Against Poverty and others asked",
        ),
        ("3", "Right to social security, and to an adequate standard of living", "Houses should be built."),
    ]


def test_numbered_headings_before_the_first_paragraphs_are_none_of_them():
    read = _read(
        _line("1. International human rights treaties", bold=True),
        _line("CAT (1992)"),
        _line("2. Other instruments", bold=True),
        _line("1. The Committee asked for ratification."),
        _line("2. It asked again."),
    )
    assert [each[::2] for each in read] == [("1", "The Committee asked for ratification."), ("2", "It asked again.")]


def test_bold_words_inside_a_sentence_are_no_heading():
    read = _read(
        _line("1. The Assembly passed an act on constitutional"),
        _line("amendments", bold=True),
        _line("in 2013."),
        _line("2. It entered into force."),
    )
    assert read[0] == ("1", None, "The Assembly passed an act on constitutional amendments in 2013.")


def test_it_bids_for_no_other_document(real_documents):
    for name in ("slovenia/cycle4/g2502644.pdf", "slovenia/cycle4/g2505828.pdf", "slovenia/cycle4/g2511026.pdf"):
        assert PlainDocument().bid(Content(name, (real_documents / name).read_bytes())) == 0.0
