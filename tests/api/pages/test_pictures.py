"""Pictures of counts: every number is what the JSON says, and leads to the search that finds as many."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
from selectolax.lexbor import LexborHTMLParser

from services.core.store.engine import make_engine
from services.search.settings import SearchSettings
from tests.api.site import Site, open_site
from tests.postgres_fixtures import FreshDatabases
from tests.records import fill
from tests.search.conftest import SearchService, eventually, serving

BROWSER = {"Accept": "text/html,*/*;q=0.8"}
REGIONS = ("grulac", "africa", "asia-pacific", "eastern-europe", "weog")


@dataclass(frozen=True)
class Shown:
    """Both services on one store."""

    site: Site
    search: SearchService

    def page(self, path: str) -> LexborHTMLParser:
        answer = self.site.client.get(path, headers=BROWSER)
        assert answer.status_code == 200, answer.text[:500]
        return LexborHTMLParser(answer.text)

    def found(self, address: str) -> int:
        """How many records the search at an address finds."""
        answer = self.search.client.get(f"/v1/search?{urlsplit(address).query}&per_page=1")
        assert answer.status_code == 200, answer.text
        return int(answer.json()["total"])


@pytest.fixture(scope="module")
def shown(fresh_databases: FreshDatabases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    with fresh_databases() as url:
        engine = make_engine(url, pool_size=1)
        with engine.begin() as connection:
            fill(connection, seed=11, each=4, recommendations=160)
        engine.dispose()
        settings = SearchSettings(data_dir=tmp_path_factory.mktemp("index"), database_url=url)
        with open_site(url) as site, serving(settings, url) as search:
            eventually(lambda: search.client.get("/readyz").status_code == 200)
            yield Shown(site, search)


def number(text: str) -> int:
    return int(re.sub(r"\D", "", text))


def numbers_of(html: LexborHTMLParser) -> dict[str, int]:
    """The numbers of all tables, by the addresses that they lead to."""
    told = {str(link.attributes["href"]): number(link.text()) for link in html.css("td.number a")}
    assert told
    return told


def pages_with_pictures(shown: Shown) -> list[str]:
    told = shown.site.json("/v1/statistics")
    state = max(told["received"], key=lambda row: int(row["total"]))["code"]
    topic = told["topics"]["data"][0]["code"]
    return [f"/states/{state}?lang=es", f"/topics/{topic}?lang=fr&region=africa", "/statistics?lang=en"]


def test_every_number_leads_to_as_many_records(shown: Shown) -> None:
    for path in pages_with_pictures(shown):
        told = numbers_of(shown.page(path))
        for address in sorted(told)[:: max(len(told) // 25, 1)]:
            assert shown.found(address) == told[address], (path, address)


def test_what_is_drawn_stands_in_a_table_with_the_same_address(shown: Shown) -> None:
    for path in pages_with_pictures(shown):
        html = shown.page(path)
        told = numbers_of(html)
        links = html.css("figure svg a")
        assert len(links) > 5
        for link in links:
            address, title = str(link.attributes["href"]), link.css_first("title").text()
            assert link.attributes["tabindex"] == "-1"
            if not title.endswith("–"):  # a State of which nothing was read
                assert re.search(rf"\b{told[address]:,}\b|\b{told[address]}\b", title), (title, told[address])
        assert all(picture.attributes["aria-label"] for picture in html.css("figure svg"))


def test_the_parts_of_a_state_add_up(shown: Shown) -> None:
    for row in shown.site.json("/v1/statistics")["received"][:5]:
        state = shown.site.json(f"/v1/states/{row['code']}", include="all")
        listed = shown.site.rows("/v1/recommendations", state_under_review=row["code"], limit=200)
        topics = [{label["code"] for label in each["labels"] if label["scheme"] == "topic"} for each in listed]
        assert {each["code"]: each["total"] for each in state["topics"]["data"]} == Counter(
            code for codes in topics for code in codes
        )
        assert state["topics"]["unlabelled"] == sum(not codes for codes in topics)
        assert row["total"] == row["all"] == len(listed) == state["received"]["recommendations"]["total"]
        for name, filtered in (("regions", "recommending_region"), ("blocs", "recommending_bloc")):
            for each in state["recommenders"][name]:
                asked = {"state_under_review": row["code"], filtered: each["code"], "position": "noted", "limit": 1}
                assert shown.site.json("/v1/recommendations", **asked)["total"] == each["noted"]


def test_a_map_has_the_states_of_the_group_that_was_asked_for(shown: Shown) -> None:
    rows = shown.site.rows("/v1/states", limit=200, fields="id,region")
    regions = {row["id"]: row["region"]["code"] for row in rows if row["region"]}
    for region in (*REGIONS, "atlantis"):
        html = shown.page(f"/statistics?lang=en&region={region}")
        drawn = {link.css_first("text").text() for link in html.css("svg.tiles a")}
        assert {regions[code] for code in drawn} == {region if region in REGIONS else "grulac"}


def test_the_overview_is_kept_until_something_changes(shown: Shown) -> None:
    with shown.site.counted() as first:
        before = shown.site.get("/v1/statistics?lang=pt")
    with shown.site.counted() as again:
        assert shown.site.get("/v1/statistics?lang=pt").content == before.content
    assert len(again) < 3 <= len(first)
    tag = before.headers["etag"]
    assert shown.site.client.get("/v1/statistics?lang=pt", headers={"If-None-Match": tag}).status_code == 304
    answer = shown.site.client.get("/statistics?lang=pt", headers={"Accept": "application/json"})
    assert answer.json() == before.json()
