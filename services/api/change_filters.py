"""Which changes meet filters, in SQL: those whose record met all of them before the change or after it."""

from collections.abc import Set

from sqlalchemy import Column, ColumnElement, and_, func, literal_column, or_, select

from services.core.domain.changes import EVENT_TYPES, type_matches
from services.core.query.filters import FilterSet
from services.core.store.changes import changes_table
from services.core.store.filtering import as_array
from services.core.store.metadata import plain_text


def changes_that_meet(filters: FilterSet, event_types: Set[str]) -> list[ColumnElement[bool]]:
    """The conditions that a change must meet; without event types it may be of any."""
    columns = changes_table.c
    conditions: list[ColumnElement[bool]] = []
    if event_types:
        wanted = frozenset(event_types)
        conditions.append(columns.type.in_([each for each in EVENT_TYPES if type_matches(wanted, each)]))
    if filters:
        conditions.append(or_(_meets(filters, columns.terms_before), _meets(filters, columns.terms_after)))
    return conditions


def _meets(filters: FilterSet, terms: ColumnElement[list[str]]) -> ColumnElement[bool]:
    """`FilterSet.matches` in SQL, on one side of a change."""
    return and_(*(_meets_one(name, values, terms) for name, values in filters.values.items()))


def _meets_one(name: str, values: tuple[str, ...], terms: ColumnElement[list[str]]) -> ColumnElement[bool]:
    if name in ("date_from", "date_to"):
        # Sorted as bytes, all dates stand between `date:` and `date;`.
        unnested = func.unnest(terms).table_valued(Column("term", plain_text())).render_derived()
        first, last = (f"date:{values[0]}", "date;") if name == "date_from" else ("date:", f"date:{values[0]}")
        in_between = (unnested.c.term >= first, unnested.c.term <= last)
        return select(literal_column("1")).select_from(unnested).where(*in_between).correlate(changes_table).exists()
    met: ColumnElement[bool] = terms.overlap(as_array([f"{name}:{value}" for value in values]))
    return met
