import datetime
from pathlib import Path

from sqlalchemy import Engine

from services.ingest.sources import source_of
from services.ingest.sources.council_reports.adapter import CouncilReports
from services.ingest.sources.council_reports.series import report_of_session
from tests.ingest.sources.held import hold
from tests.ingest.sources.visits import visiting


def names(engine: Engine, tmp_path: Path, since: datetime.date | None = None) -> list[str]:
    visit = visiting(tmp_path, {"documents": "https://docs.un.org"}, engine, since).visit
    return [found.name for found in CouncilReports(lambda: datetime.date(2026, 11, 22)).find(visit)]


def test_reports_have_a_fixed_number_and_early_ones_do_not() -> None:
    assert [report_of_session(each) for each in (10, 14, 16, 28, 59)] == [
        "A/HRC/10/29",
        "A/HRC/14/37",
        "A/HRC/16/2",
        "A/HRC/28/2",
        "A/HRC/59/2",
    ]


def test_reports_come_in_english_and_decisions_in_three_languages(engine: Engine, tmp_path: Path) -> None:
    told = names(engine, tmp_path)
    assert told[0] == "A/HRC/63/2 (en)"
    assert {"A/HRC/59/2 (en)", "A/HRC/14/37 (en)", "A/HRC/8/52 (en)"} <= set(told)
    assert "A/HRC/59/2 (es)" not in told
    assert {"A/HRC/DEC/59/112 (es)", "A/HRC/DEC/59/112 (fr)", "A/HRC/DEC/59/101 (en)"} <= set(told)
    assert not any(name.startswith("A/HRC/DEC/14/") for name in told)
    assert not any("/9/28" in name for name in told)  # the ninth session adopted no outcome
    assert len(told) == len(set(told)) >= source_of(CouncilReports()).description.least.found


def test_decisions_are_made_by_rule_until_all_are_known(engine: Engine, tmp_path: Path) -> None:
    for number in range(101, 115):
        hold(engine, f"A/HRC/DEC/59/{number}", "council_decision")
    hold(engine, "A/HRC/DEC/14/105", "council_decision")
    told = names(engine, tmp_path)
    assert "A/HRC/DEC/59/114 (en)" in told
    assert "A/HRC/DEC/59/115 (en)" not in told
    assert "A/HRC/DEC/58/115 (en)" in told
    assert "A/HRC/DEC/14/105 (es)" in told


def test_since_leaves_out_old_sessions(engine: Engine, tmp_path: Path) -> None:
    told = names(engine, tmp_path, since=datetime.date(2026, 6, 1))
    reports = [name.split("/")[2] for name in told if name.endswith("/2 (en)")]
    assert reports == ["63", "62", "61", "60", "59"]
