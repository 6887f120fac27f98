"""Paragraphs of documents and citations of recommendations, over HTTP."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from services.core.schemas.examples import paragraph_example
from services.core.schemas.paragraphs import Paragraph
from services.core.store.former_ids import remember_removed
from tests.api.national_reports import DOCUMENT, load_national_reports
from tests.api.site import PUBLIC, Site, open_site, problem


@pytest.fixture
def site(database_url: str, engine: Engine, tmp_path: Path) -> Iterator[Site]:
    load_national_reports(engine, tmp_path)
    with open_site(database_url) as site:
        yield site


def test_paragraphs_come_in_their_order_page_by_page(site: Site) -> None:
    pages = site.pages(f"/v1/documents/{DOCUMENT}/paragraphs", limit=5)
    rows = [row for page in pages for row in page["data"]]
    assert {page["total"] for page in pages} == {len(rows)} == {24}
    assert [(row["language"], row["number"]) for row in rows] == [
        (language, str(number)) for language in ("en", "es") for number in range(1, 13)
    ]
    for row in rows:
        Paragraph.model_validate(row)
    assert all(page.keys() == {"data", "total", "page", "dataset"} for page in pages)


def test_a_paragraph_says_where_it_stands_and_what_it_cites(site: Site) -> None:
    [row] = site.rows(f"/v1/documents/{DOCUMENT}/paragraphs", language="es", recommendation="PER-2-116.1", lang="es")
    assert (row["id"], row["number"], row["page"]) == (f"{DOCUMENT}.es.7", "7", 2)
    assert row["url"] == f"{PUBLIC}/documents/{DOCUMENT}/paragraphs/es.7"
    assert row["state_under_review"] == {"code": "PER", "name": "Perú"}
    assert row["citations"] == [
        {"printed": "116.1", "cycle": None, "recommendations": ["PER-2-116.1"]},
        {"printed": "116.9", "cycle": 2, "recommendations": []},
    ]


def test_the_permalink_of_a_paragraph_leads_to_it(site: Site) -> None:
    row = site.json(f"/v1/documents/{DOCUMENT}/paragraphs", limit=1)["data"][0]
    answer = site.get(row["url"], lang="fr")
    assert answer.status_code == 307
    assert answer.headers["location"] == f"/data/v1/documents/{DOCUMENT}/paragraphs/en.1?lang=fr"
    assert site.json(answer.headers["location"].removeprefix("/data"))["id"] == row["id"]
    assert site.json(f"/v1/documents/{DOCUMENT}/paragraphs/en.1") == row


def test_citations_of_a_recommendation(site: Site) -> None:
    rows = site.rows("/v1/recommendations/PER-2-116.1/citations")
    assert [row["id"] for row in rows] == [f"{DOCUMENT}.en.7", f"{DOCUMENT}.es.7"]
    assert len(site.rows("/v1/recommendations/PER-2-116.1/citations", language="en", kind="national_report")) == 1
    assert site.rows("/v1/recommendations/PER-2-116.1/citations", kind="mid_term_report") == []
    assert site.json("/v1/recommendations/PER-2-117.1/citations")["total"] == 0  # the number of two parts


def test_a_former_id_leads_to_the_citations_of_the_new_one(site: Site, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE recommendations SET aliases = '{PER-2-1.1}' WHERE number = '116.1'"))
    answer = site.get("/v1/recommendations/PER-2-1.1/citations", language="es")
    assert answer.status_code == 308
    assert answer.headers["location"] == "/data/v1/recommendations/PER-2-116.1/citations?language=es"


def test_what_is_not_there(site: Site, engine: Engine) -> None:
    for address in ("documents/never-was/paragraphs", "documents/never-was/paragraphs/en.1",
                    "recommendations/never-was/citations"):  # fmt: skip
        assert "never-was" in problem(site.get(f"/v1/{address}"), 404, "not_found")["detail"]
    told = problem(site.get(f"/v1/documents/{DOCUMENT}/paragraphs/en.99"), 404, "not_found")
    assert "no paragraph en.99" in told["detail"]
    with engine.begin() as connection:
        remember_removed(connection, "documents", {"it-was": "no_source_holds_it"})
    problem(site.get("/v1/documents/it-was/paragraphs"), 410, "gone")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("colour=red", "unknown_parameter"),
        ("kind=national_report", "unknown_parameter"),
        ("sort=number", "unknown_parameter"),
        ("language=klingon", "invalid_parameter"),
        ("recommendation=%20", "invalid_parameter"),
        ("limit=0", "invalid_parameter"),
        ("lang=de", "invalid_parameter"),
        ("cursor=abc", "invalid_cursor"),
    ],
)
def test_faults_of_a_request_are_named(site: Site, query: str, code: str) -> None:
    problem(site.get(f"/v1/documents/{DOCUMENT}/paragraphs?{query}"), 400, code)


def test_a_cursor_belongs_to_its_list(site: Site) -> None:
    following = site.json(f"/v1/documents/{DOCUMENT}/paragraphs", limit=5)["page"]["next"]
    problem(site.get(f"{following}&language=en"), 400, "invalid_cursor")


def test_the_number_of_queries_does_not_grow(site: Site) -> None:
    site.json("/v1/documents")
    for address in (f"/v1/documents/{DOCUMENT}/paragraphs", "/v1/recommendations/PER-2-116.1/citations"):
        for limit in (1, 200):
            with site.counted() as statements:
                site.json(address, limit=limit)
            assert len(statements) == 4  # the newest change, the record, the count, the page
    with site.counted() as statements:
        site.json(f"/v1/documents/{DOCUMENT}/paragraphs/en.1")
    assert len(statements) == 2


def test_an_answer_that_is_held_is_not_sent_again(site: Site) -> None:
    answer = site.get(f"/v1/documents/{DOCUMENT}/paragraphs")
    again = site.client.get(f"/v1/documents/{DOCUMENT}/paragraphs", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304


def test_the_example_is_what_the_model_says() -> None:
    Paragraph.model_validate(paragraph_example())
    assert [*paragraph_example()] == [*Paragraph.model_fields]
