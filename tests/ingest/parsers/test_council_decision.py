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


def lines(*printed: str) -> DocumentText:
    return DocumentText(tuple(Block(line, 1) for line in printed), pages=1)


@pytest.mark.parametrize(
    ("printed", "state", "date", "meeting"),
    [
        (
            (
                "59/190. Outcome of the universal periodic review: Costamar", "The Human Rights Council,",
                "Having conducted the review of Costamar on 29 January 2025 in conformity with all provisions,",
                "2nd meeting", "2 July 2025",
            ), "XCM", "2025-07-02", "2nd",
        ),
        (
            (
                "Décision adoptée par le Conseil des droits de l’homme", "59/190.",
                "Document final de l’Examen périodique universel : Nigéria", "Le Conseil des droits de l’homme,",
                "Ayant procédé à l’examen du Nigéria le 29 janvier 2025 conformément à toutes les dispositions,",
                "1re séance plénière", "1er juillet 2025",
            ), "NGA", "2025-07-01", "1st",
        ),
        (
            (
                "Decisión aprobada por el Consejo de Derechos Humanos", "59/190",
                "Resultado del examen periódico universal: Perú", "El Consejo de Derechos Humanos,",
                "Habiendo realizado el examen del Perú el 29 de enero de 2025 de conformidad con las disposiciones,",
                "23a sesión", "1 de julio de 2025",
            ), "PER", "2025-07-01", "23rd",
        ),
    ],
)  # fmt: skip
def test_decisions_without_a_symbol_in_three_languages(printed, state, date, meeting):
    reading = read_decision(lines(*printed))
    adoption, review = reading.hearings
    assert (adoption.id, adoption.date, adoption.meeting) == (f"hrc-59-{state}", date, meeting)
    assert (review.id, review.date) == (f"upr-48-{state}", "2025-01-29")
    assert reading.document.session == 48
    assert reading.issues == ()


def test_the_title_and_the_sentence_name_two_states():
    reading = read_decision(
        lines(
            "59/190. Outcome of the universal periodic review: Costamar",
            "Having conducted the review of Karvenia on 29 January 2025 in conformity with all provisions,",
        )
    )
    assert reading.document.state_under_review == "XCM"
    assert [issue.code for issue in reading.issues] == ["state_under_review_differs", "no_date"]
