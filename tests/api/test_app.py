"""The service as a whole: its OpenAPI document, and that each operation keeps to it."""

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi.openapi.models import OpenAPI
from jsonschema_rs import Draft202012Validator
from sqlalchemy import Engine

from services.api.app import create_app
from services.api.details.catalogue import MODELS_WITH_PARTS, parts_of_noun
from services.api.parameters import feed_parameters, list_parameters
from services.api.settings import ApiSettings
from services.core.domain.changes import SINGULAR
from services.core.query.filters import filters_of
from services.core.runtime.openapi import is_text
from services.core.schemas.examples import event_example, record_example
from services.core.schemas.filter_values import value_components
from services.core.schemas.models import RECORD_MODELS, Event, EventList
from services.core.store.paging import sorts_of
from services.core.store.tables import AGGREGATES
from tests.api.site import Site, open_site
from tests.records import fill

REFERENCE = re.compile(r"#/components/(\w+)/(\w+)")
METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return create_app(ApiSettings(), "postgresql://nobody@127.0.0.1/none").openapi()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            assert method in METHODS
            yield path, method, operation


def whole(document: dict[str, Any], response: dict[str, Any]) -> dict[str, Any]:
    """A response, also one that stands among the components."""
    if "$ref" not in response:
        return response
    found: dict[str, Any] = document["components"]["responses"][response["$ref"].rpartition("/")[2]]
    return found


def test_it_is_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    OpenAPI.model_validate(document)
    assert json.loads(json.dumps(document)) == document


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    written = json.dumps(document)
    found = set(REFERENCE.findall(written))
    assert written.count('"$ref": "') == len(re.findall(r'"\$ref": "#/components/\w+/\w+"', written)) > 0
    for kind, name in found:
        assert name in document["components"][kind]
    for kind in ("schemas", "examples", "responses", "headers"):
        assert {name for each, name in found if each == kind} == document["components"][kind].keys()


def test_no_model_takes_the_name_of_a_vocabulary(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        if name in value_components():
            assert schema["enum"] == value_components()[name]["enum"], name


def test_operations_have_ids_of_their_own_and_say_what_they_do(document: dict[str, Any]) -> None:
    ids = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)+", each) for each in ids)
    for path, _, operation in operations(document):
        assert operation["summary"], path
        assert operation["tags"], path


def test_parameters_of_a_path_are_those_in_it(document: dict[str, Any]) -> None:
    for path, _, operation in operations(document):
        parameters = operation.get("parameters", [])
        assert {each["name"] for each in parameters if each["in"] == "path"} == set(re.findall(r"{(\w+)}", path))
        assert all(each["required"] for each in parameters if each["in"] == "path")
        pairs = [(each["in"], each["name"]) for each in parameters]
        assert len(pairs) == len(set(pairs)), path


def test_every_list_documents_its_filters_and_orders(document: dict[str, Any]) -> None:
    for noun in AGGREGATES:
        parameters = {each["name"]: each for each in document["paths"][f"/v1/{noun}"]["get"]["parameters"]}
        assert parameters.keys() >= {known.name for known in filters_of(noun)} | {"limit", "cursor", "sort", "lang"}
        assert parameters["sort"]["schema"]["enum"] == list(sorts_of(noun))
        own = [each["name"] for each in list_parameters(noun)]
        assert [*parameters][: len(own)] == own
        for name, each in parameters.items():
            assert (each["schema"].get("type") == "array") == (name not in _SINGLE), name
    feed = {each["name"] for each in document["paths"]["/v1/changes"]["get"]["parameters"]}
    assert feed == {each["name"] for each in feed_parameters()}


_SINGLE = {"limit", "cursor", "sort", "lang", "date_from", "date_to", "updated_since"}
"""What is given once. (What is written with commas is an array, too.)"""


