"""Paragraphs as pages: one at its permalink, and those of a document in their order; programs are led to the JSON."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from selectolax.lexbor import LexborHTMLParser
from sqlalchemy import Engine, update

from services.core.pages.words import Words
from services.core.store.paragraphs import paragraphs_table
from tests.api.national_reports import DOCUMENT, load_national_reports
from tests.api.pages.test_record_pages import BROWSER, HOSTILE, check_inert, page
from tests.api.site import PUBLIC, Site, open_site

LIST = f"/documents/{DOCUMENT}/paragraphs"


@pytest.fixture
def site(database_url: str, engine: Engine, tmp_path: Path) -> Iterator[Site]:
    load_national_reports(engine, tmp_path, paragraphs=60)
    with open_site(database_url) as site:
        yield site


def links(html: LexborHTMLParser, selector: str = "main a") -> dict[str, str]:
    """Where links lead, by their texts."""
    return {link.text(): link.attributes["href"] or "" for link in html.css(selector)}


def test_a_paragraph_is_a_page_that_says_what_the_json_says(site: Site) -> None:
    told = site.json(f"/v1{LIST}/es.7")
    answer, html = page(site, f"{LIST}/es.7?lang=fr")
    assert (answer.status_code, answer.headers["content-language"]) == (200, "fr")
    said = html.css_first("blockquote")
    assert (said.text(), said.attributes["lang"], said.attributes["dir"]) == (told["text"], "es", "auto")
    assert html.css_first("h1").text() == "Paragraphe 7 · A/HRC/WG.6/28/PER/1"
    assert html.css_first("link[rel=canonical]").attributes["href"] == told["url"]
    assert told["heading"] in html.css_first("main").text()
    found = links(html)
    assert found["A/HRC/WG.6/28/PER/1"] == f"{PUBLIC}/documents/{DOCUMENT}?lang=fr"
    assert found["Pérou"] == "/data/states/PER?lang=fr"
    assert found["PER-3"] == "/data/reviews/PER-3?lang=fr"
    assert found[f"page {told['page']}"] == f"/data/documents/{DOCUMENT}/files/{told['file']}#page={told['page']}"
    assert found["116.1"] == "/data/recommendations/PER-2-116.1?lang=fr"
    assert Words("fr")("paragraph.cited_unknown") in html.css_first("main").text()
    assert found["Précédent : Paragraphe 6"] == f"{PUBLIC}{LIST}/es.6?lang=fr"
    assert found["Suivant : Paragraphe 8"] == f"{PUBLIC}{LIST}/es.8?lang=fr"
    as_json = found[Words("fr")("search.as_json")]
    assert site.json(as_json) == site.json(f"/v1{LIST}/es.7", lang="fr")
    check_inert(answer, html)


def test_the_first_and_the_last_paragraph_of_a_file_have_one_neighbour(site: Site) -> None:
    for anchor, beside in (("en.60", ["prev"]), ("es.1", ["next"])):
        _, html = page(site, f"{LIST}/{anchor}")
        assert [link.attributes["rel"] for link in html.css("nav.pages a[rel]")] == beside


def test_the_paragraphs_of_a_document_page_by_page(site: Site) -> None:
    _, html = page(site, f"/documents/{DOCUMENT}?lang=en")
    address: str | None = links(html)["paragraphs"]
    shown: list[str] = []
    sizes: list[int] = []
    while address is not None:
        answer, html = page(site, address.removeprefix(PUBLIC))
        assert html.css_first("h2").text() == "120 paragraphs"
        check_inert(answer, html)
        sizes.append(len(html.css("ol.hits > li")))
        shown += [link.attributes["href"] or "" for link in html.css("ol.hits h3 a")]
        rows = site.json(links(html)["As JSON"])["data"]
        assert [f"{row['url']}?lang=en" for row in rows] == shown[-len(rows) :]
        following = html.css_first("nav.pages a[rel=next]")
        address = following.attributes["href"] if following else None
    assert sizes == [50, 50, 20]
    assert shown == [f"{row['url']}?lang=en" for row in site.rows(f"/v1{LIST}")]


def test_filters_are_kept_from_page_to_page_and_can_be_taken_off(site: Site) -> None:
    _, html = page(site, f"{LIST}?lang=en&language=es")
    assert html.css_first("h2").text() == "60 paragraphs"
    _, second = page(site, (html.css_first("nav.pages a").attributes["href"] or "").removeprefix(PUBLIC))
    assert len(second.css("ol.hits > li")) == 10
    without = second.css_first("ul.chips a").attributes["href"] or ""
    assert without == f"/data{LIST}?lang=en"
    assert links(second, "ul.types a") == {"English": f"/data{LIST}?lang=en&language=en"}
    _, html = page(site, f"{LIST}?lang=es&language=en&recommendation=PER-2-116.1")
    assert [link.text() for link in html.css("ol.hits h3 a")] == ["Párrafo 7"]
    assert [link.text() for link in html.css("ul.chips a")] == ["inglés ✕", "que citan PER-2-116.1 ✕"]


def test_programs_are_led_to_the_json(site: Site) -> None:
    for path in (LIST, f"{LIST}/en.1"):
        answer = site.client.get(f"{path}?lang=es", headers={"Accept": "*/*"})
        assert (answer.status_code, answer.headers["location"]) == (307, f"/data/v1{path}?lang=es")


def test_faults_are_pages(site: Site) -> None:
    for path, status, message in (
        (f"{LIST}/en.61", 404, "not_found"),
        ("/documents/never-was/paragraphs/en.1", 404, "not_found"),
        ("/documents/never-was/paragraphs", 404, "not_found"),
        (f"{LIST}?language=klingon", 400, "unclear"),
        (f"{LIST}?cursor=abc", 400, "unclear"),
    ):
        answer, html = page(site, path)
        assert (answer.status_code, html.css_first("h1").text()) == (status, Words("en")(f"fault.{message}"))


def test_hostile_texts_are_shown_as_texts(site: Site, engine: Engine) -> None:
    hostile = {"text": HOSTILE, "heading": HOSTILE, "number": HOSTILE[:40], "page": None}
    with engine.begin() as connection:
        connection.execute(update(paragraphs_table).values(hostile))
    for path in (f"{LIST}/en.1", LIST):
        answer, html = page(site, path)
        assert html.css_first("blockquote, p.text").text() == HOSTILE + "\u202c"
        check_inert(answer, html)


def test_a_page_takes_a_few_queries_and_one_that_is_held_none_of_its_own(site: Site) -> None:
    site.json("/v1/documents")
    for path, most in ((f"{LIST}/en.7?lang=en", 4), (f"{LIST}?lang=en", 5)):
        with site.counted() as statements:
            answer = site.client.get(path, headers=BROWSER)
        assert answer.status_code == 200
        assert len(statements) <= most, statements
        again, _ = page(site, path, **{"If-None-Match": answer.headers["etag"]})
        assert again.status_code == 304
        assert again.headers["content-security-policy"] == answer.headers["content-security-policy"]
