"""Which words of an index a typed word may stand for, and which of them are told."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from services.core.query.matcher import typos_between
from services.core.query.readings import ReadWord
from services.search.engines.vocabulary import READ_AS_SHOWN, Expansion, Vocabulary, reading_of

_WORDS = st.text(alphabet="abcdé", min_size=1, max_size=11)


@given(st.lists(_WORDS, max_size=30), _WORDS, st.booleans())
def test_the_vocabulary_expands_as_the_matcher_does(words: list[str], typed: str, prefix: bool) -> None:
    typos = {word: typos_between(typed, word, prefix=prefix) for word in {*words, typed}}
    expansion = Vocabulary(words[:15]).extended(words[15:]).expand(typed, prefix=prefix)
    for at, found in enumerate(expansion.by_typos):
        assert found == {word for word, n in typos.items() if n == at}
    assert expansion == Expansion.of({word: number for word, number in typos.items() if number is not None})


def _read_as(typed: str, words: dict[str, int], *codes: str, prefix: bool = False) -> list[tuple[str, int]]:
    expansion = Vocabulary(words).expand(typed, prefix=prefix)
    reading = reading_of(typed, codes, expansion, Counter(words).__getitem__, in_index=typed in words)
    assert not reading.more
    return [(each.word, each.typos) for each in reading.words]


def test_the_fewest_errors_come_first_then_the_most_frequent() -> None:
    words = {"discriminacion": 5, "discrimination": 2, "discriminatory": 99, "incrimination": 7}
    assert _read_as("discriminaton", words) == [("discrimination", 1), ("discriminatory", 2), ("discriminacion", 2)]
    words = {"righs": 1, "rights": 900, "sights": 5_000, "rigthsholder": 3}
    assert _read_as("rigths", words) == [("rights", 1), ("righs", 1)]
    assert _read_as("rigths", words, prefix=True) == [("rigthsholder", 0), ("rights", 1), ("righs", 1)]


def test_of_a_word_that_the_index_holds_inflections_and_other_forms_are_no_news() -> None:
    assert _read_as("women", {"women": 9, "woman": 8, "woven": 1, "womens": 2}) == [("woven", 1)]
    assert _read_as("tortures", {"tortures": 1, "torture": 5, "tortured": 3}, prefix=True) == []
    words = {"expresion": 5, "expression": 7, "expansion": 1}
    assert _read_as("expresion", words) == [("expression", 1), ("expansion", 2)]
    assert _read_as("torture", {"torture": 3, "tortura": 2}, "torture") == []


def test_of_a_word_that_the_index_does_not_hold_everything_is() -> None:
    assert _read_as("tortures", {"torture": 5, "tortured": 3, "torturer": 9}) == [
        ("torturer", 1),
        ("torture", 1),
        ("tortured", 1),
    ]


def test_no_more_are_told_than_are_shown() -> None:
    many = {f"tort{letter}": 1 for letter in "abcdefghijklm"}
    expansion = Vocabulary(many).expand("tort", prefix=True)
    reading = reading_of("tort", (), expansion, Counter(many).__getitem__, in_index=False)
    assert (len(reading.words), reading.more) == (READ_AS_SHOWN, True)
    assert reading.words[0] == ReadWord("torta", 0)
    few = dict(list(many.items())[:READ_AS_SHOWN])
    expansion = Vocabulary(few).expand("tort", prefix=True)
    assert not reading_of("tort", (), expansion, Counter(few).__getitem__, in_index=False).more
