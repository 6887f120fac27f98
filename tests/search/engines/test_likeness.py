"""The contract of engines: words by their beginning, how often stems stand, and records that share stems."""

import math
import random
from collections.abc import Iterator

import pytest

from services.core.domain.errors import InvalidParameterError
from services.core.query.analysis import analyse
from services.core.query.parser import parse_query
from services.search.engines.base import LIKE_STEMS, Engine, IndexDocument, SearchRequest, weightiest
from tests.search.engines.conftest import Home
from tests.search.engines.corpus import Truth, generated, units

EVERYTHING = SearchRequest(parse_query(""), type="recommendations")


@pytest.fixture(scope="module")
def truth() -> Truth:
    return Truth(generated(400, seed=3))


@pytest.fixture(scope="module")
def engine(shared_home: Home, truth: Truth) -> Iterator[Engine]:
    engine = shared_home.open(version="likeness")
    engine.rebuild(iter(truth.documents), 1)
    yield engine
    engine.close()


def _weights(engine: Engine, document: IndexDocument) -> dict[str, float]:
    stems = analyse(document.texts["text"], document.languages["text"]).stems
    held = engine.frequencies(stems)
    return {stem: math.log(1 + 1_000 / (held[stem] or 1)) for stem in stems}


@pytest.mark.parametrize("beginning", ["116.1", "a/hrc/22", "tort", "per-2-116.1", "2030", "xyz", "é", "ː"])
def test_words_begin_as_asked_for_the_most_frequent_first(engine: Engine, truth: Truth, beginning: str) -> None:
    held = {word for document in truth.documents for unit in units(document) for word in unit.words}
    wanted = {word for word in held if word.startswith(beginning)}
    assert set(engine.words(beginning, 1_000)) == wanted
    few = engine.words(beginning, 3)
    assert few == engine.words(beginning, 1_000)[:3]


def test_how_often_a_stem_stands(engine: Engine, truth: Truth) -> None:
    analysed = [unit for document in truth.documents for unit in list(units(document))[:1]]
    held = engine.frequencies(["en:tortur", "en:nothing", "en:tortur", 'a "quoted" \\ one'])
    assert held["en:nothing"] == held['a "quoted" \\ one'] == 0
    assert held["en:tortur"] >= sum("en:tortur" in unit.stems for unit in analysed) > 0
    assert engine.frequencies([]) == {}


def test_records_that_share_the_weightiest_stems_come_first(engine: Engine, truth: Truth) -> None:
    chance = random.Random(5)
    whole = {document.id: next(units(document)).stems for document in truth.documents}
    for document in chance.sample([each for each in truth.documents if each.type == "recommendations"], 25):
        weights = _weights(engine, document)
        stems = set(weightiest(weights))
        assert len(stems) == min(len(weights), LIKE_STEMS)
        hits = engine.like(weights, EVERYTHING, 60)
        shared = [len(stems & whole[hit.id]) for hit in hits]
        assert shared == sorted(shared, reverse=True)
        best = sorted((len(stems & whole[each.id]) for each in truth.found(EVERYTHING)), reverse=True)
        assert shared == [number for number in best if number][: len(shared)]
        assert document.id in {hit.id for hit in hits if len(stems & whole[hit.id]) == len(stems)} or shared[-1] == len(
            stems
        )
        assert all(hit.score is None and hit.type == "recommendations" and hit.record for hit in hits)


def test_filters_narrow_what_is_like(engine: Engine, truth: Truth) -> None:
    document = next(each for each in truth.documents if each.type == "recommendations")
    request = SearchRequest(
        parse_query("children"), filters={"position": ("noted",)}, date_from="2012", date_to="2018", page=9, sort="date"
    )
    found = {hit.id for hit in engine.like(_weights(engine, document), request, 200)}
    meeting = {each.id for each in truth.found(SearchRequest(parse_query(""), None, request.filters, "2012", "2018"))}
    assert found
    assert found <= meeting


def test_nothing_is_like_nothing(engine: Engine) -> None:
    assert engine.like({}, EVERYTHING, 10) == ()
    assert engine.like({"en:nothing": 1.0}, EVERYTHING, 10) == ()
    with pytest.raises(InvalidParameterError):
        engine.like({"en:tortur": 1.0}, SearchRequest(parse_query(""), filters={"colour": ("red",)}), 10)
