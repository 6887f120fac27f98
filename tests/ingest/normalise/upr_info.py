"""UPR Info's coded recommendations, which lie beside the project where they are at hand."""

import csv
from functools import cache
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[4] / "shared" / "data" / "upr_info"


@cache
def rows() -> tuple[dict[str, str], ...]:
    """All recommendations, or the test is skipped."""
    files = sorted(FOLDER.glob("[0-9]*.csv"))
    if not files:
        pytest.skip(f"UPR Info's files are not in {FOLDER}")
    found: list[dict[str, str]] = []
    for file in files:
        with file.open(encoding="mac_roman", newline="") as lines:
            found.extend(csv.DictReader(lines))
    return tuple(found)
