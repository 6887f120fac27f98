import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.domain.errors import InvalidParameterError, UnknownParameterError, UprError
from services.core.query.filters import FILTERS, Vocabulary, parse_filters

WORDS = Vocabulary(
    states=frozenset({"PER", "ESP"}),
    regions=frozenset({"grulac"}),
    blocs=frozenset({"oas"}),
    labels={"sdg": frozenset({"16"}), "ohchr-theme": frozenset({"right-to-life"})},
)


def parse(noun: str | None, *pairs: tuple[str, str]) -> dict[str, tuple[str, ...]]:
    return dict(parse_filters(noun, pairs, WORDS).values)


def test_repeating_means_or_and_values_are_made_canonical() -> None:
    found = parse("recommendations", ("cycle", "02"), ("state_under_review", "per"), ("cycle", "2"), ("cycle", "3"))
    assert found == {"state_under_review": ("PER",), "cycle": ("2", "3")}


def test_labels_go_by_code_with_or_without_their_scheme() -> None:
    assert parse("recommendations", ("sdg", "sdg:16"), ("theme", "right-to-life")) == {
        "theme": ("right-to-life",),
        "sdg": ("16",),
    }


@pytest.mark.parametrize(
    ("noun", "name", "value", "named"),
    [
        ("recommendations", "colour", "red", "colour"),
        ("hearings", "position", "noted", "position"),
        ("states", "date_from", "2012-01-01", "date_from"),
    ],
)
def test_unknown_and_inapplicable_filters_are_named(noun: str, name: str, value: str, named: str) -> None:
    with pytest.raises(UnknownParameterError, match=named):
        parse(noun, (name, value))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("state_under_review", "XXX"),
        ("cycle", "9223372036854775808"),
        ("cycle", "-1"),
        ("cycle", "٢"),
        ("position", "maybe"),
        ("date_from", "2012-13-01"),
        ("updated_since", "2012-01-01"),
        ("sdg", "18"),
        ("id", "a\x00b"),
        ("id", ""),
        ("bloc", "nato"),
    ],
)
def test_values_that_cannot_be_are_named(name: str, value: str) -> None:
    with pytest.raises(InvalidParameterError, match=f"`{name}`"):
        parse("recommendations", (name, value))


def test_one_value_only_for_dates() -> None:
    with pytest.raises(InvalidParameterError, match="date_from"):
        parse("recommendations", ("date_from", "2012-01-01"), ("date_from", "2013-01-01"))


def test_a_feed_of_mixed_nouns_takes_every_filter() -> None:
    assert parse(None, ("kind", "dialogue"), ("position", "noted")) == {"position": ("noted",), "kind": ("dialogue",)}


def test_matching_terms() -> None:
    filters = parse_filters(None, [("cycle", "2"), ("cycle", "3"), ("date_from", "2012-06-01")], WORDS)
    assert filters.matches({"cycle:3", "date:2012-11-01"})
    assert not filters.matches({"cycle:3", "date:2012-05-01"})
    assert not filters.matches({"cycle:1", "date:2012-11-01"})
    assert not filters.matches({"date:2012-11-01"})


@given(name=st.sampled_from(sorted(FILTERS)), value=st.text(max_size=40))
def test_any_text_is_a_value_or_a_named_error(name: str, value: str) -> None:
    noun = next(iter(FILTERS[name].nouns))
    try:
        found = parse(noun, (name, value))
    except UprError as error:
        told = error
    else:
        assert len(found[name]) == 1
        return
    assert told.status == 400
    assert f"`{name}`" in told.detail


def test_a_theme_finds_its_other_generations() -> None:
    words = Vocabulary(
        labels={"ohchr-theme": frozenset({"old", "new", "other"})},
        families={"ohchr-theme:new": frozenset({"new", "old"})},
    )
    assert parse_filters("recommendations", [("theme", "new")], words).values == {"theme": ("new", "old")}
    assert parse_filters("recommendations", [("theme", "other")], words).values == {"theme": ("other",)}
