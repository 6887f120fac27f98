"""What bodies of requests have in common: plain text, and the query, type and filters that records have to meet."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from services.api.matching import Criterion
from services.core.domain.errors import (
    InvalidBodyError,
    InvalidParameterError,
    InvalidQueryError,
    UnknownParameterError,
)
from services.core.query.filters import MAX_VALUES, FilterSet, Vocabulary, parse_filters
from services.core.query.matcher import Matcher
from services.core.query.parser import MAX_CHARACTERS, parse_query

NOT_FOR_CHANGES = "updated_since"
"""The one filter that means nothing here: an event is always about now."""

SearchedNoun = Literal["recommendations", "statements", "hearings", "documents", "pledges", "observations"]


def _plain_text(text: str) -> str:
    """PostgreSQL cannot hold NUL, and half a surrogate pair, which JSON can name, is no character at all."""
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise PydanticCustomError("no_text", "Text must be Unicode, without NUL characters")
    return text


def _several_texts(value: object) -> list[str]:
    """Numbers may be written as numbers, and one value without a list."""
    several = value if isinstance(value, list) else [value]
    if not 1 <= len(several) <= MAX_VALUES:
        raise PydanticCustomError("wrong_count", f"Expected 1 to {MAX_VALUES} values")
    for each in several:
        if isinstance(each, bool) or not isinstance(each, str | int):
            raise PydanticCustomError("wrong_value", "Expected a text or a whole number, or a list of them")
    return [_plain_text(str(each)) for each in several]


PlainText = Annotated[str, AfterValidator(_plain_text)]
QueryText = Annotated[PlainText, Field(max_length=MAX_CHARACTERS)]
_ONE_VALUE: dict[str, Any] = {"type": ["string", "integer"]}
FilterValues = Annotated[
    list[str],
    BeforeValidator(_several_texts),
    WithJsonSchema(
        {"anyOf": [_ONE_VALUE, {"type": "array", "items": _ONE_VALUE, "minItems": 1, "maxItems": MAX_VALUES}]}
    ),
]


def checked_criterion(
    noun: str | None, q: str, filters: Mapping[str, Sequence[str]], vocabulary: Vocabulary
) -> Criterion:
    """What a body asks of records. Raises `InvalidBodyError`, whose `errors` point to each fault."""
    errors = []
    try:
        Criterion.of(noun, q, FilterSet(noun), vocabulary)
    except InvalidQueryError as fault:
        errors.append({"pointer": "#/q", "detail": fault.detail})
    found: dict[str, tuple[str, ...]] = {}
    for given, values in filters.items():
        name = given.encode(errors="replace").decode()
        try:
            if name == NOT_FOR_CHANGES:
                raise UnknownParameterError(f"`{name}` does not apply to changes.")
            found.update(parse_filters(noun, [(name, value) for value in values], vocabulary).values)
        except (UnknownParameterError, InvalidParameterError) as fault:
            escaped = name.replace("~", "~0").replace("/", "~1")
            errors.append({"pointer": f"#/filters/{escaped}", "detail": fault.detail})
    if errors:
        raise InvalidBodyError("; ".join(error["detail"] for error in errors), errors=errors)
    return Criterion.of(noun, q, FilterSet(noun, found), vocabulary)


def criterion_columns(criterion: Criterion) -> dict[str, Any]:
    """A criterion as tables hold it."""
    return {
        "noun": criterion.noun,
        "q": criterion.query.text,
        "filters": {name: list(values) for name, values in criterion.filters.values.items()},
    }


def stored_criterion(row: Mapping[Any, Any], vocabulary: Vocabulary) -> Criterion:
    """The criterion that a table holds. A field whose value exists no longer is looked for as text."""
    noun = row["noun"]
    filters = FilterSet(noun, {name: tuple(values) for name, values in row["filters"].items()})
    try:
        return Criterion.of(noun, row["q"], filters, vocabulary)
    except InvalidQueryError:
        query = parse_query(row["q"], strict=True)
        return Criterion(noun, filters, query, None if query.whole is None else Matcher(query, strict=True))
