import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from services.api.webhooks import endpoints as module
from services.api.webhooks.signature import key_of_secret
from services.core.runtime.keys import Scope
from services.core.store.changes import append_changes
from tests.api.conftest import MakeKey
from tests.api.webhooks.receivers import receiving
from tests.api.webhooks.test_deliver import verified
from tests.core.store.test_changes import draft

URL = "/v1/webhooks/endpoints"
HOOK = "https://tracker.example.org/hooks/upr"


@pytest.fixture
def client(api: httpx.Client, make_key: MakeKey) -> Iterator[httpx.Client]:
    """The API as somebody with a key for webhooks."""
    with httpx.Client(base_url=api.base_url, headers={"Authorization": f"Bearer {make_key()[1]}"}) as client:
        yield client


def create(client: httpx.Client, **members: Any) -> dict[str, Any]:
    answer = client.post(URL, json={"url": HOOK, **members})
    assert answer.status_code == 201, answer.text
    shape: dict[str, Any] = answer.json()
    return shape


def refused(answer: httpx.Response, status: int = 422) -> dict[str, str]:
    """The faults of a problem, by pointer."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    return {error["pointer"]: error["detail"] for error in answer.json()["errors"]}


def test_an_endpoint_lives_and_ends(client: httpx.Client, engine: Engine) -> None:
    with engine.begin() as connection:
        append_changes(connection, [draft("a"), draft("b")])
    answer = client.post(
        URL,
        json={
            "url": "HTTPS://Tracker.Example.org:443/hooks/upr?a=b",
            "event_types": ["recommendation.updated", "recommendation.created", "recommendation.updated"],
            "filters": {"state_under_review": "per", "position": ["noted", "pending"], "cycle": [2, "3"]},
            "description": "SIMORE Ñandutí",
        },
    )
    assert answer.status_code == 201
    created = answer.json()
    assert answer.headers["Location"] == f"{URL}/{created['id']}"
    assert answer.headers["Cache-Control"] == "no-store"
    assert len(key_of_secret(created.pop("secret"))) == 32
    assert created["url"] == "https://tracker.example.org/hooks/upr?a=b"
    assert created["event_types"] == ["recommendation.updated", "recommendation.created"]
    assert created["filters"] == {
        "state_under_review": ["PER"],
        "position": ["noted", "pending"],
        "cycle": ["2", "3"],
    }
    assert created["causes"] == ["publication", "correction", "merge"]
    assert (created["status"], created["status_reason"], created["failing_since"]) == ("enabled", None, None)
    assert created["from_seq"] == 2
    assert created["description"] == "SIMORE Ñandutí"
    assert client.get(f"{URL}/{created['id']}").json() == created
    assert client.get(URL).json() == {"data": [created], "total": 1}
    assert client.delete(f"{URL}/{created['id']}").status_code == 204
    assert client.delete(f"{URL}/{created['id']}").status_code == 404
    assert client.get(f"{URL}/{created['id']}").json()["code"] == "not_found"
    assert client.get(URL).json()["total"] == 0


def test_all_types_and_all_causes_but_backfill_if_nothing_is_said(client: httpx.Client) -> None:
    created = create(client)
    assert (created["event_types"], created["filters"], created["description"]) == (None, {}, None)
    assert create(client, causes=["backfill", "backfill"])["causes"] == ["backfill"]


def test_endpoints_belong_to_their_key(client: httpx.Client, api: httpx.Client, make_key: MakeKey) -> None:
    mine = create(client)
    for scope, others_see in ((Scope.WEBHOOKS_WRITE, False), (Scope.ADMIN, True)):
        headers = {"Authorization": f"Bearer {make_key(scope)[1]}"}
        assert (api.get(f"{URL}/{mine['id']}", headers=headers).status_code == 200) is others_see
        assert api.get(URL, headers=headers).json()["total"] == int(others_see)
        if not others_see:
            assert api.delete(f"{URL}/{mine['id']}", headers=headers).status_code == 404
    assert api.delete(f"{URL}/{mine['id']}", headers=headers).status_code == 204


def test_endpoints_are_deleted_by_their_address(
    client: httpx.Client, api: httpx.Client, make_key: MakeKey, engine: Engine
) -> None:
    other = {"Authorization": f"Bearer {make_key(Scope.ADMIN)[1]}"}
    kept = [create(client, url=f"{HOOK}/kept")["id"]]
    kept.append(api.post(URL, json={"url": HOOK}, headers=other).json()["id"])
    for _ in range(2):
        create(client)
    assert client.delete(URL, params={"url": "HTTPS://Tracker.Example.org:443/hooks/upr"}).status_code == 204
    assert [row["id"] for row in api.get(URL, headers=other).json()["data"]] == kept
    assert client.delete(URL, params={"url": HOOK}).json()["code"] == "not_found"
    with engine.begin() as connection:  # such as one from when this machine was allowed
        connection.execute(text("UPDATE webhook_endpoints SET url = 'http://10.0.0.1/x' WHERE url LIKE '%kept'"))
    assert client.delete(URL, params={"url": "http://10.0.0.1/x"}).status_code == 204
    assert client.delete(URL).json()["parameter"] == "url"
    assert client.delete(URL, params={"urls": HOOK}).json()["code"] == "unknown_parameter"
    assert api.delete(URL, params={"url": HOOK}).status_code == 401


def test_an_endpoint_is_changed_paused_and_enabled(client: httpx.Client, engine: Engine) -> None:
    created = create(client, filters={"cycle": 2}, description="old")
    secret, address = created.pop("secret"), f"{URL}/{created['id']}"
    paused = client.patch(address, json={"status": "paused"}).json()
    assert {name: paused[name] for name in paused if paused[name] != created[name]} == {
        "status": "paused",
        "missed_after": 0,
        "updated_at": paused["updated_at"],
    }
    changed = client.patch(
        address,
        json={
            "url": "https://Other.example.org",
            "filters": {"position": "noted"},
            "event_types": ["review.created"],
            "causes": ["backfill"],
            "description": None,
        },
    ).json()
    assert changed["url"] == "https://other.example.org/"
    assert (changed["filters"], changed["event_types"]) == ({"position": ["noted"]}, ["review.created"])
    assert (changed["causes"], changed["description"], changed["status"]) == (["backfill"], None, "paused")
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE webhook_endpoints SET status = 'disabled', status_reason = 'x', failing_since = now()")
        )
    enabled = client.patch(address, json={"status": "enabled", "event_types": None}).json()
    assert (enabled["status"], enabled["status_reason"], enabled["failing_since"]) == ("enabled", None, None)
    assert enabled["event_types"] is None
    assert client.get(address).json() == enabled
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT secret FROM webhook_endpoints")) == secret


def test_a_bad_change_changes_nothing(client: httpx.Client, api: httpx.Client, make_key: MakeKey) -> None:
    address = f"{URL}/{create(client)['id']}"
    before = client.get(address).json()
    for body, pointer in (
        ({}, "#"),
        ({"status": "disabled"}, "#/status"),
        ({"url": None}, "#/url"),
        ({"url": ""}, "#/url"),
        ({"url": "https://127.0.0.2:1/x y"}, "#/url"),
        ({"secret": "whsec_"}, "#/secret"),
        ({"filters": {"x": 1}}, "#/filters/x"),
        ({"causes": []}, "#/causes"),
    ):
        assert list(refused(client.patch(address, json=body))) == [pointer], body
    assert client.get(address).json() == before
    other = {"Authorization": f"Bearer {make_key()[1]}"}
    assert api.patch(address, json={"status": "paused"}, headers=other).status_code == 404
    assert api.patch(address, json={"status": "paused"}).status_code == 401


def test_a_key_has_only_so_many(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_ENDPOINTS", 2)
    create(client)
    create(client)
    answer = client.post(URL, json={"url": HOOK})
    assert (answer.status_code, answer.json()["code"], answer.json()["limit"]) == (409, "too_many_endpoints", 2)


BAD_BODIES: list[tuple[Any, str]] = [
    ({}, "#/url"),
    ({"url": 5}, "#/url"),
    ({"url": ""}, "#/url"),
    ({"url": "https://a.example/" + "a" * 2000}, "#/url"),
    ({"url": "https://a.example/\0"}, "#/url"),
    ({"url": HOOK, "secret": "whsec_1"}, "#/secret"),
    ({"url": HOOK, "a/b~c": 1}, "#/a~1b~0c"),
    ({"url": HOOK, "event_types": []}, "#/event_types"),
    ({"url": HOOK, "event_types": "recommendation.created"}, "#/event_types"),
    ({"url": HOOK, "event_types": ["recommendation.created", "x"]}, "#/event_types/1"),
    ({"url": HOOK, "event_types": ["recommendation.created"] * 1000}, "#/event_types"),
    ({"url": HOOK, "causes": []}, "#/causes"),
    ({"url": HOOK, "causes": ["boredom"]}, "#/causes/0"),
    ({"url": HOOK, "causes": None}, "#/causes"),
    ({"url": HOOK, "description": "a\0b"}, "#/description"),
    ({"url": HOOK, "description": "a" * 501}, "#/description"),
    ({"url": HOOK, "description": True}, "#/description"),
    ({"url": HOOK, "filters": []}, "#/filters"),
    ({"url": HOOK, "filters": {"colour": "red"}}, "#/filters/colour"),
    ({"url": HOOK, "filters": {"updated_since": "2026-01-01T00:00:00Z"}}, "#/filters/updated_since"),
    ({"url": HOOK, "filters": {"position": "maybe"}}, "#/filters/position"),
    ({"url": HOOK, "filters": {"position": "no\0ted"}}, "#/filters/position"),
    ({"url": HOOK, "filters": {"position": []}}, "#/filters/position"),
    ({"url": HOOK, "filters": {"position": {"not": "noted"}}}, "#/filters/position"),
    ({"url": HOOK, "filters": {"position": ["noted", None]}}, "#/filters/position"),
    ({"url": HOOK, "filters": {"cycle": 2.0}}, "#/filters/cycle"),
    ({"url": HOOK, "filters": {"cycle": True}}, "#/filters/cycle"),
    ({"url": HOOK, "filters": {"cycle": 2**63}}, "#/filters/cycle"),
    ({"url": HOOK, "filters": {"id": ["PER-1"] * 201}}, "#/filters/id"),
    ({"url": HOOK, "filters": {"date_from": ["2012-01-01", "2013-01-01"]}}, "#/filters/date_from"),
    ([], "#"),
    (None, "#"),
    ("https://a.example/", "#"),
]


def test_a_bad_body_is_told_where_it_is_bad(client: httpx.Client) -> None:
    for body, pointer in BAD_BODIES:
        assert list(refused(client.post(URL, json=body))) == [pointer], body
    assert client.get(URL).json()["total"] == 0


REFUSED_ADDRESSES = [
    ("http://tracker.example.org/", "scheme"),
    ("https://10.0.0.1/", "network"),
    ("https://[::ffff:10.0.0.1]/", "network"),
    ("https://0xa000001/", "network"),
    ("https://a:b@tracker.example.org/", "credentials"),
    ("https://tracker.example.org:22/", "port"),
    ("https://printer/", "host"),
    ("tracker.example.org", "scheme"),
]


def test_addresses_that_are_not_public_are_refused(client: httpx.Client) -> None:
    for url, reason in REFUSED_ADDRESSES:
        answer = client.post(URL, json={"url": url})
        assert list(refused(answer)) == ["#/url"]
        assert (answer.json()["code"], answer.json()["reason"]) == ("refused_address", reason)


def test_what_is_no_proper_json_is_a_4xx(client: httpx.Client) -> None:
    for body in (b"", b"{", b'{"url": NaN}', b"\xff\xfe", b"[" * 100_000, b'{"url": %s}' % (b"1" * 5000)):
        answer = client.post(URL, content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code in {400, 422}, answer.text
        assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_lone_surrogate_is_a_422_wherever_it_stands(client: httpx.Client) -> None:
    lone = b'"\\ud800"'
    for body in (
        b'{"url": %s}',
        b'{"url": "https://a.example/", "description": %s}',
        b'{"url": "https://a.example/", %s: 1}',
        b'{"url": "https://a.example/", "filters": {"position": %s}}',
        b'{"url": "https://a.example/", "filters": {%s: "noted"}}',
        b'{"url": "https://a.example/", "event_types": [%s]}',
    ):
        answer = client.post(URL, content=body % lone, headers={"Content-Type": "application/json"})
        assert answer.status_code == 422, (body, answer.text)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
_bodies = _json | st.fixed_dictionaries(
    {},
    optional={
        "url": st.just(HOOK) | _json,
        "event_types": st.lists(st.sampled_from(["recommendation.created", "state.updated", "x"])) | _json,
        "causes": st.lists(st.sampled_from(["publication", "backfill", "x"])) | _json,
        "filters": st.dictionaries(st.sampled_from(["cycle", "position", "id", "kind", "date_to", "x"]), _json) | _json,
        "description": st.text(max_size=600) | _json,
        "more": _json,
    },
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=_bodies)
def test_any_json_is_taken_or_refused_properly(client: httpx.Client, body: Any) -> None:
    answer = client.post(URL, json=body)
    if answer.status_code == 201:
        assert body["url"] == HOOK
        assert client.delete(answer.headers["Location"]).status_code == 204
    else:
        assert refused(answer)


def test_other_bodies_and_parameters(client: httpx.Client) -> None:
    assert client.post(URL, data={"url": HOOK}).status_code == 422
    assert client.post(f"{URL}?dry_run=1", json={"url": HOOK}).json()["code"] == "unknown_parameter"
    assert client.get(f"{URL}?limit=5").status_code == 400
    assert client.put(URL, json={}).status_code == 405
    assert client.get(f"{URL}/%00").status_code == 400
    assert client.get(f"{URL}/{'x' * 3000}").status_code == 404


def test_the_secret_is_in_no_list_and_no_log(client: httpx.Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    secret = create(client)["secret"]
    found = client.get(URL).text
    assert "whsec_" not in found
    assert "whsec_" not in client.get(f"{URL}/{client.get(URL).json()['data'][0]['id']}").text
    assert secret not in caplog.text
    assert client.headers["Authorization"].split("_")[2] not in caplog.text


def test_the_openapi_document_tells_of_it(api: httpx.Client) -> None:
    document = api.get("/openapi.json").json()
    assert document["components"]["securitySchemes"]["api_key"]["scheme"] == "bearer"
    for path, methods in ((URL, ("get", "post")), (URL + "/{endpoint_id}", ("get", "patch", "delete"))):
        for method in methods:
            operation = document["paths"][path][method]
            assert operation["security"] == [{"api_key": []}]
            assert {"401", "403"} <= set(operation["responses"])
    assert document["paths"][URL]["post"]["requestBody"]["content"]["application/json"]["examples"]
    assert "secret" not in document["components"]["schemas"]["Endpoint"]["properties"]
    assert "whsec_" in str(document["components"]["schemas"]["CreatedEndpoint"]["properties"]["secret"])


def test_a_renewed_secret_stands_beside_the_former_one_for_a_day(client: httpx.Client, engine: Engine) -> None:
    first = create(client)
    answer = client.post(f"{URL}/{first['id']}/secret")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    second = answer.json()
    assert second["secret"] != first["secret"]
    until = datetime.fromisoformat(second["former_secret_until"])
    assert timedelta(hours=23, minutes=59) < until - datetime.now(UTC) < timedelta(hours=24, minutes=1)
    with engine.connect() as connection:
        row = connection.execute(text("SELECT * FROM webhook_endpoints")).mappings().one()
    assert module.secrets_in_force(row, until - timedelta(seconds=1)) == [second["secret"], first["secret"]]
    assert module.secrets_in_force(row, until) == [second["secret"]]
    assert "secret" not in client.get(f"{URL}/{first['id']}").json()
    assert client.post(f"{URL}/ep_0/secret").status_code == 404


def test_an_endpoint_can_be_tested(client: httpx.Client) -> None:
    with receiving() as receiver:
        created = create(client, url=receiver.url)
        former, secret = created["secret"], client.post(f"{URL}/{created['id']}/secret").json()["secret"]
        client.patch(f"{URL}/{created['id']}", json={"status": "paused"})
        told = client.post(f"{URL}/{created['id']}/test", json={"type": "state.updated"}).json()
        assert (told["succeeded"], told["outcome"], told["error"]) == (True, "success", None)
        for each in (former, secret):
            assert verified(receiver.requests[0], each) == told["event"]
    assert (told["event"]["type"], told["event"]["data"]["seq"]) == ("state.updated", 0)
    failed = client.post(f"{URL}/{created['id']}/test", json={}).json()
    assert (failed["succeeded"], failed["status"], failed["outcome"]) == (False, None, "connection_failed")
    assert failed["event"]["type"] == "recommendation.position_changed"
    assert list(refused(client.post(f"{URL}/{created['id']}/test", json={"type": "x"}))) == ["#/type"]
    assert client.post(f"{URL}/{created['id']}/test").json()["event"]["type"] == "recommendation.position_changed"
    assert client.post(f"{URL}/ep_0/test", json={}).status_code == 404
