from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from services.api import saved_searches as module
from services.core.domain.changes import Cause
from services.core.runtime.keys import Scope
from services.core.schemas.events import draft_change
from services.core.schemas.examples import record_example
from services.core.store.changes import append_changes
from services.core.store.reference import read_reference
from tests.api.conftest import MakeKey

URL = "/v1/saved-searches"
ENDPOINTS = "/v1/webhooks/endpoints"
HOOK = "https://tracker.example.org/hooks/upr"


@pytest.fixture
def client(api: httpx.Client, make_key: MakeKey) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=api.base_url, headers={"Authorization": f"Bearer {make_key()[1]}"}) as client:
        yield client


def save(client: httpx.Client, **members: Any) -> dict[str, Any]:
    answer = client.post(URL, json={"name": "Torture", "q": "torture", **members})
    assert answer.status_code == 201, answer.text
    shape: dict[str, Any] = answer.json()
    assert answer.headers["Location"] == f"{URL}/{shape['id']}"
    return shape


def publish(engine: Engine, *sides: tuple[str | None, str | None]) -> None:
    """Changes of the example recommendation's text."""
    shape = record_example("recommendations")
    reference = read_reference(engine)
    drafts = [
        draft_change(
            "recommendations",
            *(None if text is None else {**shape, "text": text, "translations": {}, "labels": []} for text in texts),
            cause=Cause.PUBLICATION,
            effective_on=None,
            reference=reference,
        )
        for texts in sides
    ]
    with engine.begin() as connection:
        append_changes(connection, [draft for draft in drafts if draft])


def refused(answer: httpx.Response, status: int = 422) -> list[str]:
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    return [error["pointer"] for error in answer.json()["errors"]]


def test_a_saved_search_lives_and_ends(client: httpx.Client) -> None:
    saved = save(
        client,
        q='  torture OR "ill treatment" ',
        type="recommendations",
        filters={"state_under_review": "per", "cycle": [3, "4"]},
        description="Para el informe",
    )
    assert saved["q"] == 'torture OR "ill treatment"'
    assert saved["filters"] == {"state_under_review": ["PER"], "cycle": ["3", "4"]}
    assert saved["interpreted"]["query"]["any"][0]["match"] == "word"
    assert saved["changes"].endswith(f"/v1/changes?saved_search={saved['id']}")
    assert client.get(f"{URL}/{saved['id']}").json() == saved
    assert client.get(URL).json() == {"data": [saved], "total": 1}
    changed = client.patch(f"{URL}/{saved['id']}", json={"q": "torture", "name": "Only torture"}).json()
    assert (changed["q"], changed["name"], changed["filters"]) == ("torture", "Only torture", saved["filters"])
    assert changed["updated_at"] > saved["updated_at"]
    assert client.delete(f"{URL}/{saved['id']}").status_code == 204
    assert client.delete(f"{URL}/{saved['id']}").status_code == 404
    assert client.get(URL).json()["total"] == 0


BAD_BODIES: list[tuple[Any, list[str]]] = [
    ({"q": "torture"}, ["#/name"]),
    ({"name": " ", "q": "torture"}, ["#/name"]),
    ({"name": "a" * 201, "q": "torture"}, ["#/name"]),
    ({"name": "a"}, ["#"]),
    ({"name": "a", "q": '""'}, ["#"]),
    ({"name": "a", "q": "a" * 2001}, ["#/q"]),
    ({"name": "a", "q": "((((((((((a"}, ["#/q"]),
    ({"name": "a", "q": "a\0b"}, ["#/q"]),
    ({"name": "a", "q": ["a"]}, ["#/q"]),
    ({"name": "a", "type": "states"}, ["#/type"]),
    ({"name": "a", "type": "hearings", "filters": {"position": "noted"}}, ["#/filters/position"]),
    ({"name": "a", "filters": {"colour": "red", "position": "maybe"}}, ["#/filters/colour", "#/filters/position"]),
    ({"name": "a", "filters": {"updated_since": "2026-01-01T00:00:00Z"}}, ["#/filters/updated_since"]),
    ({"name": "a", "q": "b", "facets": ["topic"]}, ["#/facets"]),
]


