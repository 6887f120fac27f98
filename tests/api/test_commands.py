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
    eventually(lambda: "position: pending → noted" in listener.out.read_text(), 20)
    _, when, told, *_ = listener.out.read_text().splitlines()
    assert when.endswith("recommendation.created  PER-2-116.1  verified")
    assert "seq 1, publication, entered, evt_" in told
    assert (deliverer.stop(), api.stop()) == (0, 0)


def post(address: str, body: bytes, secret: str, **options: Any) -> int:
    options = {"message_id": "evt_1", "signed_at": datetime.now(UTC), **options}
    headers = signed_headers(body=body, secrets_in_force=[secret], **options)
    return httpx.post(address, content=body, headers=headers).status_code


EVENT = {
    "id": "evt_1",
    "seq": 7,
    "type": "recommendation.position_changed",
    "cause": "publication",
    "match": "stayed",
    "subject": {"id": "PER-2-116.17", "url": "https://upr.example.org/recommendations/PER-2-116.17"},
    "changed": {"labels": [[], [{"id": "sdg:16"}]], "position": ["pending", "noted"]},
}
BODY = json.dumps({"type": EVENT["type"], "data": EVENT}).encode()


@pytest.fixture
def listener(run: Run) -> tuple[Command, str, str]:
    """One that listens, its address and its secret."""
    secret = new_secret()
    listener = run("webhook_commands", "listen", "--port", "0", "--secret", secret)
    return listener, listener.address(), secret


def test_listen_prints_what_is_verified(listener: tuple[Command, str, str]) -> None:
    command, address, secret = listener
    assert address.startswith("http://127.0.0.1:")
    assert [post(address, BODY, secret), post(address, BODY, secret)] == [204, 204]
    sample = json.dumps({"data": {**EVENT, "seq": 0}}).encode()
    assert post(address, sample, secret, message_id="evt_2") == 204
    assert command.stop(signal.SIGINT) == 0
    lines = command.out.read_text().splitlines()
    told = [
        "          seq 7, publication, stayed, evt_1",
        "          position: pending → noted",
        "          labels: + sdg:16",
        "          https://upr.example.org/recommendations/PER-2-116.17",
    ]
    first, second, third = lines[1:6], lines[6:12], lines[12:]
    for head in (first[0], second[0], third[0]):
        assert re.fullmatch(r"\d\d:\d\d:\d\d  recommendation.position_changed  PER-2-116.17  verified", head)
    assert first[1:] == told
    assert second[1:] == [told[0], "          came before: the same webhook-id", *told[1:]]
    assert third[2] == "          a test: about an invented record, with a seq that no change has"
    assert command.err.read_text() == "\n3 events, 1 of them once more; 0 refused\n"


def test_listen_says_why_it_refuses_also_to_the_sender(listener: tuple[Command, str, str]) -> None:
    command, address, secret = listener
    assert post(address, BODY, new_secret()) == 400
    assert post(address, BODY, secret, signed_at=datetime.now(UTC) - timedelta(seconds=399.5)) == 400
    assert post(address, b"[]", secret) == 400
    assert httpx.post(address, content=BODY).status_code == 400
    assert httpx.post(address, content=iter([BODY])).status_code == 400
    odd = {b"webhook-id": b"evt_3\x9b2J", b"webhook-timestamp": b"soon", b"webhook-signature": b"v1,x"}
    assert httpx.post(address, content=BODY, headers=list(odd.items())).status_code == 400
    by_browser = httpx.get(address)
    assert (by_browser.status_code, httpx.head(address).status_code) == (405, 405)
    assert by_browser.text == "upr webhooks listen refused this: it was sent by GET, events are by POST.\n"
    with socket.create_connection(("127.0.0.1", httpx.URL(address).port or 0)) as cut_short:
        cut_short.sendall(b"POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc")
        cut_short.shutdown(socket.SHUT_WR)
        assert b"only 3 of its 10 bytes arrived" in cut_short.makefile("rb").read()
    assert command.stop(signal.SIGINT) == 0
    refusals = [line.split("refused: ", 1)[1] for line in command.err.read_text().splitlines() if "refused: " in line]
    assert re.fullmatch(r"its timestamp is (399|400|401) s old, and 300 are allowed: .* \(evt_1\)", refusals.pop(1))
    assert refusals == [
        "its signature does not fit: it was made with another secret, or the body was changed on the way (evt_1)",
        "its signature fits, but its body is no event (evt_1)",
        "it lacks webhook-id, webhook-timestamp or webhook-signature",
        "it has no length, or is too long",
        "its timestamp is no number (evt_3 2J)",
        "it was sent by GET, events are by POST",
        "it was sent by HEAD, events are by POST",
        "only 3 of its 10 bytes arrived",
    ]
    assert command.err.read_text().endswith("0 events, 0 of them once more; 9 refused\n")


def test_listen_takes_two_secrets_while_one_takes_the_place_of_the_other(run: Run) -> None:
    former, new = new_secret(), new_secret()
    listener = run("webhook_commands", "listen", "--port", "0", UPR_WEBHOOK_SECRET=f"{former} {new}")
    address = listener.address()
    assert [post(address, BODY, new), post(address, BODY, former), post(address, BODY, new_secret())] == [204, 204, 400]
    heads = [line for line in listener.out.read_text().splitlines() if "verified" in line]
    assert [head.split("  ")[-1] for head in heads] == ["verified with secret 2 of 2", "verified with secret 1 of 2"]


def test_listen_prints_json_for_programs(run: Run) -> None:
    secret = new_secret()
    listener = run("webhook_commands", "listen", "--port", "0", "--secret", secret, "--json")
    address = listener.address()
    assert [post(address, BODY, secret), post(address, BODY, new_secret())] == [204, 400]
    assert json.loads(listener.out.read_text()) == EVENT
    assert "refused: its signature does not fit" in listener.err.read_text()


def test_listen_says_that_a_port_is_taken(listener: tuple[Command, str, str]) -> None:
    port = str(httpx.URL(listener[1]).port)
    result = CliRunner().invoke(webhook_commands.app, ["listen", "--secret", new_secret(), "--port", port])
    assert isinstance(result.exception, SettingsError)
    told = f"cannot listen on 127.0.0.1 port {port}: Address already in use; choose another with --port or --host"
    assert told in str(result.exception)


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
