"""The values of one facet over HTTP: on real documents against brute force, on every engine."""

import random
from typing import Any

import pytest

from services.core.query.analysis import fold
from services.core.query.filters import FILTERS
from services.search.models import FacetAnswer
from tests.search.conftest import SearchService
from tests.search.truth import FACETS_COUNTED, Truth, query_of_type, random_filters


def facet(service: SearchService, name: str, **parameters: Any) -> dict[str, Any]:
    answer = service.client.get(f"/v1/facets/{name}", params=parameters)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    FacetAnswer.model_validate(told)
    return told


def counts(told: dict[str, Any]) -> dict[str, int]:
    return {each["value"]: each["count"] for each in told["values"]}


@pytest.mark.parametrize("seed", range(30))
def test_counts_equal_brute_force(real_service: SearchService, truth: Truth, seed: int) -> None:
    chance = random.Random(seed + 1_000)
    noun = chance.choice(["recommendations", "statements", "documents", None])
    filters, search = random_filters(chance, truth, noun), query_of_type(chance, truth, noun)
    known = [name for name in FACETS_COUNTED if noun is None or noun in FILTERS[name].nouns]
    for name in chance.sample([*known, "type", "year"], 3):
        asked = [*filters, ("search", search), ("limit", "10000"), *([("type", noun)] if noun else [])]
        answer = real_service.client.get(f"/v1/facets/{name}", params=asked).json()
        wanted = truth.counted(name, search, noun, filters)
        assert counts(answer) == wanted["counts"], (name, asked)
        assert answer["unlabelled"] == wanted["unlabelled"]
        assert answer["values_total"] == len(wanted["counts"])
        assert answer["total"] == len(truth.matching(search, noun) & truth.meeting(noun, filters))


@pytest.mark.parametrize(
    ("name", "value", "labels"),
    [
        ("position", "noted", {"en": "noted", "es": "anotada", "fr": "notée", "pt": "anotada"}),
        ("type", "statements", {"en": "statements", "es": "declaraciones", "fr": "déclarations"}),
        ("kind", "national_report", {"en": "national report", "es": "informe nacional", "fr": "rapport national"}),
    ],
)
def test_values_that_are_few_have_names_too(
    real_service: SearchService, name: str, value: str, labels: dict[str, str]
) -> None:
    for lang, label in labels.items():
        told = {each["value"]: each["label"] for each in facet(real_service, name, lang=lang)["values"]}
        assert told[value] == label
        assert value in counts(facet(real_service, name, q=label)), "names are found in every language"


def test_it_is_the_facet_of_the_search(real_service: SearchService) -> None:
    of_search = real_service.search(q="torture", facets="theme", position="noted", lang="es")
    alone = facet(real_service, "theme", search="torture", position="noted", lang="es", limit=10_000)
    assert {name: alone[name] for name in of_search["facets"]["theme"]} == of_search["facets"]["theme"]
    assert (alone["total"], alone["interpreted"]) == (of_search["total"], of_search["interpreted"])
    assert alone["dataset"] == of_search["dataset"]


@pytest.mark.parametrize(
    ("name", "q", "value"),
    [
        ("state_under_review", "eslovenia", "SVN"),
        ("state_under_review", "Slovnia", "SVN"),
        ("state_under_review", "slov", "SVN"),
        ("state_under_review", "svn", "SVN"),
        ("recommending_state", "etats-unis", "USA"),
        ("recommending_state", "kingdom", "GBR"),
        ("region", "caribe", "grulac"),
        ("sdg", "justicia", "16"),
        ("sdg", "16", "16"),
        ("kind", "working group", "working_group_report"),
        ("position", "suported", "supported"),
        ("year", "201", "2014"),
        ("cycle", "2", "2"),
        ("type", "recom", "recommendations"),
        ("document", "A/HRC/28/15", "A-HRC-28-15"),
        ("document", "a/hrc/28", "A-HRC-28-15"),
    ],
)
def test_values_are_found_by_any_of_their_names(real_service: SearchService, name: str, q: str, value: str) -> None:
    every = counts(facet(real_service, name, limit=10_000))
    told = facet(real_service, name, q=q)
    assert counts(told)[value] == every[value]
    assert told["values_total"] == len(told["values"]) < len(every) or name == "region"
    assert counts(facet(real_service, name, q="xqzvw")) == {}


