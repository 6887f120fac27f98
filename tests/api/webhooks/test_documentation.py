"""The examples of docs/changes-and-webhooks.md, run as they stand there but for the addresses."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from services.api.webhooks.signature import new_secret, signed_headers
from services.core.schemas.models import Event
from services.core.store.changes import append_changes
from tests.api.conftest import MakeKey
from tests.api.webhooks.conftest import draft
from tests.core.runtime.test_worker import eventually

PAGE = (Path(__file__).parents[3] / "docs" / "changes-and-webhooks.md").read_text()


def examples(language: str) -> list[str]:
    found = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found
    return found


def shell(script: str, api: httpx.Client, **environment: str) -> Any:
    return [json.loads(line) for line in printed_by(script, api, **environment).replace(b"}{", b"}\n{").splitlines()]


def printed_by(script: str, api: httpx.Client, **environment: str) -> bytes:
    script = script.replace("http://127.0.0.1:8000", str(api.base_url).rstrip("/"))
    done = subprocess.run(["bash", "-euc", script], env={**os.environ, **environment}, capture_output=True, check=True)
    return done.stdout


@pytest.mark.skipif(shutil.which("curl") is None, reason="the examples are written for curl")
def test_the_commands_do_what_the_page_says(api: httpx.Client, engine: Engine, make_key: MakeKey) -> None:
    with engine.begin() as connection:
        append_changes(connection, [draft(), draft(type="recommendation.position_changed")])
    feed, saving, newsreader, key, subscribe, look_and_delete = examples("bash")
    (page,) = shell(feed, api)
    assert [event["seq"] for event in page["data"]] == [2]
    atom, _, json_feed = printed_by(newsreader, api).partition(b"</feed>")
    assert atom.count(b"<entry>") == 1
    assert json.loads(json_feed)["version"] == "https://jsonfeed.org/version/1.1"
    assert "upr keys create" in key
    secret = make_key()[1]
    (saved,) = shell(saving, api, KEY=secret)
    assert saved["interpreted"]["query"]["any"]
    assert api.get(saved["changes"].partition(":8000")[2]).status_code == 200
    (created,) = shell(subscribe, api, KEY=secret)
    assert created["secret"].startswith("whsec_")
    assert created["filters"] == {"state_under_review": ["PER"], "position": ["pending", "noted"]}
    listed, paused = shell(look_and_delete.replace("ep_3f2a9c1b5d7e8f0a1b2c3d4e", created["id"]), api, KEY=secret)
    assert (listed["total"], paused["status"]) == (1, "paused")
    assert api.get("/v1/webhooks/endpoints", headers={"Authorization": f"Bearer {secret}"}).json()["total"] == 0


def test_the_event_is_one() -> None:
    (shown,) = map(json.loads, examples("json"))
    Event.model_validate(shown)


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[tuple[str, str, Path]]:
    """The receiver of the page: its address, its secret, and what it prints."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    secret, printed = new_secret(), tmp_path / "printed"
    script = examples("python")[0].replace("9000", str(port))
    with printed.open("wb") as out:
        environment = {**os.environ, "UPR_WEBHOOK_SECRET": secret}
        process = subprocess.Popen(
            [sys.executable, "-c", script], env=environment, stdout=out, stderr=subprocess.DEVNULL
        )

    def answers() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    eventually(answers, 20)
    yield f"http://127.0.0.1:{port}", secret, printed
    process.kill()
    process.wait()


def test_the_receiver_takes_what_is_signed_once_and_nothing_else(receiver: tuple[str, str, Path]) -> None:
    address, secret, printed = receiver
    event = json.loads(examples("json")[0])
    body = json.dumps({"type": event["type"], "timestamp": event["occurred_at"], "data": event}).encode()

    def post(with_secret: str) -> int:
        headers = signed_headers(
            message_id=event["id"], signed_at=datetime.now(UTC), body=body, secrets_in_force=[with_secret]
        )
        return httpx.post(address, content=body, headers=headers).status_code

    assert [post(secret), post(secret), post(new_secret())] == [204, 204, 400]
    (line,) = printed.read_text().splitlines()
    assert line == '4711 recommendation.position_changed PER-2-116.17 {"position": ["pending", "supported"]}'
