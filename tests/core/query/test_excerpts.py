import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.query.excerpts import ELLIPSIS, LONGEST, SENTENCES, SHOWN_WHOLE, shown
from services.core.query.highlight import Marks, highlight, marks_of
from services.core.query.parser import parse_query

FILLING = "The delegation thanked everybody for the dialogue. " * 30


def marks(q: str) -> Marks:
    return marks_of(parse_query(q))


def sentences(told: str | None) -> list[str]:
    assert told is not None
    return [part.strip() for part in told.split(ELLIPSIS) if part.strip()]


def test_short_texts_are_shown_whole() -> None:
    text = "Ratify it. " * 20 + "End torture. " + "Thank you. " * 20
    assert len(text) < SHOWN_WHOLE
    assert shown(text, marks("torture")) == highlight(text, marks("torture"))


def test_of_long_texts_the_sentences_are_shown_that_say_most() -> None:
    text = (
        f"{FILLING}Police & torture were named. {FILLING}Torture by police, again. {FILLING}Torture alone.\n{FILLING}"
    )
    text += "Police too. Police once more."
    told = shown(text, marks("torture police"))
    assert sentences(told) == [
        "<mark>Police</mark> &amp; <mark>torture</mark> were named.",
        "<mark>Torture</mark> by <mark>police</mark>, again.",
        "<mark>Torture</mark> alone.",
    ]
    assert told is not None
    assert told.startswith(ELLIPSIS)
    assert told.endswith(ELLIPSIS)


def test_an_ellipsis_stands_only_where_something_is_left_out() -> None:
    assert shown(f"End torture. {FILLING}", marks("torture")) == f"End <mark>torture</mark>. {ELLIPSIS}"
    assert shown(f"{FILLING}End torture.", marks("torture")) == f"{ELLIPSIS} End <mark>torture</mark>."


def test_neighbours_are_shown_in_one() -> None:
    text = f"{FILLING}End torture. Train the police. {FILLING}"
    assert sentences(shown(text, marks("torture police"))) == [
        "End <mark>torture</mark>. Train the <mark>police</mark>."
    ]


@pytest.mark.parametrize(
    ("q", "said"),
    [
        ("mutilación genital femenina", "It banned female genital mutilation."),
        ("OPCAT", "It ratified the Optional Protocol to the Convention against Torture."),
        ('"train the police"', "It would train the police."),
        ("116.17", "It took note of recommendation 116.17 and others."),
        ("educacion", "Habló de la educación."),
        ("África", "Se refirió a Africa entera."),
    ],
)
def test_other_forms_of_what_was_asked_for_are_shown(q: str, said: str) -> None:
    told = shown(f"{FILLING}{said} {FILLING}", marks(q))
    assert said in re.sub("</?mark>", "", told or "")


def test_a_text_that_matches_by_letters_that_are_not_looked_for_is_shown_whole() -> None:
    text = f"{FILLING}Se refirió a la mu\u0301sica. {FILLING}"
    assert shown(text, marks("musica")) == highlight(text, marks("musica"))


def test_nothing_is_shown_where_nothing_matches() -> None:
    assert shown(FILLING, marks("torture")) is None
    assert shown(FILLING, Marks()) is None


def test_of_long_sentences_what_stands_near_is_shown() -> None:
    text = "word " * 1000 + "torture " + "word " * 1000
    told = sentences(shown(text, marks("torture")))
    assert len(told) == 1
    assert LONGEST * 0.8 < len(told[0]) < LONGEST * 1.2
    assert "<mark>torture</mark>" in told[0]


@given(st.text("torue po.;\n’éİ<&" + "\u0301", min_size=SHOWN_WHOLE, max_size=SHOWN_WHOLE * 2))
def test_whatever_is_shown_stands_in_the_text(text: str) -> None:
    told = shown(text, marks('torture police "to re" re'))
    assert (told is None) == (highlight(text, marks('torture police "to re" re')) is None)


def test_no_more_is_shown_than_a_few_sentences() -> None:
    text = "".join(f"Torture number {at} of many. {FILLING}" for at in range(50))
    assert len(sentences(shown(text, marks("torture")))) == SENTENCES
