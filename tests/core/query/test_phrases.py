import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.query.phrases import Found, PhraseBook, longest, split_words


def found(phrase: str, text: str) -> list[tuple[int, int]]:
    return [(each.start, each.end) for each in PhraseBook([("it", phrase)]).find(split_words(text))]


@pytest.mark.parametrize(
    ("phrase", "text", "expected"),
    [
        ("death penalty", "Abolish the Death-Penalty, now", [(2, 4)]),
        ("tortur*", "torture and tortured; torso", [(0, 1), (2, 3)]),
        ("law|act on NGOs", "an act on NGOs, a law on ngos", [(1, 4)]),
        ("of the? child", "rights of the child, of child", [(1, 4), (4, 6)]),
        ("CAT", "CAT, cat and Cat", [(0, 1)]),
        ("OP CAT", "Ratify OP-CAT", [(1, 3)]),
        ("visit ... prisons", "visit all these big prisons", [(0, 5)]),
        ("visit ... prisons", "visit all of these big prisons", []),
        ("visit ...1 prisons", "visit prisons", [(0, 2)]),
        ("visit ... prisons", "They came to visit. Prisons are full", []),
        ("visit prisons", "visit; prisons", []),
        ("women rights", "women's rights, women’s rights", [(0, 2), (2, 4)]),
        ("convenio 169", "Convenio núm. 169", []),
        ("nino", "los niños, el niño", [(4 - 1, 4)]),
        ("mise en oeuvre", "la mise en œuvre", [(1, 4)]),
        ("l eau", "l’eau potable", [(0, 2)]),
    ],
)
def test_a_phrase_is_found_where_it_is(phrase: str, text: str, expected: list[tuple[int, int]]) -> None:
    assert found(phrase, text) == expected


@pytest.mark.parametrize("phrase", ["", "... prisons", "visit ...", "---", "the?"])
def test_a_phrase_that_says_nothing_is_refused(phrase: str) -> None:
    with pytest.raises(ValueError, match="phrase"):
        PhraseBook([("it", phrase)])


def test_phrases_within_longer_ones_can_be_left_out() -> None:
    book = PhraseBook([("cat", "convention against torture"), ("opcat", "protocol to the convention against torture")])
    both = book.find(split_words("the Protocol to the Convention against Torture"))
    assert {each.name for each in both} == {"cat", "opcat"}
    assert longest(both) == [Found("opcat", 1, 7)]


def test_many_names_may_share_a_phrase() -> None:
    book = PhraseBook([("a", "one two"), ("b", "one two"), ("c", "one")])
    assert {each.name for each in book.find(["one", "two"])} == {"a", "b", "c"}


WORDS = st.lists(st.sampled_from(["visit", "all", "prisons", "CAT", "cat", ".", "niños"]), max_size=12)


@given(WORDS)
def test_a_book_of_many_phrases_finds_what_each_alone_finds(words: list[str]) -> None:
    phrases = ["visit ... prisons", "cat", "CAT", "all prisons|cat", "prison*", "visit the? all"]
    together = PhraseBook(enumerate(phrases)).find(words)
    alone = [each for phrase in enumerate(phrases) for each in PhraseBook([phrase]).find(words)]
    assert sorted(together, key=repr) == sorted(alone, key=repr)


@given(st.text())
def test_any_text_can_be_split(text: str) -> None:
    PhraseBook([("it", "a b")]).find(split_words(text))
