"""Pages of records at their permalinks: what they say is what the JSON says, in the reader's language, and inert."""

import re
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest
from selectolax.lexbor import LexborHTMLParser
from sqlalchemy import Engine

from services.core.domain.changes import SINGULAR
from services.core.pages.words import Words
from services.core.schemas.names import LANGUAGES
from services.core.store.former_ids import remember_removed
from services.core.store.recommendations import RECOMMENDATIONS
from services.core.store.tables import AGGREGATES
from tests.api.site import PUBLIC, Site, open_site
from tests.records import RecordMaker, fill

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)> {{ 7 * 7 }} \u202eesrever ' + "x" * 5_000


@pytest.fixture
def maker(engine: Engine) -> RecordMaker:
    with engine.begin() as connection:
        return fill(connection, seed=7, each=6, recommendations=40)


@pytest.fixture
def site(database_url: str, maker: RecordMaker) -> Iterator[Site]:
    with open_site(database_url) as site:
        yield site


def page(site: Site, path: str, **headers: str) -> tuple[httpx.Response, LexborHTMLParser]:
    answer = site.client.get(path, headers=BROWSER | headers)
    return answer, LexborHTMLParser(answer.text)


def number(text: str) -> int:
    return int(re.sub(r"\D", "", text))


def test_every_record_has_a_page_in_every_language(site: Site) -> None:
    for noun in (*AGGREGATES, "topics"):
        for place, row in enumerate(site.json(f"/v1/{noun}", limit=4)["data"]):
            language = LANGUAGES[place % len(LANGUAGES)]
            answer, html = page(site, f"/{noun}/{row['id']}", **{"Accept-Language": language})
            assert answer.status_code == 200, answer.text[:500]
            assert answer.headers["content-type"].startswith("text/html")
            assert answer.headers["content-language"] == html.css_first("html").attributes["lang"] == language
            assert html.css_first("link[rel=canonical]").attributes["href"] == row["url"]
            assert html.css_first("h1").text().strip()
            check_inert(answer, html)


def check_inert(answer: httpx.Response, html: LexborHTMLParser) -> None:
    assert not html.css("script, style, img, iframe, object, embed, [onerror], [onclick], [style]")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert "set-cookie" not in answer.headers
    for each in html.css("a[href], form[action], link[href]:not([rel=icon])"):
        address = each.attributes.get("href") or each.attributes.get("action") or ""
        assert address.startswith(("/data/", PUBLIC, "http://127.0.0.1:8001/", "https://docs.un.org/", "#")), address


def test_programs_are_led_to_the_json(site: Site) -> None:
    for noun in (*AGGREGATES, "topics"):
        record_id = site.json(f"/v1/{noun}", limit=1)["data"][0]["id"]
        for accept in ("application/json", "*/*"):
            answer = site.client.get(f"/{noun}/{record_id}?lang=es", headers={"Accept": accept})
            assert answer.status_code == 307
            assert httpx.URL(answer.headers["location"]).path == f"/data/v1/{noun}/{record_id}"


def test_what_a_state_was_told_is_counted_as_in_the_json(site: Site) -> None:
    for row in site.json("/v1/recommendations", limit=5)["data"]:
        state = row["state_under_review"]["code"]
        told = site.json(f"/v1/states/{state}", include="all", lang="en")
        _, html = page(site, f"/states/{state}?lang=en")
        tables = html.css("table")
        rows = [[number(cell.text()) for cell in line.css("th, td")] for line in tables[0].css("tr")[1:]]
        assert rows == [
            [each["cycle"], *(each["recommendations"][name] for name in ("total", "supported", "noted", "pending"))]
            for each in told["received"]["by_cycle"]
        ]
        assert html.css_first("svg.answers").attributes["aria-label"] == Words("en")("record.received")


