"""The contract of engines: what is found, counted and ordered. On generated documents, against brute force."""

import random
from collections.abc import Iterator

import pytest

from services.core.domain.errors import InvalidParameterError, InvalidQueryError
from services.core.query.analysis import fold, stems_of
from services.core.query.concepts import concepts
from services.core.query.filters import Vocabulary
from services.core.query.highlight import highlight
from services.core.query.matcher import typos_between
from services.core.query.parser import parse_query
from services.core.query.readings import Reading
from services.search.engines.base import PASSAGES_SHOWN, YEAR, Engine, IndexDocument, Passage, SearchRequest
from services.search.engines.vocabulary import READ_AS_SHOWN
from tests.search.engines.conftest import Home
from tests.search.engines.corpus import LAYOUT, Truth, generated

RECORDS = {
    "PER-2-116.17": "Ensure the prevention of torture in places of detention",
    "PER-2-116.18": "Take all measures against violence against women and children",
    "PER-2-116.170": "Establish a moratorium on the death penalty; see A/HRC/22/15, paragraph 116.17",
    "CHL-3-125.1": "Penalty of death: abolish it (A/HRC/22/15/Add.1)",
    "SVN-4~0a1b2c3d4e": "Garantizar los derechos de las mujeres indígenas y la educación",
    "EGY-2-166.302": "Garantir l’égalité des droits à l'éducation des enfants",
    "FRA-4-45.9": "The child's rights during COVID-19",
    "BRA-1-9": "Fight discrimination against each woman and every person; ratified policies",
}


def _document(id_: str, text: str) -> IndexDocument:
    return IndexDocument(
        "recommendations", id_, {"text": text, "id": id_}, {"text": text, "names": f"{id_}\n{id_.split('-', 2)[-1]}"}
    )


@pytest.fixture(scope="module")
def sentences(shared_home: Home) -> Iterator[Engine]:
    engine = shared_home.open(version="sentences")
    engine.rebuild((_document(id_, text) for id_, text in RECORDS.items()), 1)
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def truth() -> Truth:
    return Truth(generated(700))


@pytest.fixture(scope="module")
def engine(shared_home: Home, truth: Truth) -> Iterator[Engine]:
    engine = shared_home.open(version="generated")
    assert engine.rebuild(iter(truth.documents), 7) == 700
    yield engine
    engine.close()


def _numbers(engine: Engine, text: str, *, strict: bool = False) -> set[str]:
    result = engine.search(SearchRequest(parse_query(text), strict=strict, per_page=200))
    assert result.total == len(result.hits)
    return {hit.id.split("-")[0] + hit.id[-1] for hit in result.hits}


