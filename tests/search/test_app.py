"""The search service over HTTP: on real documents against brute force, and in bad weather."""

import random
import re
import shutil
from collections.abc import Iterator, Mapping
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from services.api.app import create_app as create_api
from services.api.settings import ApiSettings
from services.core.query.filters import FILTERS
from services.core.runtime.serve import served
from services.core.schemas.interpreted import Interpreted
from services.core.schemas.texts import SEARCHED_NOUNS
from services.search.engines.base import PASSAGES_SHOWN
from services.search.engines.vocabulary import READ_AS_SHOWN
from services.search.models import SearchAnswer
from services.search.parameters import FACETS
from services.search.settings import SearchSettings
from tests.effort import examples
from tests.readings import TEXTS, matrix, recommendation, report
from tests.search.conftest import SearchService, eventually, load, serving
from tests.search.truth import FACETS_COUNTED, Truth, query_of_type, random_filters


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(examples(50)))
def test_totals_and_facet_counts_equal_brute_force(real_service: SearchService, truth: Truth, seed: int) -> None:
    chance = random.Random(seed)
    noun = chance.choice(["recommendations", "statements", "hearings", "documents", "documents", None])
    filters, q = random_filters(chance, truth, noun), query_of_type(chance, truth, noun)
    strict = chance.random() < 0.2
    facets = [name for name in FACETS_COUNTED if noun is None or noun in FILTERS[name].nouns] + ["type", "year"]
    asked = [*filters, ("q", q), ("strict", str(strict).lower()), ("facets", ",".join(facets))]
    answer = real_service.client.get("/v1/search", params=[*asked, *([("type", noun)] if noun else [])]).json()

    assert answer["total"] == len(truth.matching(q, noun, strict=strict) & truth.meeting(noun, filters))
    for name in facets:
        wanted = truth.counted(name, q, noun, filters, strict=strict)
        told = answer["facets"][name]
        assert {each["value"]: each["count"] for each in told["values"]} == wanted["counts"], name
        assert told["unlabelled"] == wanted["unlabelled"], name
        assert told["values_total"] == len(told["values"])


def test_a_document_is_found_by_its_paragraphs(real_service: SearchService, api: httpx.Client, truth: Truth) -> None:
    assert truth.passages > 300
    found = real_service.search(q="slovenia Roma settlements", type="documents", kind="national_report")
    assert {hit["record"]["kind"] for hit in found["hits"]} == {"national_report"}
    assert found["total"] == len(found["hits"]) == 2
    for hit in found["hits"]:
        assert 1 <= len(hit["passages"]) <= PASSAGES_SHOWN
        for passage in hit["passages"]:
            assert "<mark>Roma</mark>" in passage["text"]
            path = passage["url"].removeprefix("http://127.0.0.1:8000")
            paragraph = api.get(f"/v1{path}").json()
            assert paragraph["url"] == passage["url"]
            assert paragraph["text"] == unescape(re.sub("</?mark>", "", passage["text"]))
            assert (paragraph["number"], paragraph["page"]) == (passage["paragraph"], passage["page"])


def test_a_document_found_by_its_title_shows_no_paragraphs(real_service: SearchService) -> None:
    found = real_service.search(q="A/HRC/WG.6/20/SVN/1", type="documents")
    (hit,) = [hit for hit in found["hits"] if hit["record"]["symbol"] == "A/HRC/WG.6/20/SVN/1"]
    assert hit["passages"] == []
    assert "passages" not in real_service.search(q="torture", type="recommendations")["hits"][0]


def test_pages_hold_each_record_once(real_service: SearchService, truth: Truth) -> None:
    words = truth.matching("torture OR women", None)
    for sort in ("relevance", "date", "-date", "number"):
        seen: list[tuple[str, str]] = []
        page = 1
        while hits := real_service.search(q="torture OR women", per_page=97, page=page, sort=sort)["hits"]:
            seen += [(hit["type"], hit["record"]["id"]) for hit in hits]
            page += 1
        assert len(seen) == len(set(seen)), sort
        assert set(seen) == words, sort


@pytest.fixture(scope="module")
def api(real_database_url: str) -> Iterator[httpx.Client]:
    settings = ApiSettings(database_url=real_database_url)
    with (
        served(create_api(settings, real_database_url), settings=settings) as address,
        httpx.Client(base_url=address) as client,
    ):
        yield client


