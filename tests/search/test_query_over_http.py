"""The query language over HTTP on real documents: fields are filters, and words cross between the languages."""

from typing import Any

import pytest

from tests.search.conftest import SearchService


@pytest.mark.parametrize(
    ("q", "parameters"),
    [
        ("to:Egypt", {"state_under_review": "EGY"}),
        ("a:Egipto torture ", {"state_under_review": "EGY", "q": "torture "}),
        ("torture from:Spain", {"recommending_state": "ESP", "q": "torture "}),
        ('from:"United Kingdom",France', {"recommending_state": ["GBR", "FRA"]}),
        ("from:GRULAC", {"recommending_region": "grulac"}),
        ("to:EU position:accepted", {"bloc": "eu", "position": "supported"}),
        ("cycle:2..4 women ", {"cycle": ["2", "3", "4"], "q": "women "}),
        ("date:2012", {"date_from": "2012-01-01", "date_to": "2012-12-31"}),
        ('topic:"prevención de la tortura"', {"topic": "torture-prevention"}),
        (
            "topic:torture-prevention to:PER to:SVN",
            {"topic": "torture-prevention", "state_under_review": ["PER", "SVN"]},
        ),
    ],
)
def test_a_field_is_a_filter(real_service: SearchService, q: str, parameters: dict[str, Any]) -> None:
    facets = "state_under_review,recommending_state,position,cycle,topic,year"
    typed = real_service.search(q=q, type="recommendations", facets=facets)
    asked = real_service.search(**parameters, type="recommendations", facets=facets)
    assert typed["total"] == asked["total"]
    assert typed["facets"] == asked["facets"]
    assert typed["interpreted"]["filters"]


def test_excluded_and_alternative_fields_add_up(real_service: SearchService) -> None:
    def total(q: str, **parameters: Any) -> int:
        return int(real_service.search(q=q, type="recommendations", per_page=0, **parameters)["total"])

    everything, of_spain = total(""), total("from:Spain")
    assert total("-from:Spain") == everything - of_spain
    assert total("from:Spain OR torture ") == of_spain + total("torture -from:Spain")
    assert total("to:Peru", state_under_review="SVN") == 0
    assert real_service.search(q="from:Spain", per_page=0)["total"] >= of_spain


def test_a_value_that_is_not_known_is_a_problem_with_suggestions(real_service: SearchService) -> None:
    answer = real_service.client.get("/v1/search", params={"q": "torture from:Spian"})
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["field"]) == (400, "invalid_query", "from")
    assert problem["suggestions"][0] == {"value": "ESP", "name": "Spain"}
    assert "Spain (ESP)" in problem["detail"]


SPANISH = {
    "pena de muerte": "death penalty",
    "prevención de la tortura": "prevention of torture",
    "trata de personas": "trafficking in persons",
    "violencia contra la mujer": "violence against women",
    "derechos del niño": "rights of the child",
    "pueblos indígenas": "indigenous peoples",
    "personas con discapacidad": "persons with disabilities",
    "libertad de expresión": "freedom of expression",
    "instituciones nacionales de derechos humanos": "national human rights institution",
    "mecanismo nacional de prevención": "national preventive mechanism",
    "trabajadores migrantes": "migrant workers",
    "cárceles": "prison",
    "ratificar la Convención contra la Tortura": "ratify the Convention against Torture",
    "droits des femmes": "women's rights",
    "peine de mort": "death penalty",
    "traite des personnes": "trafficking in persons",
}


@pytest.mark.parametrize(("typed", "english"), SPANISH.items())
def test_a_query_finds_texts_of_other_languages(real_service: SearchService, typed: str, english: str) -> None:
    """On texts alone: labels would help besides."""
    found = real_service.search(q=f"{typed} ", type="recommendations", strict="true", per_page=50, language="en")
    asked = real_service.search(q=f'"{english}"', type="recommendations", strict="true", per_page=0, language="en")
    assert found["total"] >= asked["total"] > 0
    assert any("<mark>" in hit["highlight"].get("text", "") for hit in found["hits"])


@pytest.mark.parametrize("q", ["tortrue ", "discriminaton ", "ratificati"])
def test_strict_takes_no_errors_and_no_beginnings(real_service: SearchService, q: str) -> None:
    assert real_service.search(q=q, strict="true", per_page=0)["total"] == 0
    assert real_service.search(q=q, per_page=0)["total"] > 0