PER17, PER18, PER170, CHL, SVN, EGY, FRA, BRA = "PER7", "PER8", "PER0", "CHL1", "SVNe", "EGY2", "FRA9", "BRA9"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("torture ", {PER17}),
        ("tortrue ", {PER17}),
        ("tort", {PER17}),
        ("tort ", set()),
        ("TORTURES ", {PER17}),
        ("dorture ", set()),  # an error in the first letter counts twice: too many for seven letters
        ("piscrimination ", {BRA}),  # and just enough for fourteen
        ("discriminaton ", {BRA}),
        ("woman ", {PER18, BRA, SVN}),
        ("children ", {PER18, FRA, EGY}),
        ("policy ratify ", {BRA}),
        ("police ", set()),
        ("mujer indigena ", {SVN}),
        ("educacion ", {SVN, EGY}),  # the French word is one error away
        ("EDUCACIÓN derecho ", {SVN, EGY}),
        ("l’egalite ", {EGY}),
        ("enfant ", {EGY, PER18, FRA}),  # one thing in three languages
        ("violence against women", {PER18}),
        ("violance agianst women", {PER18}),
        ('"death penalty"', {PER170}),
        ('"Penalty of DEATH"', {CHL}),
        ('"deaths penalty"', set()),
        ('"penalty"', {PER170, CHL}),
        ('"violence against women" -children', set()),
        ("against -woman", set()),
        ("against -womam ", {PER18, BRA}),  # what is excluded is not corrected
        ("torture OR moratorium ", {PER17, PER170}),
        ("(torture OR moratorium) AND death ", {PER170}),
        ("bias AND technology", set()),
        ('"death penalty" OR "violence against"', {PER170, PER18}),
        ('"death penalty" OR torture OR "los derechos"', {PER170, PER17, SVN}),
        ('penalty -("death penalty" OR torture)', {CHL}),
        ('-"death penalty" penalty ', {CHL}),
        ("-penalty -rights -women -discrimination -mujer -enfant ", {PER17}),
        ("A/HRC/22/15 ", {PER170}),
        ("A/HRC/22/15", {PER170}),
        ("a/hrc/22/15/add.1", {CHL}),
        ("A/HRC/22/16", set()),
        ("116.17", {PER17, PER170}),  # the number, and the text that cites it
        ("116.1", set()),
        ("116.170", {PER170}),
        ("PER-2-116.17", {PER17}),
        ("SVN-4~0a1b2c3d4e", {SVN}),
        ("45.9", {FRA}),
        ("COVID-19 ", {FRA}),
        ("covid ", {FRA}),
        ('"during COVID-19"', {FRA}),
        ('"rights during"', {FRA}),
        ("capital punishment", {PER170, CHL}),  # the form, and its words anywhere
        ("pena de muerte", {PER170, CHL}),
        ('"pena de muerte"', set()),  # as written
        ("(peine capitale) OR tortura ", {PER170, CHL, PER17}),
        ("derechos de la niñez ", {FRA, EGY}),
        ("derechos del niño ", {FRA, EGY}),
        ("prevención de la tortura", {PER17}),
        ("violencia contra la mujer", {PER18}),
        ("discrimination -femme ", set()),
        ("moratorium -(peine de mort)", set()),
        ("xqzvwyk ", set()),
    ],
)
def test_query_language(sentences: Engine, text: str, found: set[str]) -> None:
    assert _numbers(sentences, text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("tortrue ", set()),
        ("tort", set()),
        ("tortured", {PER17}),
        ("woman -violence", {BRA, SVN}),
        ("116.17", {PER17, PER170}),
    ],
)
def test_strict_forgives_inflections_alone(sentences: Engine, text: str, found: set[str]) -> None:
    assert _numbers(sentences, text, strict=True) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("pena de muerte", {PER170, CHL}),
        ("femmes indígenas", {SVN}),
        ("COVID", {FRA}),
        ("coronavirus", {FRA}),
        ("pena de muertte", set()),
    ],
)
def test_strict_knows_the_words_of_the_field(sentences: Engine, text: str, found: set[str]) -> None:
    assert _numbers(sentences, text, strict=True) == found


def test_no_words_finds_everything(sentences: Engine) -> None:
    assert sentences.search(SearchRequest(parse_query(""))).total == len(RECORDS)
    assert sentences.search(SearchRequest(parse_query(" ?! "))).total == len(RECORDS)


@pytest.mark.parametrize(
    ("text", "first"),
    [("death penalty ", PER170), ("tortrue prevention", PER17), ("penality of death", CHL), ("116.17 torture", PER17)],
)
def test_the_best_match_comes_first(sentences: Engine, text: str, first: str) -> None:
    hits = sentences.search(SearchRequest(parse_query(text))).hits
    assert hits[0].id.split("-")[0] + hits[0].id[-1] == first
    scores = [hit.score or 0.0 for hit in hits]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("tortrue ", "<mark>torture</mark>"),
        ("mor", "<mark>moratorium</mark>"),
        ('"death penalty"', "<mark>death penalty</mark>"),
        ("measure ", "<mark>measures</mark>"),
        ("A/HRC/22/15", "<mark>A/HRC/22/15</mark>"),
        ("peine capitale -abolish", "<mark>death penalty</mark>"),
    ],
)
def test_marks_show_what_matched(sentences: Engine, text: str, marked: str) -> None:
    result = sentences.search(SearchRequest(parse_query(text)))
    assert marked in str(highlight(result.hits[0].record["text"], result.marks))


def test_what_a_misspelt_name_names_is_marked_in_a_text_of_another_language(home: Home) -> None:
    engine = home.open()
    names = "Torture\nTortura\n\nGermany\nAlemania\n\nDeath penalty\nPena de muerte"
    text = "Germany: no torture, no death penalty"
    engine.rebuild(iter([IndexDocument("r", "a", {"text": text}, {"text": text, "names": names}, {"text": "en"})]), 1)
    for query, marked in {
        "tortrua ": "Germany: no <mark>torture</mark>, no death penalty",
        "alemnia pena de mueret ": "<mark>Germany</mark>: no torture, no <mark>death penalty</mark>",
        "alem": "<mark>Germany</mark>: no torture, no death penalty",
    }.items():
        result = engine.search(SearchRequest(parse_query(query)))
        assert result.total == 1, query
        assert highlight(text, result.marks) == marked
        assert engine.search(SearchRequest(parse_query(query), strict=True)).total == 0


