from typing import Any

import httpx
import pytest

from services.core.domain.changes import EVENT_TYPES, SINGULAR
from services.core.schemas.models import RECORD_MODELS, Event


def test_every_type_has_a_sample_that_is_one(api: httpx.Client) -> None:
    told = api.get("/v1/event-types").json()
    assert [each["type"] for each in told["data"]] == list(EVENT_TYPES)
    assert told["total"] == len(EVENT_TYPES)
    for each in told["data"]:
        body = each["sample"]
        event = Event.model_validate(body["data"])
        assert (body["type"], event.type) == (each["type"], each["type"])
        RECORD_MODELS[each["noun"]].model_validate(event.data)
        assert SINGULAR[each["noun"]] == each["type"].partition(".")[0]
        assert each["description"].endswith(".")


@pytest.mark.parametrize("name", ["recommendation.position_changed", "state.deleted", "document.created"])
def test_one_type_comes_with_the_schema_of_its_body(api: httpx.Client, name: str) -> None:
    told = api.get(f"/v1/event-types/{name}").json()
    schema = told.pop("json_schema")
    assert told == next(each for each in api.get("/v1/event-types").json()["data"] if each["type"] == name)
    assert schema["properties"]["type"]["const"] == name
    event = schema["$defs"]["Event"]
    record = schema["$defs"][event["properties"]["data"]["$ref"].rpartition("/")[2]]
    _has_all(told["sample"], schema)
    _has_all(told["sample"]["data"], event)
    _has_all(told["sample"]["data"]["data"], record)
    assert "additionalProperties" not in record


def _has_all(shape: dict[str, Any], schema: dict[str, Any]) -> None:
    assert set(schema["required"]) <= shape.keys() <= schema["properties"].keys()


def test_an_unknown_type_is_told(api: httpx.Client) -> None:
    answer = api.get("/v1/event-types/recommendation.praised")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
