"""Keys over HTTP, and that no key is ever written into a log."""

import io
import json
import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, text

from services.core.runtime.keys import Scope
from services.core.runtime.settings import CoreSettings
from tests.api.conftest import MakeKey
from tests.core.runtime.configured import configured_logs

KEYS, ENDPOINTS = "/v1/keys", "/v1/webhooks/endpoints"


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@pytest.fixture
def admin(make_key: MakeKey) -> dict[str, str]:
    return bearer(make_key(Scope.ADMIN, name="admin")[1])


def created(api: httpx.Client, admin: dict[str, str], **members: Any) -> dict[str, Any]:
    answer = api.post(KEYS, headers=admin, json={"name": "SIMORE", "scopes": ["webhooks:write"], **members})
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    found: dict[str, Any] = answer.json()
    return found


def test_a_key_is_shown_once_works_and_is_revoked(api: httpx.Client, admin: dict[str, str]) -> None:
    made = created(api, admin, expires_days=30)
    key = made.pop("key")
    assert re.fullmatch(r"upr_[0-9A-Za-z]{12}_[0-9A-Za-z]{38}", key)
    assert (made["name"], made["scopes"], made["status"]) == ("SIMORE", ["webhooks:write"], "valid")
    until = datetime.fromisoformat(made["expires_at"]) - datetime.now(UTC)
    assert timedelta(days=29) < until <= timedelta(days=30)
    listed = api.get(KEYS, headers=admin)
    assert key.split("_")[2] not in listed.text
    assert listed.json()["total"] == 2
    assert listed.json()["data"][1] == made
    assert api.get(ENDPOINTS, headers=bearer(key)).status_code == 200
    assert api.get(KEYS, headers=admin).json()["data"][1]["last_used_at"] is not None
    for _ in range(2):  # the second time changes nothing
        assert api.delete(f"{KEYS}/{made['id']}", headers=admin).status_code == 204
    assert api.get(ENDPOINTS, headers=bearer(key)).status_code == 401
    assert api.get(KEYS, headers=admin).json()["data"][1]["status"] == "revoked"


def test_a_whole_number_may_be_written_with_a_point(api: httpx.Client, admin: dict[str, str]) -> None:
    """JSON Schema calls it an integer, so clients may send it."""
    until = datetime.fromisoformat(created(api, admin, expires_days=30.0)["expires_at"])
    assert timedelta(days=29) < until - datetime.now(UTC) <= timedelta(days=30)


def test_only_admins_may(api: httpx.Client, make_key: MakeKey) -> None:
    _, other = make_key(Scope.WEBHOOKS_WRITE, Scope.INGEST_WRITE)
    for method, path in (("GET", KEYS), ("POST", KEYS), ("DELETE", f"{KEYS}/key_000000000000")):
        assert api.request(method, path).status_code == 401
        refused = api.request(method, path, headers=bearer(other))
        assert (refused.status_code, refused.json()["scope"]) == (403, "admin")


def test_a_key_that_is_not_there(api: httpx.Client, admin: dict[str, str]) -> None:
    answer = api.delete(f"{KEYS}/key_000000000000", headers=admin)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        ({"name": ""}, "#/name"),
        ({"name": " x"}, "#/name"),
        ({"name": "x\x1b[2J"}, "#/name"),
        ({"name": "x" * 101}, "#/name"),
        ({"scopes": []}, "#/scopes"),
        ({"scopes": ["everything"]}, "#/scopes/0"),
        ({"expires_days": 0}, "#/expires_days"),
        ({"expires_days": 10**9}, "#/expires_days"),
        ({"secret": "mine"}, "#/secret"),
    ],
)
def test_what_cannot_be_asked_for(
    api: httpx.Client, admin: dict[str, str], members: dict[str, Any], pointer: str
) -> None:
    answer = api.post(KEYS, headers=admin, json={"name": "x", "scopes": ["admin"], **members})
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


def test_the_last_use_is_not_written_each_time(
    api: httpx.Client, engine: Engine, make_key: MakeKey, admin: dict[str, str]
) -> None:
    key, secret = make_key()

    def last_use() -> datetime:
        with engine.connect() as connection:
            found: datetime = connection.scalar(
                text("SELECT last_used_at FROM api_keys WHERE id = :id"), {"id": key.id}
            )
        return found

    assert last_use() is None
    api.get("/v1/states", headers=bearer(secret))
    first = last_use()
    api.get(ENDPOINTS, headers=bearer(secret))
    assert last_use() == first
    with engine.begin() as connection:
        connection.execute(text("UPDATE api_keys SET last_used_at = now() - interval '6 minutes'"))
    api.get(ENDPOINTS, headers=bearer(secret))
    assert last_use() >= first


def test_keys_never_reach_the_logs(api: httpx.Client, admin: dict[str, str], make_key: MakeKey) -> None:
    """In whatever place of a request a key is sent, rightly or by mistake, and whether it holds or not."""
    good, wrong = make_key(Scope.ADMIN)[1], "upr_" + "a" * 12 + "_" + "b" * 38
    stream = io.StringIO()
    with configured_logs(CoreSettings(log_format="json", log_level="debug"), stream):
        made = created(api, admin)["key"]
        for key in (good, wrong, made):
            for headers in (bearer(key), {"Authorization": key}, {"Cookie": f"key={key}"}, {"X-Request-Id": key}):
                api.get(ENDPOINTS, headers=headers)
            api.get("/v1/states", params={"key": key, key: "1", "lang": key})
            for path in (f"/v1/states/{key}", f"/{key}", f"{KEYS}/{key}", f"/v1/recommendations?id={key}"):
                api.get(path, headers=admin)
                api.delete(path, headers=admin)
            api.post(KEYS, headers=admin, json={"name": key, "scopes": [key], key: key})
            api.post(ENDPOINTS, headers=admin, json={"url": f"https://{key}.example.org/{key}", "filters": {key: key}})
            api.post(KEYS, headers=admin, content=key.encode())
        time.sleep(0.1)  # a line is written after its answer
    lines = stream.getvalue()
    assert lines.count('"request"') > 40
    assert any(json.loads(line)["event"] == "key created" for line in lines.splitlines())
    for key in (good, wrong, made):
        assert key.split("_")[2] not in lines
        assert key.split("_")[2][:20] not in lines
