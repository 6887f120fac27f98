"""Advance questions, real ones in four formats and forms written here."""

from collections import Counter

import pytest

from services.core.domain.errors import UnreadableDocumentError
from services.ingest.merge import merge_review
from services.ingest.parsers import read_document
from services.ingest.parsers.advance_questions import AdvanceQuestions, read_questions
from services.ingest.parsers.base import Content
from services.ingest.parsers.review_calendar import session_about
from services.ingest.parsers.text.blocks import Block, DocumentText
from services.ingest.reading import ReadStatement
from tests.readings import TEXTS, recommendation, report, source

REAL = {
    "advance_questions/Advance_questions_Slovenia_first_batch.doc": (34, {"PRT": 2, "GBR": 4, "DEU": 1}),
    "advance_questions/c1_Add1_bilingual_es_en.pdf": (7, {"ARG": 5, "CZE": 5, "NOR": 4}),
    "slovenia/cycle2/AdvancedQuestionsSlovenia.doc": (20, {"BEL": 7, "DEU": 1, "NLD": 3, "NOR": 4}),
    "slovenia/cycle2/AdvancedQuestionsSloveniaAdd2.doc": (20, {"ESP": 2, "GBR": 3}),
    "slovenia/cycle4/UPR-wg48-Advance-Questions-Slovenia.docx": (
        48, {"BEL": 5, "CRI": 1, "DEU": 2, "LIE": 1, "PRT": 2, "ESP": 3, "GBR": 5, "USA": 3},
    ),
}  # fmt: skip


def document(*lines: str) -> DocumentText:
    title = ("ADVANCE QUESTIONS TO COSTAMAR", "Generated on 22 Jan 2025 14:31")
    return DocumentText(tuple(Block(line) for line in (*title, *lines)))


def questions(*lines: str) -> tuple[ReadStatement, ...]:
    return read_questions(document(*lines)).statements


@pytest.mark.parametrize("name", REAL)
def test_real_ones(real_documents, name):
    reading = read_document(Content(name, (real_documents / name).read_bytes()))
    session, asked = REAL[name]
    assert reading.parser == "advance_questions"
    assert (reading.document.state_under_review, reading.document.session) == ("SVN", session)
    assert Counter(each.speaker for each in reading.statements) == asked
    assert {each.kind for each in reading.statements} == {"question"}
    assert {issue.code for issue in reading.issues} <= {"session_by_file_date"}


def test_a_translation_stands_beside_its_original(real_documents):
    name = "advance_questions/c1_Add1_bilingual_es_en.pdf"
    reading = read_document(Content(name, (real_documents / name).read_bytes()))
    first = reading.statements[0]
    assert first.text is not None
    assert first.text.startswith("The CRC has noted")
    assert first.original_text is not None
    assert first.original_text.startswith("El CRC observó")


def test_groups_stand_in_on_behalf_of(real_documents):
    name = "slovenia/cycle4/UPR-wg48-Advance-Questions-Slovenia.docx"
    reading = read_document(Content(name, (real_documents / name).read_bytes()))
    told = {each.speaker: each for each in reading.statements}
    assert told["PRT"].on_behalf_of == ("Group of Friends on NMIRF",)
    assert told["CRI"].on_behalf_of == ("MDV", "SVN")
    assert told["CRI"].text is not None
    assert told["CRI"].text.startswith("What progress has your country achieved")


def test_a_state_s_name_in_a_sentence_is_no_heading():
    [one] = questions("BELGIUM", "Belgium welcomes the report.", "Which laws will be changed?")
    assert (one.speaker, one.text) == ("BEL", "Belgium welcomes the report.\nWhich laws will be changed?")


def test_what_follows_the_last_question_belongs_to_it():
    [one] = questions("BELGIUM", "Which laws will be changed?", "We thank Costamar for its answer.")
    assert one.text == "Which laws will be changed?\nWe thank Costamar for its answer."


def test_an_unknown_speaker_is_an_issue_and_not_the_last_state_s():
    reading = read_questions(document("BELGIUM", "Which laws?", "EUROPEAN UNION", "What about it?"))
    assert [each.speaker for each in reading.statements] == ["BEL"]
    assert [issue.code for issue in reading.issues] == ["unknown_state"]


@pytest.mark.parametrize(
    ("title", "named"),
    [
        ("ADVANCE QUESTIONS TO BOLIVIA (PLURINATIONAL STATE OF) – ADD.1", ("BOL", "Add.1")),
        ("ADVANCE QUESTIONS TO THE NETHERLANDS - ADDENDUM 2", ("NLD", "Addendum2")),
        ("Advance Questions to Peru (SECOND BATCH)", ("PER", "second batch")),
        ("ADVANCED QUESTIONS TO PERU", ("PER", "")),
    ],
)
def test_titles(title, named):
    said = read_questions(DocumentText((Block(title), Block("SPAIN"), Block("Why?")))).document
    assert said.state_under_review == named[0]
    assert (said.title or "").partition(", ")[2] == named[1]


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (("ADVANCE QUESTIONS TO ATLANTIS", "SPAIN", "Why?"), "unknown_state"),
        (("ADVANCE QUESTIONS TO PERU",), "no_questions"),
        (("ADVANCE QUESTIONS TO PERU", "Who asks this?"), "no_questions"),
    ],
)
def test_what_is_refused(lines, code):
    with pytest.raises(UnreadableDocumentError) as refusal:
        read_questions(DocumentText(tuple(map(Block, lines))))
    assert refusal.value.code == code