def test_a_bad_body_is_told_where_it_is_bad(client: httpx.Client) -> None:
    for body, pointers in BAD_BODIES:
        assert refused(client.post(URL, json=body)) == pointers, body
    saved = save(client, filters={"position": "noted"})
    for body, pointers in (
        ({}, ["#"]),
        ({"name": None}, ["#/name"]),
        ({"q": "", "filters": {}}, ["#"]),
        ({"type": "hearings"}, ["#/filters/position"]),
    ):
        assert refused(client.patch(f"{URL}/{saved['id']}", json=body)) == pointers, body
    assert client.get(f"{URL}/{saved['id']}").json() == saved


def test_it_belongs_to_its_key(client: httpx.Client, api: httpx.Client, make_key: MakeKey) -> None:
    saved = save(client)
    address = f"{URL}/{saved['id']}"
    other = {"Authorization": f"Bearer {make_key()[1]}"}
    admin = {"Authorization": f"Bearer {make_key(Scope.ADMIN)[1]}"}
    assert api.get(address).status_code == 401
    for answer in (
        api.get(address, headers=other),
        api.patch(address, headers=other, json={"q": "a"}),
        api.delete(address, headers=other),
    ):
        assert answer.status_code == 404
    assert api.get(URL, headers=other).json()["total"] == 0
    assert api.get(address, headers=admin).json() == saved
    body = {"url": HOOK, "saved_search": saved["id"]}
    assert refused(api.post(ENDPOINTS, headers=other, json=body)) == ["#/saved_search"]
    assert api.get(f"/v1/changes?saved_search={saved['id']}").status_code == 200, "newsreaders send no keys"


def test_one_key_has_only_so_many(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_SAVED_SEARCHES", 2)
    save(client), save(client)
    answer = client.post(URL, json={"name": "a", "q": "b"})
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_saved_searches")


def test_feeds_follow_it(client: httpx.Client, api: httpx.Client, engine: Engine) -> None:
    publish(
        engine, (None, "Prevent torture"), ("Prevent torture", "Train police"), ("Train police", "Train the police")
    )
    saved = save(client, name="Peligros")
    events = api.get("/v1/changes", params={"saved_search": saved["id"]}).json()["data"]
    assert [(event["seq"], event["match"]) for event in events] == [(1, "entered"), (2, "left")]
    assert events == api.get("/v1/changes", params={"q": "torture", "type": "recommendations"}).json()["data"]
    both = api.get("/v1/changes", params={"saved_search": saved["id"], "q": "police"}).json()
    assert both["data"] == []
    for form in ("atom", "json-feed"):
        told = api.get(f"/v1/changes.{form}", params={"saved_search": saved["id"], "q": "prevent"}).text
        assert "Peligros; words: prevent" in told, told
    client.patch(f"{URL}/{saved['id']}", json={"q": "police"})
    events = api.get("/v1/changes", params={"saved_search": saved["id"]}).json()["data"]
    assert [(event["seq"], event["match"]) for event in events] == [(2, "entered"), (3, "stayed")]
    for unknown in ("ss_0", "ss_" + "0" * 24, "x"):
        answer = api.get("/v1/changes", params={"saved_search": unknown})
        assert (answer.status_code, answer.json()["parameter"]) == (400, "saved_search")


def test_endpoints_follow_it(client: httpx.Client) -> None:
    saved = save(client)
    body = {"url": HOOK, "saved_search": saved["id"], "q": "prevent", "type": "recommendations"}
    endpoint = client.post(ENDPOINTS, json=body).json()
    assert (endpoint["saved_search"], endpoint["q"], endpoint["type"]) == (saved["id"], "prevent", "recommendations")
    answer = client.delete(f"{URL}/{saved['id']}")
    assert (answer.status_code, answer.json()["code"]) == (409, "saved_search_in_use")
    assert answer.json()["endpoints"] == [endpoint["id"]]
    address = f"{ENDPOINTS}/{endpoint['id']}"
    assert refused(client.patch(address, json={"saved_search": "ss_" + "0" * 24})) == ["#/saved_search"]
    assert refused(client.patch(address, json={"filters": {"speaker": "PER"}})) == ["#/filters/speaker"]
    assert refused(client.patch(address, json={"q": "((((((((((a"})) == ["#/q"]
    changed = client.patch(address, json={"saved_search": None, "q": "", "filters": {"id": ["PER-2-1.1"]}}).json()
    assert (changed["saved_search"], changed["q"], changed["type"]) == (None, "", "recommendations")
    assert client.delete(f"{URL}/{saved['id']}").status_code == 204
