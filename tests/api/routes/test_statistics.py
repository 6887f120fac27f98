"""Counts by dimensions: each is the total of a list."""

import random
from collections import Counter
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from sqlalchemy import Engine

from services.api.routes.statistics import COUNTED_NOUNS, Statistics
from services.api.statistics import dimensions_of
from tests.api.site import PUBLIC, Site, open_site, problem
from tests.records import fill


@pytest.fixture
def site(engine: Engine, database_url: str) -> Iterator[Site]:
    with engine.begin() as connection:
        fill(connection, seed=31, each=30, recommendations=150)
    with open_site(database_url) as site:
        yield site


def counted(site: Site, noun: str, *dimensions: str, **filters: Any) -> dict[str, Any]:
    counts: dict[str, Any] = site.json(f"/v1/statistics/{noun}", group_by=",".join(dimensions), **filters)
    Statistics.model_validate(counts)
    return counts


def test_each_group_is_a_list(site: Site) -> None:
    chance = random.Random(3)
    for noun in COUNTED_NOUNS:
        total = site.json(f"/v1/{noun}", limit=1)["total"]
        for dimension in dimensions_of(noun):
            counts = counted(site, noun, dimension)
            groups = counts["groups"]
            assert counts["total"] == total
            assert counts["groups_total"] == len(groups)
            assert counts["unlabelled"][dimension] == sum(g["count"] for g in groups if g["values"][dimension] is None)
            assert [g["count"] for g in groups] == sorted((g["count"] for g in groups), reverse=True)
            for group in chance.sample(groups, min(4, len(groups))):
                if group["url"] is not None:
                    assert site.json(group["url"])["total"] == group["count"], group


def test_dimensions_together_and_with_filters(site: Site) -> None:
    chance = random.Random(4)
    dimensions = dimensions_of("recommendations")
    for _ in range(25):
        chosen = chance.sample(dimensions, chance.randint(2, 3))
        row = chance.choice(site.json("/v1/recommendations", limit=100)["data"])
        filters = chance.choice(
            [
                {},
                {"position": row["position"]},
                {"cycle": [row["cycle"], 1]},
                {"date_from": "2011-03-01", "date_to": "2015-10-31"},
                {"recommending_state": [state["code"] for state in row["recommending_states"]] or "PER"},
            ]
        )
        counts = counted(site, "recommendations", *chosen, **filters)
        assert counts["total"] == site.json("/v1/recommendations", limit=1, **filters)["total"]
        groups = [group for group in counts["groups"] if group["url"] is not None]
        for group in chance.sample(groups, min(5, len(groups))):
            assert site.json(group["url"])["total"] == group["count"], (chosen, filters, group)


def test_the_groups_are_what_one_counts_by_hand(site: Site) -> None:
    rows = site.rows("/v1/recommendations", limit=200)
    by_hand: Counter[tuple[str | None, str]] = Counter()
    for row in rows:
        topics = {label["code"] for label in row["labels"] if label["scheme"] == "topic"} or {None}
        by_hand.update(product(topics, [str(row["cycle"])]))
    told = {
        (group["values"]["topic"] and group["values"]["topic"]["value"], group["values"]["cycle"]["value"]): group[
            "count"
        ]
        for group in counted(site, "recommendations", "topic", "cycle")["groups"]
    }
    assert told == by_hand


def test_what_has_no_label_is_not_dropped(site: Site) -> None:
    counts = counted(site, "recommendations", "cycle", "issue")
    for cycle in (1, 2, 3, 4):
        groups = [g for g in counts["groups"] if g["values"]["cycle"]["value"] == str(cycle)]
        rows = site.rows("/v1/recommendations", cycle=cycle, limit=200)
        unlabelled = sum(not any(label["scheme"] == "upr-info-issue" for label in row["labels"]) for row in rows)
        assert sum(g["count"] for g in groups if g["values"]["issue"] is None) == unlabelled


def test_a_theme_is_counted_with_its_other_generations(site: Site) -> None:
    for group in counted(site, "recommendations", "theme")["groups"]:
        if group["url"]:
            assert site.json(group["url"])["total"] == group["count"]


def test_a_filtered_dimension_has_groups_of_what_was_asked_for_alone(site: Site) -> None:
    counts = counted(site, "recommendations", "recommending_state", recommending_state=["ESP", "PER"])
    assert {group["values"]["recommending_state"]["value"] for group in counts["groups"]} <= {"ESP", "PER"}
    for group in counts["groups"]:
        assert site.json(group["url"])["total"] == group["count"]


def test_names_addresses_and_limit(site: Site) -> None:
    spanish = counted(site, "recommendations", "state_under_review", lang="es", limit=3)
    assert len(spanish["groups"]) == 3 < spanish["groups_total"]
    for group in spanish["groups"]:
        value = group["values"]["state_under_review"]
        assert value["label"] == site.json(f"/v1/states/{value['value']}", lang="es")["name"]
        assert group["url"] == f"{PUBLIC}/v1/recommendations?state_under_review={value['value']}"


def test_repeated_and_with_commas_is_the_same(site: Site) -> None:
    with_commas = site.json("/v1/statistics/recommendations?group_by=cycle,position")
    repeated = site.json("/v1/statistics/recommendations?group_by=cycle&group_by=position")
    assert with_commas["groups"] == repeated["groups"]


def test_the_number_of_queries_does_not_grow(site: Site) -> None:
    counted(site, "recommendations", "topic")
    for dimensions in (("topic",), ("topic", "region", "recommending_bloc")):
        with site.counted() as statements:
            counted(site, "recommendations", *dimensions)
        assert len(statements) == 3 + len(dimensions)


def test_nothing_to_count(site: Site) -> None:
    counts = counted(site, "recommendations", "topic", "position", id="PER-9-9.9")
    assert (counts["groups"], counts["total"], counts["groups_total"]) == ([], 0, 0)
    assert counts["unlabelled"] == {"topic": 0, "position": 0}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "invalid_parameter"),
        ("group_by=", "invalid_parameter"),
        ("group_by=colour", "invalid_parameter"),
        ("group_by=topic,,,", "invalid_parameter"),
        ("group_by=topic,position,cycle,sdg", "invalid_parameter"),
        ("group_by=updated_since", "invalid_parameter"),
        ("group_by=topic&limit=0", "invalid_parameter"),
        ("group_by=topic&limit=10001", "invalid_parameter"),
        ("group_by=topic&colour=red", "unknown_parameter"),
        ("group_by=topic&cycle=x", "invalid_parameter"),
        ("group_by=topic&cursor=x", "unknown_parameter"),
    ],
)
def test_what_cannot_be_asked(site: Site, query: str, code: str) -> None:
    problem(site.get(f"/v1/statistics/recommendations?{query}"), 400, code)
