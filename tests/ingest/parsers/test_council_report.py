"""Reports of the Council's sessions: adoptions and the general debate."""

from collections import Counter

import pytest

from services.core.domain.errors import UnreadableDocumentError
from services.ingest.merge import merge_chapter, merge_review, rest_of, shares_of
from services.ingest.parsers import read_document
from services.ingest.parsers.base import Content
from services.ingest.parsers.council_report import CouncilReport, read_council_report
from services.ingest.parsers.council_report_speakers import read_speaker_list, speaker_of_paragraph
from services.ingest.parsers.text.blocks import Block, DocumentText
from services.ingest.reading import Reading
from tests.readings import source

TOTALS = {
    "ITA": (186, 176, 10), "SLV": (159, 117, 42), "GMB": (171, 93, 78), "BOL": (193, 178, 15), "FJI": (138, 112, 26),
    "SMR": (74, 55, 19), "KAZ": (194, 144, 50), "AGO": (226, 192, 34), "IRN": (291, 130, 161), "IRQ": (229, 175, 54),
    "MDG": (160, 159, 1), "SVN": (163, 142, 21), "EGY": (300, 224, 53), "BIH": (167, 0, 167),
}  # fmt: skip


@pytest.fixture(scope="module")
def reading() -> Reading:
    from tests.ingest.conftest import REPOSITORY  # noqa: PLC0415  # the fixture of one test cannot serve a module

    path = REPOSITORY.parent / "shared" / "data" / "council_reports" / "A_HRC_28_2.pdf"
    if not path.is_file():
        pytest.skip(f"the real document is not at {path}")
    return read_document(Content(path.name, path.read_bytes()))


def test_the_totals_of_the_president(reading):
    said = {
        hearing.states[0]: (hearing.recommendations_said, hearing.supported_said, hearing.noted_said)
        for hearing in reading.hearings
        if hearing.kind == "council_adoption"
    }
    assert said == TOTALS


def test_the_documents_of_the_reviews_are_cited(reading):
    cites = reading.document.cites
    assert {symbol for symbol in cites if symbol.count("/") == 3} == {f"A/HRC/28/{n}" for n in range(4, 18)}
    assert sum(symbol.endswith("/Add.1") for symbol in cites) == 13
    assert sum(symbol.startswith("A/HRC/WG.6/") for symbol in cites) == len(TOTALS) * 3
    assert "A/HRC/28/2" not in cites


def test_as_many_speakers_as_announced(reading):
    others = Counter(each.hearing for each in reading.statements if each.kind == "comment")
    assert {h.id: h.announced_speakers for h in reading.hearings if h.kind == "council_adoption"} == others
    assert {issue.code for issue in reading.issues} == {"totals_leave_some"}  # Egypt supported 23 in part


def test_one_adoption(reading):
    hearing = next(each for each in reading.hearings if each.id == "hrc-28-SVN")
    assert (hearing.date, hearing.meeting, hearing.council_session) == ("2015-03-19", "41st", 28)
    said = [each for each in reading.statements if each.hearing == hearing.id]
    assert Counter(each.kind for each in said) == {"presentation": 1, "comment": 9, "closing": 1}
    [amnesty] = [each for each in said if each.speaker == "amnesty-international"]
    assert (amnesty.paragraph, amnesty.speaker_kind, amnesty.speaker_name) == (
        "848", "organisation", "Amnesty International",
    )  # fmt: skip
    assert all("A/HRC/28/2" not in (each.text or "") for each in said)


def test_institutions_are_told_from_organisations(reading):
    institutions = [each.speaker for each in reading.statements if each.speaker_kind == "nhri"]
    assert institutions == [
        "slv-office-of-the-human-rights-advocate", "egy-national-council-for-human-rights",
        "bih-ombudsman-institution-of-bosnia-and-herzegovina", "australian-human-rights-commission",
    ]  # fmt: skip


