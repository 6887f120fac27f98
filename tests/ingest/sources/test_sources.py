"""Every source that there is."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from services.ingest.sources import ADAPTERS, source_named, source_of
from services.ingest.sources.base import Adapter


@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda adapter: str(adapter.name))
def test_a_source_says_what_was_seen_and_what_is_concluded(adapter: Adapter) -> None:
    source = source_of(adapter)
    assert source.description.notes.observed
    assert source.description.notes.inferred
    assert source.description.sites or adapter.name == "organisations"  # which comes with the project
    assert type(adapter).__module__ == f"services.ingest.sources.{adapter.name}.adapter"


def test_names_are_in_order() -> None:
    names = [adapter.name for adapter in ADAPTERS]
    assert names == sorted(set(names))


def test_the_documentation_says_how_often_and_how_much() -> None:
    document = (Path(__file__).parents[3] / "docs" / "ingest.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| `(\w+)` \| .* \| (\d+) (day|hour)s? \| (\d+) \|$", document, re.MULTILINE)
    assert told
    for name, number, unit, least in told:
        description = source_named(name).description
        assert description.cadence == timedelta(**{f"{unit}s": int(number)})
        assert description.least.found == int(least)
