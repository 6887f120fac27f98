from pathlib import Path

import pytest
from sqlalchemy import Engine

from services.search.phrases import FrequentPhrase, frequent_phrases, texts_of
from tests.readings import TEXTS, recommendation, report
from tests.search.conftest import load


def rest() -> None:
    """Others get their turn."""


def found(*texts: str) -> dict[str, int]:
    return {phrase.text: phrase.texts for phrase in frequent_phrases(texts, rest)}


def test_phrases_that_stand_in_many_texts_come_first_in_their_usual_spelling() -> None:
    texts = ["Ratify the Rome Statute; end child labour."] * 7 + ["END CHILD LABOUR"] * 2 + ["Rome Statute"] * 6
    assert found(*texts) == {"Rome Statute": 13, "end child labour": 9}


def test_a_text_counts_once() -> None:
    assert found(*["death penalty. The death penalty."] * 6) == {"death penalty": 6}


@pytest.mark.parametrize(
    "text",
    [
        "against the",  # words that tell nothing, at either end
        "of torture",
        "torture and",
        "prison. Women",  # two sentences
        "prison, women",
        "article 5 women",
        "see A/HRC/22/15 women",
        "women",
        "",
        "¿? 1 2 3",
    ],
)
def test_what_is_no_phrase(text: str) -> None:
    assert found(*[text] * 20) == {}


def test_function_words_may_stand_inside_and_tell_the_language() -> None:
    texts = ["Rights of the child"] * 9 + ["Derechos de las mujeres"] * 8 + ["mariage forcé"] * 7
    assert frequent_phrases(texts, rest) == (
        FrequentPhrase("Rights of the child", 9, "en"),
        FrequentPhrase("Derechos de las mujeres", 8, "es"),
        FrequentPhrase("mariage forcé", 7, None),
    )


def test_a_part_of_a_longer_phrase_is_shown_where_it_also_stands_alone() -> None:
    longer = ["national preventive mechanism"] * 10
    assert found(*longer, "preventive mechanism") == {"national preventive mechanism": 10}
    assert found(*longer, *["a preventive mechanism"] * 10) == {
        "preventive mechanism": 20,
        "national preventive mechanism": 10,
    }


def test_rare_phrases_are_left_out_and_the_number_is_bounded() -> None:
    assert found(*["forced marriage"] * 4) == {}
    texts = [f"kw{chr(97 + at)} phrase" for at in range(20) for _ in range(5 + at)]
    assert [phrase.texts for phrase in frequent_phrases(texts, rest, most=3)] == [24, 23, 22]


def test_it_takes_breath_and_can_be_stopped() -> None:
    def stop() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        frequent_phrases(["death penalty"], stop)


def test_the_texts_of_a_store(store: Engine, tmp_path: Path) -> None:
    load(store, tmp_path, report([recommendation(f"116.{n}", text) for n, text in enumerate(TEXTS)]), "report.pdf")
    assert sorted(texts_of(store, rest)) == sorted(TEXTS)
