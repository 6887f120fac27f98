"""The matrix of a review over HTTP."""

import io
from collections.abc import Iterator
from typing import Any

import docx
import httpx
import openpyxl
import pytest
from sqlalchemy import Engine

from services.api.routes.matrix import DOCX, FORMS, XLSX
from services.core.store.former_ids import remember_removed
from tests.api.site import PUBLIC, Site, open_site, problem
from tests.records import fill


@pytest.fixture
def site(engine: Engine, database_url: str) -> Iterator[Site]:
    with engine.begin() as connection:
        fill(connection, seed=41, each=25, recommendations=300)
    with open_site(database_url) as site:
        yield site


@pytest.fixture
def review(site: Site) -> dict[str, Any]:
    """The review with the most recommendations."""
    reviews = site.rows("/v1/reviews", limit=200)
    found: dict[str, Any] = max(reviews, key=lambda each: site.json("/v1/recommendations", review=each["id"])["total"])
    return found


def numbers_of(answer: httpx.Response) -> list[str]:
    """The addresses of the recommendations in a matrix, in its order."""
    if answer.headers["content-type"] == DOCX.media_type:
        table = docx.Document(io.BytesIO(answer.content)).tables[0]
        cells = [row.cells[0].paragraphs[0] for row in table.rows]
        return [link.address for cell in cells for link in cell.hyperlinks]
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).worksheets[0]
    return [row[0].hyperlink.target for row in sheet.iter_rows() if row[0].hyperlink]


def test_it_holds_every_recommendation_of_the_review_once(site: Site, review: dict[str, Any]) -> None:
    listed = site.rows("/v1/recommendations", review=review["id"], limit=200)
    expected = sorted(f"{PUBLIC}/recommendations/{row['id']}" for row in listed)
    assert len(expected) > 5
    for form in FORMS:
        answer = site.get(f"/v1/reviews/{review['id']}/matrix.{form.suffix}")
        assert answer.status_code == 200, answer.text
        assert sorted(numbers_of(answer)) == expected
        assert answer.headers["content-type"] == form.media_type
        version = site.json("/v1/reviews")["dataset"]["version"]
        assert answer.headers["openupr-dataset"] == version
        name = f"openupr-{review['id']}-matrix-en-{version}.{form.suffix}"
        assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
        assert answer.links["up"]["url"] == review["url"]
        assert int(answer.headers["content-length"]) == len(answer.content)


@pytest.mark.parametrize(
    ("accept", "form"),
    [(None, DOCX), ("*/*", DOCX), (DOCX.media_type, DOCX), (XLSX.media_type, XLSX), ("application/json", DOCX),
     (f"{DOCX.media_type};q=0.5, {XLSX.media_type}", XLSX), ("text/html,*/*;q=0.8", DOCX)],
)  # fmt: skip
def test_by_accept(site: Site, review: dict[str, Any], accept: str | None, form: Any) -> None:
    headers = {"Accept": accept} if accept else {}
    answer = site.client.get(f"/v1/reviews/{review['id']}/matrix", headers=headers)
    assert answer.headers["content-type"] == form.media_type
    assert "accept" in answer.headers["vary"].lower()
    assert numbers_of(answer) == numbers_of(site.get(f"/v1/reviews/{review['id']}/matrix.{form.suffix}"))


def test_in_the_language_asked_for_or_preferred(site: Site, review: dict[str, Any]) -> None:
    address = f"/v1/reviews/{review['id']}/matrix.docx"
    asked = site.get(address, lang="fr")
    preferred = site.client.get(address, headers={"Accept-Language": "fr-CA, en;q=0.5"})
    for answer in (asked, preferred):
        assert answer.headers["content-language"] == "fr"
        document = docx.Document(io.BytesIO(answer.content))
        assert document.core_properties.language == "fr-FR"
        told = {paragraph.text.partition("\t")[0]: paragraph.text for paragraph in document.paragraphs}
        assert told["Ce document"].endswith(f"{PUBLIC}{address}?lang=fr")


