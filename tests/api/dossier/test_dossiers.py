"""Dossiers: all that lists tell of a State on a topic, as JSON, as a page and as a Word document."""

import io
import re
from collections.abc import Iterator
from dataclasses import replace

import docx
import pytest
from selectolax.lexbor import LexborHTMLParser
from sqlalchemy import Engine

from services.api.dossier.content import said_again
from services.api.dossier.models import Dossier
from tests.api.site import Site, open_site, problem
from tests.records import RecordMaker, fill

BROWSER = {"Accept": "text/html"}


@pytest.fixture
def maker(engine: Engine) -> RecordMaker:
    with engine.begin() as connection:
        return fill(connection, seed=5, each=12, recommendations=150)


@pytest.fixture
def site(database_url: str, maker: RecordMaker) -> Iterator[Site]:
    with open_site(database_url) as site:
        yield site


def subjects(site: Site) -> list[tuple[str, str]]:
    """The States and topics of which most is held."""
    told = site.json("/v1/statistics/recommendations", group_by="state_under_review,topic", limit=40)
    pairs = [(group["values"]["state_under_review"], group["values"]["topic"]) for group in told["groups"]]
    return [(state["value"], topic["value"]) for state, topic in pairs if state and topic][:6]


def test_a_dossier_holds_what_the_lists_hold(site: Site) -> None:
    asked = subjects(site)
    assert asked
    for state, topic in asked:
        told = site.json(f"/v1/dossiers/{state}/{topic}", lang="es")
        Dossier.model_validate(told)
        filters = {"state_under_review": state, "topic": topic, "lang": "es", "limit": 200}
        listed = site.json("/v1/recommendations", **filters)
        shown = [row for cycle in told["cycles"] for row in cycle["recommendations"]]
        assert sorted(shown, key=lambda row: row["id"]) == sorted(listed["data"], key=lambda row: row["id"])
        assert told["answers"]["total"] == listed["total"]
        assert (
            told["answers"]["supported"] == site.json("/v1/recommendations", **filters, position="supported")["total"]
        )
        assert told["statements"]["total"] == site.json("/v1/statements", **filters)["total"]
        assert {row["id"] for row in told["pledges"]} == {
            row["id"] for row in site.json("/v1/pledges", **filters)["data"]
        }
        assert [cycle["cycle"] for cycle in told["cycles"]] == sorted(cycle["cycle"] for cycle in told["cycles"])
        coverage = site.json(f"/v1/states/{state}", include="coverage")["coverage"]
        assert told["cycles_not_read"] == coverage["cycles_not_read"]
        assert {cycle["review"]: cycle["missing"] for cycle in told["cycles"]} == {
            each["review"]: each["documents"]["missing"] for each in coverage["reviews"]
        }


def test_the_page_and_the_word_document_say_the_same(site: Site) -> None:
    for state, topic in subjects(site)[:3]:
        told = site.json(f"/v1/dossiers/{state}/{topic}", lang="es")
        page = site.client.get(f"/dossier/{state}/{topic}?lang=es", headers=BROWSER)
        html = LexborHTMLParser(page.text)
        rows = [row for cycle in told["cycles"] for row in cycle["recommendations"]]
        assert [link.attributes["href"] for link in html.css("section h3 a")] == [
            f"{row['url']}?lang=es" for row in rows
        ]
        assert not html.css("script, style, [style]")
        (address,) = [
            each.attributes["href"] or "" for each in html.css(".use a") if "docx" in (each.attributes["href"] or "")
        ]
        file = site.get(address)
        assert file.headers["content-disposition"].startswith(f'attachment; filename="openupr-{state}-{topic}-es-')
        text = "\n".join(each.text for each in docx.Document(io.BytesIO(file.content)).paragraphs)
        for place, row in enumerate(rows, 1):
            assert f"[{place}]" in text
            assert row["text"] in text
            assert row["url"] in text
        (total,) = set(re.findall(r"(\d+) recomendaci\w+:", text.partition("Ciclo")[0]))
        assert int(total) == told["answers"]["total"]
        assert site.get(address).content == file.content


def test_what_is_not_there(site: Site) -> None:
    state, topic = subjects(site)[0]
    problem(site.get(f"/v1/dossiers/XXX/{topic}"), 404, "not_found")
    problem(site.get(f"/v1/dossiers/{state}/nothing"), 404, "not_found")
    problem(site.get(f"/v1/dossiers/{state}/{topic}", colour="blue"), 400, "unknown_parameter")
    assert site.client.get(f"/dossier/{state}/nothing", headers=BROWSER).status_code == 404
    first = site.get(f"/v1/dossiers/{state}/{topic}")
    again = site.client.get(f"/v1/dossiers/{state}/{topic}", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304


def test_queries_do_not_grow_with_what_is_held(site: Site) -> None:
    counts = set()
    for state, topic in subjects(site):
        site.get(f"/v1/dossiers/{state}/{topic}")
        with site.counted() as statements:
            site.get(f"/v1/dossiers/{state}/{topic}")
        counts.add(len(statements))
    assert max(counts) <= 30


def test_what_is_said_again_in_another_cycle(engine: Engine, maker: RecordMaker) -> None:
    model = maker.recommendation()
    texts = {
        ("PER-1-1.1", 1): "Ratify the Optional Protocol to the Convention against Torture",
        ("PER-2-1.1", 2): "Ratify the Optional Protocol to the Convention against Torture without delay",
        ("PER-2-1.2", 2): "Build schools in remote villages",
        ("PER-3-1.1", 3): "Ratify the Optional Protocol to the Convention Against Torture.",
        ("PER-3-1.2", 3): "Abolish the death penalty",
    }
    made = [
        replace(model, id=record_id, cycle=cycle, text=text, text_language="en", label_ids=(), sort_key=record_id)
        for (record_id, cycle), text in texts.items()
    ]
    assert said_again(made) == [{"cycles": [1, 2, 3], "ids": ["PER-1-1.1", "PER-2-1.1", "PER-3-1.1"]}]
    assert said_again(made[2:3]) == []
