import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.query.analysis import composed
from services.core.query.highlight import Marks, highlight, marks_of
from services.core.query.parser import parse_query
from services.core.query.readings import Reading, ReadWord

TEXT = "Ratify <b>the</b> Protocol & abolish the death penalty; women’s rights, COVID-19, A/HRC/22/15"


@pytest.mark.parametrize(
    ("query", "marked"),
    [
        ("ratified ", ["Ratify"]),
        ("woman", ["women"]),
        ('"death penalty"', ["death penalty"]),
        ('"abolish the death" penalty', ["abolish the death", "penalty"]),
        ("covid ", ["COVID-19"]),
        ("covid-19", ["COVID-19"]),
        ("A/HRC/22/15", ["A/HRC/22/15"]),
        ('"hrc"', ["HRC"]),
        ("the -protocol", ["the", "the"]),
    ],
)
def test_what_matched_is_marked(query: str, marked: list[str]) -> None:
    shown = highlight(TEXT, marks_of(parse_query(query)))
    assert re.findall("<mark>(.*?)</mark>", str(shown)) == marked


def test_words_that_an_engine_found_are_marked() -> None:
    assert highlight("Protocol", marks_of(parse_query("protcol "), frozenset({"protocol"}))) == "<mark>Protocol</mark>"


@pytest.mark.parametrize(
    ("query", "read_as", "marked"),
    [
        ("muertte pena ", {"muertte": ["muerte"]}, []),
        ("la pena de muertte ", {"muertte": ["muerte"]}, ["death penalty"]),
        ("pnea de mueret", {"pnea": ["pena"], "mueret": ["muerta", "muerte"]}, ["death penalty"]),
        ("pena de mueret", {"mueret": ["muerta", "muerte"]}, ["death penalty"]),
        ("pena de mueret", {"mueret": ["mueble", "muelle", "muera", "muerte"]}, []),  # three are tried
        ("-(pena de muertte) women ", {}, ["women"]),
        ("pena de muerte suzia ", {"suzia": ["suiza"]}, ["death penalty"]),
    ],
)
def test_what_misspelt_words_name_is_marked(query: str, read_as: dict[str, list[str]], marked: list[str]) -> None:
    asked = parse_query(query)
    readings = {
        word: Reading(tuple(ReadWord(other, 1) for other in read_as[word.text]), in_index=False)
        for word in asked.words
        if word.text in read_as
    }
    shown = highlight(TEXT, marks_of(asked, readings=readings))
    assert re.findall("<mark>(.*?)</mark>", str(shown)) == marked


def test_nothing_matched() -> None:
    assert highlight(TEXT, marks_of(parse_query("torture "))) is None
    assert highlight("", Marks()) is None


@given(st.text(), st.text(max_size=20))
def test_the_text_is_whole_and_escaped(text: str, typed: str) -> None:
    words = frozenset(re.findall(r"\w+", (typed + text[:5]).lower()))
    shown = highlight(text, Marks(words=words))
    if shown is not None:
        bare = shown.replace("<mark>", "").replace("</mark>", "")
        assert html.unescape(bare) == html.unescape(html.escape(composed(text)))
        assert "<" not in bare
