import re
from typing import Any

import pytest

from services.core.domain.errors import InvalidParameterError
from services.core.query.filters import FILTERS, filters_of, parse_filters
from services.core.schemas.filter_values import value_components, value_schema
from services.core.store.labels import LabelRecord
from services.core.store.reference import Reference, reference_of
from services.core.store.seed import facts, state_records
from services.core.store.states import PlaceGroupRecord
from services.core.store.tables import AGGREGATES
from services.core.store.vocabularies import vocabulary


@pytest.fixture(scope="module")
def reference() -> Reference:
    """What a fresh store holds."""
    groups = [
        (row[kind], kind) for kind, name in (("region", "regions"), ("bloc", "blocs_names")) for row in facts(name)
    ]
    return reference_of(
        {record.id: record for record in state_records()},
        {code: PlaceGroupRecord(id=code, kind=kind, names={}) for code, kind in groups},
        {
            entry.id: LabelRecord(id=entry.id, scheme=entry.scheme, code=entry.code, names={})
            for entry in vocabulary().values()
        },
    )


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    return dict(value_components()[schema["$ref"].rpartition("/")[2]]) if "$ref" in schema else schema


def fits(schema: dict[str, Any], value: str) -> bool:
    if "enum" in schema:
        return value in schema["enum"]
    if schema["type"] == "integer":
        return value.isdigit()
    return "pattern" in schema and re.search(schema["pattern"], value) is not None


@pytest.mark.parametrize("noun", [None, *AGGREGATES])
def test_every_documented_value_is_taken(noun: str | None, reference: Reference) -> None:
    for known in filters_of(noun) if noun else [each for each in FILTERS.values() if not each.lists_only]:
        schema = resolved(value_schema(known.name, noun))
        for value in map(str, schema.get("enum", schema.get("examples", ()))):
            read = parse_filters(noun, [(known.name, value)], reference.vocabulary).values[known.name][0]
            assert read == value or known.name == "updated_since"


@pytest.mark.parametrize("noun", [*AGGREGATES])
def test_nothing_else_is_taken(noun: str, reference: Reference) -> None:
    for known in filters_of(noun):
        schema = resolved(value_schema(known.name, noun))
        for value in ("", "no such", "1e3", "-1", "2012-1-1", "20121101", "x" * 201, "a\nb", "+", "é"):
            if not fits(schema, value):
                with pytest.raises(InvalidParameterError):
                    parse_filters(noun, [(known.name, value)], reference.vocabulary)


def test_kinds_are_those_of_the_noun(reference: Reference) -> None:
    assert parse_filters("documents", [("kind", "addendum")], reference.vocabulary)
    assert parse_filters(None, [("kind", "addendum"), ("kind", "concern")], reference.vocabulary)
    with pytest.raises(InvalidParameterError, match="expected one of presentation"):
        parse_filters("statements", [("kind", "addendum")], reference.vocabulary)