@pytest.mark.parametrize(
    ("text", "read_as"),
    [
        ("tortrue ", {"tortrue": ([("torture", 1)], False)}),
        ("mor", {"mor": ([("moratorium", 0)], False)}),
        ("discriminaton -womem", {"discriminaton": ([("discrimination", 1)], False)}),
        ("educacion ", {}),  # the French word is a form of the same
        ("TORTURES ", {"tortures": ([("torture", 1)], False)}),
        ("xqzvwyk ", {}),
        ("tort ", {}),
        ("women moratroium 116.17 ", {"moratroium": ([("moratorium", 1)], False)}),
        (
            "(torture OR childern) AND rihgts ",
            {"childern": ([("children", 1)], False), "rihgts": ([("rights", 1)], False)},
        ),
        ('"tortrue" -tortrue NOT rihgts to:tortrue', {"tortrue": ([("torture", 1)], False)}),  # no field here: a word
    ],
)
def test_what_words_were_read_as(
    sentences: Engine, text: str, read_as: dict[str, tuple[list[tuple[str, int]], bool]]
) -> None:
    readings = sentences.search(SearchRequest(parse_query(text))).readings
    told = {
        word.text: ([(each.word, each.typos) for each in reading.words], reading.in_index)
        for word, reading in readings.items()
    }
    assert told == read_as
    assert not any(reading.more for reading in readings.values())
    assert sentences.search(SearchRequest(parse_query(text), strict=True)).readings == {}


BOOKS = {
    "A-HRC-WG.6-28-PER-1": (
        "National report of Peru",
        ["The prison of Lima was closed.", "Torture is a crime.", "Police are trained.", "On torture in each prison."],
    ),
    "A-HRC-WG.6-48-SVN-1": ("National report of Slovenia", ["Prevention of torture.", "No prison is full."]),
    "A-HRC-22-15": ("Report of the Working Group: Peru", []),
}


@pytest.fixture(scope="module")
def books(shared_home: Home) -> Iterator[Engine]:
    engine = shared_home.open(version="books")
    engine.rebuild((_book(id_, *of) for id_, of in BOOKS.items()), 1)
    yield engine
    engine.close()


def _book(id_: str, title: str, texts: list[str]) -> IndexDocument:
    passages = tuple(Passage({"text": text}, {"text": text}, {"text": "en"}) for text in texts)
    return IndexDocument("documents", id_, {"title": title}, {"text": title, "labels": id_}, passages=passages)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("torture prison ", {"PER-1": ["On torture in each prison."]}),
        ("slovenia torture ", {"SVN-1": ["Prevention of torture."]}),
        ('"national report" closed ', {"PER-1": ["The prison of Lima was closed."]}),
        ("A-HRC-WG.6-28-PER-1 police ", {"PER-1": ["Police are trained."]}),
        ("prison -torture ", {"PER-1": ["The prison of Lima was closed."], "SVN-1": ["No prison is full."]}),
        ("torture -peru ", {"SVN-1": ["Prevention of torture."]}),
        ("lima police ", {}),
        ('"prison was closed"', {}),
        ('"police are" OR "no prison"', {"PER-1": ["Police are trained."], "SVN-1": ["No prison is full."]}),
    ],
)
def test_all_words_stand_in_one_passage_or_in_what_its_record_is_called(
    books: Engine, text: str, found: dict[str, list[str]]
) -> None:
    result = books.search(SearchRequest(parse_query(text), facets=("type",)))
    told = {hit.id[-5:]: [passage["text"] for passage in hit.passages] for hit in result.hits}
    assert told == found
    assert result.total == len(found)
    assert result.facets["type"].values == ((("documents", len(found)),) if found else ())


def test_a_record_is_found_by_what_it_is_called_and_what_it_says(home: Home) -> None:
    engine = home.open()
    said, called = _book("a", "A report", ["Freedom of expression"]), _book("b", "Freedom of expression", ["Of press"])
    engine.rebuild(iter([said, called]), 1)
    assert [hit.id for hit in engine.search(SearchRequest(parse_query("freedom expression press "))).hits] == ["b"]
    assert {hit.id for hit in engine.search(SearchRequest(parse_query("freedom expression "))).hits} == {"a", "b"}


