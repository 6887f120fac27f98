from dataclasses import replace

import pytest

from services.ingest.pipeline.checks import Figures, reasons_against
from tests.ingest.pipeline.world import tiny_source

WELL = Figures(
    found=100,
    files_got=98,
    files_read=97,
    files_held=100,
    files_gone=2,
    records_held=1000,
    records_gone=20,
    records_changed=100,
)
SOURCE = tiny_source("https://example.org", least=90).description


def codes(figures: Figures, *, whole: bool = True) -> list[str]:
    return [reason.code for reason in reasons_against(figures, SOURCE, whole=whole)]


def test_what_stays_within_the_shares_may_be_loaded() -> None:
    assert codes(WELL) == []
    assert codes(replace(WELL, files_held=0, files_gone=0, records_held=0, records_gone=5, records_changed=9)) == []


@pytest.mark.parametrize(
    ("figures", "code"),
    [
        ({"found": 89}, "too_few_found"),
        ({"files_gone": 3}, "files_gone"),
        ({"records_gone": 21}, "records_gone"),
        ({"records_changed": 101}, "records_changed"),
        ({"found": 0, "files_got": 0, "files_read": 0}, "nothing_found"),
        ({"files_got": 0, "files_read": 0}, "nothing_fetched"),
        ({"files_read": 0}, "nothing_read"),
    ],
)
def test_each_figure_that_is_not_as_usual_is_a_reason(figures: dict[str, int], code: str) -> None:
    assert codes(replace(WELL, **figures)) == [code]


def test_a_run_that_looks_for_a_part_cannot_tell_what_is_gone() -> None:
    part = replace(WELL, found=3, files_got=3, files_read=3, files_gone=97)
    assert codes(part, whole=False) == []
    assert codes(replace(part, records_gone=21), whole=False) == ["records_gone"]
    assert codes(replace(part, found=0, files_got=0, files_read=0), whole=False) == []


def test_where_there_may_be_nothing_all_may_be_unreadable() -> None:
    unread = replace(WELL, files_held=0, files_gone=0, files_read=0, records_held=0)
    folder = tiny_source("https://example.org", least=0).description
    assert reasons_against(unread, folder, whole=True) == []
    assert codes(unread) == ["nothing_read"]


def test_a_reason_says_the_figures_and_the_share() -> None:
    (reason,) = reasons_against(replace(WELL, records_gone=500), SOURCE, whole=True)
    assert reason.detail == "500 of 1,000 records would be gone (50.0%; at most 2.0% may be)"
    assert not reason.failed
