import re
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from services.api import key_commands
from services.core.domain.errors import InvalidParameterError, NotFoundError
from services.core.runtime.keys import Scope, create_key, find_key, list_keys, revoke_key
from services.core.runtime.logs import without_secrets
from tests.api.conftest import MakeKey

ENDPOINTS = "/v1/webhooks/endpoints"


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


def test_a_key_is_found_by_its_text_and_by_nothing_near_it(engine: Engine, make_key: MakeKey) -> None:
    key, text = make_key(Scope.WEBHOOKS_WRITE, Scope.INGEST_WRITE, name="SIMORE")
    assert re.fullmatch(r"upr_[0-9A-Za-z]{12}_[0-9A-Za-z]{38}", text)
    assert (key.name, key.scopes, key.expires_at, key.revoked_at) == (
        "SIMORE",
        ("ingest:write", "webhooks:write"),
        None,
        None,
    )
    with engine.connect() as connection:
        assert find_key(connection, text) == key
        assert list_keys(connection) == [key]
        for near in (text[:-1], text + "0", text.swapcase(), text.replace("upr_", "UPR_"), "", f" {text}", key.id):
            assert find_key(connection, near) is None


def test_another_secret_with_the_right_checksum_is_refused(engine: Engine, make_key: MakeKey) -> None:
    key, text = make_key()
    with engine.begin() as connection:
        other = create_key(connection, name="other", scopes=[Scope.ADMIN])[1]
        connection.exec_driver_sql("UPDATE api_keys SET id = 'key_moved' WHERE id = %s", (key.id,))
        connection.exec_driver_sql("UPDATE api_keys SET id = %s WHERE id = %s", (key.id, f"key_{other.split('_')[1]}"))
        assert find_key(connection, text) is None
        assert find_key(connection, other) is None


def test_the_store_and_the_logs_never_hold_a_key(engine: Engine, make_key: MakeKey) -> None:
    _key, secret = make_key()
    with engine.connect() as connection:
        row = connection.execute(text("SELECT * FROM api_keys")).one()
    assert secret.split("_")[2] not in str(row)
    assert without_secrets(f"with {secret} in it") == f"with {secret[:17]}[redacted] in it"
    assert secret.split("_")[2] not in without_secrets(f"Authorization: Bearer {secret}")
    assert without_secrets("database upr_test_0123456789_12_3") == "database upr_test_0123456789_12_3"


@pytest.mark.parametrize(
    ("headers", "detail"),
    [
        ({}, "needs an API key"),
        ({"Authorization": "Basic dXByOnVwcg=="}, "does not read"),
        ({"Authorization": "Bearer"}, "does not read"),
        ({"Authorization": "Bearer a b"}, "does not read"),
        (bearer("upr_nonsense"), "is not known"),
    ],
)
def test_without_a_key_there_is_401(api: httpx.Client, headers: dict[str, str], detail: str) -> None:
    for answer in (api.get(ENDPOINTS, headers=headers), api.post(ENDPOINTS, headers=headers, json={"nonsense": 1})):
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert answer.json()["code"] == "unauthorized"
        assert detail in answer.json()["detail"]


def test_keys_that_hold_no_longer(api: httpx.Client, engine: Engine, make_key: MakeKey) -> None:
    _, expired = make_key(expires_at=datetime.now(UTC) - timedelta(seconds=1))
    revoked, text = make_key(expires_at=datetime.now(UTC) + timedelta(days=1))
    assert api.get(ENDPOINTS, headers=bearer(text)).status_code == 200
    with engine.begin() as connection:
        first = revoke_key(connection, revoked.id)
        assert revoke_key(connection, revoked.id) == first
        assert revoke_key(connection, "key_none") is None
    for dead, said in ((expired, "has expired"), (text, "was revoked")):
        answer = api.get(ENDPOINTS, headers=bearer(dead))
        assert answer.status_code == 401
        assert said in answer.json()["detail"]


def test_a_key_without_the_scope_gets_403(api: httpx.Client, make_key: MakeKey) -> None:
    answer = api.get(ENDPOINTS, headers=bearer(make_key(Scope.INGEST_WRITE)[1]))
    assert (answer.status_code, answer.json()["scope"]) == (403, "webhooks:write")
    assert api.get(ENDPOINTS, headers=bearer(make_key(Scope.ADMIN)[1])).status_code == 200
    lower = {"authorization": f"bearer  {make_key()[1]}"}
    assert api.get(ENDPOINTS, headers=lower).status_code == 200


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(header=st.lists(st.integers(0x21, 0xFF).filter(lambda byte: byte != 0x7F), min_size=1, max_size=80).map(bytes))
def test_no_header_is_too_odd(api: httpx.Client, header: bytes) -> None:
    answer = api.get(ENDPOINTS, headers=[(b"Authorization", b"Bearer " + header)])
    assert answer.status_code in {400, 401}


def test_the_commands(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPR_DATABASE_URL", database_url)

    def run(*words: str, status: int = 0) -> tuple[str, str]:
        result = CliRunner().invoke(key_commands.app, words, catch_exceptions=True)
        if status == 0 and result.exception:
            raise result.exception
        assert result.exit_code == status
        return result.stdout, result.stderr

    printed, told = run("create", "--name", "SIMORE", "--scope", "webhooks:write", "--expires-days", "30")
    key_text = printed.strip()
    assert printed == key_text + "\n"
    assert "webhooks:write" in told
    assert key_text not in told
    key_id = f"key_{key_text.split('_')[1]}"
    listed, _ = run("list")
    assert key_id in listed
    assert "SIMORE" in listed
    assert "valid" in listed
    assert key_text.split("_")[2] not in listed
    assert "is revoked" in run("revoke", key_id)[0]
    assert "revoked" in run("list")[0]
    run("create", "--name", "x", "--scope", "everything", status=2)
    run("create", "--name", "x", status=2)
    with pytest.raises(NotFoundError):
        run("revoke", "key_none")
    with pytest.raises(InvalidParameterError):
        run("create", "--name", " ", "--scope", "admin")