def test_its_address_and_its_permalinks_lead_to_it(site: Site, review: dict[str, Any]) -> None:
    address = f"/v1/reviews/{review['id']}/matrix"
    answer = site.get(f"{address}.xlsx", lang="es")
    assert answer.links["canonical"]["url"] == f"{PUBLIC}{address}.xlsx?lang=es"
    assert site.get(answer.links["canonical"]["url"]).content == answer.content
    for ending in ("", ".docx", ".xlsx"):
        moved = site.get(f"/reviews/{review['id']}/matrix{ending}", lang="es")
        assert (moved.status_code, moved.headers["location"]) == (307, f"/data{address}{ending}?lang=es")


def test_an_answer_that_is_held_is_not_sent_again(site: Site, review: dict[str, Any]) -> None:
    for ending in ("", ".docx", ".xlsx"):
        address = f"/v1/reviews/{review['id']}/matrix{ending}"
        answer = site.get(address)
        assert answer.headers["etag"].startswith('"')
        held = site.client.get(address, headers={"If-None-Match": answer.headers["etag"]})
        assert (held.status_code, held.content) == (304, b"")
        assert site.get(address).content == answer.content  # the tag is strong
        assert site.client.head(address).headers["content-length"] == answer.headers["content-length"]
    other = site.client.get(f"/v1/reviews/{review['id']}/matrix", headers={"Accept": XLSX.media_type})
    assert other.headers["etag"] != site.get(f"/v1/reviews/{review['id']}/matrix").headers["etag"]


def test_what_is_not_there(site: Site, engine: Engine) -> None:
    with engine.begin() as connection:
        remember_removed(connection, "reviews", {"XXX-1": "no_source_holds_it"})
    for ending in ("", ".docx", ".xlsx"):
        assert "PER-9" in problem(site.get(f"/v1/reviews/PER-9/matrix{ending}"), 404, "not_found")["detail"]
        problem(site.get(f"/v1/reviews/XXX-1/matrix{ending}"), 410, "gone")
    problem(site.get("/v1/reviews/PER-9/matrix.pdf"), 404, "not_found")


@pytest.mark.parametrize(
    ("query", "code"), [("colour=red", "unknown_parameter"), ("lang=de", "invalid_parameter"),
                        ("position=noted", "unknown_parameter"), ("lang=en&lang=es", "invalid_parameter")],
)  # fmt: skip
def test_faults_of_a_request_are_named(site: Site, review: dict[str, Any], query: str, code: str) -> None:
    for ending in ("", ".docx", ".xlsx"):
        problem(site.get(f"/v1/reviews/{review['id']}/matrix{ending}?{query}"), 400, code)


def test_the_number_of_queries_does_not_grow(site: Site, review: dict[str, Any]) -> None:
    reviews = site.rows("/v1/reviews", limit=200)
    fewest = min(reviews, key=lambda each: site.json("/v1/recommendations", review=each["id"])["total"])
    for each in (fewest, review):
        with site.counted() as statements:
            site.get(f"/v1/reviews/{each['id']}/matrix")
        # The newest change, the review, its recommendations, and its documents where it has any.
        assert len(statements) == 3 + bool(each["documents"])


def test_its_forms_are_in_the_openapi_document(site: Site) -> None:
    paths = site.openapi["paths"]
    both = paths["/v1/reviews/{record_id}/matrix"]["get"]
    assert set(both["responses"]["200"]["content"]) == {DOCX.media_type, XLSX.media_type}
    for form in FORMS:
        one = paths[f"/v1/reviews/{{record_id}}/matrix.{form.suffix}"]["get"]
        assert set(one["responses"]["200"]["content"]) == {form.media_type}
        assert {"400", "404", "410", "503"} <= one["responses"].keys()
        assert [parameter["name"] for parameter in one["parameters"]] == ["record_id", "lang"]
