"""The examples of docs/changes-and-webhooks.md, run as they stand there but for the addresses."""

import json
import os
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine
from standardwebhooks import Webhook

from services.api.webhooks.signature import new_secret, signed_headers
from services.core.schemas.models import Event
from services.core.store.changes import append_changes
from tests.api.conftest import MakeKey
from tests.api.webhooks.conftest import draft

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


def test_what_verifies_an_event_is_that_line() -> None:
    (line,) = examples("python")
    secret, body = new_secret(), json.dumps({"data": json.loads(examples("json")[0])}).encode()
    headers = signed_headers(message_id="evt_1", signed_at=datetime.now(UTC), body=body, secrets_in_force=[secret])
    known = {"Webhook": Webhook, "secret": secret, "body": body, "headers": headers}
    exec(line, known)
    assert known["event"] == json.loads(body)["data"]
