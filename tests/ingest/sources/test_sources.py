"""Every source that there is."""

import pytest

from services.ingest.sources import ADAPTERS, source_of
from services.ingest.sources.base import Adapter


@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda adapter: str(adapter.name))
def test_a_source_says_what_was_seen_and_what_is_concluded(adapter: Adapter) -> None:
    source = source_of(adapter)
    assert source.description.notes.observed
    assert source.description.notes.inferred
    assert source.description.sites
    assert type(adapter).__module__ == f"services.ingest.sources.{adapter.name}.adapter"


def test_names_are_in_order() -> None:
    names = [adapter.name for adapter in ADAPTERS]
    assert names == sorted(set(names))