def test_without_a_date_the_session_is_not_guessed():
    reading = read_questions(DocumentText((Block("ADVANCE QUESTIONS TO PERU"), Block("SPAIN"), Block("Why?"))))
    assert (reading.document.session, reading.document.cycle, reading.hearings) == (None, None, ())
    assert [issue.code for issue in reading.issues] == ["unknown_session"]


@pytest.mark.parametrize(
    ("day", "session"),
    [("2014-10-16", 20), ("2025-01-22", 48), ("2025-01-28", 48), ("2010-02-05", 7), ("2014-08-01", None)],
)
def test_sessions_by_their_dates(day, session):
    assert session_about(day) == session


def test_batches_are_numbered_on_beside_the_dialogue():
    told = [ReadStatement("ESP", "dialogue", "Spain said.")]
    reading = report([recommendation("116.1", TEXTS[0])], statements=told)
    batches = []
    for batch in ("", " – ADD.1"):
        lines = (f"ADVANCE QUESTIONS TO PERU{batch}", "Generated on 20 Oct 2012 9:00", "SPAIN", f"Why{batch}?")
        batches.append(read_questions(DocumentText(tuple(map(Block, lines)))))
    sources = [source(reading, "report.pdf"), source(batches[1], "b.doc"), source(batches[0], "a.doc")]
    merged = merge_review("PER", 2, sources)
    assert sorted(merged.statements) == [
        "upr-14-PER.ESP.dialogue.1", "upr-14-PER.ESP.question.1", "upr-14-PER.ESP.question.2",
    ]  # fmt: skip
    assert merged.statements["upr-14-PER.ESP.question.1"].text == "Why?"
    in_order = sorted(merged.statements.values(), key=lambda each: each.sort_key)
    assert [each.kind for each in in_order] == ["question", "question", "dialogue"]
    assert merged == merge_review("PER", 2, sources[::-1])


def test_it_bids_by_the_title(real_documents):
    for name in ("slovenia/cycle4/g2502644.pdf", "stakeholder_summaries/A_HRC_WG.6_48_SVN_3.pdf"):
        assert AdvanceQuestions().bid(Content(name, (real_documents / name).read_bytes())) == 0.0


@pytest.mark.parametrize(
    ("heading", "speaker", "others"),
    [
        ("KARVENIA AND ALDERIA", "XKV", ("XAL",)),
        ("GRAND ALBA AND SAINT IVO", "XGI", ()),
        ("GRAND ALBA AND SAINT IVO, KARVENIA, BELLMARE (FEDERAL REPUBLIC OF)", "XGI", ("XKV", "XBM")),
        ("Questions from Alderia", "XAL", ()),
        ("QUESTIONS SUBMITTED BY ALDERIA:", "XAL", ()),
        ("ALDERIA (on behalf of Karvenia and Nambeya)", "XAL", ("XKV", "XNB")),
        ("ALDERIA, on behalf of the Group of Friends", "XAL", ("Group of Friends",)),
    ],
)
def test_headings(heading, speaker, others):
    [asked] = questions(heading, "What has been done?")
    assert (asked.speaker, asked.on_behalf_of, asked.text) == (speaker, others, "What has been done?")


@pytest.mark.parametrize("paragraph", ["ALDERIA\nWhat has been done?", "ALDERIA: What has been done?"])
def test_a_heading_and_its_question_in_one_paragraph(paragraph):
    [asked] = questions(paragraph)
    assert (asked.speaker, asked.text) == ("XAL", "What has been done?")


@pytest.mark.parametrize(
    ("title", "told"),
    [
        ("ADVANCE QUESTIONS TO COSTAMAR – ADD.1", "Advance questions to Costamar, Add.1"),
        ("ADVANCE QUESTIONS TO COSTAMAR (SECOND BATCH)", "Advance questions to Costamar, second batch"),
        ("ADVANCE QUESTIONS TO COSTAMAR-Add. 2", "Advance questions to Costamar, Add.2"),
        ("UPR – Advance Questions to Costamar (Rev.1)", "Advance questions to Costamar, Rev.1"),
        ("Advanced questions to Costamar – Addendum 1 (first batch)",
         "Advance questions to Costamar, Addendum1, first batch"),
    ],
)  # fmt: skip
def test_titles_of_batches(title, told):
    text = DocumentText(tuple(map(Block, (title, "Generated on 22 Jan 2025", "ALDERIA", "What has been done?"))))
    assert read_questions(text).document.title == told
