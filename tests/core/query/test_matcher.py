import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from services.core.query.matcher import matches, typos_allowed, typos_between
from services.core.query.parser import parse_query

TEXTS = {
    "text": "Ratify the Optional Protocol against Torture (OPCAT); abolish the death penalty.\nSee A/HRC/22/15, 116.17",
    "labels": "Derechos de la mujer\nWomen's rights",
}


@pytest.mark.parametrize(
    ("text", "strict", "forgiving"),
    [
        ("", True, True),
        ("tortured", True, True),
        ("tortrue ", False, True),
        ("tor", False, True),
        ("tor ", False, False),
        ('"death penalty"', True, True),
        ('"penalty see"', False, False),  # phrases do not cross lines
        ('"mujer women"', False, False),
        ("mujeres woman ", True, True),
        ("torture -opcat", False, False),
        ("torture -children", True, True),
        ("children OR penalties ", True, True),
        ("(children OR prison) penalty ", False, False),
        ("116.17 A/HRC/22/15", True, True),
        ("116.1", False, False),
        ("hrc ", True, True),
        ("-tortrue ", True, True),
    ],
)
def test_matching(text: str, strict: bool, forgiving: bool) -> None:
    query = parse_query(text)
    assert matches(query, TEXTS) is strict
    assert matches(query, TEXTS, strict=False) is forgiving


def test_a_known_language_is_believed() -> None:
    query = parse_query("police ")
    assert matches(query, {"text": "Policies"})  # in French, or so it may be
    assert not matches(query, {"text": "Policies"}, languages={"text": "en"})


@pytest.mark.parametrize(
    ("typed", "word", "typos"),
    [
        ("tort", "tart", None),
        ("tortrue", "torture", 1),
        ("torture", "tortures", 1),
        ("torture", "dorture", None),
        ("discriminaton", "discrimination", 1),
        ("discriminasion", "discrimination", 1),
        ("iscrimination", "discrimination", 2),
        ("piskrimination", "discrimination", None),
        ("women", "116.1", None),
    ],
)
def test_typing_errors(typed: str, word: str, typos: int | None) -> None:
    assert typos_between(typed, word) == typos


_LETTERS = st.text(alphabet="abc", min_size=1, max_size=12)


@given(_LETTERS, _LETTERS)
def test_typing_errors_are_optimal_string_alignment(typed: str, word: str) -> None:
    distance = OSA.distance(typed, word)
    if typed != word and typed[0] != word[0]:
        distance += 1
    assert typos_between(typed, word) == (distance if distance <= typos_allowed(typed) else None)
