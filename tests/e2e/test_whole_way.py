"""One recommendation's whole way, offline, with the real processes: document → records → change → index → search hit →
webhook received and verified."""

import json
import os
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from tests.api.webhooks.receivers import Receiver, receiving
from tests.up.programs import ROOT, Program, running, wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="`upr up` is stopped by looking in /proc")

SAMPLES = ROOT / "samples" / "documents"
MOVED = "XCM-4-21.{}"


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    for name in [name for name in os.environ if name.startswith("UPR_")]:
        monkeypatch.delenv(name)
    ports = {f"UPR_{name}_PORT": "0" for name in ("API", "SEARCH", "INGEST")}
    return {"UPR_DATA_DIR": str(tmp_path / "upr"), "UPR_WEBHOOK_ALLOW_LOOPBACK": "true", **ports}


@pytest.fixture
def platform(environment: dict[str, str]) -> Iterator[Program]:
    with running(["services.cli", "up"], environment, uuid.uuid4().hex) as program:
        program.wait_for("Ctrl-C stops everything.")
        yield program


def upr(environment: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "services.cli", *arguments],
        env={**os.environ, **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def eventually(ask: Callable[[], Any], seconds: float = 20) -> Any:
    """What `ask` answers as soon as it is something."""
    found: list[Any] = []
    wait_until(lambda: bool(found) or (bool(answer := ask()) and not found.append(answer)), seconds)
    return found[0]


def verified(receiver: Receiver, secret: str) -> list[dict[str, Any]]:
    """The bodies that have arrived; raises if one is not signed by the secret."""
    bodies = []
    for request in list(receiver.requests):
        head, _, body = request.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
        Webhook(secret).verify(body, {name.lower(): value for name, value in headers.items()})
        bodies.append(json.loads(body))
    return bodies


def test_from_a_report_to_a_signed_webhook(platform: Program, environment: dict[str, str]) -> None:
    addresses = dict(re.findall(r"^(\w+) is ready at (http://\S+)$", platform.output, re.MULTILINE))
    api, search = httpx.Client(base_url=addresses["api"]), httpx.Client(base_url=addresses["search"])
    with api, search, receiving() as receiver:
        upr(environment, "ingest", "load", str(SAMPLES / "costamar-report.pdf"))
        pending = api.get("/v1/recommendations", params={"state_under_review": "XCM", "position": "pending"}).json()
        assert pending["total"] > 0
        first = pending["data"][0]
        hit = eventually(
            lambda: search.get("/v1/search", params={"q": first["text"], "position": "pending"}).json()["hits"]
        )[0]
        assert (hit["record"]["id"], hit["record"]["sample"]) == (first["id"], True)
        assert "<mark>" in hit["highlight"]["text"]

        key = upr(environment, "keys", "create", "--name", "test", "--scope", "webhooks:write").split()[-1]
        made = api.post(
            "/v1/webhooks/endpoints",
            headers={"Authorization": f"Bearer {key}"},
            json={
                "url": receiver.url,
                "event_types": ["recommendation.position_changed"],
                "causes": ["publication", "backfill"],
                "filters": {"state_under_review": ["XCM"], "position": ["pending"]},
            },
        )
        assert made.status_code == 201, made.text
        cursor = api.get("/v1/recommendations", params={"limit": 1}).json()["dataset"]["cursor"]

        upr(environment, "ingest", "load", str(SAMPLES / "costamar-matrix.docx"))
        feed = api.get(
            "/v1/changes", params={"after": cursor, "event_type": "recommendation.position_changed", "limit": 200}
        ).json()["data"]
        moved = [event for event in feed if event["changed"]["position"][0] == "pending"]
        assert moved
        wait_until(lambda: len(receiver.requests) >= len(moved), 30, lambda: str(receiver.requests)[:2000])
        bodies = verified(receiver, made.json()["secret"])

        assert sorted(body["data"]["seq"] for body in bodies) == [event["seq"] for event in moved]
        event = next(body["data"] for body in bodies if body["data"]["subject"]["id"] == moved[0]["subject"]["id"])
        # The endpoint asks for those that are pending: this one no longer is. Who reads the whole feed sees it stay.
        assert event == {**moved[0], "match": "left"}
        record = api.get(f"/v1/recommendations/{event['subject']['id']}").json()
        assert record == event["data"]
        assert [entry["position"] for entry in record["positions"]] == event["changed"]["position"]
        assert {source["kind"] for source in record["sources"]} == {"working_group_report", "matrix"}
        found = {"q": record["text"], "position": record["position"], "id": record["id"]}
        assert eventually(lambda: search.get("/v1/search", params=found).json()["total"]) == 1
    started = time.monotonic()
    assert platform.end(15) == 0
    assert time.monotonic() - started < 15
