"""Which recommendations a paragraph means."""

from dataclasses import replace

import pytest

from services.core.store.paragraphs import Citation
from services.ingest.merge.citations import Lists, Numbered, resolved
from services.ingest.merge.paragraphs import paragraph_records
from services.ingest.reading import ReadCitation, ReadDocument, Reading, ReadParagraph
from tests.readings import source


def numbered(cycle: int, *numbers: str) -> list[Numbered]:
    return [Numbered(f"PER-{cycle}-{number}", cycle, number, None) for number in numbers]


FIRST = numbered(1, "52.1", "52.2", "52.3")
SECOND = numbered(2, "116.1", "116.2", "117.1", "119.1")
THIRD = numbered(3, "111.1", "111.2")


def linked(kind: str, cycle: int, cited: ReadCitation, recommendations: list[Numbered]) -> list[str]:
    """What one citation in a document of this kind and cycle is linked to."""
    document = ReadDocument(kind, "A/HRC/WG.6/28/PER/1", state_under_review="PER", cycle=cycle)
    reading = Reading("p", "1", document, paragraphs=(ReadParagraph("1", "Text", recommendations=(cited,)),))
    records = paragraph_records(f"PER-{cycle}", [source(reading, "a")])
    found = resolved(records, Lists(recommendations))
    return [each for citations in found.values() for one in citations for each in one["recommendations"]]


EVERYTHING = [*FIRST, *SECOND, *THIRD]


@pytest.mark.parametrize(
    ("kind", "cycle", "number", "of", "meant"),
    [
        ("national_report", 3, "116.2", None, ["PER-2-116.2"]),
        ("compilation", 3, "116.2", None, ["PER-2-116.2"]),
        ("mid_term_report", 2, "116.2", None, ["PER-2-116.2"]),
        ("implementation_plan", 3, "111.1", None, ["PER-3-111.1"]),
        ("letter", 3, "111.2", None, ["PER-3-111.2"]),
        # What the document says comes before what its kind says.
        ("national_report", 3, "52.3", 1, ["PER-1-52.3"]),
        ("national_report", 3, "116.2", 1, []),
        # A plain number is one of the only list, and of none where there are several.
        ("national_report", 2, "3", None, ["PER-1-52.3"]),
        ("national_report", 2, "4", None, []),
        ("national_report", 3, "1", None, []),
        # A paragraph that only an earlier report lists recommendations under.
        ("national_report", 3, "52.1", None, ["PER-1-52.1"]),
        ("mid_term_report", 3, "117.1", None, ["PER-2-117.1"]),
        # Never of a later review, and never a number that is not there.
        ("national_report", 3, "111.1", None, []),
        ("national_report", 3, "116.9", None, []),
        ("national_report", 1, "52.1", None, []),
    ],
)
def test_links(kind, cycle, number, of, meant):
    assert linked(kind, cycle, ReadCitation(number, of), EVERYTHING) == meant


def test_another_list_is_not_taken_for_one_that_is_not_held():
    assert linked("national_report", 3, ReadCitation("52.1"), FIRST) == []
    assert linked("national_report", 3, ReadCitation("52.1"), [*FIRST, *SECOND]) == ["PER-1-52.1"]


def test_all_parts_of_a_number_are_meant_and_none_of_a_number_printed_twice():
    parts = [Numbered(f"PER-2-116.3-{part}", 2, "116.3", part) for part in "ab"]
    assert linked("national_report", 3, ReadCitation("116.3"), parts) == ["PER-2-116.3-a", "PER-2-116.3-b"]
    twice = [Numbered("PER-2-116.3", 2, "116.3", None), Numbered("PER-2-116.3.dup2", 2, "116.3", None)]
    assert linked("national_report", 3, ReadCitation("116.3"), twice) == []


def test_only_what_differs_is_answered():
    document = ReadDocument("national_report", "A/HRC/WG.6/28/PER/1", state_under_review="PER", cycle=3)
    cited = (ReadCitation("116.1"), ReadCitation("7"))
    reading = Reading("p", "1", document, paragraphs=(ReadParagraph("1", "Text", recommendations=cited),))
    [record] = paragraph_records("PER-3", [source(reading, "a")])
    [citations] = resolved([record], Lists(SECOND)).values()
    assert citations == [
        Citation(printed="116.1", cycle=None, recommendations=["PER-2-116.1"]),
        Citation(printed="7", cycle=None, recommendations=[]),
    ]
    assert resolved([replace(record, citations=citations)], Lists(SECOND)) == {}


def test_paragraphs_have_names_of_their_own():
    numbers = ("1", "140.7", "140.7", None, "Rec. 5", "")
    document = ReadDocument("national_report", "A/HRC/WG.6/28/PER/1", state_under_review="PER", cycle=3)
    reading = Reading("p", "1", document, paragraphs=tuple(ReadParagraph(number, "Text") for number in numbers))
    records = paragraph_records("PER-3", [source(reading, "a")])
    anchors = [record.id.removeprefix("A-HRC-WG.6-28-PER-1.en.") for record in records]
    assert anchors == ["1", "140.7", "140.7~2", "~4", "Rec.-5", "~6"]
    assert sorted(record.sort_key for record in records) == [record.sort_key for record in records]
