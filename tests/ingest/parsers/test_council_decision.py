"""Decisions on the outcome of a review."""

import pytest

from services.core.domain.errors import UnreadableDocumentError
from services.ingest.merge import merge_review
from services.ingest.parsers import read_document
from services.ingest.parsers.base import Content
from services.ingest.parsers.council_decision import CouncilDecision, read_decision
from services.ingest.parsers.text.blocks import Block, DocumentText
from tests.readings import source


@pytest.mark.parametrize(
    ("name", "symbol", "hearing", "date", "meeting", "cites"),
    [
        ("cycle2/g1510722.pdf", "A/HRC/DEC/28/111", "hrc-28-SVN", "2015-03-19", "41st",
         ("A/HRC/28/15", "A/HRC/28/15/Add.1", "A/HRC/28/2")),
        ("cycle4/g2511026.pdf", "A/HRC/DEC/59/112", "hrc-59-SVN", "2025-07-02", "25th",
         ("A/HRC/59/15", "A/HRC/59/15/Add.1", "A/HRC/59/2")),
    ],
)  # fmt: skip
def test_real_decisions(real_documents, *, name, symbol, hearing, date, meeting, cites):
    reading = read_document(Content(name, (real_documents / "slovenia" / name).read_bytes()))
    assert (reading.document.symbol, reading.document.cites) == (symbol, cites)
    adoption, review = reading.hearings
    assert (adoption.id, adoption.kind, adoption.date, adoption.meeting) == (hearing, "council_adoption", date, meeting)
    assert review.kind == "working_group_review"
    assert reading.issues == ()


def test_a_decision_gives_the_review_a_hearing(real_documents):
    name = "cycle4/g2511026.pdf"
    reading = read_document(Content(name, (real_documents / "slovenia" / name).read_bytes()))
    merged = merge_review("SVN", 4, [source(reading, name)])
    assert sorted(merged.hearings) == ["hrc-59-SVN", "upr-48-SVN"]
    assert merged.hearings["hrc-59-SVN"].council_session == 59
    assert str(merged.hearings["hrc-59-SVN"].date) == "2025-07-02"
    assert str(merged.review.date) == "2025-01-28"


def test_a_decision_of_an_unknown_state_is_refused():
    lines = (
        "A/HRC/DEC/28/199",
        "28/199. Outcome of the universal periodic review: Atlantis",
        "The Human Rights Council,",
    )
    with pytest.raises(UnreadableDocumentError) as refusal:
        read_decision(DocumentText(tuple(Block(line, 1) for line in lines), pages=1))
    assert refusal.value.code == "unknown_review"


def test_it_bids_for_decisions_alone(real_documents):
    for name in ("slovenia/cycle4/g2502644.pdf", "slovenia/cycle4/g2505828.pdf", "council_reports/A_HRC_28_2.pdf"):
        assert CouncilDecision().bid(Content(name, (real_documents / name).read_bytes())) == 0.0
