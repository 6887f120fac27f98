"""docs/receiving-webhooks.md shows the examples as they are run."""

import re
from pathlib import Path

import pytest

from tests.up.programs import ROOT

PAGE = ROOT / "docs/receiving-webhooks.md"
SHOWN = re.compile(r"<!-- (examples/\S+) -->\n```\w+\n(.*?)```\n", re.DOTALL)
"""A block of code beneath the name of the file that it stands in."""


def test_the_page_shows_the_receivers() -> None:
    names = {Path(name).name for name, _ in SHOWN.findall(PAGE.read_text())}
    assert names >= {"receiver.py", "receiver.ts", "tracker.py"}


@pytest.mark.parametrize(("name", "shown"), SHOWN.findall(PAGE.read_text()))
def test_what_is_shown_is_what_is_run(name: str, shown: str) -> None:
    assert shown.strip()
    assert shown in (ROOT / name).read_text(), f"{PAGE.name} does not show {name} as it is"
