"""The search page: what it says is what the JSON says, every state is an address, and nothing in it is alive."""

import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from selectolax.lexbor import LexborHTMLParser

from services.core.pages.words import Words
from services.core.schemas.names import LANGUAGES
from services.core.store.engine import make_engine
from services.search.engines.base import TYPE, YEAR
from services.search.pages.search_page import FACETS
from services.search.settings import SearchSettings
from tests.effort import examples
from tests.postgres_fixtures import FreshDatabases
from tests.readings import recommendation, report
from tests.search.conftest import SearchService, eventually, load, serving
from tests.search.truth import Truth, query_of_type, random_filters

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
HOSTILE = (
    'Close the camp "><script>alert(1)</script>',
    "Release <img src=x onerror=alert(2)> {{ 7 * 7 }} everybody",
    "Stop \u202ethe reversal\u202c &lt;b&gt; of " + "x" * 4_000,
)


@pytest.fixture(scope="module")
def filled(fresh_databases: FreshDatabases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SearchService]:
    """Three hostile recommendations and two plain ones; tests only read them."""
    texts = [*HOSTILE, "Prevent torture", "Train judges on torture"]
    told = [recommendation(f"116.{place}", text) for place, text in enumerate(texts, 1)]
    folder = tmp_path_factory.mktemp("filled")
    with fresh_databases() as url:
        store = make_engine(url, pool_size=1)
        load(store, folder, report(told), "report")
        store.dispose()
        with serving(SearchSettings(data_dir=folder / "data", database_url=url), url) as service:
            eventually(lambda: service.client.get("/readyz").status_code == 200)
            eventually(lambda: service.search(q="torture")["total"] == 2)
            yield service


def page(service: SearchService, address: str, **headers: str) -> tuple[httpx.Response, LexborHTMLParser]:
    answer = service.client.get(address, headers=BROWSER | headers)
    return answer, LexborHTMLParser(answer.text)


def number(text: str) -> int:
    return int(re.sub(r"\D", "", text))


def test_the_address_of_the_service_leads_to_its_page(filled: SearchService) -> None:
    led = filled.client.get("/?lang=es", headers=BROWSER)
    assert led.status_code == 307
    assert urlsplit(str(led.url.join(led.headers["location"]))).path == "/search"
    assert filled.client.get("/", headers=BROWSER, follow_redirects=True).status_code == 200


def test_a_page_in_the_language_of_the_browser(filled: SearchService) -> None:
    for language in LANGUAGES:
        answer, html = page(filled, "/search?q=torture", **{"Accept-Language": f"{language}-XX,xx;q=0.5"})
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/html")
        assert html.css_first("html").attributes["lang"] == language
        assert html.css_first("#results").text() == Words(language)("search.found", n=2)
        assert [mark.text() for mark in html.css("ol.hits mark")] == ["torture", "torture"]


def test_programs_get_json(filled: SearchService) -> None:
    answer = filled.client.get("/search?q=torture", headers={"Accept": "application/json"})
    assert answer.json()["total"] == 2
    assert "Accept" in answer.headers["vary"].title()


def test_what_is_hostile_is_shown_and_does_nothing(filled: SearchService) -> None:
    for q in ("camp", "everybody", "reversal", "<script>alert(1)</script>", '"><b>', "{{7*7}}"):
        answer, html = page(filled, f"/search?{httpx.QueryParams({'q': q})}")
        check_inert(answer, html)


def check_inert(answer: httpx.Response, html: LexborHTMLParser) -> None:
    assert answer.status_code == 200
    assert [script.attributes.get("src", "")[-10:] for script in html.css("script")] == ["suggest.js"]
    assert not html.css("img, iframe, object, embed, [onerror], [onclick], [style], style")
    assert "49" not in (html.css_first("input#q").attributes["value"] or "")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert all(urlsplit(link.attributes["href"] or "").scheme != "javascript" for link in html.css("a[href]"))


def test_nothing_is_loaded_from_elsewhere(filled: SearchService) -> None:
    answer, html = page(filled, "/search?q=torture")
    sources = [
        each.attributes.get("href") or each.attributes.get("src") or ""
        for each in html.css("link[rel=stylesheet], script")
    ]
    for source in sources:
        assert source.startswith("/search/assets/")
        asset = filled.client.get(source)
        assert asset.status_code == 200
        assert "immutable" in asset.headers["cache-control"]
        assert "url(" not in asset.text
    assert "set-cookie" not in answer.headers
    size = sum(len(filled.client.get(source, headers={"Accept-Encoding": "gzip"}).content) for source in sources)
    assert size + len(answer.content) < 60_000


