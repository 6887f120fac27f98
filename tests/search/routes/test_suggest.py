"""Suggestions over HTTP: on real documents, on every engine; each count is that of the search it stands for."""

import random
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from services.search.models import SuggestAnswer
from services.search.suggestions import KINDS
from tests.readings import TEXTS, recommendation, report
from tests.search.conftest import SearchService, eventually, load


def suggest(service: SearchService, q: str, **parameters: Any) -> list[dict[str, Any]]:
    answer = service.client.get("/v1/suggest", params={"q": q, **parameters})
    assert answer.status_code == 200, answer.text
    told = answer.json()
    SuggestAnswer.model_validate(told)
    assert told["q"] == q
    suggestions: list[dict[str, Any]] = told["suggestions"]
    return suggestions


@pytest.fixture(scope="module")
def ready(real_service: SearchService) -> SearchService:
    """The service, with phrases."""

    def with_phrases() -> bool:
        return any(each["kind"] == "phrase" for each in suggest(real_service, "human rights in", limit=50))

    eventually(with_phrases, 120)
    return real_service


TYPED = [
    "tortu", "prevención de la", "women", "mujeres", "perú", "slov", "SVN", "opcat", "NPM", "human rig", "death pen",
    "A/HRC/2", "12", "SVN-2-1", "justicia", "latin", "discrmination", "r",
]  # fmt: skip


@pytest.mark.parametrize("typed", TYPED)
@pytest.mark.parametrize("noun", [None, "statements"])
def test_counts_are_those_of_the_searches(ready: SearchService, typed: str, noun: str | None) -> None:
    asked = {"lang": "es"} | ({"type": noun} if noun else {})
    found = suggest(ready, typed, limit=15, **asked)
    assert found or noun
    for each in found:
        address = urlsplit(each["url"])
        assert (address.scheme, address.netloc, address.path) == ("http", "127.0.0.1:8001", "/v1/search")
        parameters = dict(parse_qsl(address.query))
        assert parameters == asked | (each["filter"] or {}) | ({"q": each["query"]} if each["query"] else {})
        assert ready.search(**parameters, per_page=0)["total"] == each["count"] > 0, each
        assert (each["filter"] is None) == (each["kind"] not in KINDS)
    assert len({(each["kind"], each["value"]) for each in found}) == len(found)


@pytest.mark.parametrize(
    ("typed", "lang", "kind", "label"),
    [
        ("tortu", "en", "topic", "Torture prevention"),
        ("tortu", "es", "topic", "Prevención de la tortura"),
        ("prevencion tort", "en", "topic", "Torture prevention"),
        ("tortrue", "en", "topic", "Torture prevention"),
        ("eslov", "en", "state_under_review", "Slovenia"),
        ("SLOVENIA", "fr", "state_under_review", "Slovénie"),
        ("svn", "en", "state_under_review", "Slovenia"),
        ("slovenai", "en", "recommending_state", "Slovenia"),
        ("opcat", "en", "instrument", "Optional Protocol to the Convention against Torture"),
        ("caribbean", "es", "region", "Estados de América Latina y el Caribe"),
        ("justice strong", "en", "sdg", "Peace, justice and strong institutions"),
    ],
)
def test_names_are_found_by_any_word_in_any_language(
    ready: SearchService, typed: str, lang: str, kind: str, label: str
) -> None:
    found = suggest(ready, typed, lang=lang, limit=20)
    assert any(each["kind"] == kind and each["label"].startswith(label) for each in found), found


def test_the_name_found_is_told_where_it_is_not_the_label(ready: SearchService) -> None:
    (found,) = [each for each in suggest(ready, "prevención de la tort") if each["kind"] == "topic"]
    assert (found["label"], found["matched"]) == ("Torture prevention", "Prevención de la tortura")
    (found,) = [each for each in suggest(ready, "prevención de la tort", lang="es") if each["kind"] == "topic"]
    assert (found["label"], found["matched"]) == ("Prevención de la tortura", None)


