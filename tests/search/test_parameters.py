import pytest

from services.core.domain.errors import InvalidParameterError, InvalidQueryError, NotFoundError, UnknownParameterError
from services.core.query.filters import FILTERS, Vocabulary
from services.search.parameters import (
    COUNTED,
    FACETS,
    FacetOrder,
    read_facet_query,
    read_search_query,
    read_similar_query,
    read_suggest_query,
    search_parameters,
)

VOCABULARY = Vocabulary(
    states=frozenset({"PER", "SVN"}),
    regions=frozenset({"grulac"}),
    labels={"sdg": frozenset({"16"})},
)


def read(*pairs: tuple[str, str]):
    return read_search_query(pairs, VOCABULARY)


def test_nothing_asked_is_the_first_page_of_everything():
    query = read()
    request = query.request
    assert (request.type, request.filters, request.facets, request.sort, request.strict) == (None, {}, (), None, False)
    assert (request.page, request.per_page, query.language, request.query.root) == (1, 20, "en", None)


def test_filters_are_canonical_and_repeat_for_or():
    query = read(("state_under_review", "per"), ("state_under_review", "SVN"), ("sdg", "sdg:16"), ("cycle", "02"))
    assert query.request.filters == {"state_under_review": ("PER", "SVN"), "cycle": ("2",), "sdg": ("16",)}


def test_dates_are_a_range():
    request = read(("date_from", "2012-01-01"), ("date_to", "2013-12-31")).request
    assert (request.date_from, request.date_to, request.filters) == ("2012-01-01", "2013-12-31", {})


def test_facets_come_in_the_order_asked_for_once_each():
    assert read(("facets", "sdg, position,,sdg"), ("facets", "type")).request.facets == ("sdg", "position", "type")


def test_relevance_is_the_order_without_a_sort():
    assert read(("sort", "relevance")).request.sort is None
    assert read(("sort", "-date")).request.sort == "-date"


@pytest.mark.parametrize("noun", ["recommendations", "hearings"])
def test_a_type_has_its_own_filters(noun):
    for name in FACETS:
        if noun in FILTERS[name].nouns:
            assert read(("type", noun), ("facets", name)).request.facets == (name,)
        else:
            with pytest.raises(InvalidParameterError, match=name):
                read(("type", noun), ("facets", name))


def test_what_lists_alone_can_do_is_refused_by_name():
    with pytest.raises(UnknownParameterError, match="updated_since"):
        read(("updated_since", "2026-01-01T00:00:00Z"))


@pytest.mark.parametrize(("page", "per_page"), [("1", "0"), ("10000000", "200")])
def test_pages_at_the_edge(page, per_page):
    request = read(("page", page), ("per_page", per_page)).request
    assert (str(request.page), str(request.per_page)) == (page, per_page)


def test_every_parameter_that_is_read_is_described_and_the_other_way_round():
    described = {parameter["name"]: parameter for parameter in search_parameters()}
    for name, parameter in described.items():
        assert parameter["description"].strip(), name
        schema = parameter["schema"]
        several = name == "facets" or (name in FILTERS and not FILTERS[name].single)
        assert (schema.get("type") == "array") == several, name
    assert set(FACETS) <= set(described)
    for name in ("q", "type", "page", "per_page", "sort", "strict", "lang", "facets"):
        assert name in described


def test_facets_can_be_ordered_and_cut():
    assert read().facet_order == FacetOrder(None, 10_000)
    assert read(("facet_sort", "name"), ("facet_limit", "3")).facet_order == FacetOrder("name", 3)


def test_a_facet_is_asked_for_beside_a_search():
    query = read_facet_query(
        "sdg", [("q", "paz"), ("search", "torture "), ("sdg", "16"), ("sort", "name"), ("limit", "3")], VOCABULARY
    )
    request = query.search.request
    assert (query.q, query.order) == ("paz", FacetOrder("name", 3))
    assert (request.facets, request.per_page, request.filters) == (("sdg",), 0, {"sdg": ("16",)})
    assert [word.text for word in request.query.words] == ["torture"]


@pytest.mark.parametrize("fault", ["x" * 2_001, "cycle:four", "((((((((((x", '"a" ' * 9, "x " * 33, "from:Spian"])
def test_a_fault_of_the_query_names_its_parameter(fault):
    for parameter, ask in (
        ("q", lambda: read(("q", fault))),
        ("search", lambda: read_facet_query("sdg", [("search", fault)], VOCABULARY)),
    ):
        with pytest.raises(InvalidQueryError) as raised:
            ask()
        assert raised.value.extensions["parameter"] == parameter


@pytest.mark.parametrize("name", ["page", "per_page", "facets", "facet_sort", "facet_limit"])
def test_the_values_of_a_facet_have_no_pages(name):
    with pytest.raises(UnknownParameterError, match=f"`{name}`"):
        read_facet_query("sdg", [(name, "1")], VOCABULARY)


def test_a_search_is_not_asked_for_by_the_parameter_of_facets():
    with pytest.raises(UnknownParameterError, match="`search`"):
        read(("search", "torture"))


@pytest.mark.parametrize("name", ["colour", "id", "external_id", "date_from", "q"])
def test_what_is_no_facet(name):
    with pytest.raises(NotFoundError, match="topic"):
        read_facet_query(name, [], VOCABULARY)


@pytest.mark.parametrize("noun", ["recommendations", "hearings"])
def test_a_type_has_its_own_facets(noun):
    for name in COUNTED:
        if name in ("type", "year") or noun in FILTERS[name].nouns:
            assert read_facet_query(name, [("type", noun)], VOCABULARY).search.request.type == noun
        else:
            with pytest.raises(InvalidParameterError, match="type"):
                read_facet_query(name, [("type", noun)], VOCABULARY)


def test_what_searches_are_suggested_ask_for_besides():
    assert read_suggest_query([("q", "x")]).of_searches == []
    assert read_suggest_query([("type", "pledges"), ("lang", "es")]).of_searches == [
        ("type", "pledges"),
        ("lang", "es"),
    ]


def test_likenesses_take_the_filters_of_recommendations():
    query = read_similar_query([("scope", "earlier"), ("cycle", "2"), ("date_to", "2014-01-01")], VOCABULARY)
    assert (query.scope, query.request.type, query.request.filters) == ("earlier", "recommendations", {"cycle": ("2",)})
    assert query.request.date_to == "2014-01-01"
    with pytest.raises(UnknownParameterError, match="speaker"):
        read_similar_query([("speaker", "ESP")], VOCABULARY)
