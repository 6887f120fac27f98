"""The commands as processes: the API, the deliverer, and a listener that hears of a change."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from services.api import webhook_commands
from services.api.webhooks.signature import new_secret, signed_headers
from services.core.domain.errors import InvalidParameterError, SettingsError
from services.core.store.changes import append_changes
from tests.api.conftest import MakeKey
from tests.api.webhooks.conftest import draft
from tests.core.runtime.test_worker import eventually


class Command:
    """A command that runs, and what it has printed."""

    def __init__(self, module: str, *words: str, folder: Path, **settings: str) -> None:
        self.out = folder / f"{words[0]}.out"
        self.err = folder / f"{words[0]}.err"
        script = f"from services.api.{module} import app; app()"
        with self.out.open("wb") as out, self.err.open("wb") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-c", script, *words], env={**os.environ, **settings}, stdout=out, stderr=err
            )

    def address(self) -> str:
        """Where it says that it listens."""
        eventually(lambda: "listening on" in self._text(), 20)
        return next(line for line in self._text().splitlines() if "listening on" in line).split()[-1]

    def _text(self) -> str:
        return self.out.read_text() + self.err.read_text()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(15)


Run = Callable[..., Command]


@pytest.fixture
def run(tmp_path: Path, database_url: str) -> Iterator[Run]:
    started: list[Command] = []

    def start(module: str, *words: str, **settings: str) -> Command:
        settings = {"UPR_DATABASE_URL": database_url, "UPR_WEBHOOK_ALLOW_LOOPBACK": "true", **settings}
        started.append(Command(module, *words, folder=tmp_path, **settings))
        return started[-1]

    yield start
    for command in started:
        command.process.kill()
        command.process.wait()


def test_from_a_key_to_a_printed_event(run: Run, make_key: MakeKey, engine: Engine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    api = run("commands", "serve", UPR_API_PORT="0")
    with httpx.Client(base_url=api.address(), headers={"Authorization": f"Bearer {make_key()[1]}"}) as client:
        assert client.get("/readyz").json() == {"status": "ready", "dependencies": {"database": "ok"}}
        answer = client.post("/v1/webhooks/endpoints", json={"url": f"http://127.0.0.1:{port}/hook"})
    listener = run("webhook_commands", "listen", "--port", str(port), UPR_WEBHOOK_SECRET=answer.json()["secret"])
    listener.address()
    deliverer = run("commands", "deliver")
    with engine.begin() as connection:
        append_changes(connection, [draft(changed={"position": ["pending", "noted"]})])
    eventually(lambda: "position: pending → noted (publication, seq 1)" in listener.out.read_text(), 20)
    assert (deliverer.stop(), api.stop()) == (0, 0)


def post(address: str, body: bytes, secret: str, **options: Any) -> int:
    options = {"message_id": "evt_1", "signed_at": datetime.now(UTC), **options}
    headers = signed_headers(body=body, secrets_in_force=[secret], **options)
    return httpx.post(address, content=body, headers=headers).status_code


EVENT = {
    "seq": 7,
    "type": "recommendation.position_changed",
    "cause": "publication",
    "subject": {"id": "PER-2-116.17", "url": "x"},
    "changed": {"position": ["pending", "noted"], "labels": [[], [1]], "text": ["a" * 70, None]},
}


def test_listen_prints_what_is_verified(run: Run) -> None:
    secret = new_secret()
    listener = run("webhook_commands", "listen", "--port", "0", "--secret", secret)
    address = listener.address()
    body = json.dumps({"type": "x", "data": EVENT}).encode()
    assert address.startswith("http://127.0.0.1:")
    assert post(address, body, secret) == 204
    assert post(address, body, secret) == 204
    assert post(address, body, new_secret()) == 400
    assert post(address, body, secret, signed_at=datetime.now(UTC) - timedelta(seconds=399.5)) == 400
    assert post(address, b"[]", secret) == 400
    assert httpx.post(address, content=body).status_code == 400
    assert httpx.post(address, content=iter([body])).status_code == 400
    assert httpx.get(address).status_code == 501
    assert listener.stop(signal.SIGINT) == 0
    _, first, second = listener.out.read_text().splitlines()
    told = f"PER-2-116.17 position: pending → noted; labels changed; text: {'a' * 59}… → –"
    assert first.endswith(f"{told} (publication, seq 7)")
    assert second.endswith(f"{told} (publication, seq 7, again)")
    refusals = listener.err.read_text().splitlines()[:5]
    assert re.fullmatch(r"refused: its timestamp is (399|400|401) s old", refusals.pop(1))
    assert refusals == [
        "refused: its signature does not fit this secret",
        "refused: its body is no event",
        "refused: it lacks webhook-id, webhook-timestamp or webhook-signature",
        "refused: it has no length, or is too long",
    ]


def test_listen_prints_json_for_programs(run: Run) -> None:
    secret = new_secret()
    listener = run("webhook_commands", "listen", "--port", "0", "--secret", secret, "--json")
    assert post(listener.address(), json.dumps({"data": EVENT}).encode(), secret) == 204
    assert json.loads(listener.out.read_text()) == EVENT


def test_listen_refuses_what_is_no_secret() -> None:
    for secret in ("nonsense", "whsec_", "whsec_%%"):
        result = CliRunner().invoke(webhook_commands.app, ["listen", "--secret", secret, "--port", "0"])
        assert isinstance(result.exception, InvalidParameterError)
        assert secret not in str(result.exception) or secret == "whsec_"
    result = CliRunner().invoke(webhook_commands.app, ["listen", "--secret", new_secret(), "--host", "192.0.2.1"])
    assert isinstance(result.exception, SettingsError)


def test_serve_says_what_is_wrong_with_its_address(run: Run) -> None:
    api = run("commands", "serve", UPR_API_HOST="192.0.2.1")
    assert api.process.wait(20) == 1
    assert "cannot listen on 192.0.2.1 port 8000" in api.err.read_text()