def test_the_best_passages_come_first_and_not_more_than_are_shown(home: Home) -> None:
    texts = [f"Torture, and much else, before prisons are named: {at}" for at in range(5)]
    engine = home.open()
    engine.rebuild(iter([_book("x", "A report", [*texts, "Torture prison"]), _book("y", "Another", ["x"])]), 1)
    (hit,) = engine.search(SearchRequest(parse_query("torture prison "))).hits
    assert len(hit.passages) == PASSAGES_SHOWN
    assert hit.passages[0]["text"] == "Torture prison"
    (sorted_hit,) = engine.search(SearchRequest(parse_query("torture prison "), sort="date")).hits
    assert sorted_hit.passages[0]["text"] == "Torture prison"


QUERIES = [
    "torture", "women ", "woman", "tort", "tortrue", "death penalty", "ratify protocol ", "rigths", "discriminaton",
    "polise", "-torture", "women -children", "torture OR prison ", "(women OR children) rights", '"human rights"',
    '"rights human"', '-"human rights" rights', "mujeres ", "enfants", '"los derechos"',
    '"death penalty" OR "human rights"', 'torture -("human rights" OR death)', "A/HRC/22/15", "116.17", "covid", "2030",
    "women OR -torture", "-(torture women)", '-(-tortrue "human rights")', "right policy person ", "w", "quoted value",
    "nandu", "", "xyz", "pena de muerte", "women -mujer", "capital punishment OR prison ", "-(peine de mort) rights",
    "cárcel OR detention ", '"human rights" OR FGM', "persons with disabilities OR pueblos indígenas",
    'policia -"human rights"', "droits des enfants",
]  # fmt: skip
FIELDS = [
    "to:Peru", "to:PER torture ", "to:Peru to:Chile", "to:PER AND cycle:1", "-to:PER rights ", "session:2..9 women ",
    "cycle:1 OR torture ", "to:Egypt OR from:Spain", "from:Spain", "from:ESP from:FRA", "speaker:amnesty-international",
    "-(to:PER OR session:3) rights", "date:2012..2015", "date:2015-06..", "date:2012 date:2016", "-date:2012 women ",
    "since:2012 until:2014-06 rights ", "position:noted,pending", "type:statements", "type:documents OR torture ",
    "-type:documents violence ", "(date:2011 OR to:PER) -torture ", "from:ESP AND from:FRA", '"human rights" OR to:PER',
    '-("human rights" OR to:PER)', "to:PER -to:CHL position:supported OR position:noted", "session:1 -session:1",
    "(from:Spain)", "from:ESP to:PER rights ", "from:Spain OR from:Mexico", "date:2012,2016 women ", "cycle:2..",
    "cycle:..2 -session:9..", "session:3,10.. rights ", "from:ESP speaker:FRA", "-from:Spain women ",
    "type:statements type:documents death ", '(to:"Perú" "human rights") OR date:2013 OR FGM',
]  # fmt: skip
ASKED_ABOUT = ("type", "state_under_review", "recommending_state", "speaker", "cycle", "session", YEAR)
VOCABULARY = Vocabulary(
    states=frozenset({"PER", "CHL", "SVN", "EGY", "URY", "ESP", "FRA", "MEX", "BRA", "GBR", "CHE"}),
)


def _random_request(chance: random.Random, text: str, vocabulary: Vocabulary | None = None) -> SearchRequest:
    filters: dict[str, tuple[str, ...]] = {}
    for name in chance.sample(["region", "position", "issue", "session", "state_under_review"], chance.randrange(3)):
        known = [
            "GRULAC",
            "Asia",
            "supported",
            "noted",
            "torture",
            'a "quoted" \\ value',
            "ñandú",
            "3",
            "12",
            "PER",
            "none",
        ]
        filters[name] = tuple(chance.sample(known, chance.randrange(1, 7)))
    return SearchRequest(
        parse_query(text, vocabulary),
        type=chance.choice([None, "recommendations", "statements"]),
        filters=filters,
        date_from=chance.choice([None, None, "2012", "2015-06-15"]),
        date_to=chance.choice([None, None, "2019-03", "2021"]),
        facets=tuple(
            chance.sample(["type", "year", "region", "position", "issue", "session", "state_under_review"], 3)
        ),
        strict=chance.random() < 0.3,
        per_page=0,
    )


