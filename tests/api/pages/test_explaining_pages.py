"""Pages that explain: how to search and to follow, what the data are, what is held; and faults as pages."""

import json
import re
import shlex
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from selectolax.lexbor import LexborHTMLParser

from services.api.app import create_app
from services.api.pages.about_page import accuracy
from services.api.settings import ApiSettings
from services.api.webhooks.endpoints import NewEndpoint
from services.core.domain.errors import NotFoundError
from services.core.pages.addresses import Address
from services.core.pages.faults import hints
from services.core.pages.words import Words, messages
from services.core.query.parser import parse_query
from services.core.runtime.serve import served
from services.core.schemas.names import LANGUAGES
from services.core.store.engine import make_engine
from services.core.store.reference import ReferenceShelf
from tests.api.pages.test_record_pages import BROWSER, check_inert, number, page
from tests.api.site import PUBLIC, Site, open_site
from tests.postgres_fixtures import FreshDatabases
from tests.records import fill


@pytest.fixture(scope="module")
def site(fresh_databases: FreshDatabases) -> Iterator[Site]:
    """On a store that tests only read."""
    with fresh_databases() as url:
        store = make_engine(url, pool_size=1)
        with store.begin() as connection:
            fill(connection, seed=11, each=6, recommendations=40)
        store.dispose()
        with open_site(url) as site:
            yield site


@pytest.fixture(scope="module")
def empty(fresh_databases: FreshDatabases) -> Iterator[Site]:
    with fresh_databases() as url, open_site(url) as site:
        yield site


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", ["/help", "/about", "/coverage", "/follow", "/"])
def test_pages_in_every_language_on_any_store(site: Site, empty: Site, path: str, language: str) -> None:
    for store in (site, empty):
        answer, html = page(store, f"{path}?lang={language}")
        assert answer.status_code == 200, answer.text[:500]
        assert html.css_first("html").attributes["lang"] == language
        policy_answer = answer.headers["content-security-policy"]
        assert "unsafe" not in policy_answer
        assert not html.css("script, style, [style], [onclick]")
        assert [html.css_first("h1").text() != "", len(html.css("h1"))] == [True, 1]
        assert "set-cookie" not in answer.headers


def test_every_example_of_the_help_is_a_query(site: Site) -> None:
    vocabulary = ReferenceShelf(site.engine).get().vocabulary
    for language in LANGUAGES:
        _, html = page(site, f"/help?lang={language}")
        links = [link.attributes["href"] or "" for link in html.css("main a[href*='q=']")]
        assert len(links) > 20
        for link in links:
            asked = dict(parse_qsl(urlsplit(link).query))
            assert asked["lang"] == language
            assert parse_query(asked["q"], vocabulary).notices == (), asked["q"]


def test_what_is_followed_is_told_and_can_be_followed(site: Site) -> None:
    asked = (
        "q=torture+OR+%22it%27s%22&type=recommendations&state_under_review=PER&state_under_review=SVN&position=noted"
    )
    answer, html = page(site, f"/follow?{asked}&lang=es")
    check_inert(answer, html)
    told = html.css_first(".notice").text()
    assert "Estado examinado: Perú o Eslovenia; Respuesta del Estado: anotada" in told
    addresses = [link.attributes["href"] or "" for link in html.css("main a[href*='/v1/']")]
    assert len(addresses) == 5
    for address in addresses:
        assert address.startswith(f"{PUBLIC}/v1/")
        assert site.get(address).status_code == 200, address
    words = shlex.split(html.css_first("pre").text().replace("\\\n", " "))
    assert words[3] == f"{PUBLIC}/v1/webhooks/endpoints"
    wanted = NewEndpoint.model_validate(json.loads(words[-1]))
    assert wanted.q == 'torture OR "it\'s"'
    assert wanted.filters == {"state_under_review": ["PER", "SVN"], "position": ["noted"]}
    assert wanted.type == "recommendations"


def test_every_record_can_be_followed(site: Site) -> None:
    for noun in ("recommendations", "states", "reviews", "documents", "hearings", "statements", "topics", "pledges"):
        for row in site.json(f"/v1/{noun}", limit=1)["data"]:
            _, html = page(site, f"/{noun}/{row['id']}?lang=en")
            (link,) = [each for each in html.css("ul.use a") if "/follow?" in (each.attributes["href"] or "")]
            answer, followed = page(site, (link.attributes["href"] or "").removeprefix("/data"))
            assert answer.status_code == 200, answer.text[-600:]
            (feed, *_) = [each.attributes["href"] or "" for each in followed.css("dd a")]
            assert site.get(feed).status_code == 200, feed


def test_what_cannot_be_followed_is_a_fault(site: Site) -> None:
    for asked in ("cycle=x", "colour=red", "q=from:Narnia"):
        answer, _ = page(site, f"/follow?{asked}")
        assert answer.status_code == 400


