"""Counts of records by up to three dimensions: one query, and each count is the total of a list.

A dimension is a filter, or `year`. A record that has several values of a dimension is counted under each; one that has
none is counted under None. Under a label are counted all records that the filter by it finds, those with a label that
means the same in another generation of its scheme among them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Integer,
    Select,
    Table,
    TableValuedAlias,
    cast,
    column,
    func,
    literal,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from services.core.query.filters import FILTERS, FilterSet, filters_of
from services.core.store.filtering import column_of, conditions
from services.core.store.metadata import plain_text
from services.core.store.reference import Reference
from services.core.store.states import states_table
from services.core.store.tables import AGGREGATES

MOST_DIMENSIONS = 3
YEAR = "year"
"""The year of what `date_from` and `date_to` mean of the noun."""

_NO_DIMENSIONS = frozenset({"id", "external_id", "date_from", "date_to", "mid_term", "updated_since"})
_PLACES = frozenset({"region", "recommending_region", "bloc", "recommending_bloc"})


@dataclass(frozen=True)
class Group:
    """How many records have these values, one a dimension."""

    values: tuple[str | None, ...]
    count: int


@dataclass(frozen=True)
class Counts:
    """The groups, the largest first, as many as were asked for; `found`: how many there are.

    `total` is the number of records, each counted once; `unlabelled` how many of them have no value, by dimension.
    """

    groups: Sequence[Group]
    found: int
    total: int
    unlabelled: Mapping[str, int]


def dimensions_of(noun: str) -> tuple[str, ...]:
    """What the records of a noun can be counted by."""
    names = tuple(known.name for known in filters_of(noun))
    return (*(name for name in names if name not in _NO_DIMENSIONS), *((YEAR,) if "date_from" in names else ()))


def count_by(
    connection: Connection,
    filters: FilterSet,
    dimensions: Sequence[str],
    reference: Reference,
    *,
    only: Mapping[str, Sequence[str]],
    limit: int,
) -> Counts:
    """Count the records that meet the filters. Two queries, and one more for each dimension.

    `only` are the values that a dimension is filtered by: there are no groups of others, since no list has the records
    that meet two values of one filter at once.
    """
    assert filters.noun is not None
    table = AGGREGATES[filters.noun].table
    where = conditions(filters)
    values = [_values(table, name, reference).lateral(f"of_{place}") for place, name in enumerate(dimensions)]
    joined: FromClause = table
    for each in values:
        joined = joined.outerjoin(each, true())
    columns = [each.c.value for each in values]
    counted = func.count()
    wanted = [each.in_(only[name]) for name, each in zip(dimensions, columns, strict=True) if name in only]
    query = select(*columns, counted, func.count().over()).select_from(joined).where(*where, *wanted).group_by(*columns)
    rows = connection.execute(
        query.order_by(counted.desc(), *(each.nulls_last() for each in columns)).limit(limit)
    ).all()
    return Counts(
        groups=[Group(tuple(row[: len(columns)]), row[-2]) for row in rows],
        found=rows[0][-1] if rows else 0,
        total=connection.scalar(select(func.count()).select_from(table).where(*where)) or 0,
        unlabelled={
            name: _without(connection, table, _values(table, name, reference), where)
            for name in dict.fromkeys(dimensions)
        },
    )


def _without(connection: Connection, table: Table, values: Select[Any], where: Sequence[ColumnElement[bool]]) -> int:
    """How many records have no value of a dimension."""
    missing = select(func.count()).select_from(table).where(*where, ~values.exists())
    return connection.scalar(missing) or 0


def _values(table: Table, name: str, reference: Reference) -> Select[Any]:
    """The values of one record of `table`, each once, as a query with the column `value`."""
    return _values_of(table, name, reference).correlate(table)


def _values_of(table: Table, name: str, reference: Reference) -> Select[Any]:
    if name == YEAR:
        return _single(cast(func.extract("year", column_of(table, "date_from")), Integer))
    looked_at = column_of(table, name)
    if scheme := FILTERS[name].scheme:
        return _labels(looked_at, f"{scheme}:", reference)
    if name in _PLACES:
        return _places(looked_at, name)
    if name == "language" and "translations" in table.c:
        return _languages(looked_at, table.c.translations)
    return _several(looked_at) if isinstance(looked_at.type, ARRAY) else _single(looked_at)


def _single(value: ColumnElement[Any]) -> Select[Any]:
    return select(cast(value, plain_text()).label("value")).where(value.is_not(None))


def _several(values: ColumnElement[Any]) -> Select[Any]:
    return select(_each(values).c.value).distinct()


def _each(values: ColumnElement[Any]) -> TableValuedAlias:
    return func.unnest(values).table_valued(column("value", plain_text())).render_derived()


def _languages(own: ColumnElement[Any], translations: ColumnElement[Any]) -> Select[Any]:
    texts = translations.op("||", return_type=JSONB())(func.jsonb_build_object(own, True))
    return select(func.jsonb_object_keys(texts).table_valued(column("value", plain_text())).render_derived().c.value)


def _places(states: ColumnElement[Any], name: str) -> Select[Any]:
    """The regional groups or the organisations of States."""
    among = states_table.c.id == (func.any(states) if isinstance(states.type, ARRAY) else states)
    if name.endswith("bloc"):
        blocs = _each(states_table.c.blocs)
        return select(blocs.c.value).select_from(states_table.join(blocs, true())).where(among).distinct()
    region = states_table.c.region
    return select(region.label("value")).where(among, region.is_not(None)).distinct()


def _labels(label_ids: ColumnElement[Any], prefix: str, reference: Reference) -> Select[Any]:
    """The labels of one scheme that the record is found by."""
    held = _each(label_ids)
    families = {
        label: sorted({label.removeprefix(prefix), *family})
        for label, family in reference.vocabulary.families.items()
        if label.startswith(prefix)
    }
    itself = func.jsonb_build_array(func.substr(held.c.value, len(prefix) + 1))
    family = (
        func.coalesce(literal(families, JSONB).op("->", return_type=JSONB())(held.c.value), itself)
        if families
        else itself
    )
    names = func.jsonb_array_elements_text(family).table_valued(column("value", plain_text())).render_derived()
    of_scheme = held.c.value.startswith(prefix, autoescape=True)
    return select(names.c.value).select_from(held.join(names, true())).where(of_scheme).distinct()