@pytest.mark.parametrize("text", QUERIES)
def test_totals_and_facets_equal_brute_force(engine: Engine, truth: Truth, text: str) -> None:
    chance = random.Random(text)
    for _ in range(8):
        request = _random_request(chance, text)
        result = engine.search(request)
        assert result.total == len(truth.found(request)), request
        for name in request.facets:
            assert result.facets[name] == truth.facet(request, name), (name, request)
        assert tuple(result.facets) == request.facets


@pytest.mark.parametrize("text", [*QUERIES, "discriminaton womem rigth", "polise", "e"])
def test_words_are_read_as_all_words_of_the_index_that_they_stand_for(engine: Engine, truth: Truth, text: str) -> None:
    query = parse_query(text)
    readings = engine.search(SearchRequest(query, per_page=0)).readings
    for word in query.words:
        reading = readings.get(word, Reading())
        in_index = word.text in truth.words
        forms = [word.text, *(form for code in query.concepts.get(word, ()) for form in concepts()[code].all_forms)]
        expected = {stem for form in forms for stem in stems_of(fold(form))} if in_index else set()
        typos = {other: typos_between(word.text, other, prefix=word.prefix) for other in truth.words - {word.text}}
        others = {
            other: number
            for other, number in typos.items()
            if number is not None and expected.isdisjoint(stems_of(other))
        }
        told = {each.word: each.typos for each in reading.words}
        assert told.items() <= others.items(), word
        assert len(told) == min(len(others), READ_AS_SHOWN)
        assert list(told.values()) == sorted(others.values())[: len(told)]
        assert reading.more == (len(others) > READ_AS_SHOWN)
        assert not told or reading.in_index == in_index, word


@pytest.mark.parametrize("text", FIELDS)
def test_fields_equal_brute_force_beside_filters_and_facets(engine: Engine, truth: Truth, text: str) -> None:
    chance = random.Random(text)
    alone = SearchRequest(parse_query(text, VOCABULARY), facets=ASKED_ABOUT, per_page=0)
    for request in (alone, *(_random_request(chance, text, VOCABULARY) for _ in range(8))):
        result = engine.search(request)
        assert result.total == len(truth.found(request)), request
        for name in request.facets:
            assert result.facets[name] == truth.facet(request, name), (name, request)


def test_fifty_filter_combinations_equal_brute_force(engine: Engine, truth: Truth) -> None:
    chance = random.Random(50)
    for _ in range(50):
        request = _random_request(chance, "")
        result = engine.search(request)
        assert result.total == len(truth.found(request)), request
        for name in request.facets:
            assert result.facets[name] == truth.facet(request, name), (name, request)


@pytest.mark.parametrize("text", ["", "rights ", "tort", '"human rights" OR torture', "women -children"])
@pytest.mark.parametrize("sort", [None, "-date", "number"])
def test_pages_are_whole_and_do_not_overlap(engine: Engine, truth: Truth, text: str, sort: str | None) -> None:
    wanted = {document.key for document in truth.found(SearchRequest(parse_query(text)))}
    found = []
    for page in range(1, 100):
        result = engine.search(SearchRequest(parse_query(text), page=page, per_page=50, sort=sort))
        assert result.total == len(wanted)
        if not result.hits:
            break
        found += [(hit.type, hit.id) for hit in result.hits]
    assert len(found) == len(set(found))
    assert set(found) == wanted


def test_a_page_far_beyond_the_end_is_empty(engine: Engine) -> None:
    result = engine.search(SearchRequest(parse_query("rights "), page=10_000, per_page=200))
    assert result.hits == ()
    assert result.total > 0


@pytest.mark.parametrize("sort", ["number", "date", "name"])
def test_sorting_both_ways_with_missing_last(engine: Engine, truth: Truth, sort: str) -> None:
    by_id = {document.id: document for document in truth.documents}

    def values(order: str) -> list[object]:
        found = []
        for page in range(1, 5):
            hits = engine.search(SearchRequest(parse_query(""), sort=order, per_page=200, page=page)).hits
            assert all(hit.score is None for hit in hits)
            found += [by_id[hit.id] for hit in hits]
        keys = [{**document.dates, **document.numbers, **document.sorts}.get(sort) for document in found]
        assert None not in keys[: sum(key is not None for key in keys)]
        return [key for key in keys if key is not None]

    order = {"Écuador": 1, "egypt": 2, "Ñandú": 3, "Peru": 4, "Zambia": 5} if sort == "name" else None
    ascending, descending = values(sort), values(f"-{sort}")
    assert ascending == sorted(ascending, key=order.__getitem__ if order else None)  # type: ignore[arg-type]
    assert descending == ascending[::-1] if order else sorted(ascending, reverse=True)  # type: ignore[type-var]


