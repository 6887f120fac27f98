"""Summaries of stakeholders' submissions and the organisations of their endnotes."""

from collections import Counter

import pytest

from services.ingest.parsers import read_document
from services.ingest.parsers.base import Content
from services.ingest.parsers.stakeholder_organisations import Endnote, read_endnote
from services.ingest.parsers.stakeholder_summary import StakeholderSummary
from services.ingest.parsers.text.blocks import Block, DocumentText
from services.ingest.reading import Reading

FOURTH, SECOND = "stakeholder_summaries/A_HRC_WG.6_48_SVN_3.pdf", "slovenia/cycle2/g1409727.pdf"


def read(real_documents, name) -> Reading:
    return read_document(Content(name, (real_documents / name).read_bytes()))


def endnote(*lines: str) -> list[tuple[str, str | None, str | None]]:
    """Name, kind and seat of what an endnote in a Word document lists."""
    first = "The stakeholders listed below have contributed information for this summary."
    organisations = read_endnote(DocumentText(tuple(map(Block, (first, "Civil society", *lines)))))
    return [(each.name, each.acronym, each.state) for each in organisations.organisations]


def test_the_fourth_cycle(real_documents):
    reading = read(real_documents, FOURTH)
    assert Counter(each.kind for each in reading.organisations) == {
        "organisation": 15, "nhri": 1, "intergovernmental": 2,
    }  # fmt: skip
    assert Counter(each.submission for each in reading.organisations) == {None: 9, "JS1": 4, "JS2": 2, "JS3": 3}
    told = {each.acronym: each for each in reading.organisations if each.acronym}
    assert (told["AI"].name, told["AI"].city, told["AI"].state) == ("Amnesty International", "London", "GBR")
    assert told["Broken Chalk"].name == "Broken Chalk"
    assert told["LEGEBITRA"].name == "LEGEBITRA, Cultural information and counselling Centre"
    assert told["Ombudsman/HRORS"].name == "Human Rights Ombudsman of the Republic of Slovenia"
    assert told["OSCE/ODIHR"].state == "POL"
    assert len(reading.paragraphs) == 89
    assert reading.issues == ()  # 12 submissions, as the first paragraph says


def test_the_second_cycle(real_documents):
    reading = read(real_documents, SECOND)
    assert [each.acronym for each in reading.organisations] == [
        "AI", "GIEACPC", "IBFAN", "OIEC", "CoE", "EU-FRA", "OSCE/ODIHR",
    ]  # fmt: skip
    assert reading.issues == ()
    assert len(reading.paragraphs) == 70


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("AI Amnesty International, London (United Kingdom);", ("Amnesty International", "AI", "GBR")),
        ("AI Amnesty International, London, United Kingdom;", ("Amnesty International", "AI", "GBR")),
        ("CWL Centre for Women and Law, Peru;", ("Centre for Women and Law", "CWL", "PER")),
        ("ABC A Better Coast;", ("A Better Coast", "ABC", None)),
        ("Open Doors Open Doors, Lima (Peru);", ("Open Doors", "Open Doors", "PER")),
        ("RFA Rights for All, Hope (Atlantis);", ("Rights for All, Hope (Atlantis)", "RFA", None)),
    ],
)
def test_entries(line, expected):
    assert endnote(line) == [expected]


def test_an_accredited_institution():
    heading = "National human rights institution:"
    text = ("stakeholders listed below:", heading, "DP* Defensoría del Pueblo, Lima (Peru).")
    read = read_endnote(DocumentText(tuple(map(Block, text))))
    [institution] = read.organisations
    assert (institution.kind, institution.acronym, institution.status, read.submissions) == ("nhri", "DP", "A", 1)


def test_a_joint_submission_of_three():
    joint = "JS1 Joint submission 1 submitted by: The Faculty; and the Institute (Lima); "
    joint += "Women and Law and the House, Lima (Peru);"
    assert [name for name, _, _ in endnote(joint)] == ["Faculty", "Institute (Lima)", "Women and Law", "House"]


def test_without_an_endnote():
    assert read_endnote(DocumentText((Block("1. Hello."),))) == Endnote()


def test_it_bids_by_the_symbol(real_documents):
    for name in ("slovenia/cycle4/g2420070.pdf", "slovenia/cycle4/g2502644.pdf", "council_reports/A_HRC_28_2.pdf"):
        assert StakeholderSummary().bid(Content(name, (real_documents / name).read_bytes())) == 0.0


@pytest.mark.parametrize(
    ("line", "name", "city", "state"),
    [
        ("Amnesty International, London, UK*;", "Amnesty International", "London", "GBR"),
        ("Women and Law, New York, NY (United States of America);", "Women and Law", "New York, NY", "USA"),
        ("Open Doors, New Malden, Surrey, United Kingdom;", "Open Doors", "New Malden, Surrey", "GBR"),
        ("Casa de los Niños, Lima – Perú;", "Casa de los Niños", "Lima", "PER"),
        ("Free Press Watch (Geneva, Switzerland);", "Free Press Watch", "Geneva", "CHE"),
        ("Free Press Watch (Switzerland);", "Free Press Watch", None, "CHE"),
        ("Friends of the River;", "Friends of the River", None, None),
    ],
)
def test_entries_without_a_column_of_acronyms(line, name, city, state):
    first = "The stakeholders listed below have contributed information for this summary."
    [organisation] = read_endnote(DocumentText(tuple(map(Block, (first, "House of Women;", line))))).organisations[1:]
    assert (organisation.name, organisation.city, organisation.state) == (name, city, state)
    assert organisation.acronym is None


def test_one_asterisk_is_no_accreditation_of_an_association():
    text = ("stakeholders listed below:", "Amnesty International (AI), London, UK*;", "Rights for All, Lima (Peru).")
    read = read_endnote(DocumentText(tuple(map(Block, text))))
    assert [(each.acronym, each.status) for each in read.organisations] == [("AI", None), (None, None)]


@pytest.mark.parametrize(
    ("members", "names"),
    [
        ("Coast Centre, Lima (Peru), Sea Watch, Quito (Ecuador) and the House, Rome (Italy)",
         ["Coast Centre", "Sea Watch", "House"]),
        ("Prison Watch, Coast Foundation for Peace, Development and Human Rights and Law Forum",
         ["Prison Watch", "Coast Foundation for Peace, Development and Human Rights", "Law Forum"]),
        ("Prison Watch; Coast Foundation for Peace, Justice; Law Forum",
         ["Prison Watch", "Coast Foundation for Peace, Justice", "Law Forum"]),
    ],
)  # fmt: skip
def test_members_of_a_joint_submission(members, names):
    text = ("stakeholders listed below:", "Joint submissions:", f"JS1 Joint submission 1 submitted by: {members};")
    read = read_endnote(DocumentText(tuple(map(Block, text))))
    assert [each.name for each in read.organisations] == names
    assert {each.submission for each in read.organisations} == {"JS1"}
    assert read.issues == ()


def test_members_that_cannot_be_told_apart_are_an_issue():
    text = ("stakeholders listed below:", "JS1 Joint submission 1: Coast Watch, Friends of the Sea, Justice;")
    read = read_endnote(DocumentText(tuple(map(Block, text))))
    assert [each.name for each in read.organisations] == ["Coast Watch"]
    assert [(issue.code, issue.detail) for issue in read.issues] == [
        ("unclear_names", "JS1: Friends of the Sea, Justice")
    ]
