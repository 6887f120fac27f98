"""Filters as SQL and filters as terms select the same records, and the feed's SQL on terms does too."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select

from services.core.domain.positions import Position, PositionDetail
from services.core.query.filters import FILTERS, FilterSet, filters_of, parse_filters
from services.core.schemas.names import Names
from services.core.schemas.shapes import shape_of
from services.core.schemas.terms import filter_terms
from services.core.store.filtering import CLAUSES, conditions
from services.core.store.reference import Reference, read_reference
from services.core.store.tables import AGGREGATES
from tests.records import fill

DATES = ("date_from", "date_to")


@dataclass(repr=False)
class Stock:
    """A full store: the terms of each record, and per noun the values that some record answers to."""

    engine: Engine
    reference: Reference
    terms: dict[str, dict[str, tuple[str, ...]]]

    def values(self, noun: str, name: str) -> list[str]:
        prefix = "date:" if name in DATES else f"{name}:"
        held = {value for terms in self.terms[noun].values() for value in terms if value.startswith(prefix)}
        return sorted({value.removeprefix(prefix) for value in held} | _vocabulary(name, self.reference))

    def by_terms(self, noun: str, filters: FilterSet) -> list[str]:
        return sorted(record_id for record_id, terms in self.terms[noun].items() if filters.matches(terms))

    def by_sql(self, noun: str, filters: FilterSet) -> list[str]:
        with self.engine.connect() as connection:
            return [record.id for record in AGGREGATES[noun].where(connection, *conditions(filters))]  # type: ignore[attr-defined]


def _vocabulary(name: str, reference: Reference) -> set[str]:
    """Values that exist, also those that no record holds."""
    vocabulary = reference.vocabulary
    if scheme := FILTERS[name].scheme:
        return set(sorted(vocabulary.labels.get(scheme, ()))[:5])
    known: dict[str, set[str]] = {
        "region": set(vocabulary.regions),
        "recommending_region": set(vocabulary.regions),
        "bloc": set(vocabulary.blocs),
        "recommending_bloc": set(vocabulary.blocs),
        "position": set(Position),
        "position_detail": set(PositionDetail),
        "scheme": set(vocabulary.labels),
        "date_from": {"2012-01-01", "2015-06-01", "1900-01-01", "9999-12-31"},
        "date_to": {"2012-01-01", "2015-06-01", "0001-01-01"},
        "language": {"ar"},
        "cycle": {"7"},
    }
    return known.get(name, set())


@pytest.fixture
def stock(engine: Engine) -> Stock:
    with engine.begin() as connection:
        fill(connection, seed=7, each=60)
    reference = read_reference(engine)
    names = Names(reference)
    terms = {}
    with engine.connect() as connection:
        for noun, aggregate in AGGREGATES.items():
            records = aggregate.where(connection)
            shapes = [shape_of(noun, record, names) for record in records]
            terms[noun] = {shape["id"]: filter_terms(noun, shape, reference) for shape in shapes}
    return Stock(engine, reference, terms)


def chosen(chance: random.Random, stock: Stock, noun: str, name: str) -> Iterator[tuple[str, str]]:
    values = stock.values(noun, name)
    many = 1 if FILTERS[name].single else chance.choice((1, 1, 2, 5))
    for value in chance.sample(values, min(many, len(values))):
        yield name, value


def test_every_filter_of_every_noun_has_sql(engine: Engine) -> None:
    assert {(noun, known.name) for noun in AGGREGATES for known in filters_of(noun)} == {
        (noun, name) for noun, clauses in CLAUSES.items() for name in clauses
    }


@pytest.mark.parametrize("noun", AGGREGATES)
def test_each_filter_alone(stock: Stock, noun: str) -> None:
    """And each one meets something, so that the comparison says something."""
    for known in filters_of(noun):
        if known.lists_only:
            continue
        met = set()
        for value in stock.values(noun, known.name):
            filters = parse_filters(noun, [(known.name, value)], stock.reference.vocabulary)
            expected = stock.by_terms(noun, filters)
            assert stock.by_sql(noun, filters) == expected, (known.name, value)
            met.update(expected)
        assert met, known.name


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(noun=st.sampled_from(sorted(AGGREGATES)), seed=st.integers(0, 2**32))
def test_any_combination(stock: Stock, noun: str, seed: int) -> None:
    chance = random.Random(seed)
    names = [known.name for known in filters_of(noun) if not known.lists_only]
    pairs = [
        pair
        for name in chance.sample(names, min(chance.randint(0, 4), len(names)))
        for pair in chosen(chance, stock, noun, name)
    ]
    filters = parse_filters(noun, pairs, stock.reference.vocabulary)
    assert stock.by_sql(noun, filters) == stock.by_terms(noun, filters)


def test_updated_since_goes_by_the_moment_of_the_last_write(stock: Stock) -> None:
    with stock.engine.connect() as connection:
        moment = connection.scalar(select(func.max(AGGREGATES["pledges"].table.c.updated_at)))
    assert moment is not None
    for text, met in ((moment.isoformat(), 60), ("9999-12-31T23:59:59Z", 0), ("0001-01-01T00:00:00Z", 60)):
        filters = parse_filters("pledges", [("updated_since", text)], stock.reference.vocabulary)
        assert len(stock.by_sql("pledges", filters)) == met, text
