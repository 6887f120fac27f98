"""What a search finds, as a file: the rows of the list, with the columns of the API's exports."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import httpx
import openpyxl
import pytest

from services.core.runtime.exports import ANY, FORMATS, RECORD_TYPE, Format, columns_of
from services.core.schemas.texts import SEARCHED_NOUNS
from services.search.routes import exports
from tests.search.conftest import SearchService

WORDS = {"q": "torture prevention", "lang": "es"}


def columns(noun: str) -> list[str]:
    return [name for column in columns_of(noun) for name in column.names]


def rows_of(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


def found(service: SearchService, **asked: str) -> list[dict[str, Any]]:
    """All hits of a search, page by page."""
    hits: list[dict[str, Any]] = []
    while True:
        page = service.search(**asked, per_page="200", page=str(len(hits) // 200 + 1))
        hits += page["hits"]
        if len(hits) >= page["total"]:
            return hits


@pytest.mark.parametrize("noun", ["recommendations", "documents", None])
def test_rows_are_the_hits_in_their_order(real_service: SearchService, noun: str | None) -> None:
    asked = WORDS | ({"type": noun} if noun else {})
    hits = found(real_service, **asked)
    answer = real_service.client.get("/v1/search.csv", params=asked)
    rows = rows_of(answer)
    assert [row["id"] for row in rows] == [hit["record"]["id"] for hit in hits]
    assert [row["url"] for row in rows] == [hit["record"]["url"] for hit in hits]
    assert list(rows[0]) == [*columns(noun or ANY), "dataset_version", "query"]
    assert answer.headers["openupr-found"] == answer.headers["openupr-rows"] == str(len(hits))
    if noun is None:
        assert [row[RECORD_TYPE] for row in rows] == [hit["type"] for hit in hits]
    lines = real_service.client.get("/v1/search.ndjson", params=asked).text.splitlines()
    told = [{RECORD_TYPE: hit["type"], **hit["record"]} if noun is None else hit["record"] for hit in hits]
    assert [json.loads(line) for line in lines] == told


@pytest.mark.parametrize("form", FORMATS)
def test_what_is_told_beside_a_file_is_declared_and_readable_in_browsers(
    real_service: SearchService, form: Format
) -> None:
    answer = real_service.client.get(f"/v1/search.{form.suffix}", params=WORDS)
    told = {"content-disposition", *(name for name in answer.headers if name.startswith("openupr-"))}
    assert len(told) == 4
    assert told <= set(answer.headers["access-control-expose-headers"].lower().split(", "))
    operation = real_service.client.get("/openapi.json").json()["paths"][f"/v1/search.{form.suffix}"]["get"]
    assert told <= {name.lower() for name in operation["responses"]["200"]["headers"]}


def test_a_row_of_any_noun_has_the_cells_of_its_own_noun(real_service: SearchService) -> None:
    for row in rows_of(real_service.client.get("/v1/search.csv", params=WORDS))[::20]:
        noun = row[RECORD_TYPE]
        asked = {"type": noun, "id": row["id"], "lang": "es"}
        (alone,) = rows_of(real_service.client.get("/v1/search.csv", params=asked))
        assert {name: row[name] for name in columns(noun)} == {name: alone[name] for name in columns(noun)}
        assert all(row[name] == "" for name in set(columns(ANY)) - {RECORD_TYPE, *columns(noun)})


def test_more_than_the_most_is_cut_and_said(
    real_service: SearchService, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(exports, "MOST_ROWS", 3)
    total = real_service.search(**WORDS)["total"]
    answer = real_service.client.get("/v1/search.xlsx", params=WORDS)
    assert (answer.headers["openupr-found"], answer.headers["openupr-rows"]) == (str(total), "3")
    assert f"-first-3-of-{total}.xlsx" in answer.headers["content-disposition"]
    (tmp_path / "found.xlsx").write_bytes(answer.content)
    book = openpyxl.load_workbook(tmp_path / "found.xlsx")
    assert book[ANY].max_row == 4
    about = dict(book["about"].iter_rows(values_only=True))
    assert (about["rows"], about["found"]) == (3, total)
    assert f"first 3 of {total:,}" in about["note"]
    assert about["query"].startswith("http://127.0.0.1:8001/v1/search?q=torture+prevention")


def test_nothing_found_is_an_empty_table(real_service: SearchService) -> None:
    answer = real_service.client.get("/v1/search.csv", params={"q": "xylophone qwerty"})
    assert rows_of(answer) == []
    assert answer.headers["openupr-found"] == "0"


def test_what_does_not_apply_is_refused(real_service: SearchService) -> None:
    for form in FORMATS:
        for asked in ({"page": "2"}, {"per_page": "5"}, {"facets": "topic"}, {"colour": "red"}, {"type": "states"}):
            answer = real_service.client.get(f"/v1/search.{form.suffix}", params=asked)
            assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")


def test_what_is_held_is_not_written_again(real_service: SearchService) -> None:
    answer = real_service.client.get("/v1/search.csv", params=WORDS)
    again = real_service.client.get("/v1/search.csv", params=WORDS, headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304


def test_every_searched_noun_has_its_columns() -> None:
    assert set(columns(ANY)) == {RECORD_TYPE, *(name for noun in SEARCHED_NOUNS for name in columns(noun))}
