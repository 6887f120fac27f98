"""examples/no-code: what platforms such as Zapier do with a trigger, done to the real service by Node.js."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from services.core.store.changes import append_changes
from tests.api.webhooks.conftest import draft
from tests.up.programs import ROOT, free_ports

TRIGGER = ROOT / "examples/no-code/zapier/position_changed.cjs"
ANSWER = {"type": "recommendation.position_changed", "changed": {"position": ["pending", "noted"]}}


@pytest.mark.skipif(shutil.which("node") is None, reason="not run: there is no Node.js")
def test_a_trigger_subscribes_hears_and_unsubscribes(api: httpx.Client, deliverer: None, engine: Engine) -> None:
    (port,) = free_ports(1)
    key = api.headers["Authorization"].removeprefix("Bearer ")
    command = ["node", str(Path(__file__).with_name("zapier.cjs")), str(TRIGGER), key, str(port)]
    environment = {**os.environ, "UPR_API": str(api.base_url).rstrip("/")}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as zapier:
        assert zapier.stdout is not None
        began: dict[str, Any] = json.loads(zapier.stdout.readline())
        with engine.begin() as connection:
            elsewhere = {"subject": "CHL-2-1.1", "terms_after": ("state_under_review:CHL",)}
            append_changes(connection, [draft(), draft(**ANSWER, **elsewhere), draft(**ANSWER)])
        ended: dict[str, Any] = json.loads(zapier.stdout.readline())
        assert zapier.wait(30) == 0
    assert began["subscribed"]["filters"] == {"state_under_review": ["PER"]}
    (event,) = ended["events"]
    assert (event["seq"], event["changed"]) == (3, ANSWER["changed"])
    (sample,) = began["samples"]
    assert sample.keys() == event.keys()
    assert api.get("/v1/webhooks/endpoints").json()["total"] == 0
