"""Fields within a query: their names, their values by code and by name, and what is told of those that are not."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.domain.errors import InvalidQueryError
from services.core.query.fields import field_called
from services.core.query.filters import FILTERS, Vocabulary
from services.core.query.parser import parse_query
from services.core.query.tree import And, Dates, Either, Field, Node, Not, Or, Phrase, Word
from services.core.query.value_names import STATE, NamedValue, ValueNames

WORDS = Vocabulary(
    states=frozenset({"PER", "ESP", "FRA", "GBR", "CAN", "KOR", "PRK", "CIV", "ZZA"}),
    regions=frozenset({"grulac", "weog"}),
    blocs=frozenset({"eu", "can"}),
    labels={
        "topic": frozenset({"torture-prevention", "nhri"}),
        "sdg": frozenset({"5", "16"}),
        "ohchr-theme": frozenset({"old", "new"}),
        "group": frozenset({"children", "children-2"}),
    },
    families={"ohchr-theme:new": frozenset({"new", "old"})},
    names=ValueNames(
        {
            STATE: [NamedValue("ZZA", "Zubara"), NamedValue("ZZA", "Zoubara")],
            "region": [NamedValue("grulac", "Estados de América Latina y el Caribe")],
            "bloc": [NamedValue("eu", "European Union"), NamedValue("eu", "Unión Europea")],
            "topic": [
                NamedValue("torture-prevention", "Prévention de la torture"),
                NamedValue("torture-prevention", "torture-prevention"),
                NamedValue("gone", "Gone"),
            ],
            "group": [NamedValue("children", "Niños"), NamedValue("children-2", "Niños")],
        }
    ),
)


def _filters(text: str, noun: str | None = "recommendations") -> dict[str, tuple[str, ...]]:
    query = parse_query(text, WORDS, noun)
    assert query.root is None
    return {field.name: field.values for field in query.filters}


@pytest.mark.parametrize(
    ("text", "filters"),
    [
        ("from:Spain", {"recommending_state": ("ESP",)}),
        ("from:ESP to:per", {"recommending_state": ("ESP",), "state_under_review": ("PER",)}),
        ("de:España a:Perú", {"recommending_state": ("ESP",), "state_under_review": ("PER",)}),
        ("FROM:espagne", {"recommending_state": ("ESP",)}),
        ('from:"United Kingdom"', {"recommending_state": ("GBR",)}),
        ("from:“Reino Unido”", {"recommending_state": ("GBR",)}),
        ('from:"United Kingdom",France,“Côte d’Ivoire”', {"recommending_state": ("GBR", "FRA", "CIV")}),
        ("from:UK,France", {"recommending_state": ("GBR", "FRA")}),
        ("from:UK from:France from:UK", {"recommending_state": ("GBR", "FRA")}),
        ('to:"Korea, Republic of"', {"state_under_review": ("KOR",)}),
        ('to:"Ivory Coast"', {"state_under_review": ("CIV",)}),
        ("to:Zoubara", {"state_under_review": ("ZZA",)}),
        ("state_under_review:PER", {"state_under_review": ("PER",)}),
        ("to:grulac", {"region": ("grulac",)}),
        ('to:"estados de america latina y el caribe"', {"region": ("grulac",)}),
        ("from:EU", {"recommending_bloc": ("eu",)}),
        ("to:CAN", {"state_under_review": ("CAN",)}),  # Canada before the Andean Community
        ("bloc:can", {"bloc": ("can",)}),
        ("topic:torture-prevention", {"topic": ("torture-prevention",)}),
        ("topic:torture_prevention", {"topic": ("torture-prevention",)}),
        ('tema:"prevention de la torture"', {"topic": ("torture-prevention",)}),
        ("topic:topic:nhri", {"topic": ("nhri",)}),
        ("theme:new", {"theme": ("new", "old")}),
        ("group:niños", {"group": ("children", "children-2")}),
        ("sdg:5,16", {"sdg": ("5", "16")}),
        ("cycle:4", {"cycle": ("4",)}),
        ("cycle:2..4 ciclo:1", {"cycle": ("2", "3", "4", "1")}),
        ("session:14", {"session": ("14",)}),
        ("position:noted", {"position": ("noted",)}),
        ("position:Accepted", {"position": ("supported",)}),
        ("posición:aceptada", {"position": ("supported",)}),
        ("language:español", {"language": ("es",)}),
        ("type:recommendations", {"type": ("recommendations",)}),
        ("tipo:recomendaciones", {"type": ("recommendations",)}),
        ("type:pledges OR type:audiencias", {"type": ("pledges", "hearings")}),
        ('position:"en suspens",anotada', {"position": ("pending", "noted")}),
        ("document:A/HRC/22/15", {"document": ("A-HRC-22-15",)}),
        ("review:PER-2", {"review": ("PER-2",)}),
    ],
)
def test_values_by_code_and_by_any_name(text: str, filters: dict[str, tuple[str, ...]]) -> None:
    assert _filters(text) == filters


@pytest.mark.parametrize(
    ("text", "filters", "root"),
    [
        ("from:United Kingdom", {"recommending_state": ("GBR",)}, None),
        ("a:Reino Unido cups", {"state_under_review": ("GBR",)}, Word("cups", prefix=True)),
        ("from:France,United Kingdom,Ivory Coast", {"recommending_state": ("FRA", "GBR", "CIV")}, None),
        ("to:Korea, North", None, None),  # a comma ends a name
        ("to:North Korea cups ", {"state_under_review": ("PRK",)}, Word("cups")),
        ("from:Spain cups ", {"recommending_state": ("ESP",)}, Word("cups")),
        ("from:United Kingdom from:Spain", {"recommending_state": ("GBR", "ESP")}, None),
        ("from:United Kingdom -cups", {"recommending_state": ("GBR",)}, Not(Word("cups"))),
        ("(from:United Kingdom) cups ", {"recommending_state": ("GBR",)}, Word("cups")),
        ("topic:prévention de la torture cups ", {"topic": ("torture-prevention",)}, Word("cups")),
        ("cycle:2 3", {"cycle": ("2",)}, Word("3")),
        ('from:"United" Kingdom', None, None),
    ],
)
def test_a_value_goes_on_to_the_end_of_the_longest_name(
    text: str, filters: dict[str, tuple[str, ...]] | None, root: Node | None
) -> None:
    if filters is None:
        with pytest.raises(InvalidQueryError):
            parse_query(text, WORDS, "recommendations")
        return
    query = parse_query(text, WORDS, "recommendations")
    assert {field.name: field.values for field in query.filters} == filters
    assert query.root == root


def test_the_longer_name_is_no_shorter_one_with_a_word_behind() -> None:
    world = Vocabulary(states=frozenset({"SDN", "SSD", "GIN", "GNB", "GNQ", "DOM", "SLV"}))
    for text, state in {
        "Sudán": "SDN",
        "Sudán del Sur": "SSD",
        "Guinea": "GIN",
        "Guinea Bissau": "GNB",
        "Guinea Ecuatorial": "GNQ",
        "República Dominicana": "DOM",
        "El Salvador": "SLV",
    }.items():
        query = parse_query(f"a:{text} tortura", world, "recommendations")
        assert query.filters == (Field("state_under_review", (state,)),)


def test_kinds_by_their_names() -> None:
    kinds = _filters('kind:"informe nacional","Rapport à mi-parcours"', "documents")
    assert kinds == {"kind": ("national_report", "mid_term_report")}


@pytest.mark.parametrize(
    ("text", "dates"),
    [
        ("date:2012", Dates("2012", "2012")),
        ("year:2012..2015", Dates("2012", "2015")),
        ("date:2012-05..", Dates("2012-05", None)),
        ("date:..2012-11-05", Dates(None, "2012-11-05")),
        ("since:2012-11-05", Dates("2012-11-05", None)),
        ("until:2012", Dates(None, "2012")),
        ("hasta:2012", Dates(None, "2012")),
        ("date_from:2012-11-05", Dates("2012-11-05", None)),
    ],
)
def test_dates(text: str, dates: Dates) -> None:
    query = parse_query(text, WORDS)
    assert (query.root, query.filters, query.dates) == (None, (), (dates,))


def test_a_statement_comes_from_its_speaker() -> None:
    assert _filters("from:Spain", "statements") == {"speaker": ("ESP",)}
    assert _filters("from:EU", "statements") == {"speaker": ("eu",)}
    assert _filters("speaker:amnesty-international", "statements") == {"speaker": ("amnesty-international",)}


FROM_SPAIN = Either((Field("recommending_state", ("ESP",)), Field("speaker", ("ESP",))))


@pytest.mark.parametrize("text", ["from:Spain", "(from:Spain)", "from:Spain OR from:ESP", "(from:Spain OR by:Spain)"])
def test_of_records_of_all_types_a_field_may_mean_several_filters(text: str) -> None:
    query = parse_query(text, WORDS)
    assert (query.root, query.filters, query.either) == (None, (), (FROM_SPAIN,))
    assert query.whole == FROM_SPAIN
    assert query.interpreted["filters"] == {"any": [{"recommending_state": ["ESP"], "speaker": ["ESP"]}]}


def test_several_ranges_of_dates_are_one_filter() -> None:
    query = parse_query("cups date:2012,2014", WORDS)
    assert (query.root, query.dates) == (Word("cups"), ())
    days = [{"from": "2012", "to": "2012"}, {"from": "2014", "to": "2014"}]
    assert query.interpreted["filters"] == {"any": [{"date": days}]}


def test_filters_that_are_asked_for_twice_are_conditions() -> None:
    query = parse_query("from:Spain AND from:France cycle:2", WORDS)
    assert (query.either, query.filters) == ((), (Field("cycle", ("2",)),))
    assert query.root == And((FROM_SPAIN, Either((Field("recommending_state", ("FRA",)), Field("speaker", ("FRA",))))))
    query = parse_query("from:Spain speaker:FRA", WORDS)
    assert (query.either, query.filters) == ((), ())
    assert parse_query("-from:Spain", WORDS).root == Not(FROM_SPAIN)


@pytest.mark.parametrize(
    ("text", "asked", "held", "not_held"),
    [
        ("cycle:3..", ["3.."], {"3", "4", "5"}, {"1", "2", "3.."}),
        ("cycle:..3", ["1", "2", "3"], {"1", "3"}, {"0", "4"}),
        ("session:40.. session:1", ["40..", "1"], {"1", "40", "54", "120"}, {"2", "39"}),
        ("cycle:1,3.. OR cycle:4..", ["1", "3..", "4.."], {"1", "3", "4"}, {"2"}),
    ],
)
def test_ranges_of_numbers_may_be_open(text: str, asked: list[str], held: set[str], not_held: set[str]) -> None:
    query = parse_query(text, WORDS)
    (field,) = query.filters
    assert query.interpreted["filters"] == {field.name: asked}
    assert held <= set(field.values)
    assert not not_held & set(field.values)
    excluded = parse_query(f"-({text})", WORDS).interpreted["query"]
    assert excluded == {"not": {"filter": field.name, "values": asked}}


@pytest.mark.parametrize(
    ("text", "root"),
    [
        ("-from:France", Not(Field("recommending_state", ("FRA",)))),
        ("NOT cycle:1", Not(Field("cycle", ("1",)))),
        ("from:Spain OR to:Peru", Or((Field("recommending_state", ("ESP",)), Field("state_under_review", ("PER",))))),
        ("topic:nhri AND topic:torture-prevention",
         And((Field("topic", ("nhri",)), Field("topic", ("torture-prevention",))))),
        ("cups OR date:2012", Or((Word("cups"), Dates("2012", "2012")))),
    ],
)  # fmt: skip
def test_fields_within_the_tree(text: str, root: object) -> None:
    query = parse_query(text, WORDS, "recommendations")
    assert (query.root, query.filters) == (root, ())


def test_words_and_fields_stand_beside_each_other() -> None:
    query = parse_query('cups to:Peru "as written" cycle:2', WORDS, "recommendations")
    assert query.root == And((Word("cups"), Phrase(("as", "written"))))
    assert query.interpreted["filters"] == {"state_under_review": ["PER"], "cycle": ["2"]}
    assert not query.notices


@pytest.mark.parametrize(
    ("text", "told", "meant"),
    [
        ("from:Spian", "knows no “Spian”. Did you mean Spain", "ESP"),
        ("to:Perou-", "", None),
        ("to:Atlantis", "`to:` knows no “Atlantis”", None),
        ("topic:tortur-prevention", "Did you mean", "torture-prevention"),
        ("topic:torture", "Did you mean Prévention de la torture (torture-prevention)?", "torture-prevention"),
        ("topic:tor", "`topic:` knows no “tor”.", None),
        ("since:yesterday", "expected a date such as 2012, 2012-11 or 2012-11-05.", None),
        ("position:perhaps", "one of supported, noted, pending", None),
        ("type:laws", "one of recommendations", None),
        ("cycle:four", "a whole number, or a range", None),
        ("cycle:4..2", "smaller number", None),
        ("cycle:1..9999", "at most 200", None),
        ("cycle:..", "a whole number, or a range", None),
        ("cycle:..0", "smaller number", None),
        ("session:..900", "at most 200", None),
        ("cycle:2..4..", "a whole number, or a range", None),
        ("cycle:1234567890..", "a whole number, or a range", None),
        ("date:yesterday", "a date such as 2012", None),
        ("date:2012-13", "a date such as 2012", None),
        ("date:2012-02-30", "a date such as 2012", None),
        ("date:2015..2012", "from the earlier date", None),
        ("date:..", "a date such as 2012", None),
        ("since:2012..2014", "one date", None),
        ('from:""', "has no value", None),
        ("from:,", "has no value", None),
        ("speaker:ESP", "does not apply to recommendations; it applies to statements", None),
        (f"from:{'x' * 500}", "…”", None),
    ],
)
def test_what_cannot_be_is_named(text: str, told: str, meant: str | None) -> None:
    if not told:
        assert _filters(text) == {"state_under_review": ("PER",)}
        return
    with pytest.raises(InvalidQueryError, match=r".") as raised:
        parse_query(text, WORDS, "recommendations")
    assert told in raised.value.detail
    assert raised.value.status == 400
    if meant:
        assert meant in [each["value"] for each in raised.value.extensions["suggestions"]]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("https://upr-info.org/en", "unknown_field"),
        ("note:this", "unknown_field"),
        ('note:"death penalty"', "unknown_field"),
        ("from: Spain", "field_without_value"),
        ('from:"Spain', "unbalanced_quote"),
    ],
)
def test_what_is_no_field_is_text_and_told(text: str, code: str) -> None:
    assert next(notice.code for notice in parse_query(text, WORDS).notices) == code


def test_unknown_fields_keep_their_words() -> None:
    assert (
        parse_query("cup:table", WORDS).root
        == parse_query("cup:table").root
        == And((Word("cup"), Word("table", prefix=True)))
    )
    assert parse_query('cup:"on table"', WORDS).root == And((Word("cup"), Phrase(("on", "table"))))
    assert parse_query('cup:x"on table"y ', WORDS).phrases == (Phrase(("on", "table")),)
    assert parse_query("from:Spain ").root is not None  # nobody said what the values are


def test_every_filter_of_searched_records_is_a_field() -> None:
    for name, known in FILTERS.items():
        if not known.lists_only and name != "scheme":
            assert field_called(name) is not None


def test_names_of_fields_are_told_apart() -> None:
    table = tomllib.loads(Path("services/core/query/fields.toml").read_text("utf-8"))
    names = [name for field, entry in table.items() if field != "values" for name in (field, *entry.get("also", ()))]
    assert len(names) == len(set(names))
    for entry in (entry for field, entry in table.items() if field != "values"):
        assert set(entry["filters"]) <= {*FILTERS, "type", "date"}


_FIELDS = st.sampled_from(["from", "to", "cycle", "date", "topic", "position", "type", "speaker", "document", "xyz"])


@given(_FIELDS, st.text(max_size=40) | st.text(alphabet='0123456789.-," :', max_size=12), st.sampled_from(['"', ""]))
def test_any_value_is_understood_or_named(field: str, value: str, quote: str) -> None:
    try:
        query = parse_query(f"-(x {field}:{quote}{value}{quote} OR y)", WORDS)
    except InvalidQueryError as error:
        told = error.detail
    else:
        told = str(query.interpreted)
    assert told
