"""Topics, over HTTP."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from services.api.details.topics import Topic, topics
from tests.api.site import PUBLIC, Site, open_site, problem
from tests.records import fill


@pytest.fixture
def site(database_url: str, engine: Engine) -> Iterator[Site]:
    with engine.begin() as connection:
        fill(connection, seed=72, each=25, recommendations=120)
    with open_site(database_url) as site:
        yield site


def test_all_topics_page_to_their_total(site: Site) -> None:
    pages = site.pages("/v1/topics", limit=7)
    rows = [row for page in pages for row in page["data"]]
    assert [row["id"] for row in rows] == list(topics())
    assert {page["total"] for page in pages} == {len(rows)}
    for row in rows:
        Topic.model_validate(row)
        assert site.json(f"/v1/topics/{row['id']}") == row


def test_a_topic_joins_what_its_table_says_in_all_generations(site: Site) -> None:
    topic = site.json("/v1/topics/torture-prevention", lang="es")
    assert topic["name"] == "Prevención de la tortura"
    assert topic["url"] == f"{PUBLIC}/topics/torture-prevention"
    assert {"cat", "opcat"} <= {label["code"] for label in topic["instruments"]}
    assert topic["themes"]
    assert topic["phrases"]
    assert any("mistreatment of animals" in phrase for phrase in topic["exceptions"])
    assert site.get("/topics/torture-prevention").headers["location"] == "/data/v1/topics/torture-prevention"


def test_counts_are_the_totals_of_the_lists(site: Site) -> None:
    for noun in ("topics", "labels"):
        counted = 0
        for row in site.json(f"/v1/{noun}", include="counts", limit=200)["data"]:
            for held in row["counts"].values():
                if held is not None and held["count"]:
                    assert site.json(f"{held['url']}&limit=1")["total"] == held["count"], held
                    counted += 1
        assert counted >= 5


def test_what_is_no_topic(site: Site) -> None:
    problem(site.get("/v1/topics/colour"), 404, "not_found")
    problem(site.get("/v1/topics", cursor="x"), 400, "invalid_cursor")
    problem(site.get("/v1/topics", sort="id"), 400, "unknown_parameter")
