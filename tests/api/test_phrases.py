"""What the API says in words: in every language, with the same things filled in."""

import datetime
import string
from importlib.resources import files

import pytest

from services.api.phrases import a_few, day_in_words, filters_in_words, listed, phrases
from services.core.query.filters import FILTERS
from services.core.schemas.names import LANGUAGES, Names
from services.core.store.reference import reference_of

SUBJECTS = sorted(
    path.name.removesuffix(".toml") for path in files("services.api.phrases").iterdir() if ".toml" in path.name
)
NOBODY = reference_of({}, {}, {})


@pytest.mark.parametrize("subject", SUBJECTS)
def test_every_phrase_is_there_in_every_language_with_the_same_gaps(subject: str) -> None:
    entries = phrases(subject).entries
    assert entries
    for name, texts in entries.items():
        assert texts.keys() == set(LANGUAGES), name
        gaps = [{gap for _, gap, _, _ in string.Formatter().parse(text) if gap} for text in texts.values()]
        assert all(each == gaps[0] for each in gaps), name


def test_every_filter_has_a_name() -> None:
    assert {f"filter.{name}" for name in FILTERS} <= phrases("filters").entries.keys()


def test_filters_in_words() -> None:
    values = {"state_under_review": ["PER", "CHL"], "position": ["noted"]}
    assert filters_in_words(values, Names(NOBODY)) == "State under review: PER or CHL; position: noted"
    assert filters_in_words(values, Names(NOBODY, "es")) == "Estado examinado: PER o CHL; posición: anotada"
    assert filters_in_words(values, Names(NOBODY, "fr")) == (
        "État examiné\u00a0: PER ou CHL\u00a0; position\u00a0: notée"
    )
    assert filters_in_words({"type": ["pledges"]}, Names(NOBODY, "es")) == "tipo de registros: compromisos voluntarios"
    assert filters_in_words({}, Names(NOBODY)) == ""
    assert filters_in_words({"a_new_one": ["x"]}, Names(NOBODY)) == "a new one: x"


def test_lists_and_days() -> None:
    assert listed(["A", "B", "C"], "en") == "A, B and C"
    assert a_few(list("ABCD"), "es") == "A, B, C y D"
    assert a_few(list("ABCDEFGH"), "en") == "A, B, C and 5 others"
    day = datetime.date(2012, 12, 27)
    said = [day_in_words(day, language) for language in ("en", "es", "fr", "pt")]
    assert said == ["27 December 2012", "27 de diciembre de 2012", "27 décembre 2012", "27 de dezembro de 2012"]
