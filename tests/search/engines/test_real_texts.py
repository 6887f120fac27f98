"""Both engines on real recommendations: every query's total and facets equal brute force."""

import json
from collections.abc import Iterator
from itertools import islice

import pytest

from services.core.query.parser import parse_query
from services.search.engines.base import Engine, SearchRequest
from tests.search.engines.conftest import Home
from tests.search.engines.corpus import UPR_INFO, Truth, upr_info

BATTERY = UPR_INFO.parents[1] / "tools" / "search_battery.json"
EVERY = 25
FACETS = ("state_under_review", "region", "recommending_state", "position", "issue", "cycle")

pytestmark = pytest.mark.skipif(not UPR_INFO.is_dir(), reason="not run: UPR Info's files are not beside the repository")


@pytest.fixture(scope="module")
def truth() -> Truth:
    return Truth(islice(upr_info(), 0, None, EVERY))


@pytest.fixture(scope="module")
def engine(shared_home: Home, truth: Truth) -> Iterator[Engine]:
    engine = shared_home.open()
    engine.rebuild(iter(truth.documents), 1)
    yield engine
    engine.close()


def _queries() -> list[str]:
    own = [
        "woman ", "tortrue -children", '"human rights" OR "death penalty" -torture', "ratificaton OR moratorum",
        '-("human rights" OR torture)', "op-cat", "1325 ", "discriminaton peple",
    ]  # fmt: skip
    known = json.loads(BATTERY.read_text("utf-8"))["queries"] if BATTERY.is_file() else []
    return own + list(dict.fromkeys(query["q"] for query in known))


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("text", _queries())
def test_totals_and_facets_equal_brute_force(engine: Engine, truth: Truth, text: str, strict: bool) -> None:
    for filters in ({}, {"region": ("Africa", "Asia"), "issue": ("Women's rights", "Detention", "Justice")}):
        request = SearchRequest(parse_query(text), filters=filters, facets=FACETS, strict=strict)
        result = engine.search(request)
        assert result.total == len(truth.found(request))
        assert result.facets == {name: truth.facet(request, name) for name in FACETS}
