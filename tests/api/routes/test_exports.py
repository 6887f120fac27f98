"""Whole filtered lists as CSV, NDJSON and workbooks."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openpyxl
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from services.core.domain.errors import InvalidParameterError, UnavailableError
from services.core.runtime.exports import (
    CSV,
    FORMATS,
    NDJSON,
    XLSX,
    Cell,
    Format,
    Provenance,
    chunks,
    columns_of,
    csv_line,
    write_export,
)
from services.core.schemas.examples import record_example
from services.core.store.tables import AGGREGATES
from tests import effort
from tests.api.site import PUBLIC, Site, open_site, problem
from tests.records import fill

CHOSEN = "region=grulac&position=noted&position=pending"


@pytest.fixture
def site(engine: Engine, database_url: str) -> Iterator[Site]:
    with engine.begin() as connection:
        fill(connection, seed=41, each=25, recommendations=300)
    with open_site(database_url) as site:
        yield site


def rows_of(answer: httpx.Response) -> list[dict[str, Any]]:
    """The rows of an export, whatever its format; only the members that all formats tell alike."""
    media_type = answer.headers["content-type"].partition(";")[0]
    if media_type == "application/x-ndjson":
        return [orjson.loads(line) for line in answer.content.splitlines()]
    if media_type == "text/csv":
        return list(csv.DictReader(io.StringIO(answer.text, newline="")))
    book = openpyxl.load_workbook(io.BytesIO(answer.content), read_only=True)
    header, *rows = book.worksheets[0].iter_rows(values_only=True)
    return [dict(zip(map(str, header), row, strict=True)) for row in rows]


def test_an_export_is_the_whole_list_in_its_order(site: Site) -> None:
    for noun in AGGREGATES:
        listed = [row["url"] for row in site.rows(f"/v1/{noun}", limit=200)]
        for form in FORMATS:
            answer = site.get(f"/v1/{noun}.{form.suffix}")
            assert answer.status_code == 200, answer.text
            assert [row["url"] for row in rows_of(answer)] == listed, (noun, form.suffix)


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.suffix)
def test_filtered_sorted_and_named(site: Site, form: Any) -> None:
    address = f"/v1/recommendations.{form.suffix}?{CHOSEN}&sort=-date"
    answer = site.get(address)
    listed = site.rows(f"/v1/recommendations?{CHOSEN}&sort=-date")
    assert [row["id"] for row in rows_of(answer)] == [row["id"] for row in listed] != []
    version = site.json(f"/v1/recommendations?{CHOSEN}")["dataset"]["version"]
    assert answer.headers["content-disposition"] == (
        f'attachment; filename="openupr-recommendations-{version}.{form.suffix}"'
    )
    assert answer.headers["openupr-dataset"] == version
    assert answer.links["alternate"]["url"] == f"{PUBLIC}/v1/recommendations?{CHOSEN}&sort=-date"
    assert answer.headers["content-type"] == form.media_type
    held = site.client.get(address, headers={"If-None-Match": answer.headers["etag"]})
    assert held.status_code == 304
    assert site.client.head(address).headers["content-disposition"] == answer.headers["content-disposition"]


def test_ndjson_holds_the_records_of_the_list(site: Site) -> None:
    answer = site.get("/v1/recommendations.ndjson?lang=es")
    assert rows_of(answer) == site.rows("/v1/recommendations", lang="es", limit=200)
    assert answer.headers["content-language"] == "es"


def test_by_accept(site: Site) -> None:
    for form in FORMATS:
        media_type = form.media_type.partition(";")[0]
        answer = site.client.get(f"/v1/recommendations?{CHOSEN}", headers={"Accept": f"{media_type}, */*;q=0.1"})
        assert answer.headers["content-type"] == form.media_type
        assert len(rows_of(answer)) == site.json(f"/v1/recommendations?{CHOSEN}")["total"]
    answer = site.client.get("/v1/recommendations", headers={"Accept": "text/html,*/*;q=0.8"})
    assert answer.headers["content-type"] == "application/json"
    assert "accept" in answer.headers["vary"]


def test_csv_has_codes_and_names(site: Site) -> None:
    row, told = rows_of(site.get("/v1/recommendations.csv"))[0], site.rows("/v1/recommendations")[0]
    assert row["state_under_review"] == told["state_under_review"]["code"]
    assert row["state_under_review_name"] == told["state_under_review"]["name"]
    assert row["recommending_states"] == "; ".join(state["code"] for state in told["recommending_states"])
    assert row["recommending_states_names"] == "; ".join(state["name"] for state in told["recommending_states"])
    topics = [label for label in told["labels"] if label["scheme"] == "topic"]
    assert row["topic_names"] == "; ".join(label["name"] for label in topics)
    assert row["text"] == told["text"]
    assert orjson.loads(row["positions"] or "[]") == told["positions"]
    assert row["query"] == f"{PUBLIC}/v1/recommendations"
    assert row["dataset_version"] == site.json("/v1/recommendations")["dataset"]["version"]


def test_a_workbook_says_where_it_is_from(site: Site) -> None:
    answer = site.get(f"/v1/recommendations.xlsx?{CHOSEN}")
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    about = {row[0]: row[1] for row in book["about"].iter_rows(values_only=True)}
    total = site.json(f"/v1/recommendations?{CHOSEN}")["total"]
    assert (about["query"], about["rows"]) == (f"{PUBLIC}/v1/recommendations?{CHOSEN}", total)
    assert about["dataset version"] == answer.headers["openupr-dataset"]


def test_columns_do_not_depend_on_rows(site: Site) -> None:
    for noun in AGGREGATES:
        empty = site.get(f"/v1/{noun}.csv?id=none").text.strip()
        assert site.get(f"/v1/{noun}.csv").text.startswith(empty)
        names = empty.split(",")
        assert len(names) == len(set(names))


@pytest.mark.parametrize("form", FORMATS)
def test_what_is_told_beside_a_file_is_declared_and_readable_in_browsers(site: Site, form: Format) -> None:
    answer = site.get(f"/v1/recommendations.{form.suffix}")
    told = {"content-disposition", *(name for name in answer.headers if name.startswith("openupr-"))}
    assert len(told) == 2
    assert told <= set(answer.headers["access-control-expose-headers"].lower().split(", "))
    operation = site.get("/openapi.json").json()["paths"][f"/v1/recommendations.{form.suffix}"]["get"]
    assert told <= {name.lower() for name in operation["responses"]["200"]["headers"]}


def test_what_an_export_cannot_be_asked(site: Site) -> None:
    for name in ("limit", "cursor"):
        told = problem(site.get(f"/v1/recommendations.csv?{name}=5"), 400, "unknown_parameter")
        assert name in told["detail"]
        answer = site.client.get(f"/v1/recommendations?{name}=5", headers={"Accept": "text/csv"})
        problem(answer, 400, "unknown_parameter")
    problem(site.get("/v1/recommendations.csv?cycle=x"), 400, "invalid_parameter")
    problem(site.get("/v1/recommendations.pdf"), 404, "not_found")


def test_the_number_of_queries_does_not_grow(site: Site) -> None:
    site.get("/v1/recommendations.csv?id=none")
    for query in ("?id=none", ""):
        with site.counted() as statements:
            site.get(f"/v1/recommendations.csv{query}")
        assert len(statements) == 3  # the newest change, the count, the rows


# Without a service


PROVENANCE = Provenance("recommendations", "https://upr.example.org/v1/recommendations", "1-a", "2026-11-21", 1)


def shape(**members: Any) -> dict[str, Any]:
    return {**record_example("recommendations"), **members}


def cells(text: str) -> list[str]:
    file = write_export(CSV, [shape(text=text)], PROVENANCE)
    return [row["text"] for row in csv.DictReader(io.StringIO(b"".join(chunks(file)).decode(), newline=""))]


@pytest.mark.parametrize("text", ['=HYPERLINK("https://x")', "+1", "-1", "@SUM(A1)", "\tx"])
def test_a_text_is_no_formula(text: str, tmp_path: Path) -> None:
    assert cells(text) == [f"'{text}"]
    file = write_export(XLSX, [shape(text=text)], PROVENANCE)
    (tmp_path / "x.xlsx").write_bytes(b"".join(chunks(file)))
    sheet = openpyxl.load_workbook(tmp_path / "x.xlsx").worksheets[0]
    column = [cell.value for cell in sheet[1]].index("text")
    assert (sheet[2][column].value, sheet[2][column].data_type) == (text, "s")


@pytest.mark.parametrize("text", ["a\nb", 'say "no"', "a,b;c", "ñandú — 人权", "x" * 40_000, ""])
def test_any_text_survives_csv(text: str) -> None:
    assert cells(text) == [text]


def test_a_cell_of_a_workbook_is_cut_where_it_must_be() -> None:
    file = write_export(XLSX, [shape(text="x" * 40_000)], PROVENANCE)
    sheet = openpyxl.load_workbook(io.BytesIO(b"".join(chunks(file)))).worksheets[0]
    column = [cell.value for cell in sheet[1]].index("text")
    assert sheet[2][column].value == "x" * 32_766 + "…"


def test_more_rows_than_a_sheet_holds() -> None:
    many = Provenance("recommendations", "", "1-a", "", 1_048_576)
    with pytest.raises(InvalidParameterError, match="CSV or NDJSON"):
        write_export(XLSX, [], many)
    assert b"".join(chunks(write_export(NDJSON, [], many))) == b""


def test_no_more_than_a_few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.core.runtime.exports._PATIENCE", 0.05)

    def exports(depth: int) -> Iterator[dict[str, Any]]:
        if depth:
            write_export(CSV, exports(depth - 1), PROVENANCE).close()
        yield shape()

    with pytest.raises(UnavailableError):
        write_export(CSV, exports(5), PROVENANCE)
    assert b"".join(chunks(write_export(CSV, exports(2), PROVENANCE)))


def test_every_member_of_a_shape_is_in_some_column() -> None:
    for noun in AGGREGATES:
        names = {name for column in columns_of(noun) for name in column.names}
        for member in record_example(noun):
            assert any(name == member or name.startswith(f"{member}_") for name in names) or member == "labels"


CELLS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.text("\",;\r\n' =@")


@settings(max_examples=effort.examples(200))
@given(st.lists(CELLS, min_size=2))
def test_lines_of_csv_are_those_of_the_library(cells: list[Cell]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerow([f"'{each}" if _is_formula(each) else each for each in cells])
    assert csv_line(cells) == text.getvalue()


def _is_formula(cell: Cell) -> bool:
    return isinstance(cell, str) and cell.startswith(tuple("=+-@\t\r"))
