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
    assert tuple(each.number for each in fourth.recommendations) == ("1", "5", "7", "8", "9", "11", "12", "158", "159", "160")


def test_a_document_without_numbered_paragraphs_is_refused():
    with pytest.raises(UnreadableDocumentError) as refusal:
        read_paragraphs(DocumentText((Block("Hello"),)), read_title_page(DocumentText(())))
    assert refusal.value.code == "no_paragraphs"


def test_it_bids_for_no_other_document(real_documents):
    for name in ("slovenia/cycle4/g2502644.pdf", "slovenia/cycle4/g2505828.pdf", "slovenia/cycle4/g2511026.pdf"):
        assert PlainDocument().bid(Content(name, (real_documents / name).read_bytes())) == 0.0
