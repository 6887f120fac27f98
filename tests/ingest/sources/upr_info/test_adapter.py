import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.ingest.datasets import data_set_for
from services.ingest.fetching.outcomes import NotFetchedError
from services.ingest.sources.upr_info import adapter
from services.ingest.sources.upr_info.adapter import UprInfo
from tests.ingest.sources.sites import serving
from tests.ingest.sources.upr_info.uwazi_site import Row, UwaziSite, row
from tests.ingest.sources.visits import Visiting, visiting

CAP = 40


@pytest.fixture(autouse=True)
def small_searches(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rules of the real site with smaller numbers."""
    rules: dict[str, Any] = {**adapter._asked(), "most_in_a_search": CAP, "rows_at_once": 7}
    monkeypatch.setattr(adapter, "_asked", lambda: rules)


@pytest.fixture
def rows() -> list[Row]:
    """120 rows: of one State more than a search gives, in three sessions; of one row nobody knows the State."""
    large = [row(number, "xal", f"s{number % 3 + 13}", f"r{number % 2}") for number in range(100)]
    return [*large, *(row(number, "xtl", "s14") for number in range(100, 119)), row(119, None, "s15")]


class Read:
    """One reading of a site."""

    def __init__(self, tmp_path: Path, uwazi: UwaziSite) -> None:
        tmp_path.mkdir(exist_ok=True)
        with serving(uwazi.answer) as site:
            self.visited: Visiting = visiting(tmp_path, {"database": site.address})
            (self.found,) = UprInfo().find(self.visited.visit)
            self.log = site.log
        assert self.found.kept is not None
        self.bytes = self.found.kept.read_bytes()
        self.ids = [each["sharedId"] for each in json.loads(self.bytes)]


def test_all_rows_come_though_no_search_gives_them(tmp_path: Path, rows: list[Row]) -> None:
    read = Read(tmp_path, UwaziSite(rows, cap=CAP))
    assert read.ids == [each["sharedId"] for each in rows]
    assert read.visited.codes == []
    assert read.visited.told[-1] == (120, None)
    assert all(asked.headers["content-language"] == "en" for asked in read.log if asked.path != "/robots.txt")
    assert read.found.kept is not None
    data_set = data_set_for(read.found.kept)
    assert data_set is not None
    assert data_set.parser == "upr_info_uwazi"
    assert sorted(path.name for path in read.visited.visit.folder.iterdir()) == ["upr-info.json"]


def test_ten_thousand_rows_and_more_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    many = [row(number, f"x{number % 3}", f"s{number % 7}") for number in range(10_040)]
    read = Read(tmp_path, UwaziSite(many))
    assert len(read.ids) == len(set(read.ids)) == 10_040
    assert len(read.log) < 60


def test_an_unchanged_database_makes_the_same_bytes(tmp_path: Path, rows: list[Row]) -> None:
    first = Read(tmp_path / "first", UwaziSite(rows, cap=CAP))
    again = [json.loads(json.dumps(each)) for each in rows]
    for each in again:
        each["_explanation"], each["snippets"] = {"score": random.random()}, {"count": 3}
        each["metadata"] = dict(reversed(each["metadata"].items()))
    random.Random(7).shuffle(again)
    assert Read(tmp_path / "again", UwaziSite(again, cap=200)).bytes == first.bytes
    again[0]["metadata"]["response"][0]["label"] = "Noted"
    assert Read(tmp_path / "changed", UwaziSite(again, cap=200)).bytes != first.bytes


def test_a_template_that_is_gone_is_told(tmp_path: Path, rows: list[Row]) -> None:
    assert fault(tmp_path, UwaziSite(rows, cap=CAP, template="5d8ce0436")) == "unknown_template"


def test_a_database_without_rows_is_told(tmp_path: Path) -> None:
    assert fault(tmp_path, UwaziSite([], cap=CAP)) == "nothing_found"


def test_a_filter_that_finds_nothing_is_told(tmp_path: Path, rows: list[Row]) -> None:
    """As an id does that is not the site's any more: 200, and no rows."""
    assert fault(tmp_path, UwaziSite(rows, cap=CAP, forget_values={"xtl"})) == "filter_without_effect"


def test_a_filter_that_is_ignored_is_told(tmp_path: Path, rows: list[Row]) -> None:
    assert fault(tmp_path, UwaziSite(rows, cap=CAP, ignore_filters=True)) == "filter_without_effect"


def test_pages_that_repeat_end(tmp_path: Path, rows: list[Row]) -> None:
    assert fault(tmp_path, UwaziSite(rows, cap=CAP, ignore_from=True)) == "rows_missing"


def test_without_counts_nobody_knows_whether_all_came(tmp_path: Path, rows: list[Row]) -> None:
    assert fault(tmp_path, UwaziSite(rows, cap=CAP, aggregates=False)) == "unexpected_answer"


def test_without_buckets_a_small_database_is_read(tmp_path: Path, rows: list[Row]) -> None:
    assert len(Read(tmp_path, UwaziSite(rows[-20:], cap=CAP, aggregates=False)).ids) == 20


def test_a_part_that_cannot_be_split_is_told(tmp_path: Path) -> None:
    alike = [row(number, "xal") for number in range(CAP + 5)]
    assert fault(tmp_path, UwaziSite(alike, cap=CAP)) == "part_too_large"


def test_rows_that_are_edited_meanwhile_come_once_as_they_are_last(tmp_path: Path) -> None:
    """A row is taken out while pages are read, so that the next page begins one row too far."""
    few = [row(number, "xal") for number in range(30)]

    def edit(site: UwaziSite, start: int) -> None:
        if start == 7 and len(site.rows) == 30:
            del site.rows[0]
            site.rows[2] = row(3, "xal", edited=5000)

    read = Read(tmp_path, UwaziSite(few, cap=CAP, before_search=edit))
    # The row that was taken out was seen before: it goes with the next visit.
    assert read.ids == [f"shared{number:06}" for number in range(30)]
    assert json.loads(read.bytes)[3]["editDate"] == 1_760_000_005_000


def test_new_rows_come_with_the_pages_on_which_they_appear(tmp_path: Path) -> None:
    few = [row(number, "xal") for number in range(20)]
    extra: Iterator[Row] = iter([row(20, "xal"), row(21, "xal")])

    def add(site: UwaziSite, start: int) -> None:
        if start == 14:
            site.rows.extend(extra)

    assert len(Read(tmp_path, UwaziSite(few, cap=CAP, before_search=add)).ids) == 22


@pytest.mark.parametrize(
    "aggregations",
    [[], {"all": []}, {"all": {"session": 5, "response": {"buckets": [7, {"key": 1}, {"key": "x", "filtered": []}]}}}],
)
def test_counts_of_other_shapes_count_nothing(tmp_path: Path, aggregations: Any, rows: list[Row]) -> None:
    uwazi = UwaziSite(rows, cap=CAP)

    def answer(asked: Any) -> Any:
        told = uwazi.answer(asked)
        if asked.path != "/api/search":
            return told
        return type(told)(json.dumps({**json.loads(told.body), "aggregations": aggregations}).encode())

    with serving(answer) as site, pytest.raises(NotFetchedError) as raised:
        list(UprInfo().find(visiting(tmp_path, {"database": site.address}).visit))
    assert raised.value.code == "unexpected_answer"


@pytest.mark.parametrize(
    "body", [b"<html>a login page</html>", b"[1, 2]", b'{"rows": 5}', b'{"rows": [], "totalRows": "many"}', b'{"rows"']
)
def test_other_answers_than_ever_are_told(tmp_path: Path, body: bytes, rows: list[Row]) -> None:
    uwazi = UwaziSite(rows, cap=CAP)

    def answer(asked: Any) -> Any:
        told = uwazi.answer(asked)
        return type(told)(body) if asked.path == "/api/search" else told

    with serving(answer) as site, pytest.raises(NotFetchedError) as raised:
        list(UprInfo().find(visiting(tmp_path, {"database": site.address}).visit))
    assert raised.value.code in {"unexpected_answer", "unexpected_kind"}


def fault(tmp_path: Path, uwazi: UwaziSite) -> str:
    """Why nothing was found: a part must never stand for the whole."""
    with pytest.raises(NotFetchedError) as raised:
        Read(tmp_path, uwazi)
    return raised.value.code