@pytest.mark.parametrize("noun", SEARCHED_NOUNS)
def test_the_api_lists_the_same_records_at_the_same_version(
    real_service: SearchService, api: httpx.Client, noun: str
) -> None:
    for filters in ({}, {"state_under_review": ["SVN", "EGY"]}, {"region": ["africa"]}):
        if all(noun in FILTERS[name].nouns for name in filters):
            listed = api.get(f"/v1/{noun}", params={**filters, "limit": 5}).json()
            found = real_service.search(type=noun, **filters)
            assert found["total"] == listed["total"]
            assert found["dataset"] == listed["dataset"]
    if found["hits"]:
        record = found["hits"][0]["record"]
        for lang in ("en", "es", "fr", "pt"):
            (hit,) = real_service.search(type=noun, id=record["id"], lang=lang)["hits"]
            assert hit["record"] == api.get(f"/v1/{noun}/{record['id']}", params={"lang": lang}).json(), lang


def test_sorted_by_date_and_number(real_service: SearchService) -> None:
    newest = real_service.search(type="recommendations", sort="-date", per_page=200)["hits"]
    days = [hit["record"]["date"] for hit in newest]
    assert days == sorted(days, reverse=True)
    assert all(hit["score"] is None for hit in newest)
    numbered = real_service.search(type="recommendations", review="SVN-2", sort="number", per_page=200)["hits"]
    numbers = [hit["record"]["number"] for hit in numbered if hit["record"]["number"]]
    assert numbers == sorted(numbers, key=lambda number: [int(part) for part in number.split(".")])


def test_the_shape_of_an_answer(real_service: SearchService) -> None:
    answer = real_service.search(q="women rigths", facets="state_under_review,sdg,type", lang="es", per_page=3)
    SearchAnswer.model_validate(answer)
    assert list(answer) == [
        "hits", "total", "facets", "page", "per_page", "took_ms", "interpreted", "dataset",
    ]  # fmt: skip
    assert len(answer["hits"]) == 3
    assert all("<mark>" in hit["highlight"]["text"] for hit in answer["hits"])
    assert all(hit["record"]["url"].startswith("http://127.0.0.1:8000/") for hit in answer["hits"])
    assert [hit["score"] for hit in answer["hits"]] == sorted((hit["score"] for hit in answer["hits"]), reverse=True)
    assert answer["interpreted"]["query"] == {
        "all": [
            {"word": "women", "match": "word", "also": ["woman", "mujer", "femme"]},
            {
                "word": "rigths",
                "match": "prefix",
                "read_as": {"in_index": False, "words": [{"word": "rights", "typos": 1}], "more": False},
            },
        ]
    }
    labels = {value["value"]: value["label"] for value in answer["facets"]["state_under_review"]["values"]}
    assert labels["DZA"] == "Argelia"
    assert answer["facets"]["sdg"]["unlabelled"] > 0


def test_counts_alone_and_pages_beyond_the_last(real_service: SearchService) -> None:
    total = real_service.search(q="torture", per_page=0)
    assert total["hits"] == []
    assert total["total"] > 100
    for page in (1_000, 10_000_000):
        beyond = real_service.search(q="torture", page=page, per_page=200)
        assert (beyond["hits"], beyond["total"]) == ([], total["total"])


def test_a_facet_ignores_its_own_filter(real_service: SearchService) -> None:
    free = real_service.search(q="torture", facets="region")["facets"]["region"]
    chosen = real_service.search(q="torture", facets="region", region="africa")
    assert chosen["facets"]["region"] == free
    assert chosen["total"] == next(each["count"] for each in free["values"] if each["value"] == "africa")


def test_strict_takes_words_as_they_are(real_service: SearchService) -> None:
    assert real_service.search(q="tortrue")["total"] > 50
    assert real_service.search(q="tortrue", strict="true")["total"] == 0
    assert real_service.search(q="tort", strict="true")["total"] == 0


def test_what_words_were_read_as_is_told_where_they_are_forgiven(real_service: SearchService) -> None:
    def told(q: str, **parameters: Any) -> Any:
        asked = real_service.search(q=q, **parameters)["interpreted"]["query"]
        facet = real_service.client.get("/v1/facets/cycle", params={"search": q, **parameters}).json()
        assert facet["interpreted"]["query"] == asked
        return asked

    misspelt = told("tortrue -tortrue")["all"]
    assert [each["word"] for each in misspelt[0]["read_as"]["words"]] == ["torture"]
    assert misspelt[1] == {"not": {"word": "tortrue", "match": "word"}}
    begun = told("tort")["read_as"]
    assert {"word": "torture", "typos": 0} in begun["words"][:2]
    assert told("tort", strict="true") == {"word": "tort", "match": "word"}
    assert told("tortrue", strict="true") == {"word": "tortrue", "match": "word"}
    assert len(told("w")["read_as"]["words"]) == READ_AS_SHOWN
    assert told("w")["read_as"]["more"]


