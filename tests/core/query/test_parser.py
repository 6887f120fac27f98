import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.domain.errors import InvalidQueryError
from services.core.query.filters import Vocabulary
from services.core.query.matcher import Matcher, analyse_texts
from services.core.query.parser import MAX_CHARACTERS, parse_query
from services.core.query.tree import And, Node, Not, Or, Phrase, Query, Synonym, Word


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


PENALTY = Synonym(And((Word("pena"), Word("muerte"))), ("death-penalty",))


@pytest.mark.parametrize(
    ("text", "root"),
    [
        ("OPCAT ", Synonym(Word("opcat"), ("opcat",))),
        ("pena de muerte", Synonym(And((Word("pena"), Word("muerte", prefix=True))), ("death-penalty",))),
        ('"pena de muerte"', Phrase(("pena", "de", "muerte"))),
        ("zebra pena de muerte ", And((Word("zebra"), PENALTY))),
        ("pena from:ESP de muerte ", PENALTY),
        ("-OPCAT", Not(Synonym(Word("opcat"), ("opcat",)))),
        ("-OP-CAT", Not(Synonym(Phrase(("op", "cat")), ("opcat",)))),
        ("zebra OR OPCAT ", Or((Word("zebra"), Synonym(Word("opcat"), ("opcat",))))),
        ("UN ", Synonym(Word("un"), ("un",))),
        ("un zebra ", Word("zebra")),
        ("zebra de la jirafa ", And((Word("zebra"), Word("jirafa")))),
        ("the zebra", Word("zebra", prefix=True)),
        ("the OR zebra ", Or((Word("the"), Word("zebra")))),
        ("of the ", And((Word("of"), Word("the")))),
        ("the -zebra", And((Word("the"), Not(Word("zebra"))))),
    ],
)
def test_concepts_and_little_words(text: str, root: Node) -> None:
    assert parse_query(text, Vocabulary(states=frozenset({"ESP"})), "recommendations").root == root


def test_the_longest_form_counts() -> None:
    (synonym,) = parse_query("Optional Protocol to the Convention against Torture ").synonyms
    assert synonym.concepts == ("opcat",)
    assert {word.gap for word in parse_query("prevention of the zebras").words} == {0, 2}


def test_other_forms_and_little_words_are_told() -> None:
    interpreted = parse_query("prolongación de la MGF").interpreted
    word, also = interpreted["query"]["all"]
    assert word == {"word": "prolongacion", "match": "word"}
    assert also["word"] == "mgf"
    assert {"FGM", "female genital mutilation", "mutilation génitale féminine"} <= set(also["also"])
    assert [notice["code"] for notice in interpreted["notices"]] == ["little_words"]
    assert json.loads(json.dumps(interpreted)) == interpreted


_BOMBS = [
    '"' * 2_000,
    "(" * 2_000,
    ")" * 2_000,
    "-" * 2_000,
    "- " * 1_000,
    "OR " * 600,
    "AND OR NOT " * 150,
    '"(' * 900,
    ":" * 2_000,
    "a:" * 900,
    "from:" * 400,
    "from:," * 300,
    'from:"' * 250,
    "a" * 2_000,
    "a-" * 1_000,
    "a.1" * 600,
    "'" * 2_000,
    "(a+)+$" * 300,
    "(?:a|a)*b" * 200,
    ".*" * 1_000,
    "\\" * 2_000,
    "x{1,99999}" * 200,
    "\u0301" * 2_000,
    "a\u0301" * 999,
    "\u202e" * 2_000,
    "\u202eerutrot\u202c (" * 100,
    "حقوق الإنسان " * 12,
    "人権" * 900,
    "🏳️‍🌈" * 200,
    "\ufeff \u200b" * 600,
    "\x01\x02\x1b[31m torture",
    "%00",
    "\\x00",
    "<script>alert(1)</script>",
    "'; DROP TABLE records; --",
    "${jndi:ldap://x}",
    "from:" + "é" * 1_900,
    "cycle:" + "9" * 1_900,
    "date:" + "1" * 1_900,
    "cycle:0..999999999",
    "session:1..200 " * 30,
]


@pytest.mark.parametrize("text", _BOMBS, ids=range(len(_BOMBS)))
def test_hostile_queries_are_understood_or_refused_soon(text: str) -> None:
    begun = time.process_time()
    try:
        told = str(parse_query(text, Vocabulary(states=frozenset({"ESP"}))).interpreted)
    except InvalidQueryError as error:
        told = error.detail
    assert told
    assert time.process_time() - begun < 5


_PIECES = st.lists(
    st.sampled_from(
        [
            "torture",
            "pena de muerte",
            '"',
            "“",
            "(",
            ")",
            "-",
            "–",
            "OR",
            "AND",
            "NOT",
            "from:",
            "from:Spain",
            "to:PER",
            " ",
            "cycle:2..3",
            "date:..2012",
            "date:2012",
            "type:documents",
            "UN",
            "the",
            "de la",
            "OPCAT",
            "x:y",
            "116.17",
            "\u202e",
            "e\u0301",
            "A/HRC/22/15",
            ":",
            ",",
            "\n",
            "ñ",
            "حقوق",
            "\u0301",
            "-(",
            "-from:ESP",
        ]
    ),
    max_size=25,
)


@given(
    _PIECES.map("".join) | _PIECES.map(" ".join), st.sampled_from([None, "recommendations", "statements", "hearings"])
)
def test_any_mixture_is_understood_or_refused(text: str, noun: str | None) -> None:
    vocabulary = Vocabulary(states=frozenset({"ESP", "PER"}))
    try:
        query = parse_query(text, vocabulary, noun)
    except InvalidQueryError:
        return
    json.dumps(query.interpreted)
    assert query == parse_query(text, vocabulary, noun)
    assert len({field.name for field in query.filters}) == len(query.filters)
    record, terms = analyse_texts({"text": "Torture and the death penalty"}), frozenset({"cycle:2", "date:2012-05"})
    for strict in (True, False):
        whole = Matcher(query, strict=strict).matches_analysed(record, terms)
        assert Matcher(Query("", query.root), strict=strict).matches_analysed(record, terms) or not whole


@pytest.mark.parametrize("text", ["tort", "women tort", "(tort", "tort OR wom", "mid-term"])
def test_strictly_the_last_word_is_a_whole_one(text: str) -> None:
    strictly = parse_query(text, strict=True)
    assert not any(word.prefix for word in strictly.words)
    assert [word.text for word in strictly.words] == [word.text for word in parse_query(text).words]
    assert any(word.prefix for word in parse_query(text).words)