def test_a_review_shows_all_its_recommendations(site: Site) -> None:
    review = site.json("/v1/recommendations", limit=1)["data"][0]["review"]
    told = site.json("/v1/recommendations", review=review)
    _, html = page(site, f"/reviews/{review}?lang=en")
    assert number(html.css_first("h2 .count").text()) == told["total"]
    shown = [link.attributes["href"] for link in html.css("ol.hits h3 a")]
    assert shown == [f"{row['url']}?lang=en" for row in told["data"]]


def test_hostile_texts_are_shown_as_texts(site: Site, engine: Engine) -> None:
    record_id = site.json("/v1/recommendations", limit=1)["data"][0]["id"]
    with engine.begin() as connection:
        record = RECOMMENDATIONS.one(connection, record_id)
        assert record is not None
        RECOMMENDATIONS.update(connection, [replace(record, text=HOSTILE, number=HOSTILE[:40])])
    answer, html = page(site, f"/recommendations/{record_id}")
    assert html.css_first("blockquote").text() == HOSTILE + "\u202c"  # what it left open is closed
    check_inert(answer, html)


def test_ids_that_moved_hold_several_or_are_gone(site: Site, engine: Engine, maker: RecordMaker) -> None:
    held, model = site.json("/v1/recommendations", limit=1)["data"][0]["id"], maker.recommendation()
    parts = [f"{model.review}-7.7-{part}" for part in ("a", "b")]
    with engine.begin() as connection:
        record = RECOMMENDATIONS.one(connection, held)
        assert record is not None
        RECOMMENDATIONS.update(connection, [replace(record, aliases=("PER-2~0123456789",))])
        remember_removed(connection, "recommendations", {"it-was": "no_source_holds_it"})
        for place, part in enumerate(parts):
            made = replace(model, id=part, number="7.7", part=part[-1], sort_key=f"{model.review}-7.7-{place}")
            RECOMMENDATIONS.insert(connection, [made])
    answer, _ = page(site, "/recommendations/PER-2~0123456789?lang=es")
    assert (answer.status_code, answer.headers["location"]) == (308, f"/data/recommendations/{held}?lang=es")
    answer, html = page(site, f"/recommendations/{model.review}-7.7?lang=es")
    assert answer.status_code == 300
    assert [link.text() for link in html.css("main li a")] == parts
    answer, html = page(site, "/recommendations/it-was?lang=fr")
    assert (answer.status_code, html.css_first("h1").text()) == (410, Words("fr")("fault.gone"))
    answer, html = page(site, "/recommendations/never?lang=pt")
    assert (answer.status_code, html.css_first("h1").text()) == (404, Words("pt")("fault.not_found"))
    answer, _ = page(site, f"/recommendations/{held}?utm_source=newsletter")
    assert answer.status_code == 200


def test_the_first_page_tells_what_is_here(site: Site) -> None:
    answer, html = page(site, "/?lang=en")
    assert answer.status_code == 200
    shown = {each.css_first("a").text(): number(each.css_first(".count").text()) for each in html.css("ul#held li")}
    assert shown == {noun: site.json(f"/v1/{noun}")["total"] for noun in shown}
    assert {"recommendations", "documents"} <= shown.keys() <= SINGULAR.keys()
    check_inert(answer, html)
    again, _ = page(site, "/?lang=en", **{"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304
    assert again.headers["content-security-policy"] == answer.headers["content-security-policy"]


def test_pages_are_small(site: Site) -> None:
    state = site.json("/v1/recommendations", limit=1)["data"][0]["state_under_review"]["code"]
    _, html = page(site, f"/states/{state}")
    style = (html.css_first("link[rel=stylesheet]").attributes["href"] or "").removeprefix("/data")
    with httpx.Client(base_url=site.client.base_url) as plain:
        sizes = [
            int(plain.get(path, headers=BROWSER | {"Accept-Encoding": "gzip"}).headers.get("content-length", 10_000))
            for path in (f"/states/{state}", style)
        ]
    assert sum(sizes) < 60_000
