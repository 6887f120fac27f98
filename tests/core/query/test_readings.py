"""What a word was read as, and where it is told."""

import json

import pytest

from services.core.query.parser import parse_query
from services.core.query.readings import Reading, ReadWord
from services.core.query.tree import Word

TORTURE = Reading((ReadWord("torture", 1), ReadWord("tortura", 2)), more=False, as_typed=False)
TOLD = {"words": [{"word": "torture", "typos": 1}, {"word": "tortura", "typos": 2}], "more": False, "as_typed": False}


@pytest.mark.parametrize(
    ("reading", "corrections"),
    [
        (TORTURE, ("torture",)),
        (Reading((ReadWord("rights", 1), ReadWord("righs", 1)), as_typed=False), ("rights", "righs")),
        (Reading((ReadWord("tortured", 0), ReadWord("tortue", 1)), as_typed=False), ()),  # unfinished, not misspelt
        (Reading((ReadWord("woven", 1),), as_typed=True), ()),
        (Reading(), ()),
        (Reading(as_typed=False), ()),
    ],
)
def test_a_word_is_corrected_where_it_is_neither_found_nor_a_beginning(
    reading: Reading, corrections: tuple[str, ...]
) -> None:
    assert reading.corrections == corrections


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
    (told,) = [parse_query("women ").interpreted_with({Word("women"): reading})["query"]]
    assert told["also"]
    assert told["read_as"] == {"words": [{"word": "woven", "typos": 1}], "more": False, "as_typed": True}