def test_the_general_debate(reading):
    hearing = reading.hearings[-1]
    assert (hearing.id, hearing.kind, hearing.date, hearing.states) == (
        "hrc-28-item6", "general_debate", "2015-03-20", (),
    )  # fmt: skip
    speakers = {each.speaker: each for each in reading.statements if each.hearing == hearing.id}
    assert len(speakers) == 36
    assert speakers["DZA"].on_behalf_of == ("Group of African States",)
    assert len(speakers["PRY"].on_behalf_of) == 49
    assert len(speakers["GBR"].on_behalf_of) == 49
    assert speakers["LVA"].on_behalf_of[:2] == ("European Union", "ALB")
    assert len(speakers["upr-info"].on_behalf_of) == 12
    assert speakers["upr-info"].on_behalf_of[-1] == "World Vision International"
    assert {each.text for each in speakers.values()} == {None}


def test_the_report_is_taken_apart(reading):
    shares = {share.document.state_under_review: share for share in shares_of(reading)}
    assert shares.keys() == TOTALS.keys()
    merged = merge_review("SVN", 2, [source(shares["SVN"], "report.pdf")])
    assert merged.documents == {}
    assert merged.review.documents == ("A-HRC-28-2",)
    record = merged.statements["hrc-28-SVN.amnesty-international.comment.1"]
    assert (record.hearing, str(record.date), record.review) == ("hrc-28-SVN", "2015-03-19", "SVN-2")
    rest = merge_chapter([source(rest_of(reading), "report.pdf")])
    assert (list(rest.documents), list(rest.hearings), len(rest.statements)) == (["A-HRC-28-2"], ["hrc-28-item6"], 36)
    assert rest.documents["A-HRC-28-2"].review is None


@pytest.mark.parametrize(
    ("opening", "code", "others"),
    [
        ("Amnesty International welcomed it.", "amnesty-international", ()),
        ("The World Evangelical Alliance referred to it.", "world-evangelical-alliance", ()),
        ("Alderia, on behalf of Karvenia and Orvania, welcomed it.", "XAL", ("XKV", "XOR")),
        ("In a joint statement, A Watch, B Watch and the C Society noted it.", "a-watch", ("B Watch", "C Society")),
        ("A Watch, in a joint statement with B Watch, noted it.", "a-watch", ("B Watch",)),
        ("A Watch (also on behalf of B Watch) noted it.", "a-watch", ("B Watch",)),
        ("A Watch and the B Society noted it.", "a-watch", ("B Society",)),
        ("Center for Law and Justice noted it.", "center-for-law-and-justice", ()),
        (
            "Maat Foundation for Peace, Development and Human Rights noted it.",
            "maat-foundation-for-peace-development-and-human-rights", (),
        ),
        ("The Ombudsman of Costamar noted it.", "xcm-ombudsman-of-costamar", ()),
    ],
)  # fmt: skip
def test_who_speaks_in_a_paragraph(opening, code, others):
    speaker = speaker_of_paragraph(opening, "XCM")
    assert speaker is not None
    assert (speaker.code, speaker.on_behalf_of) == (code, others)


@pytest.mark.parametrize("opening", ["It noted this.", "In conclusion, it thanked all.", "Costamar thanked all.", "42"])
def test_paragraphs_without_another_speaker(opening):
    assert speaker_of_paragraph(opening, "XCM") is None


def test_lists_of_states():
    text = "Alderia9 (on behalf of the Group of Friends, with the exception of Orvania), "
    text += "Bellmare (Federal Republic of), Atlantis"
    read = read_speaker_list(text, states=True)
    assert [(each.code, each.on_behalf_of) for each in read.speakers] == [("XAL", ("Group of Friends",)), ("XBM", ())]
    assert read.unknown == ("Atlantis",)


def test_a_report_without_adoptions_is_refused():
    lines = (
        "A/HRC/28/2",
        "Report of the Human Rights Council on its twenty-eighth session",
        "VI. Universal periodic review",
    )
    with pytest.raises(UnreadableDocumentError) as refusal:
        read_council_report(DocumentText(tuple(map(Block, lines))))
    assert refusal.value.code == "no_adoptions"


def test_it_bids_for_the_council_s_reports_alone(real_documents):
    for name in ("slovenia/cycle4/g2502644.pdf", "slovenia/cycle4/g2511026.pdf", "slovenia/cycle2/g1504261.pdf"):
        assert CouncilReport().bid(Content(name, (real_documents / name).read_bytes())) == 0.0