def test_phrases_of_the_texts(ready: SearchService) -> None:
    found = [each for each in suggest(ready, "human rights", limit=20) if each["kind"] == "phrase"]
    assert len(found) > 2
    assert all(each["query"] == f'"{each["label"]}"' for each in found)
    assert all("human rights" in each["label"].lower() for each in found)


def test_symbols_numbers_and_ids(ready: SearchService) -> None:
    record = ready.search(type="recommendations", review="SVN-2", sort="number", per_page=1)["hits"][0]["record"]
    first = suggest(ready, record["id"].lower())[0]
    assert (first["kind"], first["value"]) == ("number", record["id"])
    assert record["text"].startswith(str(first["detail"]).removesuffix("…"))
    symbol = ready.search(type="documents", kind="working_group_report", per_page=1)["hits"][0]["record"]["symbol"]
    assert symbol in [each["label"] for each in suggest(ready, symbol[:-1])]
    assert suggest(ready, record["number"])[0]["label"] == record["number"]


def test_kinds_are_mixed_and_the_number_is_as_asked(ready: SearchService) -> None:
    for limit in (1, 10, 50):
        assert len(suggest(ready, "women", limit=limit)) <= limit
    kinds = [each["kind"] for each in suggest(ready, "human")]
    assert len(set(kinds)) > 2
    assert suggest(ready, "") == suggest(ready, "  ") == suggest(ready, "xqzvw") == []


BAD = {
    "unknown parameter": ({"state": "PER"}, "unknown_parameter"),
    "filters": ({"topic": "torture-prevention"}, "unknown_parameter"),
    "unknown type": ({"type": "states"}, "invalid_parameter"),
    "none": ({"limit": "0"}, "invalid_parameter"),
    "too many": ({"limit": "51"}, "invalid_parameter"),
    "unknown language": ({"lang": "de"}, "invalid_parameter"),
    "long": ({"q": "a" * 201}, "invalid_parameter"),
    "NUL": ({"q": "a\0b"}, "malformed_request"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_request_is_told_what_is_wrong(ready: SearchService, case: str) -> None:
    parameters, code = BAD[case]
    answer = ready.client.get("/v1/suggest", params=parameters)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


@given(q=st.text(st.sampled_from('abtorture "()-–“”.ORAND*?\\/:~^é한🙂\u202e\u0301\ud7ff0123/'), max_size=60))
@hypothesis_settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_is_typed_is_answered(ready: SearchService, q: str) -> None:
    answer = ready.client.get("/v1/suggest", params={"q": q})
    assert answer.status_code in {200, 400}, (q, answer.text)


def test_it_need_not_be_sent_twice(ready: SearchService) -> None:
    first = ready.client.get("/v1/suggest", params={"q": "tort"}, headers={"Accept-Language": "es"})
    assert first.headers["content-language"] == "es"
    headers = {"If-None-Match": first.headers["etag"], "Accept-Language": "es"}
    assert ready.client.get("/v1/suggest", params={"q": "tort"}, headers=headers).status_code == 304


def test_what_is_typed_letter_by_letter(ready: SearchService) -> None:
    chance = random.Random(3)
    states = ready.search(facets="state_under_review", per_page=0)["facets"]["state_under_review"]["values"]
    for state in chance.sample(states, 5):
        for end in range(3, len(state["label"]) + 1):
            found = suggest(ready, state["label"][:end], limit=50)
            named = {each["value"] for each in found if each["kind"] == "state_under_review"}
            assert state["value"] in named, state["label"][:end]


def test_what_comes_is_suggested(service: SearchService, store: Engine, tmp_path: Path) -> None:
    assert suggest(service, "peru") == []
    load(store, tmp_path, report([recommendation("116.1", TEXTS[1])]), "report.pdf")

    def counted() -> set[tuple[str, int]]:
        return {(each["kind"], each["count"]) for each in suggest(service, "perú")}

    eventually(lambda: ("state_under_review", 3) in counted() or counted())
    total = service.search(state_under_review="PER")["total"]
    eventually(lambda: ("state_under_review", total) in counted())
    eventually(lambda: [each["value"] for each in suggest(service, "116.")] == ["116.1"])