def test_values_come_in_the_order_asked_for(real_service: SearchService) -> None:
    by_count = facet(real_service, "recommending_state", limit=50)["values"]
    assert [each["count"] for each in by_count] == sorted((each["count"] for each in by_count), reverse=True)
    by_name = facet(real_service, "recommending_state", sort="name", lang="es", limit=10_000)
    labels = [fold(each["label"]) for each in by_name["values"]]
    assert labels == sorted(labels)
    assert by_name["values_total"] == len(labels) > len(by_count) == 50
    assert [each["value"] for each in facet(real_service, "session", sort="name")["values"]] == sorted(
        counts(facet(real_service, "session")), key=int
    )
    years = [each["value"] for each in facet(real_service, "year")["values"]]
    assert years == sorted(years)
    often = facet(real_service, "year", sort="count")["values"]
    assert [each["count"] for each in often] == sorted((each["count"] for each in often), reverse=True)


def test_a_search_cuts_and_orders_its_facets_alike(real_service: SearchService) -> None:
    asked = {"q": "rights", "facets": "state_under_review,year", "per_page": 0}
    whole, cut = real_service.search(**asked), real_service.search(**asked, facet_limit=2, facet_sort="name")
    for name in ("state_under_review", "year"):
        values = sorted(whole["facets"][name]["values"], key=lambda each: fold(each["label"]))
        assert cut["facets"][name]["values"] == values[:2]
        assert cut["facets"][name]["values_total"] == len(values) > 2


def test_years_ignore_the_dates_and_nothing_else(real_service: SearchService) -> None:
    free = facet(real_service, "year", type="recommendations")
    asked = {"type": "recommendations", "date_from": "2014-01-01", "date_to": "2014-12-31"}
    chosen = facet(real_service, "year", **asked)
    assert counts(chosen) == counts(free)
    assert chosen["total"] == counts(free)["2014"] == real_service.search(**asked)["total"]
    narrowed = real_service.search(q="", facets="position,year", **asked)["facets"]
    assert sum(each["count"] for each in narrowed["position"]["values"]) == counts(free)["2014"]


BAD: dict[str, tuple[str, dict[str, Any], int, str, str]] = {
    "unknown facet": ("colour", {}, 404, "not_found", "topic"),
    "a filter that is none": ("external_id", {}, 404, "not_found", "external_id"),
    "not of this type": ("position", {"type": "hearings"}, 400, "invalid_parameter", "recommendations"),
    "unknown parameter": ("topic", {"facets": "theme"}, 400, "unknown_parameter", "facets"),
    "pages": ("topic", {"page": "2"}, 400, "unknown_parameter", "page"),
    "unknown order": ("topic", {"sort": "date"}, 400, "invalid_parameter", "sort"),
    "no values": ("topic", {"limit": "0"}, 400, "invalid_parameter", "limit"),
    "long": ("topic", {"q": "a" * 201}, 400, "invalid_parameter", "q"),
    "unknown State": ("topic", {"state_under_review": "XYZ"}, 400, "invalid_parameter", "state_under_review"),
    "unclear search": ("topic", {"search": "a " * 40}, 400, "invalid_query", "words"),
    "NUL": ("topic", {"q": "a\0b"}, 400, "malformed_request", ""),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_request_is_told_what_is_wrong(real_service: SearchService, case: str) -> None:
    name, parameters, status, code, named = BAD[case]
    answer = real_service.client.get(f"/v1/facets/{name}", params=parameters)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert named in problem["detail"]


def test_it_need_not_be_sent_twice(real_service: SearchService) -> None:
    first = real_service.client.get("/v1/facets/topic", params={"q": "tort"}, headers={"Accept-Language": "es"})
    assert first.headers["content-language"] == "es"
    headers = {"If-None-Match": first.headers["etag"], "Accept-Language": "es"}
    again = real_service.client.get("/v1/facets/topic", params={"q": "tort"}, headers=headers)
    assert (again.status_code, again.content) == (304, b"")
