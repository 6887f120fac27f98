"""What a word was read as, and where it is told."""

import json

import pytest

from services.core.query.parser import parse_query
from services.core.query.readings import Reading, ReadWord
from services.core.query.tree import Word

TORTURE = Reading((ReadWord("torture", 1), ReadWord("tortura", 2)), more=True, in_index=False)
TOLD = {"in_index": False, "words": [{"word": "torture", "typos": 1}, {"word": "tortura", "typos": 2}], "more": True}


@pytest.mark.parametrize(
    ("reading", "nearest", "corrections"),
    [
        (TORTURE, ("torture",), ("torture",)),
        (
            Reading((ReadWord("rights", 1), ReadWord("righs", 1)), in_index=False),
            ("rights", "righs"),
            ("rights", "righs"),
        ),
        (Reading((ReadWord("tortured", 0), ReadWord("tortue", 1)), in_index=False), ("tortured",), ()),  # unfinished
        (Reading((ReadWord("woven", 1),), in_index=True), (), ()),
        (Reading(), (), ()),
        (Reading(in_index=False), (), ()),
    ],
)
def test_a_word_is_corrected_where_the_index_holds_neither_it_nor_what_begins_so(
    reading: Reading, nearest: tuple[str, ...], corrections: tuple[str, ...]
) -> None:
    assert (reading.nearest, reading.corrections) == (nearest, corrections)


def test_a_reading_is_told_with_its_word() -> None:
    query = parse_query('tortrue (women OR tortrue) -tortrue "tortrue" opcat')
    told = query.interpreted_with({Word("tortrue"): TORTURE})
    assert json.loads(json.dumps(told)) == told
    word, either, excluded, phrase, concept = told["query"]["all"]
    assert word == {"word": "tortrue", "match": "word", "read_as": TOLD}
    assert either["any"][1] == word
    assert excluded == {"not": {"word": "tortrue", "match": "word"}}
    assert phrase == {"phrase": ["tortrue"]}
    assert "read_as" not in concept
    assert query.interpreted == query.interpreted_with({})
    assert query.interpreted["query"]["all"][0] == {"word": "tortrue", "match": "word"}


def test_a_form_of_a_concept_may_be_read_as_others_too() -> None:
    reading = Reading((ReadWord("woven", 1),))
    told = parse_query("women ").interpreted_with({Word("women"): reading})["query"]
    assert told["also"]
    assert told["read_as"] == {"in_index": True, "words": [{"word": "woven", "typos": 1}], "more": False}