def test_records_come_back_as_they_were(engine: Engine, truth: Truth) -> None:
    by_key = {document.key: document for document in truth.documents}
    hits = engine.search(SearchRequest(parse_query("rights "))).hits
    assert hits
    for hit in hits:
        assert hit.record == by_key[hit.type, hit.id].record  # type: ignore[index]


@pytest.mark.parametrize(
    "value",
    [
        '"',
        "'",
        "\\",
        '\\"',
        "a' OR type = 'x",
        "x\nOR",
        "]",
        "\u202egnirts",
        "",
        " ",
        "PER\u0301",
        "null",
        "x" * 1_000,
        "\ue000",
    ],
)
def test_hostile_filter_values_find_nothing(engine: Engine, value: str) -> None:
    request = SearchRequest(parse_query(""), filters={"issue": (value,)}, facets=("issue",))
    result = engine.search(request)
    assert result.total == 0
    assert result.facets["issue"].values
    both = SearchRequest(parse_query(""), filters={"issue": (value, "torture")})
    alone = SearchRequest(parse_query(""), filters={"issue": ("torture",)})
    assert engine.search(both).total == engine.search(alone).total > 0


@pytest.mark.parametrize(
    "text",
    [
        '"', '""" ((', "\\", "'; drop --", "*:*", "a" * 1_999, "(a|a)*$", "\u202e torture", "t\u0301orture", "ا‎ حقوق",
        "OR OR AND NOT -", '-"', "everywhere", "¶", ":cursor", '"x', "[torture TO women]", "ˀ", "🙂", "\ud7ff",
    ],
)  # fmt: skip
def test_hostile_queries_are_answered(engine: Engine, truth: Truth, text: str) -> None:
    request = SearchRequest(parse_query(text), facets=("region",))
    assert engine.search(request).total == len(truth.found(request))


def test_many_words_all_count(sentences: Engine) -> None:
    text = "take all measures against violence against women and children take all measures against violence"
    assert _numbers(sentences, f"{text} women ") == {PER18}
    assert _numbers(sentences, f"{text} torture ") == set()  # the sixteenth word
    with pytest.raises(InvalidQueryError):
        parse_query("word " * 10_000)


def test_alternatives_with_phrases_are_bounded_openly(sentences: Engine) -> None:
    pairs = " ".join(f'("a b{n}" OR "human rights")' for n in range(4))
    bound = sentences.capabilities.phrase_alternatives
    assert bound is None or bound >= 16
    assert _numbers(sentences, pairs) == set()
    wide = " OR ".join(["torture"] * 20)
    assert _numbers(sentences, wide) == {PER17}


@pytest.mark.parametrize(
    "wrong",
    [
        {"filters": {"colour": ("red",)}},
        {"facets": ("colour",)},
        {"sort": "colour"},
        {"sort": "--date"},
        {"page": 0},
        {"per_page": 201},
        {"per_page": -1},
        {"date_from": "yesterday"},
        {"date_from": "2012", "date_name": "colour"},
        {"facets": ("year",), "date_name": "colour"},
    ],
)
def test_what_cannot_be_asked_is_named(engine: Engine, wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidParameterError):
        engine.search(SearchRequest(parse_query("x"), **wrong))  # type: ignore[arg-type]


def test_case_of_values_is_as_declared(engine: Engine, truth: Truth) -> None:
    request = SearchRequest(parse_query(""), filters={"region": ("grulac",)})
    as_written = SearchRequest(parse_query(""), filters={"region": ("GRULAC",)})
    expected = 0 if engine.capabilities.case_sensitive_values else len(truth.found(as_written))
    assert engine.search(request).total == expected


def test_the_layout_of_the_corpus_is_used(engine: Engine) -> None:
    result = engine.search(SearchRequest(parse_query(""), facets=LAYOUT.filters))
    assert set(result.facets) == set(LAYOUT.filters)
    assert result.facets["issue"].unlabelled > 0
