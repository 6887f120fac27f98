"""`include` and `fields` for every noun: on lists and alone, with a bounded number of queries."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine

from services.api.details.catalogue import MODELS_WITH_PARTS, PARTS, PLAIN_MODELS
from tests.api.site import Site, open_site, problem
from tests.records import fill

NOUNS = [noun for noun in PARTS if noun != "topics"]


@pytest.fixture
def site(database_url: str, engine: Engine) -> Iterator[Site]:
    with engine.begin() as connection:
        fill(connection, seed=71, each=12, recommendations=60)
    with open_site(database_url) as site:
        yield site


def test_parts_are_what_the_models_say_on_lists_and_alone(site: Site) -> None:
    for noun, parts in PARTS.items():
        shared = ",".join(part.name for part in parts if not part.alone)
        page = site.json(f"/v1/{noun}", include=shared, limit=5, lang="es")
        for row in page["data"]:
            MODELS_WITH_PARTS[noun].model_validate(row)
            assert site.json(f"/v1/{noun}/{row['id']}", include=shared, lang="es") == row
            whole = site.json(f"/v1/{noun}/{row['id']}", include="all", lang="es")
            MODELS_WITH_PARTS[noun].model_validate(whole)
            assert {part.name for part in parts} <= whole.keys()


def test_the_record_stays_as_it_is(site: Site) -> None:
    for noun, parts in PARTS.items():
        plain = site.json(f"/v1/{noun}", limit=3)["data"]
        with_parts = site.json(f"/v1/{noun}", limit=3, include="all")["data"]
        named = {part.name for part in parts}
        for row, other in zip(plain, with_parts, strict=True):
            assert row.keys() == PLAIN_MODELS[noun].model_fields.keys()
            assert {name: value for name, value in other.items() if name not in named} == {
                name: value for name, value in row.items() if name not in named
            }


def test_the_number_of_queries_is_the_declared_one(site: Site) -> None:
    for noun in NOUNS:
        known = site.json(f"/v1/{noun}")["data"][0]["id"]
        for part in PARTS[noun]:
            with site.counted() as statements:
                site.json(f"/v1/{noun}/{known}", include=part.name)
            assert len(statements) <= 2 + part.queries, (noun, part.name, statements)
            for limit in (1, 200) if not part.alone else ():
                with site.counted() as statements:
                    site.json(f"/v1/{noun}", include=part.name, limit=limit)
                assert len(statements) <= 3 + part.queries, (noun, part.name, statements)


def test_fields_leave_all_others_out(site: Site) -> None:
    for noun, model in PLAIN_MODELS.items():
        names = list(model.model_fields)
        for chosen in (names[:1], names[1::3], names):
            answer = site.get(f"/v1/{noun}", fields=",".join(chosen), limit=3)
            assert answer.headers["content-type"] == "application/json"
            for row in answer.json()["data"]:
                assert row.keys() == set(chosen)
                if "id" in row:
                    assert site.json(f"/v1/{noun}/{row['id']}", fields=chosen) == row


def test_fields_and_parts_together(site: Site) -> None:
    rows = site.json("/v1/reviews", fields="id", include="outcome", limit=2)["data"]
    assert {tuple(row) for row in rows} == {("id", "outcome")}
    pages = site.pages("/v1/reviews", fields="id", include="documents", limit=5)
    assert sum(len(page["data"]) for page in pages) == pages[0]["total"]
    assert all(row.keys() == {"id", "documents"} for page in pages for row in page["data"])


@pytest.mark.parametrize(
    ("path", "parameters", "named"),
    [
        ("/v1/recommendations", {"fields": "id,colour"}, "colour"),
        ("/v1/recommendations", {"fields": ""}, "fields"),
        ("/v1/reviews", {"fields": "outcome"}, "`include`"),
        ("/v1/reviews", {"include": "colour"}, "colour"),
        ("/v1/reviews", {"include": ""}, "include"),
        ("/v1/hearings", {"include": "statements"}, "one record"),
        ("/v1/recommendations", {"include": "related"}, "one record"),
        ("/v1/topics", {"include": "crosswalk"}, "crosswalk"),
    ],
)
def test_what_cannot_be_asked_for_is_named(site: Site, path: str, parameters: dict[str, Any], named: str) -> None:
    told = problem(site.get(path, **parameters), 400, "invalid_parameter")
    assert named in told["detail"]
    assert told["parameter"] in parameters


def test_nouns_without_parts_have_no_include(site: Site) -> None:
    for noun in PLAIN_MODELS.keys() - PARTS.keys():
        problem(site.get(f"/v1/{noun}", include="documents"), 400, "unknown_parameter")


def test_the_tag_changes_with_any_change_where_parts_are_shown(site: Site, engine: Engine) -> None:
    review = site.json("/v1/reviews", limit=1)["data"][0]["id"]
    tags = [site.get(f"/v1/reviews/{review}", **asked).headers["etag"] for asked in ({}, {"include": "outcome"})]
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE change_head SET seq = seq + 1")
    again = [site.get(f"/v1/reviews/{review}", **asked).headers["etag"] for asked in ({}, {"include": "outcome"})]
    assert tags[0] == again[0]
    assert tags[1] != again[1]
    answer = site.client.get(f"/v1/reviews/{review}?include=outcome", headers={"If-None-Match": again[1]})
    assert answer.status_code == 304
