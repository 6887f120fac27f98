"""The receivers of examples/receivers, in Python and TypeScript, hear the real service through a real deliverer.

`make test` runs those in Python; `make test-clients` sets up what those in TypeScript need.
"""

import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from services.api.webhooks.signature import new_secret, signed_headers
from services.core.store.changes import append_changes
from tests.api.webhooks.conftest import draft
from tests.core.runtime.test_worker import eventually
from tests.examples.conftest import PYTHON, Example, MakeExample, subscribe
from tests.up.programs import ROOT

TYPESCRIPT = ROOT / "examples/receivers/typescript"
MODULES = TYPESCRIPT / "node_modules"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The receiver in TypeScript, made as its comment says."""
    folder = tmp_path_factory.mktemp("typescript")
    for name in ("package.json", "tsconfig.json", "receiver.ts"):
        shutil.copy(TYPESCRIPT / name, folder)
    (folder / "node_modules").symlink_to(MODULES)
    made = subprocess.run(
        ["node_modules/.bin/tsc"], cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )
    assert made.returncode == 0, made.stdout
    return folder / "receiver.js"


@pytest.fixture(
    params=[
        "python",
        pytest.param(
            "typescript",
            marks=pytest.mark.skipif(not MODULES.is_dir(), reason="not run: `make test-clients` sets up Node.js"),
        ),
    ]
)
def receiver(request: pytest.FixtureRequest, example: MakeExample) -> Example:
    """Not yet started."""
    if request.param == "python":
        return example(sys.executable, PYTHON / "receiver.py")
    return example("node", request.getfixturevalue("built"))


def publish(engine: Engine, *subjects: str) -> None:
    with engine.begin() as connection:
        append_changes(connection, [draft(subject=subject, changed={"text": ["é", "ñ"]}) for subject in subjects])


def worked_on(receiver: Example) -> list[int]:
    return [int(line.split()[0]) for line in receiver.lines()]


def test_each_event_is_worked_on_once_through_crashes_and_a_new_secret(
    receiver: Example, api: httpx.Client, deliverer: None, engine: Engine
) -> None:
    created = subscribe(api, url=receiver.url)
    receiver.start(UPR_WEBHOOK_SECRET=created["secret"])
    publish(engine, "PER-2-1.1", "PER-2-1.2")
    eventually(lambda: sorted(worked_on(receiver)) == [1, 2])
    assert receiver.lines()[0].split(maxsplit=3)[1:3] == ["recommendation.created", f"PER-2-1.{receiver.lines()[0][0]}"]
    renewed = api.post(f"/v1/webhooks/endpoints/{created['id']}/secret").json()["secret"]
    publish(engine, "PER-2-1.3")  # it still has the former secret
    eventually(lambda: len(worked_on(receiver)) == 3)
    receiver.kill()
    publish(engine, "PER-2-1.4")
    receiver.start(UPR_WEBHOOK_SECRET=renewed)
    publish(engine, "PER-2-1.5")
    eventually(lambda: set(worked_on(receiver)) == {1, 2, 3, 4, 5}, 60)
    assert len(worked_on(receiver)) <= 6  # what it was at when it was killed may have been done already
    test = api.post(f"/v1/webhooks/endpoints/{created['id']}/test", json={}).json()
    assert (test["succeeded"], test["status"]) == (True, 204)


def body_of(number: int, subject: str = "PER-2-116.17") -> bytes:
    event = {"id": f"evt_{number}", "seq": number, "type": "recommendation.updated", "subject": {"id": subject}}
    return json.dumps({"type": event["type"], "data": {**event, "changed": {"text": ["é", "ñ"]}}}).encode()


def post(receiver: Example, body: bytes, secret: str, message_id: str, **options: Any) -> int:
    options = {"signed_at": datetime.now(UTC), **options}
    headers = signed_headers(message_id=message_id, body=body, secrets_in_force=[secret], **options)
    return httpx.post(receiver.url, content=body, headers=headers).status_code


def test_what_comes_twice_or_late_is_not_worked_on_again(receiver: Example) -> None:
    secret = new_secret()
    receiver.start(UPR_WEBHOOK_SECRET=secret)
    for number in (2, 2, 5, 5):
        assert post(receiver, body_of(number), secret, f"evt_{number}") == 204
        eventually(lambda: number in worked_on(receiver))  # noqa: B023 - at once
    assert post(receiver, body_of(3), secret, "evt_3") == 204
    assert post(receiver, body_of(4, "PER-2-116.18"), secret, "evt_4") == 204
    eventually(lambda: 4 in worked_on(receiver))
    receiver.kill()
    receiver.start()
    assert post(receiver, body_of(5), secret, "evt_5") == 204
    assert post(receiver, body_of(6), secret, "evt_6") == 204
    eventually(lambda: 6 in worked_on(receiver))
    assert list(dict.fromkeys(worked_on(receiver))) == [2, 5, 4, 6]
    assert worked_on(receiver)[:2] == [2, 5]  # 4 may have been done but not settled when it was killed


def test_what_is_not_signed_or_not_now_is_refused(receiver: Example) -> None:
    secret, body = new_secret(), body_of(1)
    receiver.start(UPR_WEBHOOK_SECRET=secret)
    assert post(receiver, body, new_secret(), "evt_1") == 400
    for minutes in (-6, 6):
        assert post(receiver, body, secret, "evt_1", signed_at=datetime.now(UTC) + timedelta(minutes=minutes)) == 400
    headers = signed_headers(message_id="evt_1", signed_at=datetime.now(UTC), body=body, secrets_in_force=[secret])
    assert httpx.post(receiver.url, content=body + b" ", headers=headers).status_code == 400
    for odd in ("v1", "v1,%%", "v2,x", "v1,é", ""):
        wrong = [(b"webhook-signature", odd.encode()), *((n, v) for n, v in headers.items() if "signature" not in n)]
        assert httpx.post(receiver.url, content=body, headers=wrong).status_code == 400  # type: ignore[arg-type]
    assert httpx.post(receiver.url, content=body).status_code == 400
    assert httpx.post(receiver.url, content=b"").status_code == 400
    assert post(receiver, body, secret, "evt_1") == 204
    eventually(lambda: worked_on(receiver) == [1])


def test_what_was_kept_but_not_worked_on_is_worked_on_after_a_crash(receiver: Example) -> None:
    """It is killed in the middle of many events; each that was answered 204 is worked on in the end."""
    secret = new_secret()
    receiver.start(UPR_WEBHOOK_SECRET=secret)
    for number in range(1, 41):
        assert post(receiver, body_of(number, f"PER-2-1.{number}"), secret, f"evt_{number}") == 204
    receiver.kill()
    receiver.start()
    eventually(lambda: set(worked_on(receiver)) == set(range(1, 41)))
    assert len(worked_on(receiver)) <= 41  # what it was at when it was killed may have been done already
