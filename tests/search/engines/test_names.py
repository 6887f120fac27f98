from pathlib import Path

import pytest

from services.core.query.parser import parse_query
from services.search.engines.base import IndexDocument, SearchRequest
from services.search.engines.embedded import EmbeddedEngine
from services.search.engines.names import LONGEST_NAME, Name, Names, names_in, of_field
from tests.search.engines.corpus import LAYOUT

PERU = Name("names", "", "Peru\nPerú\nPérou").term
KOREA = Name("names", "en", "Republic of Korea").term
TORTURE = Name("labels", "", "Torture and ill-treatment\nTortura y malos tratos").term
BESIDE = Name.of(KOREA).beside.term
HELD = Names((PERU, KOREA, TORTURE, BESIDE))


def test_names_are_found_by_their_words_and_stems() -> None:
    assert HELD.saying(["peru"]) == {PERU}
    assert HELD.saying(["korea", "tortura"]) == {KOREA, BESIDE, TORTURE}
    assert HELD.saying(stems=["en:tortur", "es:trat"]) == {TORTURE}
    assert HELD.saying(["nowhere"], ["en:nowher"]) == set()


def test_words_stand_one_after_the_other_in_one_wording() -> None:
    assert HELD.saying_nearby(("malos", "tratos")) == {TORTURE}
    assert HELD.saying_nearby(("tortura", "tratos")) == set()
    assert HELD.saying_nearby(("tortura", "tratos"), 2) == {TORTURE}
    assert HELD.saying_nearby(("treatment", "tortura"), 4) == set()


def test_a_name_is_called_by_any_of_its_wordings_without_little_words() -> None:
    assert HELD.called("republic korea") == [KOREA]
    assert HELD.called("perou") == [PERU]
    assert HELD.called("republic") == []


def test_names_of_a_field_are_told_from_those_that_stand_beside() -> None:
    assert of_field([PERU, KOREA, TORTURE, BESIDE], "names") == [PERU, KOREA]


def test_further_names_make_others_of_them() -> None:
    assert HELD.extended([PERU]) is HELD
    assert HELD.extended([Name("names", "", "Costamar").term]).saying(["costamar"])
    assert not HELD.saying(["costamar"])


def test_an_empty_line_parts_names() -> None:
    assert names_in("Peru\nPerú\n\nSpain\n\n") == ["Peru\nPerú", "Spain"]
    assert names_in("") == []


@pytest.mark.parametrize("letters", [LONGEST_NAME - 20, LONGEST_NAME + 20])
def test_names_of_any_length_are_found(tmp_path: Path, letters: int) -> None:
    engine = EmbeddedEngine(tmp_path, LAYOUT, "names")
    long = f"Coalition of the {'very ' * (letters // 5)}patient"
    engine.rebuild(
        [IndexDocument("recommendations", "1", {}, {"text": "Free the press.", "names": f"Costamar\n\n{long}"})], 1
    )
    totals = {"costamar": 1, '"very patient"': 1, "costamar patients press": 1, '"press costamar"': 0}
    for query, total in totals.items():
        assert engine.search(SearchRequest(parse_query(query))).total == total, query
    assert engine.words("cos", 5) == ("costamar",)


def test_a_name_that_comes_later_is_found_with_typing_errors(tmp_path: Path) -> None:
    engine = EmbeddedEngine(tmp_path, LAYOUT, "names")
    engine.rebuild([IndexDocument("recommendations", "1", {}, {"text": "Free the press.", "names": "Costamar"})], 1)
    engine.apply([IndexDocument("recommendations", "2", {}, {"text": "Abolish it.", "names": "Tierra Alta"})], [], 2)
    other = EmbeddedEngine(tmp_path, LAYOUT, "names")
    for each in (engine, other):
        assert [hit.id for hit in each.search(SearchRequest(parse_query("tiera alta"))).hits] == ["2"]
        assert each.frequencies(["en:costamar", "en:abolish"]) == {"en:costamar": 1, "en:abolish": 1}