def test_what_is_held_is_counted_as_in_the_lists(site: Site) -> None:
    _, html = page(site, "/about?lang=en")
    kinds = {link.attributes["href"] or "": link for link in html.css("main > ul li a[href*='kind=']")}
    for address, link in kinds.items():
        kind = dict(parse_qsl(urlsplit(address).query))["kind"]
        assert link.parent is not None
        assert number(link.parent.css_first(".count").text()) == site.json("/v1/documents", kind=kind)["total"]
    rows = [[cell.text() for cell in row.css("th, td")] for row in html.css("#missing ~ div table tr")[1:]]
    assert len(rows) > 1
    for cycle, _, _, held, pending in rows:
        assert number(held) == site.json("/v1/recommendations", cycle=cycle)["total"]
        assert number(pending) == site.json("/v1/recommendations", cycle=cycle, position="pending")["total"]
    _, html = page(site, "/coverage?lang=en")
    shown = {link.attributes["href"] or "": link.text() for link in html.css("td a")}
    told = site.rows("/v1/reviews")
    assert len(shown) == len(told)
    for review in told:
        total = site.json("/v1/recommendations", review=review["id"])["total"]
        assert shown[f"/data/reviews/{review['id']}?lang=en"] == (str(total) if total else "no list yet")


def test_every_figure_of_accuracy_says_what_when_and_how() -> None:
    assert len({each.what for each in accuracy()}) == len(accuracy()) > 5
    for each in accuracy():
        assert 0 < each.share <= 1
        assert each.of
        assert each.by
    named = {name.removeprefix("accuracy.") for name in messages() if name.startswith("accuracy.")}
    assert named == {each.what for each in accuracy()}


def test_who_to_tell_of_a_fault(site: Site, database_url: str) -> None:
    settings = ApiSettings(database_url=database_url, contact="upr@example.org")
    with served(create_app(settings, database_url), settings=settings) as home:
        html = LexborHTMLParser(httpx.get(f"{home}/about", headers=BROWSER).text)
    assert html.css_first("a[href='mailto:upr@example.org']").text() == "upr@example.org"
    _, html = page(site, "/about?lang=en")
    assert Words("en")("about.no_contact") in html.css_first("main").text()


def test_an_empty_store_says_what_to_do(empty: Site) -> None:
    _, html = page(empty, "/?lang=es")
    assert "upr ingest load" in html.css_first("pre").text()
    assert Words("es")("search.empty_store") in html.css_first("#held").text()


def test_what_to_try_finds_something(site: Site) -> None:
    _, html = page(site, "/?lang=en")
    links = [link.attributes["href"] or "" for link in html.css("main > ul a[href^='/data/']")]
    assert any("/dossier/" in link for link in links)
    for link in links:
        answer, _ = page(site, link.removeprefix("/data"))
        assert answer.status_code == 200, link


def test_an_address_that_is_none_is_a_page_for_browsers(site: Site) -> None:
    answer, html = page(site, "/nowhere/at-all?lang=fr")
    assert answer.status_code == 404
    assert html.css_first("h1").text() == Words("fr")("fault.not_found")
    assert html.css_first("input#q").attributes["value"] == "at all"
    check_inert(answer, html)
    for path, accept in (("/nowhere", "application/json"), ("/nowhere", "*/*"), ("/v1/nowhere", BROWSER["Accept"])):
        told = site.client.get(path, headers={"Accept": accept})
        assert (told.status_code, told.headers["content-type"]) == (404, "application/problem+json")


@pytest.mark.parametrize(
    ("path", "places"),
    [
        ("/states/peru", ("/states/PER",)),
        ("/states/per", ("/states/PER",)),
        ("/states/côte-d’ivoire", ("/states/CIV",)),
        ("/recommendations/PER-2-116.170", ("/reviews/PER-2", "/states/PER")),
        ("/reviews/PER-9", ("/states/PER",)),
        ("/states/nowhere", ()),
    ],
)
def test_where_else_to_look(path: str, places: tuple[str, ...]) -> None:
    assert hints(Address(path), NotFoundError("There is none.")).places == places


def test_too_many_requests_are_a_page(database_url: str) -> None:
    settings = ApiSettings(database_url=database_url, rate_limit=2)
    with served(create_app(settings, database_url), settings=settings) as home, httpx.Client(base_url=home) as client:
        for _ in range(2):
            client.get("/help", headers=BROWSER)
        answer = client.get("/help?lang=pt", headers=BROWSER)
    assert answer.status_code == 429
    assert re.fullmatch(r"\d+", answer.headers["retry-after"])
    assert LexborHTMLParser(answer.text).css_first("h1").text() == Words("pt")("fault.too_many")


def test_a_database_that_is_away_is_told_by_a_page() -> None:
    nowhere = "postgresql://nobody@127.0.0.1:1/none"
    settings = ApiSettings(database_url=nowhere)
    with served(create_app(settings, nowhere), settings=settings) as home, httpx.Client(base_url=home) as client:
        for path in ("/", "/states/PER", "/about", "/dossier/PER/torture-prevention"):
            answer = client.get(f"{path}?lang=es", headers=BROWSER)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
            html = LexborHTMLParser(answer.text)
            assert html.css_first("h1").text() == Words("es")("fault.unavailable")
            assert html.css_first(f"a[href='{path}?lang=es']") is not None
        assert client.get("/v1/states/PER", headers=BROWSER).headers["content-type"] == "application/problem+json"
