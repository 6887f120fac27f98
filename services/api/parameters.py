"""Query parameters of lists and of the feed: read strictly, and described for the OpenAPI document."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from services.core.domain.changes import EVENT_TYPES
from services.core.domain.errors import InvalidParameterError, UnknownParameterError
from services.core.query.filters import FILTERS, FilterSet, Vocabulary, filters_of, parse_filters
from services.core.schemas.names import LANGUAGES
from services.core.store.paging import DEFAULT_LIMIT, MAX_LIMIT, sorts_of

Parameters = Sequence[tuple[str, str]]

MAX_SEQ = 2**63 - 1


@dataclass(frozen=True)
class ListQuery:
    """What a list is asked for."""

    filters: FilterSet
    sort: str | None
    cursor: str | None
    limit: int
    language: str


@dataclass(frozen=True)
class FeedQuery:
    """What the feed is asked for."""

    filters: FilterSet
    event_types: frozenset[str]
    after: int
    limit: int
    language: str


def read_list_query(noun: str, parameters: Parameters, vocabulary: Vocabulary) -> ListQuery:
    """Raises `InvalidParameterError` and `UnknownParameterError`, which name the parameter."""
    own = {name: _single(parameters, name) for name in ("sort", "cursor", "limit", "lang")}
    filters = parse_filters(noun, [pair for pair in parameters if pair[0] not in own], vocabulary)
    return ListQuery(filters, own["sort"], own["cursor"], _limit(own["limit"]), read_language(own["lang"]))


def read_feed_query(parameters: Parameters, vocabulary: Vocabulary) -> FeedQuery:
    """Raises `InvalidParameterError` and `UnknownParameterError`, which name the parameter."""
    own = {name: _single(parameters, name) for name in ("after", "limit", "lang")}
    types = frozenset(value for name, value in parameters if name == "event_type")
    if unknown := sorted(types - set(EVENT_TYPES)):
        raise InvalidParameterError(
            f"`event_type` cannot be “{unknown[0][:60]}”: expected one of {', '.join(EVENT_TYPES)}.",
            parameter="event_type",
        )
    if any(name == "updated_since" for name, _ in parameters):
        raise UnknownParameterError("The feed goes by `after`, not by `updated_since`.", parameter="updated_since")
    rest = [pair for pair in parameters if pair[0] not in own and pair[0] != "event_type"]
    after = _whole_number("after", own["after"], 0, MAX_SEQ) if own["after"] is not None else 0
    return FeedQuery(
        parse_filters(None, rest, vocabulary), types, after, _limit(own["limit"]), read_language(own["lang"])
    )


def read_language(value: str | None) -> str:
    """The language of names and labels; English where none is asked for."""
    if value is None:
        return "en"
    if value not in LANGUAGES:
        expected = ", ".join(LANGUAGES)
        raise InvalidParameterError(f"`lang` cannot be “{value[:60]}”: expected one of {expected}.", parameter="lang")
    return value


def only_language(parameters: Parameters) -> str:
    """The language of a detail, which takes no other parameter."""
    return read_language(_single(parameters, "lang"))


def _single(parameters: Iterable[tuple[str, str]], name: str) -> str | None:
    values = [value for key, value in parameters if key == name]
    if len(values) > 1:
        raise InvalidParameterError(f"`{name}` is given {len(values)} times; it takes one value.", parameter=name)
    return values[0] if values else None


def _limit(text: str | None) -> int:
    return DEFAULT_LIMIT if text is None else _whole_number("limit", text, 1, MAX_LIMIT)


def _whole_number(name: str, text: str, least: int, most: int) -> int:
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 20 else None
    if number is None or not least <= number <= most:
        raise InvalidParameterError(
            f"`{name}` cannot be “{text[:60]}”: expected a whole number from {least} to {most}.", parameter=name
        )
    return number


def list_parameters(noun: str) -> list[dict[str, Any]]:
    """The parameters of a list, for the OpenAPI document."""
    own = [
        parameter("limit", "Records a page.", {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": 50}),
        parameter("cursor", "Where to go on, from `page.next`.", {"type": "string"}),
        parameter("sort", "Order; `-` turns it round.", {"type": "string", "enum": list(sorts_of(noun))}),
        LANGUAGE_PARAMETER,
    ]
    return [*(filter_parameter(noun, known.name) for known in filters_of(noun)), *own]


def feed_parameters() -> list[dict[str, Any]]:
    """The parameters of the feed, for the OpenAPI document."""
    own = [
        parameter(
            "after",
            "Number of the last change you have; 0 for all.",
            {"type": "integer", "minimum": 0, "maximum": MAX_SEQ, "default": 0},
        ),
        parameter("limit", "Changes a page.", {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": 50}),
        parameter("event_type", "Only these types.", {"type": "string", "enum": list(EVENT_TYPES)}, many=True),
        LANGUAGE_PARAMETER,
    ]
    return [*(filter_parameter(None, name) for name in FILTERS if name != "updated_since"), *own]


def filter_parameter(noun: str | None, name: str) -> dict[str, Any]:
    """One filter, for the OpenAPI document."""
    known = FILTERS[name]
    meaning = known.nouns[noun] if noun else " / ".join(dict.fromkeys(known.nouns.values()))
    return parameter(name, f"{meaning} Value: {known.values}.", {"type": "string"}, many=not known.single)


def parameter(name: str, description: str, schema: dict[str, Any], *, many: bool = False) -> dict[str, Any]:
    """One query parameter, for the OpenAPI document. `many`: it may be repeated, which means OR."""
    if many:
        schema = {"type": "array", "items": schema}
        description += " Repeat for OR."
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


LANGUAGE_PARAMETER = parameter(
    "lang",
    "Language of names and labels, and of the text where an official one is held.",
    {"type": "string", "enum": list(LANGUAGES), "default": "en"},
)
