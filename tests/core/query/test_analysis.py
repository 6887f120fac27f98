import time
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.query.analysis import (
    LANGUAGES,
    MAX_WORD_LETTERS,
    analyse,
    composed,
    fold,
    languages_of,
    stems_of,
    tokenise,
    words_of,
)
from services.core.query.matcher import matches
from services.core.query.parser import parse_query


def _words(text: str) -> list[str]:
    return [token.word for token in tokenise(composed(text))]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Women's rights", ["women", "rights"]),
        ("peoples’ rights", ["peoples", "rights"]),
        ("l’éducation d'abord", ["education", "abord"]),
        ("qu'il O'Brien", ["il", "obrien"]),
        ("non-discrimination and/or", ["non", "discrimination", "and", "or"]),
        ("snake_case", ["snake", "case"]),
        ("tor\u00adture e\u0301cole ﬁn ŒUVRE", ["torture", "ecole", "fin", "oeuvre"]),
        ("A/HRC/22/15, A/HRC/WG.6/14/PER/3.", ["a/hrc/22/15", "a/hrc/wg.6/14/per/3"]),
        ("A/HRC/22/15/Add.1", ["a/hrc/22/15/add.1"]),
        ("116.17. 24.b rights.12 It.", ["116.17", "24.b", "rights", "12", "it"]),
        ("PER-2~0a1b2c3d4e sdg:16", ["per-2~0a1b2c3d4e", "sdg", "16"]),
        ("İstanbul Straße ΣΊΣΥΦΟΣ", ["istanbul", "strasse", "σισυφοσ"]),
        ("حُقُوق 人権", ["حقوق", "人権"]),
        ("'' -- // ...", []),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert _words(text) == words


def test_parts_of_symbols_stand_for_themselves() -> None:
    (token,) = tokenise("PER-2-116.17")
    assert [part.word for part in token.parts] == ["per", "2", "116.17"]
    assert words_of("on COVID-19") == (["on", "covid-19"], ["covid", "19"])


def test_positions_are_those_of_the_text() -> None:
    text = "Les droits de l’Homme (A/HRC/22/15) — Women's"
    assert [text[token.start : token.end] for token in tokenise(text)][3:] == ["Homme", "A/HRC/22/15", "Women"]


@given(st.text() | st.text(alphabet="aé'’`“–…./-~1 \u0301\u00adZ\n", max_size=40))
def test_the_fast_way_reads_the_same_words(text: str) -> None:
    for line in composed(text).splitlines():
        tokens = list(tokenise(line))
        words, parts = words_of(line)
        assert words == [token.word for token in tokens]
        assert parts == [part.word for token in tokens for part in token.parts]
        assert all(len(word) <= MAX_WORD_LETTERS and word == fold(word) for word in words)


@pytest.mark.parametrize(
    ("language", "forms"),
    [
        ("en", ["torture", "tortured", "Torturing", "tortures"]),
        ("en", ["woman", "women"]),
        ("en", ["child", "children"]),
        ("en", ["policy", "policies"]),
        ("en", ["ratify", "ratified", "ratifies"]),
        ("es", ["discriminación", "discriminaciones", "discriminacion"]),
        ("es", ["mujer", "mujeres"]),
        ("es", ["niño", "niña", "niñas", "ninos"]),
        ("es", ["trabajador", "trabajadores"]),
        ("es", ["detención", "detenciones"]),
        ("fr", ["égalité", "égalités", "egalite"]),
        ("fr", ["droit", "droits"]),
        ("fr", ["travail", "travaux"]),
        ("fr", ["recommandation", "recommandations"]),
    ],
)
def test_forms_of_a_word_share_a_stem(language: str, forms: list[str]) -> None:
    assert len({stems_of(fold(form), (language,)) for form in forms}) == 1


INFLECTIONS = tomllib.loads((Path(__file__).parent / "inflections.toml").read_text("utf-8"))


@pytest.mark.parametrize(
    ("language", "forms"), [(language, forms) for language in LANGUAGES for forms in INFLECTIONS[language]]
)
def test_each_form_of_a_word_finds_the_others(language: str, forms: str) -> None:
    for typed in forms.split():
        for held in forms.split():
            texts, languages = {"text": held.upper()}, {"text": language}
            assert matches(parse_query(f"{typed} "), texts, languages=languages), (typed, held)


@pytest.mark.parametrize(
    ("language", "words"), [(language, words) for language in LANGUAGES for words in INFLECTIONS["apart"][language]]
)
def test_words_that_differ_keep_apart(language: str, words: str) -> None:
    one, other = words.split()
    assert stems_of(one, (language,)) != stems_of(other, (language,))


@pytest.mark.parametrize(
    ("line", "languages"),
    [
        ("Ensure the rights of women", ("en",)),
        ("Garantizar los derechos de las mujeres", ("es",)),
        ("Garantir les droits des femmes", ("fr",)),
        ("Police", LANGUAGES),
    ],
)
def test_the_language_of_a_line(line: str, languages: tuple[str, ...]) -> None:
    assert languages_of(words_of(line)[0]) == languages


def test_stems_never_cross_languages() -> None:
    english, french = analyse("the policies of the State"), analyse("les policies", "fr")
    assert "en:polici" in english.stems
    assert french.stems.isdisjoint(english.stems)
    assert analyse("116.17 and more").stems >= {"116.17", "en:and"}


def test_a_symbol_alone_is_read_as_one_among_words() -> None:
    for symbol in ("A/HRC/22/15", "PER-2~0a1b2c3d4e", "COVID-19", "G-77"):
        alone, among = analyse(symbol), analyse(f"zzz {symbol}")
        assert alone.passages[0] == (symbol.lower(),)
        assert alone.passages[1:] == among.passages[1:]
        assert alone.stems == among.stems - set(stems_of("zzz"))


def test_passages_end_with_lines_and_parts() -> None:
    assert analyse("human\nrights A/1").passages == (("human",), ("rights", "a/1"), ("a",), ("1",))


@pytest.mark.parametrize(
    "text", ["a-" * 50_000, "a" * 200_000, "1/" * 50_000, "a.1" * 30_000, "'" * 100_000, "a-" * 9_999 + "b.c1" * 9_999]
)
def test_no_text_takes_long(text: str) -> None:
    begun = time.perf_counter()
    list(tokenise(text))
    analyse(text)
    assert time.perf_counter() - begun < 20