def test_a_facet_narrows_and_its_chip_widens_again(filled: SearchService) -> None:
    _, html = page(filled, "/search?q=torture&lang=en")
    link = html.css_first("#facet-cycle a").attributes["href"] or ""
    _, narrowed = page(filled, link)
    (chip, clear) = narrowed.css(".chips a")
    assert chip.text().startswith("Cycle: 2")
    assert parse_qsl(urlsplit(chip.attributes["href"] or "").query) == [("q", "torture"), ("lang", "en")]
    assert parse_qsl(urlsplit(clear.attributes["href"] or "").query) == [("q", "torture"), ("lang", "en")]
    assert narrowed.css_first("#facet-cycle a[aria-current]") is not None
    kept = {
        each.attributes["name"]: each.attributes["value"] for each in narrowed.css("form.search input[type=hidden]")
    }
    assert kept == {"cycle": "2", "lang": "en"}


def test_a_form_that_was_sent_half_empty(filled: SearchService) -> None:
    answer, html = page(filled, "/search?q=torture&type=&sort=&lang=es")
    assert answer.status_code == 200
    assert number(html.css_first("#results").text()) == 2


def test_nothing_found_says_what_to_leave_out(filled: SearchService) -> None:
    _, html = page(filled, "/search?q=torture+xylophones&lang=en")
    (link,) = [link for link in html.css(".results a") if "xylophones" in link.text()]
    assert link.attributes["href"] == "/search?lang=en&q=torture"
    _, html = page(filled, "/search?q=torture&cycle=4&lang=en")
    assert "Search without filters" in html.css_first(".results").text()


def test_faults_are_pages_that_help(filled: SearchService) -> None:
    for asked in ("page=0", "state_under_review=XXX", "colour=1"):
        answer, html = page(filled, f"/search?{asked}", **{"Accept-Language": "es"})
        assert answer.status_code == 400
        assert html.css_first("h1").text() == "No se entendió una parte de esta dirección"
        assert html.css_first("main [lang=en]") is not None
        name = asked.partition("=")[0]
        assert f"Seguir sin «{name}»" in [link.text() for link in html.css("main a")]
    answer, html = page(filled, "/search?q=from:Narnia&lang=es")
    assert answer.status_code == 400
    assert html.css_first("h1").text() == "No se entendió esta consulta"
    assert html.css_first("input#q").attributes["value"] == "from:Narnia"
    assert html.css_first("main li").text() == "Armenia"


