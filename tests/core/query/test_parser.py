import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.domain.errors import InvalidQueryError
from services.core.query.parser import MAX_CHARACTERS, parse_query
from services.core.query.tree import And, Not, Or, Phrase, Word


def _codes(text: str) -> list[str]:
    return [notice.code for notice in parse_query(text).notices]


@pytest.mark.parametrize(
    ("text", "root"),
    [
        ("candle ", Word("candle")),
        ("tort", Word("tort", prefix=True)),
        ("Human RI", And((Word("human"), Word("ri", prefix=True)))),
        ('"Death Penalty"', Phrase(("death", "penalty"))),
        ("“droits de l'homme”", Phrase(("droits", "de", "homme"))),
        ("-domestic", Not(Word("domestic"))),
        ("–domestic", Not(Word("domestic"))),
        ("NOT domestic", Not(Word("domestic"))),
        ("mid-term", And((Word("mid"), Word("term", prefix=True)))),
        ("-mid-term", Not(Phrase(("mid", "term")))),
        ("cups OR dogs ", Or((Word("cups"), Word("dogs")))),
        ("k OR m AND n ", Or((Word("k"), And((Word("m"), Word("n")))))),
        ("k m OR n p ", And((Word("k"), Or((Word("m"), Word("n"))), Word("p")))),
        ("(k m) OR n ", Or((And((Word("k"), Word("m"))), Word("n")))),
        ("-(a OR b) ", Not(Or((Word("a"), Word("b"))))),
        ("or and the ", And((Word("or"), Word("and"), Word("the")))),
        ("A/HRC/22/15", Word("a/hrc/22/15")),
        ("116.17", Word("116.17")),
        ("PER-2~0a1b2c3d4e", Word("per-2~0a1b2c3d4e")),
        ("tort)", Word("tort")),
        ("", None),
        ("  ", None),
    ],
)
def test_understanding(text: str, root: object) -> None:
    assert parse_query(text).root == root


@pytest.mark.parametrize("text", ["A/HRC/22/15", "116.17", "G20", "COVID-19"])
def test_symbols_and_numbers_are_exact_and_never_a_beginning(text: str) -> None:
    (word,) = parse_query(text).words
    assert word.exact
    assert not word.prefix


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ('"death penalty', ["unbalanced_quote"]),
        ('""', ["empty_phrase", "no_words"]),
        ("(torture", ["unbalanced_bracket"]),
        ("torture) ", ["unbalanced_bracket"]),
        ("torture OR", ["dangling_operator"]),
        ("OR", ["dangling_operator", "no_words"]),
        ("-( ) torture", ["dangling_operator"]),
        ("?!", ["no_words"]),
        ("torture", []),
    ],
)
def test_what_was_put_right_is_said(text: str, codes: list[str]) -> None:
    assert _codes(text) == codes


def test_interpreted_is_plain_json() -> None:
    interpreted = parse_query('"death penalty" -(candles OR tort) A/HRC/22/15 "open').interpreted
    assert json.loads(json.dumps(interpreted)) == interpreted
    assert interpreted["query"] == {
        "all": [
            {"phrase": ["death", "penalty"]},
            {"not": {"any": [{"word": "candles", "match": "word"}, {"word": "tort", "match": "word"}]}},
            {"word": "a/hrc/22/15", "match": "exact"},
            {"phrase": ["open"]},
        ]
    }
    assert interpreted["notices"][0]["code"] == "unbalanced_quote"
    assert parse_query("").interpreted == {"query": None, "filters": {}, "notices": []}


def test_words_and_phrases_asked_for_leave_out_what_is_excluded() -> None:
    query = parse_query('k (m OR "n p") -r -"s t"')
    assert [word.text for word in query.words] == ["k", "m"]
    assert query.phrases == (Phrase(("n", "p")),)


@pytest.mark.parametrize(
    "text",
    [
        "\0",
        "x\ud800",
        "word " * 10_000,
        "x" * (MAX_CHARACTERS + 1),
        "w " * 33,
        '"a b" ' * 9,
        "(" * 9 + "x",
        "-a-b " * 9,
    ],
)
def test_what_cannot_be_understood_is_refused(text: str) -> None:
    with pytest.raises(InvalidQueryError):
        parse_query(text)


@given(st.text(max_size=60) | st.text(alphabet='ab"()- ORANDT\n“”1./', max_size=60))
def test_any_text_is_understood_or_refused(text: str) -> None:
    try:
        query = parse_query(text)
    except InvalidQueryError:
        return
    json.dumps(query.interpreted)
    assert query == parse_query(text)
