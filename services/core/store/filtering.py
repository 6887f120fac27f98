"""Filters as SQL.

The SQL of a filter is the same for one value as for any other one, and for several as for any others: values are bound.
So a statement can be made once, with the filters' names, and be asked again with other values.
"""

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BindParameter,
    Column,
    ColumnElement,
    Date,
    DateTime,
    ScalarSelect,
    Table,
    and_,
    bindparam,
    cast,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import TypeEngine

from services.core.domain.documents import DocumentKind
from services.core.domain.reviews import MidTermStatus
from services.core.query.filters import FILTERS, FilterSet, filters_of
from services.core.store.documents import documents_table
from services.core.store.metadata import plain_text, texts
from services.core.store.reviews import reviews_table
from services.core.store.statements import statements_table
from services.core.store.states import states_table
from services.core.store.tables import AGGREGATES

Values = tuple[str, ...]
Bound = BindParameter[Any]


@dataclass(frozen=True)
class Clause:
    """What a filter asks of a record. `sql` makes it of its bound values, which are of `type` and made by `read`.

    `of_one`: the same of a single value, where that is not simply an array of one. An index in the order of a list can
    be used where a column equals one value, and not where it equals any of an array.
    """

    sql: Callable[[Bound], ColumnElement[bool]]
    type: TypeEngine[Any]
    read: Callable[[Values], Any] = list
    of_one: "Clause | None" = None

    def __call__(self, values: Values) -> ColumnElement[bool]:
        """The condition for these values."""
        form = self.form(len(values))
        return form.sql(bindparam(None, form.read(values), form.type, unique=True))

    def form(self, values: int) -> "Clause":
        """The clause for so many values."""
        return self.of_one or self if values == 1 else self


Form = tuple[tuple[str, bool], ...]
"""The filters of a statement by name, and whether each has one value."""


def conditions(filters: FilterSet) -> list[ColumnElement[bool]]:
    """The SQL conditions that a record of the filters' noun must meet, one a filter."""
    return [_clauses(filters.noun)[name](values) for name, values in filters.values.items()]


def form_of(filters: FilterSet) -> Form:
    """What of the filters decides the SQL."""
    return tuple((name, len(values) == 1) for name, values in filters.values.items())


def conditions_of_form(noun: str, form: Form) -> list[ColumnElement[bool]]:
    """The conditions of all filters of this form, whose values `bound_values` tells."""
    clauses = [(name, _clauses(noun)[name].form(1 if single else 2)) for name, single in form]
    return [clause.sql(bindparam(_PREFIX + name, type_=clause.type)) for name, clause in clauses]


def bound_values(filters: FilterSet) -> dict[str, Any]:
    """The filters' values as parameters of a statement of their form."""
    clauses = _clauses(filters.noun)
    return {_PREFIX + name: clauses[name].form(len(values)).read(values) for name, values in filters.values.items()}


def _clauses(noun: str | None) -> "Mapping[str, Clause]":
    assert noun is not None, "a feed of mixed nouns is filtered by terms"
    return CLAUSES[noun]


_PREFIX = "filter_"


def as_array(values: list[str]) -> ColumnElement[list[str]]:
    """A bound array of codes."""
    return literal(values, texts())


def _equals(column: ColumnElement[Any]) -> Clause:
    read: Callable[[str], Any] = int if column.type.python_type is int else str
    one = Clause(lambda value: column == value, column.type, lambda values: read(values[0]))
    any_of = ARRAY(column.type)
    return Clause(lambda array: column == func.any(array), any_of, lambda values: list(map(read, values)), one)


def _overlaps(column: ColumnElement[Any], prefix: str = "") -> Clause:
    return Clause(column.overlap, texts(), lambda values: [prefix + value for value in values])


def _is_or_overlaps(column: ColumnElement[Any]) -> Clause:
    return _overlaps(column) if isinstance(column.type, ARRAY) else _equals(column)


def _in_any_language(column: Column[Any]) -> Clause:
    """The text's own language, or that of an official translation."""
    if "translations" not in column.table.c:
        return _is_or_overlaps(column)
    translations = column.table.c["translations"]
    return Clause(lambda array: or_(column == func.any(array), translations.has_any(array)), texts())


def _any_place(column: ColumnElement[Any], places: Callable[[Bound], ColumnElement[bool]]) -> Clause:
    # As one array, asked for once: as a join, PostgreSQL looks through every State's records apart.
    def codes(array: Bound) -> ScalarSelect[Any]:
        return select(func.array_agg(states_table.c.id)).where(places(array)).scalar_subquery()

    if isinstance(column.type, ARRAY):
        return Clause(lambda array: column.overlap(codes(array)), texts())
    return Clause(lambda array: column == func.any(cast(codes(array), texts())), texts())


def _in_region(array: Bound) -> ColumnElement[bool]:
    return states_table.c.region == func.any(array)


def _in_bloc(array: Bound) -> ColumnElement[bool]:
    belongs: ColumnElement[bool] = states_table.c.blocs.overlap(array)
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

    def any_met(array: Bound) -> ColumnElement[bool]:
        return or_(
            *(and_(literal(status.value, plain_text()) == func.any(array), held) for status, held in met.items())
        )

    return Clause(any_met, texts())


def _since(column: ColumnElement[Any]) -> Clause:
    return Clause(lambda day: column >= day, Date(), lambda values: datetime.date.fromisoformat(values[0]))


def _until(column: ColumnElement[Any]) -> Clause:
    return Clause(lambda day: column <= day, Date(), lambda values: datetime.date.fromisoformat(values[0]))


def _updated_since(column: ColumnElement[Any]) -> Clause:
    read = datetime.datetime.fromisoformat
    return Clause(lambda moment: column >= moment, DateTime(timezone=True), lambda values: read(values[0]))


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
    "date_from": _since,
    "date_to": _until,
    "updated_since": _updated_since,
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
    ("hearings", "organisation"): "organisation_ids",
    ("organisations", "role"): "role_ids",
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
CLAUSES["states"]["region"] = Clause(_in_region, texts())
"""The SQL of every filter of every noun."""
