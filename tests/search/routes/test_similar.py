"""Recommendations like one over HTTP, on every engine."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, update

from services.core.domain.identifiers import normalised_text
from services.core.store.former_ids import remember_removed
from services.core.store.recommendations import recommendations_table
from services.search.models import SimilarAnswer
from services.search.similar import LEAST_LIKENESS, NEARLY_THE_SAME
from tests.readings import TEXTS, recommendation, report
from tests.search.conftest import SearchService, eventually, load


def similar(service: SearchService, record_id: str, **parameters: Any) -> dict[str, Any]:
    answer = service.client.get(f"/v1/similar/{record_id}", params=parameters)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    SimilarAnswer.model_validate(told)
    return told


@pytest.fixture(scope="module")
def records(real_service: SearchService) -> list[dict[str, Any]]:
    """Every recommendation that there is."""
    found: list[dict[str, Any]] = []
    page = 1
    while hits := real_service.search(type="recommendations", per_page=200, page=page)["hits"]:
        found += [hit["record"] for hit in hits]
        page += 1
    return found


def test_what_says_the_same_to_the_same_state_comes_first(
    real_service: SearchService, records: list[dict[str, Any]]
) -> None:
    said: dict[tuple[str, str], list[str]] = {}
    for record in records:
        said.setdefault((record["state_under_review"]["code"], normalised_text(record["text"])), []).append(
            record["id"]
        )
    twins = [ids for ids in said.values() if len(ids) == 2][:25]
    assert twins
    for one, other in twins:
        told = similar(real_service, one, limit=3)
        assert other in [each["record"]["id"] for each in told["similar"]], one
        assert other in told["repetition"]["ids"]
        assert told["repetition"]["times"] >= 2


def test_each_is_explained_and_in_order(real_service: SearchService, records: list[dict[str, Any]]) -> None:
    for record in records[:: len(records) // 12]:
        told = similar(real_service, record["id"], limit=50, lang="es")
        assert told["url"] == record["url"]
        places = []
        for each in told["similar"]:
            says_the_same = "shared_words" not in each["why"]
            places.append((not says_the_same, says_the_same and not each["same_state"], -each["score"]))
            other = each["record"]
            assert other["id"] != record["id"]
            assert LEAST_LIKENESS <= each["score"] <= 1
            assert says_the_same == (each["score"] >= NEARLY_THE_SAME)
            assert ("same_text" in each["why"]) == (each["score"] == 1)
            assert each["same_state"] == (other["state_under_review"]["code"] == record["state_under_review"]["code"])
            assert each["same_review"] == (other["review"] == record["review"])
            assert each["cycles_later"] == other["cycle"] - record["cycle"]
            assert ("same_state" in each["why"]) == each["same_state"]
            if other["text_language"] == "en":
                assert all(normalised_text(phrase) in normalised_text(other["text"]) for phrase in each["shared"])
        assert places == sorted(places)
        assert told["total"] >= len(places)


def test_scopes_and_filters(real_service: SearchService, records: list[dict[str, Any]]) -> None:
    chosen = [each for each in records if each["review"] in {"SVN-2", "SVN-4"}][::29]
    assert chosen
    seen = set()
    for record in chosen:
        for scope, holds in {
            "same_state": lambda each: each["same_state"],
            "earlier": lambda each: each["same_state"] and each["cycles_later"] < 0,
            "later": lambda each: each["same_state"] and each["cycles_later"] > 0,
            "other_states": lambda each: not each["same_state"],
        }.items():
            told = similar(real_service, record["id"], scope=scope)["similar"]
            assert all(map(holds, told)), scope
            seen |= {scope} if told else set()
        noted = similar(real_service, record["id"], position="noted", region="africa")["similar"]
        assert {each["record"]["position"] for each in noted} <= {"noted"}
        assert not any(each["same_state"] for each in noted)
        own = similar(real_service, record["id"], state_under_review="SVN", cycle=2)["similar"]
        assert {each["record"]["review"] for each in own} <= {"SVN-2"}
    assert seen == {"same_state", "earlier", "later", "other_states"}


def _records(store: Engine, folder: Path) -> None:
    texts = [*TEXTS, TEXTS[1].upper() + ".", TEXTS[1] + " without delay"]
    load(store, folder, report([recommendation(f"116.{n}", text) for n, text in enumerate(texts, 1)]), "report.pdf")


def test_a_repetition_tells_since_when(service: SearchService, store: Engine, tmp_path: Path) -> None:
    _records(store, tmp_path)
    eventually(lambda: service.search(type="recommendations")["total"] == 10)
    told = similar(service, "PER-2-116.9")
    assert [each["record"]["id"] for each in told["similar"][:2]] == ["PER-2-116.2", "PER-2-116.10"]
    first, second = told["similar"][:2]
    assert (first["why"], first["score"]) == (["same_text", "same_state"], 1.0)
    assert second["why"] == ["nearly_same_text", "same_state"]
    assert first["shared"] == ["Establish a national preventive mechanism against torture"]
    assert "<mark>preventive</mark>" in first["highlight"]["text"]
    assert told["repetition"] == {
        "times": 3,
        "cycles": [2],
        "since": "2012-11-01",
        "first_made": {
            "id": "PER-2-116.2",
            "url": "http://127.0.0.1:8000/recommendations/PER-2-116.2",
            "review": "PER-2",
            "cycle": 2,
            "date": "2012-11-01",
        },
        "ids": ["PER-2-116.2", "PER-2-116.10"],
    }
    assert similar(service, "PER-2-116.5")["repetition"] is None


def test_ids_that_no_record_bears(service: SearchService, store: Engine, tmp_path: Path) -> None:
    _records(store, tmp_path)
    with store.begin() as connection:
        named = update(recommendations_table).where(recommendations_table.c.id == "PER-2-116.1")
        connection.execute(named.values(aliases=["PER-2~0a1b2c3d4e"]))
        remember_removed(connection, "recommendations", {"PER-2-116.99": "not_in_final"})
    eventually(lambda: service.search(type="recommendations")["total"] == 10)
    moved = service.client.get("/v1/similar/PER-2~0a1b2c3d4e", params={"scope": "earlier"})
    assert (moved.status_code, moved.headers["location"]) == (308, "/v1/similar/PER-2-116.1?scope=earlier")
    for record_id, status, code in (
        ("PER-2-116.99", 410, "gone"),
        ("PER-2-1.1", 404, "not_found"),
        ("upr-14-PER", 404, "not_found"),
        ("per-2-116.1", 404, "not_found"),
        ("%F0%9F%99%82", 404, "not_found"),
    ):
        answer = service.client.get(f"/v1/similar/{record_id}")
        assert (answer.status_code, answer.json()["code"]) == (status, code), record_id
        assert answer.headers["content-type"] == "application/problem+json"


def test_the_parts_of_a_number_are_named(service: SearchService, store: Engine, tmp_path: Path) -> None:
    parts = [
        recommendation("116.1", TEXTS[0], ("ESP",), part="a"),
        recommendation("116.1", TEXTS[1], ("FRA",), part="b"),
    ]
    load(store, tmp_path, report(parts), "report.pdf")
    eventually(lambda: service.search(type="recommendations")["total"] == 2)
    problem = service.client.get("/v1/similar/PER-2-116.1").json()
    assert (problem["status"], problem["parts"]) == (404, ["PER-2-116.1-a", "PER-2-116.1-b"])


BAD = {
    "unknown parameter": ({"q": "torture"}, "unknown_parameter"),
    "unknown scope": ({"scope": "near"}, "invalid_parameter"),
    "none": ({"limit": "0"}, "invalid_parameter"),
    "filter of other nouns": ({"speaker": "ESP"}, "unknown_parameter"),
    "unknown value": ({"position": "maybe"}, "invalid_parameter"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_request_is_told_what_is_wrong(empty_service: SearchService, case: str) -> None:
    parameters, code = BAD[case]
    answer = empty_service.client.get("/v1/similar/PER-2-116.1", params=parameters)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_it_need_not_be_sent_twice(real_service: SearchService, records: list[dict[str, Any]]) -> None:
    first = real_service.client.get(f"/v1/similar/{records[0]['id']}")
    assert first.headers["link"] == f'<{records[0]["url"]}>; rel="describes"'
    again = real_service.client.get(f"/v1/similar/{records[0]['id']}", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