def test_a_page_held_is_not_sent_again(filled: SearchService) -> None:
    answer, _ = page(filled, "/search?q=torture")
    again, _ = page(filled, "/search?q=torture", **{"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304
    assert again.headers["content-security-policy"] == answer.headers["content-security-policy"]


def test_an_empty_store_says_so(empty_service: SearchService) -> None:
    _, html = page(empty_service, "/search?lang=en")
    assert "Nothing is loaded yet" in html.css_first(".results").text()


def test_all_values_of_a_facet_when_asked(real_service: SearchService) -> None:
    _, html = page(real_service, "/search?lang=en")
    more = html.css_first("#facet-state_under_review p a")
    _, whole = page(real_service, (more.attributes["href"] or "").partition("#")[0])
    assert len(whole.css("#facet-state_under_review li")) == number(more.text())
    assert whole.css_first("#facet-state_under_review").attributes.get("open", "no") != "no"


@pytest.mark.parametrize("seed", range(examples(15)))
def test_numbers_on_the_page_equal_the_json(real_service: SearchService, truth: Truth, seed: int) -> None:
    chance = random.Random(seed)
    noun = chance.choice(["recommendations", "statements", "hearings", "documents", None])
    pairs = [*random_filters(chance, truth, noun), ("q", query_of_type(chance, truth, noun)), ("lang", "en")]
    pairs += [("type", noun)] if noun else []
    pairs += [("more", name) for name in FACETS]
    answer, html = page(real_service, f"/search?{httpx.QueryParams(pairs)}")
    told = real_service.client.get("/search", params=pairs, headers={"Accept": "application/json"}).json()
    assert answer.status_code == 200
    assert number(html.css_first("#results").text()) == told["total"]
    assert len(html.css("ol.hits > li")) == len(told["hits"])
    shown = {each.css_first("a").text(): number(each.css_first(".count").text()) for each in html.css(".types li")[1:]}
    assert shown == {value["label"]: value["count"] for value in told["facets"][TYPE]["values"]}
    for name, facet in told["facets"].items():
        if name not in (TYPE, YEAR) and facet["values"]:
            check_facet(html, name, facet)
    years = {row.css_first("a").text(): number(row.css_first(".number").text()) for row in html.css(".facets tr")[1:]}
    assert years == {value["value"]: value["count"] for value in told["facets"][YEAR]["values"]}


def check_facet(html: LexborHTMLParser, name: str, facet: dict[str, Any]) -> None:
    shown = [
        (each.css_first("span").text().removesuffix(" ✕"), number(each.css_first(".count").text()))
        for each in html.css(f"#facet-{name} li a")
    ]
    assert shown == [(value["label"], value["count"]) for value in facet["values"]]
    unlabelled = html.css_first(f"#facet-{name} p.count")
    assert (number(unlabelled.text()) if unlabelled else 0) == facet["unlabelled"]


def test_a_page_says_how_the_query_was_understood(filled: SearchService) -> None:
    def told(q: str, language: str) -> list[str]:
        _, html = page(filled, f"/search?{httpx.QueryParams({'q': q, 'lang': language})}")
        return [each.text() for each in html.css("section.notice li")]

    assert told("tortrue", "en") == ["“tortrue” is not in any text; it was read as torture."]
    assert told("everybody", "en") == []
    assert told("everyb", "en") == []
    assert told("everyb ", "en") == []  # found by nothing
    assert told("tortu ", "en") == []
    assert told("tortures", "en") == ["“tortures” also finds torture and tortura."]
    assert told("tortrue -tortrue OR caamp", "en") == [
        "“tortrue” is not in any text; it was read as torture.",
        "“caamp” is not in any text; it was read as camp.",
    ]
    assert told("torture", "en") == ["“torture” also finds tortura."]
    (line,) = told("opcat", "es")
    assert line.startswith("«opcat» también encuentra Optional Protocol to the Convention against Torture")
    assert told("everybody from:Spain cycle:2..", "es") == [
        "Solo registros de: Ciclo: 2+.",
        "Solo registros de: Estado que recomienda: España o Orador: España.",
    ]
    assert told("everybody since:2012-05", "fr") == ["Seulement les résultats de : début : mai 2012."]
    assert told("everybody of the camp", "en")[-1].startswith("“of” and “the”: left out")
    for q in ("(torture", '"torture', '"" torture', "torture OR", "((", "colour:red torture"):
        assert told(q, "pt")


def test_what_can_be_done_with_a_list(filled: SearchService) -> None:
    """Also with one that words found: its files are the search's. A list of filters alone is one of the API's."""
    _, html = page(filled, "/search?q=torture&cycle=2&sort=date&more=topic&lang=en")
    links = {each.text(): each.attributes["href"] or "" for each in html.css("ul.use a")}
    assert list(links) == ["As JSON", "As CSV", "As a workbook (XLSX)", "Follow by feed or webhook"]
    assert links["Follow by feed or webhook"] == "http://127.0.0.1:8000/follow?q=torture&cycle=2&lang=en"
    for label in ("As JSON", "As CSV", "As a workbook (XLSX)"):
        answer = filled.client.get(links[label].removeprefix("http://127.0.0.1:8001"))
        assert answer.status_code == 200, answer.text
    citation = html.css_first("ul.use + details").text()
    assert "“Search: torture; Cycle: 2”, 2 records" in citation
    assert "http://127.0.0.1:8001/search?q=torture&cycle=2" in citation
    _, html = page(filled, "/search?type=recommendations&cycle=2&lang=en")
    links = {each.text(): each.attributes["href"] or "" for each in html.css("ul.use a, ul.use + details a")}
    assert links["As CSV"] == "http://127.0.0.1:8000/v1/recommendations.csv?cycle=2&lang=en"
    assert links["As JSON, BibTeX and CSL"] == "http://127.0.0.1:8000/v1/recommendations/citation?cycle=2&lang=en"


def test_a_list_that_is_cut_says_so(filled: SearchService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.search.pages.tools.MOST_ROWS", 1)
    _, html = page(filled, "/search?q=torture&lang=es")
    assert "Los primeros 1 en CSV" in html.css_first("ul.use").text()


def test_what_is_away_is_told_by_a_page() -> None:
    """The database, and with it whatever else is asked first."""
    nowhere = "postgresql://nobody@127.0.0.1:1/none"
    settings = SearchSettings(database_url=nowhere, search_follow=False)
    with serving(settings, nowhere) as service:
        answer, html = page(service, "/search?q=torture&lang=es")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert html.css_first("h1").text() == Words("es")("fault.unavailable")
        assert html.css_first("input#q").attributes["value"] == "torture"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        told = service.client.get("/v1/search?q=torture", headers=BROWSER)
        assert told.headers["content-type"] == "application/problem+json"


def test_an_index_that_is_not_there_yet_is_told_by_a_page(tmp_path: Path, database_url: str) -> None:
    settings = SearchSettings(data_dir=tmp_path, database_url=database_url, search_follow=False)
    with serving(settings, database_url) as service:
        answer, html = page(service, "/search?q=torture&lang=fr")
        assert answer.status_code == 503
        assert html.css_first("h1").text() == Words("fr")("fault.unavailable")