@pytest.mark.parametrize(
    "q",
    [
        "women rigths", '-"death penalty" OR (women tort)', "pena de muerte", "-(pena de muerte)",
        "-(tortrue OR from:PER)", "from:Spain OR date:2012..", "from:Spain cycle:3.. since:2012",
        "A/HRC/22/15 116.17", "((“", "",
    ],
)  # fmt: skip
def test_what_was_understood_is_of_the_documented_shape(real_service: SearchService, q: str) -> None:
    told = real_service.search(q=q)["interpreted"]
    shape = Interpreted.model_validate(told)
    assert shape.model_dump(mode="json", by_alias=True, exclude_unset=True) == told


@pytest.mark.parametrize("q", ["((“", '"', "- - -", "OR", "¿?", "…", "🙂"])
def test_a_query_without_words_finds_everything_and_says_so(real_service: SearchService, q: str) -> None:
    answer = real_service.search(q=q, type="recommendations")
    assert answer["total"] == real_service.search(type="recommendations")["total"]
    assert answer["interpreted"]["query"] is None
    assert "no_words" in [notice["code"] for notice in answer["interpreted"]["notices"]]
    assert real_service.search(q="", type="recommendations")["interpreted"]["notices"] == []


BAD = {
    "unknown parameter": ({"state": "PER"}, "unknown_parameter", "state"),
    "not for this type": ({"type": "hearings", "position": "noted"}, "unknown_parameter", "position"),
    "unknown State": ({"state_under_review": "XYZ"}, "invalid_parameter", "state_under_review"),
    "unknown label": ({"theme": "nothing"}, "invalid_parameter", "theme"),
    "unknown facet": ({"facets": "position,colour"}, "invalid_parameter", "facets"),
    "facet of another type": ({"type": "hearings", "facets": "position"}, "invalid_parameter", "facets"),
    "unknown type": ({"type": "states"}, "invalid_parameter", "type"),
    "unknown sort": ({"sort": "colour"}, "invalid_parameter", "sort"),
    "page 0": ({"page": "0"}, "invalid_parameter", "page"),
    "page 2^63": ({"page": str(2**63)}, "invalid_parameter", "page"),
    "201 a page": ({"per_page": "201"}, "invalid_parameter", "per_page"),
    "half a page": ({"per_page": "1.5"}, "invalid_parameter", "per_page"),
    "strict maybe": ({"strict": "maybe"}, "invalid_parameter", "strict"),
    "unknown language": ({"lang": "de"}, "invalid_parameter", "lang"),
    "no date": ({"date_from": "yesterday"}, "invalid_parameter", "date_from"),
    "lists only": ({"updated_since": "2026-01-01T00:00:00Z"}, "unknown_parameter", "updated_since"),
    "labels only": ({"scheme": "sdg"}, "unknown_parameter", "scheme"),
    "two queries": ({"q": ["one", "two"]}, "invalid_parameter", "q"),
    "too long": ({"q": "a" * 2001}, "invalid_query", ""),
    "too many words": ({"q": "word " * 40}, "invalid_query", ""),
    "NUL": ({"q": "a\0b"}, "malformed_request", ""),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_request_is_told_what_is_wrong(empty_service: SearchService, case: str) -> None:
    parameters, code, named = BAD[case]
    answer = empty_service.client.get("/v1/search", params=parameters)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (400, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert named in problem["detail"]


_VALUES = st.one_of(
    st.text(max_size=40),
    st.integers().map(str),
    st.sampled_from(["PER", "noted", "2012-11-05", "en", "true", "-date", "position,type", "A-HRC-22-15", "grulac"]),
)
_PARAMETERS = st.sampled_from(
    ["q", "type", "page", "per_page", "sort", "strict", "lang", "facets", "date_from", "date_to", *FACETS, "id", "x"]
)


@given(parameters=st.lists(st.tuples(_PARAMETERS, _VALUES), max_size=5))
@hypothesis_settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_parameters_make_it_fail(real_service: SearchService, parameters: list[tuple[str, str]]) -> None:
    answer = real_service.client.get("/v1/search", params=parameters)
    assert answer.status_code in {200, 400}, (parameters, answer.text)


@given(q=st.text(st.sampled_from('abtorture "()-–“”.ORAND*?\\/:~^é한🙂\u202e\u0301\ud7ff'), max_size=60))
@hypothesis_settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_query_makes_it_fail(real_service: SearchService, q: str) -> None:
    answer = real_service.client.get("/v1/search", params={"q": q, "facets": "position,state_under_review"})
    assert answer.status_code in {200, 400}, (q, answer.text)


def test_a_change_is_found(service: SearchService, store: Engine, tmp_path: Path) -> None:
    assert service.search(q="preventive")["total"] == 0
    load(store, tmp_path, report([recommendation("116.1", TEXTS[1])]), "report.pdf")
    eventually(lambda: service.search(q="preventive")["total"] == 1)
    (hit,) = service.search(q="preventive mechanism tortrue")["hits"]
    assert hit["record"]["position"] == "pending"
    assert hit["highlight"]["text"].count("<mark>") == 3
    load(store, tmp_path, matrix([recommendation("116.1", TEXTS[1], position="noted")]), "matrix.docx")
    eventually(lambda: service.search(q="preventive", position="noted")["total"] == 1)


def test_a_translation_is_searched_shown_and_marked(service: SearchService, store: Engine, tmp_path: Path) -> None:
    spanish = "Establecer un mecanismo nacional de prevención de la tortura"
    load(store, tmp_path, report([recommendation("116.1", TEXTS[1])]), "report.pdf")
    load(store, tmp_path, report([recommendation("116.1", spanish)], language="es"), "informe.pdf")
    eventually(lambda: service.search(q='"establecer un mecanismo"')["total"] == 1)  # no label or concept says that
    (hit,) = service.search(q="mecanismos torturas", lang="es")["hits"]  # the plural, in Spanish
    assert hit["record"]["text"] == spanish
    assert hit["record"]["text_language"] == "es"
    assert hit["record"]["state_under_review"]["name"] == "Perú"
    assert hit["highlight"]["text"].count("<mark>") == 2


def _problem(answer: httpx.Response) -> Mapping[str, Any]:
    assert answer.status_code == 503, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert int(answer.headers["retry-after"]) > 0
    problem: Mapping[str, Any] = answer.json()
    return problem


def test_without_an_index_it_says_so_and_comes_back(
    settings: SearchSettings, database_url: str, store: Engine, tmp_path: Path
) -> None:
    load(store, tmp_path, report([recommendation("116.1", TEXTS[1])]), "report.pdf")
    alone = settings.model_copy(update={"search_follow": False})
    with serving(alone, database_url) as service:
        assert "index" in _problem(service.client.get("/v1/search"))["detail"]
        problem = _problem(service.client.get("/readyz"))
        assert problem["dependencies"] == {"database": "ok", "index": "there is no search index yet"}
        assert "upr_index_ready 0.0" in service.client.get("/metrics").text
        assert service.client.get("/healthz").status_code == 200
        service.desk.indexer.step()
        assert service.search()["total"] > 0
        assert service.client.get("/readyz").status_code == 200
        metrics = service.client.get("/metrics").text
        assert "upr_index_ready 1.0" in metrics
        assert "upr_index_lag_changes 0.0" in metrics
        shutil.rmtree(alone.data_dir / "search")
        _problem(service.client.get("/v1/search"))
        service.desk.indexer.step()
        assert service.search()["total"] > 0


def test_an_engine_that_is_away(database_url: str, settings: SearchSettings) -> None:
    away = settings.model_copy(
        update={"search_engine": "meilisearch", "meili_url": "http://127.0.0.1:9", "search_follow": False}
    )
    with serving(away, database_url) as service:
        _problem(service.client.get("/v1/search", params={"q": "torture"}))
        dependencies = _problem(service.client.get("/readyz"))["dependencies"]
        assert dependencies["database"] == "ok"
        assert dependencies["index"] != "ok"
        assert "upr_index_ready 0.0" in service.client.get("/metrics").text


def test_the_description_names_every_parameter(empty_service: SearchService) -> None:
    operation = empty_service.client.get("/openapi.json").json()["paths"]["/v1/search"]["get"]
    names = {parameter["name"] for parameter in operation["parameters"]}
    assert names >= {"q", "type", "facets", "page", "per_page", "sort", "strict", "lang", "position", "date_from"}
    assert "updated_since" not in names


DOCS = Path(__file__).parents[2] / "docs" / "search.md"


@pytest.mark.parametrize("path", re.findall(r"curl 'http://127\.0\.0\.1:8001(\S+)'", DOCS.read_text("utf-8")))
def test_the_examples_of_the_docs_run(empty_service: SearchService, path: str) -> None:
    answer = empty_service.client.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.json().get("interpreted", {"notices": []})["notices"] == []
