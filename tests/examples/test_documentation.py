"""docs/receiving-webhooks.md shows the examples as they are run, and commands that do what it says."""

import re
import shutil
from pathlib import Path

import httpx
import pytest

from tests.api.webhooks.receivers import receiving
from tests.api.webhooks.test_documentation import printed_by, shell
from tests.up.programs import ROOT

PAGE = ROOT / "docs/receiving-webhooks.md"
SHOWN = re.compile(r"<!-- (examples/\S+) -->\n```\w+\n(.*?)```\n", re.DOTALL)
"""A block of code beneath the name of the file that it stands in."""
COMMANDS = re.compile(r"^( *)```bash\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
SHOWN_ID = "ep_3f2a9c1b5d7e8f0a1b2c3d4e"


def test_the_page_shows_the_examples() -> None:
    names = {Path(name).name for name, _ in SHOWN.findall(PAGE.read_text())}
    assert names >= {"receiver.py", "receiver.ts", "tracker.py", "position_changed.cjs"}


@pytest.mark.parametrize(("name", "shown"), SHOWN.findall(PAGE.read_text()))
def test_what_is_shown_is_what_is_run(name: str, shown: str) -> None:
    assert shown.strip()
    assert shown in (ROOT / name).read_text(), f"{PAGE.name} does not show {name} as it is"


@pytest.mark.skipif(shutil.which("curl") is None, reason="the examples are written for curl")
def test_the_commands_do_what_the_page_says(api: httpx.Client) -> None:
    key = api.headers["Authorization"].removeprefix("Bearer ")
    for_tracker, on_this_machine, try_out, feed, catch, sample, unsubscribe = [
        script for _, script in COMMANDS.findall(PAGE.read_text())
    ]
    (followed,) = shell(for_tracker, api, KEY=key)
    assert (followed["type"], followed["causes"]) == (
        "recommendations",
        ["publication", "backfill", "correction", "merge"],
    )
    (subscribe,) = re.findall(r"^curl .*?}'$", on_this_machine, re.DOTALL | re.MULTILINE)
    with receiving() as receiver:
        (created,) = shell(subscribe.replace("9000", str(receiver.port)), api, KEY=key)
        for script in (try_out, sample):
            (tried,) = shell(script.replace(SHOWN_ID, created["id"]), api, KEY=key)
            assert (tried["succeeded"], tried["event"]["type"]) == (True, "recommendation.position_changed")
    assert b"<feed" in printed_by(feed, api)
    (caught,) = shell(catch, api, KEY=key)
    assert caught["secret"].startswith("whsec_")
    assert printed_by(unsubscribe, api, KEY=key) == b""
    left = {row["id"] for row in api.get("/v1/webhooks/endpoints").json()["data"]}
    assert left == {followed["id"], created["id"]}
