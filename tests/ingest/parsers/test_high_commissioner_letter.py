"""The High Commissioner's letters: a noisy scan, a clean one, and what they become."""

import pytest

from services.core.domain.errors import UnreadableDocumentError
from services.ingest.merge import merge_review
from services.ingest.parsers import read_document
from services.ingest.parsers.base import Content
from services.ingest.parsers.high_commissioner_letter import HighCommissionerLetter, read_letter
from services.ingest.parsers.text.blocks import Block, DocumentText
from services.ingest.reading import Reading
from tests.ingest.conftest import REPOSITORY
from tests.readings import source

NOISY = "slovenia/cycle4/session48-hc-letter-republic-slovenia-eng.pdf"
OUTCOME = (
    "As the outcome report on the review of {} was recently adopted by the Human Rights Council at its {} session,"
)
LAST = "Please accept, Excellency, the assurances of my highest consideration."


def letter(*lines: str) -> Reading:
    return read_letter(DocumentText(tuple(map(Block, lines))))


def test_a_noisy_scan(real_documents):
    reading = read_document(Content("letter.pdf", (real_documents / NOISY).read_bytes()))
    said, [statement] = reading.document, reading.statements
    assert (said.kind, said.state_under_review, said.session, said.cycle) == ("letter", "SVN", 48, 4)
    assert (said.published_on, statement.date) == ("2025-10-01", "2025-10-01")
    assert (statement.speaker, statement.kind, statement.suggested_mid_term_year) == ("ohchr", "letter", 2027)
    paragraphs = (statement.text or "").split("\n\n")
    assert len(paragraphs) == 13
    assert paragraphs[0].startswith("I have the honour to refer to the fourth cycle review of Slovenia")
    assert paragraphs[5] == "Observations in light of the outcome of the fourth cycle of the Universal Periodic Review"
    assert paragraphs[-1].endswith("need for technical or capacity-building assistance.")
    assert "PAGE" not in (statement.text or "")
    assert "Fajon" not in (statement.text or "")
    assert reading.issues == ()


def test_a_clean_one():
    held = sorted((REPOSITORY.parent / "shared" / "seeds").glob("003*"))
    if not held:
        pytest.skip("the clean letter is not at hand")
    reading = letter(*held[0].read_text(encoding="utf-8").split("\n"))
    [statement] = reading.statements
    assert (reading.document.state_under_review, reading.document.session) == ("PER", 42)
    assert (statement.date, statement.suggested_mid_term_year) == ("2023-10-30", 2025)
    assert "Gervasi" not in (statement.text or "")


def test_it_hangs_on_the_review(real_documents):
    reading = read_document(Content("letter.pdf", (real_documents / NOISY).read_bytes()))
    merged = merge_review("SVN", 4, [source(reading, "letter.pdf")])
    [record] = merged.statements.values()
    assert (record.id, record.hearing, record.review) == ("SVN-4.ohchr.letter.1", None, "SVN-4")
    assert str(record.date) == "2025-10-01"


def test_a_letter_of_the_third_cycle():
    reading = letter(
        "5 October 2018",
        "Excellency,",
        "I welcome the constructive engagement of the Government of Peru during the 28th session of the Universal "
        "Periodic Review (UPR) Working Group of the Human Rights Council in November 2017.",
        OUTCOME.format("Peru", "37th") + " I would like to follow up on a number of areas.",
        LAST,
        "Michelle Bachelet",
    )
    assert (reading.document.session, reading.document.cycle, reading.issues) == (28, 3, ())
    assert (reading.statements[0].text or "").startswith("I welcome")
    assert reading.statements[0].suggested_mid_term_year is None


def test_the_session_comes_from_the_council_s_where_it_is_not_named():
    reading = letter("I have the honour to write.", OUTCOME.format("Peru", "53rd"), LAST)
    assert (reading.document.session, reading.document.cycle) == (42, 4)
    assert [issue.code for issue in reading.issues] == ["no_date"]


def test_sessions_that_contradict_each_other_are_an_issue():
    reading = letter(
        "1 May 2020", "the UPR Working Group at its 20th session", OUTCOME.format("Peru", "53rd"), "fourth cycle", LAST
    )
    assert [issue.code for issue in reading.issues] == ["sessions_contradict", "cycle_differs"]


def test_a_letter_to_nobody_is_refused():
    with pytest.raises(UnreadableDocumentError) as refusal:
        letter(OUTCOME.format("Atlantis", "53rd"), LAST)
    assert refusal.value.code == "unknown_state"


def test_it_bids_for_letters_alone(real_documents):
    for name in ("slovenia/cycle4/g2505828.pdf", "slovenia/cycle4/g2511026.pdf", "slovenia/cycle4/g2420410.pdf"):
        assert HighCommissionerLetter().bid(Content(name, (real_documents / name).read_bytes())) == 0.0


def spaced(words: str) -> str:
    return "  ".join(" ".join(word) for word in words.split())


def test_letters_that_stand_apart():
    reading = letter(
        spaced("5 October 2023"),
        spaced("I have the honour to refer to the fourth cycle review of the Republic of Moldova by the"),
        spaced("UPR Working Group at its 42nd session."), spaced(OUTCOME.format("the Republic of Moldova", "53rd")),
        spaced(LAST),
    )  # fmt: skip
    said = reading.document
    assert (said.state_under_review, said.session, said.published_on) == ("MDA", 42, "2023-10-05")
    assert [issue.code for issue in reading.issues] == ["letters_apart"]


def test_a_letter_in_french():
    reading = letter(
        "Genève, le 5 octobre 2023", "Excellence,",
        "J’ai l’honneur de me référer à l’examen de la Suisse par le Groupe de travail lors de sa 42ème session. Le "
        "rapport final sur l’examen de la Suisse a été adopté par le Conseil des droits de l’homme lors de sa 53ème "
        "session.",
        "Veuillez agréer, Excellence, les assurances de ma très haute considération.",
        "Annexe",
        "• Ratifier le Protocole facultatif.",
        "La Suisse pourrait présenter un rapport à mi-parcours d’ici à 2025.",
    )  # fmt: skip
    said = reading.document
    assert (said.language, said.state_under_review, said.session, said.published_on) == ("fr", "CHE", 42, "2023-10-05")
    assert reading.statements[0].suggested_mid_term_year == 2025
    assert [each.text for each in reading.paragraphs] == [
        "Ratifier le Protocole facultatif.", "La Suisse pourrait présenter un rapport à mi-parcours d’ici à 2025.",
    ]  # fmt: skip
    assert reading.issues == ()


def test_a_cycle_that_is_past_is_no_contradiction():
    reading = letter(
        "1 May 2023", "Since the third cycle review of Peru by the Working Group",
        OUTCOME.format("Peru", "53rd"), "the fourth cycle", LAST,
    )  # fmt: skip
    assert (reading.document.cycle, reading.issues) == (4, ())


def test_no_year_that_is_past_is_hoped_for():
    reading = letter(
        "1 May 2023", OUTCOME.format("Peru", "53rd"),
        "Peru sent a mid-term report in 2015 and is asked for one by 2025.",
        LAST,
    )  # fmt: skip
    assert reading.statements[0].suggested_mid_term_year == 2025


def test_a_letter_that_tells_no_cycle():
    reading = letter("1 May 2023", "Dear Minister,", OUTCOME.format("Peru", "99th"), LAST)
    assert (reading.document.session, reading.document.cycle) == (None, None)
    assert [issue.code for issue in reading.issues] == ["unknown_cycle"]