def test_every_answer_is_described_and_every_error_a_problem(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        responses = operation["responses"]
        assert "default" in responses, (method, path)
        assert {"400", "414", "429", "431", "500", "503"} <= responses.keys(), (method, path)
        assert ("413" in responses) == ("422" in responses) == ("requestBody" in operation), (method, path)
        assert ("401" in responses) == ("403" in responses) == ("security" in operation), (method, path)
        assert ("304" in responses) == (method == "get" and "security" not in operation), (method, path)
        for status, response in ((status, whole(document, response)) for status, response in responses.items()):
            assert response["description"], (path, status)
            assert "X-Request-Id" in response["headers"], (path, status)
            assert ("Retry-After" in response["headers"]) == (status in ("429", "503")), (path, status)
            if status == "default" or int(status) >= 400:
                assert response["content"].keys() == {"application/problem+json"}, (path, status)
    for noun in AGGREGATES:
        assert {"200", "400", "503"} <= document["paths"][f"/v1/{noun}"]["get"]["responses"].keys()
        detail = document["paths"][f"/v1/{noun}/{{record_id}}"]["get"]["responses"]
        assert {"200", "400", "404", "410", "503"} <= detail.keys()
        assert ("300" in detail) == (noun == "recommendations")
        assert ("308" in detail) == (noun in ("recommendations", "hearings"))


def test_examples_are_what_the_models_say(document: dict[str, Any]) -> None:
    for noun, model in RECORD_MODELS.items():
        model.model_validate(record_example(noun))
        page = _example(document, f"/v1/{noun}")
        assert page["data"] == [record_example(noun)]
        assert page.keys() == {"data", "total", "page", "dataset"}
        assert _example(document, f"/v1/{noun}/{{record_id}}") == record_example(noun)
    Event.model_validate(event_example())
    EventList.model_validate(_example(document, "/v1/changes"))
    assert event_example()["data"] == record_example("recommendations")


def test_every_operation_shows_how_it_answers_and_fails(document: dict[str, Any]) -> None:
    """An example of each answer that can be read, whole records with their parts, and of each problem."""
    for path, method, operation in operations(document):
        where = f"{method} {path}"
        assert operation["description"], where
        if "requestBody" in operation:
            assert operation["requestBody"]["content"]["application/json"]["examples"], where
        for status, media_type, media in answers_of(document, operation):
            shown = media.get("examples", {})
            assert shown or not is_text(media_type) or status == "default", (where, status, media_type)
            if (
                re.fullmatch(r"/v1/\w+/\{\w+\}", path)
                and (status, method) == ("200", "get")
                and "include" in (each["name"] for each in operation["parameters"])
            ):
                assert {"sample", "with_parts"} <= shown.keys(), where


def test_every_example_is_what_its_schema_says(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        for status, media_type, media in answers_of(document, operation):
            for name, example in media.get("examples", {}).items():
                value = example.get("value") or document["components"]["examples"][_name_of(example)]["value"]
                schema = {**media["schema"], "components": document["components"]}
                faults = [fault.message for fault in Draft202012Validator(schema).iter_errors(value)]
                assert faults == [], (method, path, status, media_type, name)


def test_whole_examples_are_whole_and_cut_ones_are_cut(document: dict[str, Any]) -> None:
    for noun, model in MODELS_WITH_PARTS.items():
        singular = {**SINGULAR, "topics": "topic"}[noun]
        whole = document["components"]["examples"].get(f"get_{singular}_with_parts")
        assert (whole is not None) == bool(parts_of_noun(noun)), noun
        if whole is not None:
            model.model_validate(whole["value"])
            assert whole["value"].keys() == model.model_fields.keys(), noun
            assert all(whole["value"][part.name] is not None for part in parts_of_noun(noun)), noun


def test_what_is_one_of_some_words_says_which(document: dict[str, Any]) -> None:
    """Parameters and members of a closed vocabulary have its values; others have a type, a form or a pattern."""
    for path, _, operation in operations(document):
        for parameter in operation.get("parameters", []):
            schema = parameter["schema"]
            schema = schema.get("items", schema)
            known = {"enum", "pattern", "format", "minimum", "$ref", "anyOf"} & schema.keys()
            assert known or parameter["name"] in _FREE, (path, parameter["name"], schema)


_FREE = {"anchor", "delivery_id", "endpoint_id", "replay_id", "search_id", "q"}
"""What is looked up, or words."""


def answers_of(document: dict[str, Any], operation: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each answer that has a body, by status and media type."""
    for status, response in operation["responses"].items():
        for media_type, media in whole(document, response).get("content", {}).items():
            yield status, media_type, media


def _name_of(reference: dict[str, str]) -> str:
    return reference["$ref"].rpartition("/")[2]


def test_examples_of_problems_are_problems(document: dict[str, Any]) -> None:
    required = set(document["components"]["schemas"]["Problem"]["required"])
    codes = set()
    for path, _, operation in operations(document):
        for status, response in operation["responses"].items():
            for code, told in (
                response.get("content", {}).get("application/problem+json", {}).get("examples", {}).items()
            ):
                assert required <= told["value"].keys(), path
                assert (str(told["value"]["status"]), told["value"]["code"]) == (status, code)
                codes.add(code)
    assert {"unknown_parameter", "invalid_parameter", "invalid_cursor", "not_found", "gone", "unavailable"} <= codes


def _example(document: dict[str, Any], path: str) -> Any:
    content = document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]
    name = content["examples"]["sample"]["$ref"].rpartition("/")[2]
    return document["components"]["examples"][name]["value"]


@pytest.fixture
def site(database_url: str, engine: Engine) -> Iterator[Site]:
    with engine.begin() as connection:
        fill(connection, seed=51, each=8)
    with open_site(database_url) as site:
        yield site


def test_the_examples_have_the_members_of_real_answers(site: Site) -> None:
    for noun in AGGREGATES:
        row = site.json(f"/v1/{noun}", limit=1)["data"][0]
        assert [*record_example(noun)] == [*RECORD_MODELS[noun].model_fields]
        assert row.keys() == record_example(noun).keys()


def test_the_document_is_served_and_every_problem_explained(site: Site) -> None:
    served = site.json("/openapi.json")
    assert served == site.openapi
    told = {
        code
        for _, _, operation in operations(served)
        for response in operation["responses"].values()
        for code in response.get("content", {}).get("application/problem+json", {}).get("examples", {})
    }
    for code in told:
        assert site.json(f"/problems/{code}")["code"] == code


def test_health_and_readiness(site: Site, database_url: str) -> None:
    assert site.json("/healthz") == {"status": "ok"}
    assert site.json("/readyz")["dependencies"] == {"database": "ok"}


def test_it_is_not_ready_without_the_schema(empty_database_url: str) -> None:
    with open_site(empty_database_url) as site:
        answer: httpx.Response = site.get("/readyz")
    assert answer.status_code == 503
    assert "is needed" in answer.json()["detail"]
