"""What documents say of their totals, against what all of them together make."""

from dataclasses import asdict, replace

import pytest

from services.ingest.merge import SourceReading, merge_review
from services.ingest.reading import ReadTotals, reading_from
from tests.readings import TEXTS, addendum, council_report, matrix, recommendation, report, source

REPORT = source(report([recommendation(f"116.{n}", text) for n, text in enumerate(TEXTS[:3], 1)]), "report.pdf")
ANSWERS = [("116.1", "supported"), ("116.2", "supported"), ("116.3", "noted")]


def found(*sources: SourceReading) -> list[str]:
    return [issue.detail for issue in merge_review("PER", 2, sources).issues]


def answered(said: ReadTotals) -> SourceReading:
    return source(replace(addendum(ANSWERS), totals=said), "addendum.pdf")


def adopted(recommendations: int | None, supported: int | None, noted: int | None) -> SourceReading:
    reading = council_report(["PER"])
    hearing = replace(
        reading.hearings[0], recommendations_said=recommendations, supported_said=supported, noted_said=noted
    )
    document = replace(reading.document, state_under_review="PER")
    return source(replace(reading, document=document, hearings=(hearing,), statements=()), "council.pdf")


def test_totals_that_agree_are_no_issue() -> None:
    assert found(REPORT, answered(ReadTotals(3, 2, 1)), adopted(3, 2, 1)) == []


def test_both_sets_of_figures_are_named() -> None:
    held = "the records say 3 recommendations, 2 supported, 1 noted, 0 pending"
    assert found(REPORT, answered(ReadTotals(3, 1, 2)), adopted(4, 2, 2)) == [
        f"PER-2: A/HRC/22/15/Add.1 says 3 recommendations, 1 supported, 2 noted; {held}",
        f"PER-2: the President said (A/HRC/22/2) 4 recommendations, 2 supported, 2 noted; {held}",
    ]


def test_nothing_is_compared_before_it_can_be_known() -> None:
    assert found(answered(ReadTotals(9, 9, 9))) == []
    assert found(adopted(9, 9, 9)) == []
    assert found(REPORT, adopted(3, 2, 1)) == []  # the answers are still open
    assert len(found(REPORT, adopted(4, 2, 1))) == 1


def test_what_only_databases_know_does_not_count() -> None:
    rows = [recommendation(None, text, position="noted") for text in (*TEXTS[:3], TEXTS[6])]
    database = replace(matrix(rows), document=replace(matrix([]).document, kind="upr_info", published_on="2015-01-01"))
    assert found(REPORT, answered(ReadTotals(3, 2, 1)), source(database, "rows")) == []


def test_an_addendum_may_count_what_the_report_left_open() -> None:
    first = [recommendation("115.1", TEXTS[4], position="supported")]
    left = [recommendation(f"116.{n}", text) for n, text in enumerate(TEXTS[:3], 1)]
    whole = source(report([*first, *left]), "report.pdf")
    assert found(whole, answered(ReadTotals(3, 2, 1))) == []
    assert found(whole, answered(ReadTotals(4, 3, 1))) == []
    assert len(found(whole, answered(ReadTotals(4, 2, 1)))) == 1


@pytest.mark.parametrize("said", [2, 3])
def test_parts_of_a_number_count_once_or_each(said: int) -> None:
    parts = [recommendation("116.1", text, part=part) for part, text in zip("ab", TEXTS[:2], strict=True)]
    whole = source(report([*parts, recommendation("116.2", TEXTS[2])]), "report.pdf")
    assert found(whole, source(replace(addendum([(None, "noted")]), totals=ReadTotals(said, None, said)), "a")) == []


@pytest.mark.parametrize(("supported", "noted"), [(1, 2), (2, 1), (1, 1)])
def test_an_answer_in_part_counts_here_or_there(supported: int, noted: int) -> None:
    rows = [
        recommendation("116.1", TEXTS[0], position="supported"),
        recommendation("116.2", TEXTS[1], position="noted", position_detail="partial"),
        recommendation("116.3", TEXTS[2], position="noted"),
    ]
    assert found(REPORT, source(matrix(rows), "matrix.docx"), adopted(3, supported, noted)) == []


def test_the_totals_of_a_reading_come_back_from_the_store() -> None:
    reading = answered(ReadTotals(3, 2, None)).reading
    assert reading_from(asdict(reading)) == reading
    assert reading.as_line("addendum.pdf")["totals"] == {"recommendations": 3, "supported": 2, "noted": None}
    assert "totals" not in REPORT.reading.as_line("report.pdf")
