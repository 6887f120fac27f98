"""Filters as SQL."""

import datetime
from collections.abc import Callable
from typing import Any

from sqlalchemy import Column, ColumnElement, ScalarSelect, Table, and_, cast, func, literal, or_, select
from sqlalchemy.dialects.postgresql import ARRAY

from services.core.domain.documents import DocumentKind
from services.core.domain.reviews import MidTermStatus
from services.core.query.filters import FILTERS, FilterSet, filters_of
from services.core.store.documents import documents_table
from services.core.store.metadata import plain_text
from services.core.store.reviews import reviews_table
from services.core.store.statements import statements_table
from services.core.store.states import states_table
from services.core.store.tables import AGGREGATES

Values = tuple[str, ...]
Clause = Callable[[Values], ColumnElement[bool]]


def conditions(filters: FilterSet) -> list[ColumnElement[bool]]:
    """The SQL conditions that a record of the filters' noun must meet, one a filter."""
    assert filters.noun is not None, "a feed of mixed nouns is filtered by terms"
    clauses = CLAUSES[filters.noun]
    return [clauses[name](values) for name, values in filters.values.items()]


def as_array(values: list[str]) -> ColumnElement[list[str]]:
    """A bound array of codes."""
    return literal(values, ARRAY(plain_text()))


def _equals(column: ColumnElement[Any]) -> Clause:
    read: Callable[[str], Any] = int if column.type.python_type is int else str

    def equal(values: Values) -> ColumnElement[bool]:
        # One value is the most frequent case, and a plain comparison the one that takes SQLAlchemy least.
        return column == read(values[0]) if len(values) == 1 else column.in_(list(map(read, values)))

    return equal


def _overlaps(column: ColumnElement[Any], prefix: str = "") -> Clause:
    return lambda values: column.overlap(as_array([prefix + value for value in values]))


def _is_or_overlaps(column: ColumnElement[Any]) -> Clause:
    return _overlaps(column) if isinstance(column.type, ARRAY) else _equals(column)


def _in_any_language(column: Column[Any]) -> Clause:
    """The text's own language, or that of an official translation."""
    if "translations" not in column.table.c:
        return _is_or_overlaps(column)
    translations = column.table.c["translations"]
    return lambda values: or_(column.in_(values), translations.has_any(as_array(list(values))))


def _any_place(column: ColumnElement[Any], places: Callable[[Values], ColumnElement[bool]]) -> Clause:
    # As one array, asked for once: as a join, PostgreSQL looks through every State's records apart.
    def codes(values: Values) -> ScalarSelect[Any]:
        return select(func.array_agg(states_table.c.id)).where(places(values)).scalar_subquery()

    if isinstance(column.type, ARRAY):
        return lambda values: column.overlap(codes(values))
    return lambda values: column == func.any(cast(codes(values), ARRAY(plain_text())))


def _in_region(values: Values) -> ColumnElement[bool]:
    return states_table.c.region.in_(values)


def _in_bloc(values: Values) -> ColumnElement[bool]:
    belongs: ColumnElement[bool] = states_table.c.blocs.overlap(as_array(list(values)))
    return belongs


def _mid_term(review: ColumnElement[Any]) -> Clause:
    """By what is held besides the review: the State's report, and letters that suggest one."""
    documents = reviews_table.c.documents
    report = documents_table.alias("report").c
    by_the_state = or_(report.author_kind.is_(None), report.author_kind == "state")
    is_report = (report.id == func.any(documents), report.kind == DocumentKind.MID_TERM_REPORT, by_the_state)
    submitted = select(report.id).where(*is_report).correlate(reviews_table).exists()
    letter = statements_table.c
    suggests = (letter.review == review, letter.suggested_mid_term_year.is_not(None))
    suggested = select(letter.id).where(*suggests).correlate(reviews_table).exists()
    met = {
        MidTermStatus.SUBMITTED: submitted,
        MidTermStatus.SUGGESTED: and_(~submitted, suggested),
        MidTermStatus.NOT_SEEN: and_(~submitted, ~suggested),
    }
    return lambda values: or_(*(met[MidTermStatus(value)] for value in values))


def column_of(table: Table, name: str) -> Column[Any]:
    """The column that a filter looks at. Columns bear the filters' names, but for those of `_COLUMNS`."""
    named = "label_ids" if FILTERS[name].scheme else _COLUMNS.get((table.name, name), _COLUMNS.get(("*", name), name))
    column: Column[Any] = table.c[named]
    return column


def _clause(table: Table, name: str) -> Clause:
    column = column_of(table, name)
    if scheme := FILTERS[name].scheme:
        return _overlaps(column, prefix=f"{scheme}:")
    special = _SPECIAL.get(name)
    return special(column) if special else _is_or_overlaps(column)


_SPECIAL: dict[str, Callable[[Column[Any]], Clause]] = {
    "language": _in_any_language,
    "mid_term": _mid_term,
    "region": lambda column: _any_place(column, _in_region),
    "recommending_region": lambda column: _any_place(column, _in_region),
    "bloc": lambda column: _any_place(column, _in_bloc),
    "recommending_bloc": lambda column: _any_place(column, _in_bloc),
    "date_from": lambda column: lambda values: column >= datetime.date.fromisoformat(values[0]),
    "date_to": lambda column: lambda values: column <= datetime.date.fromisoformat(values[0]),
    "updated_since": lambda column: lambda values: column >= datetime.datetime.fromisoformat(values[0]),
}
"""Filters that do not simply ask whether a column holds one of the values."""


_COLUMNS = {
    ("*", "external_id"): "external_ids",
    ("*", "recommending_state"): "recommending_states",
    ("*", "recommending_region"): "recommending_states",
    ("*", "recommending_bloc"): "recommending_states",
    ("*", "region"): "state_under_review",
    ("*", "bloc"): "state_under_review",
    ("*", "date_from"): "date",
    ("*", "date_to"): "date",
    ("*", "updated_since"): "updated_at",
    ("*", "language"): "text_language",
    ("*", "document"): "documents",
    ("states", "region"): "region",
    ("states", "bloc"): "id",
    ("reviews", "mid_term"): "id",
    ("documents", "language"): "languages",
    ("documents", "date_from"): "published_on",
    ("documents", "date_to"): "published_on",
    ("hearings", "state_under_review"): "states",
    ("hearings", "region"): "states",
    ("hearings", "bloc"): "states",
    ("observations", "state_under_review"): "states",
    ("pledges", "document"): "document",
    ("statements", "document"): "document",
}
"""Where a filter's column does not bear its name."""


CLAUSES: dict[str, dict[str, Clause]] = {
    noun: {known.name: _clause(aggregate.table, known.name) for known in filters_of(noun)}
    for noun, aggregate in AGGREGATES.items()
}
CLAUSES["states"]["region"] = _in_region
"""The SQL of every filter of every noun."""
