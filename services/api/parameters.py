"""What lists and the feed can be asked for."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from services.api.matching import Criterion, Interest
from services.api.saved_searches import SAVED_SEARCH_PATTERN
from services.api.statistics import MOST_DIMENSIONS, dimensions_of
from services.core.domain.changes import EVENT_TYPES, Cause
from services.core.domain.errors import InvalidParameterError, UnknownParameterError
from services.core.query.filters import FILTERS, FilterSet, Vocabulary, filters_of, parse_filters
from services.core.query.parser import MAX_CHARACTERS
from services.core.runtime.parameters import (
    Parameters,
    choice,
    described,
    described_number,
    invalid,
    query_of,
    single,
    whole_number,
)
from services.core.schemas.filter_values import reference_to, value_schema
from services.core.schemas.names import LANGUAGES
from services.core.schemas.texts import SEARCHED_NOUNS
from services.core.store.paging import CURSOR_PATTERN, DEFAULT_LIMIT, MAX_LIMIT, sorts_of

MAX_SEQ = 2**63 - 1
_EPOCH_PATTERN = "[0-9a-f]{12}"
LONGEST_WAIT = 60
"""Seconds that a reader of the feed may have the answer held back."""
_INTEREST = ("q", "type", "saved_search", "event_type", "cause", "lang")
FindSaved = Callable[[str], Criterion]
"""What a saved search asks for, by its id. Raises `InvalidParameterError` where there is none."""
MOST_GROUPS = 10_000
DEFAULT_GROUPS = 1_000


@dataclass(frozen=True)
class ListQuery:
    """What a list is asked for."""

    filters: FilterSet
    sort: str | None
    cursor: str | None
    limit: int
    language: str


@dataclass(frozen=True)
class StatisticsQuery:
    """What statistics are asked for. `filter_parameters` are the filters as they came."""

    filters: FilterSet
    filter_parameters: Parameters
    group_by: tuple[str, ...]
    limit: int
    language: str


@dataclass(frozen=True)
class FeedQuery:
    """What the feed is asked for. `after` and `epoch` None: it was not said."""

    interest: Interest
    after: int | None
    epoch: str | None
    limit: int
    wait: int
    language: str


def read_list_query(noun: str, parameters: Parameters, vocabulary: Vocabulary) -> ListQuery:
    """Raises `InvalidParameterError` and `UnknownParameterError`, which name the parameter."""
    own = ("sort", "cursor", "limit", "lang")
    return ListQuery(
        filters=parse_filters(noun, [pair for pair in parameters if pair[0] not in own], vocabulary),
        sort=choice(parameters, "sort", sorts_of(noun)),
        cursor=single(parameters, "cursor"),
        limit=read_page_size(parameters),
        language=read_language(parameters),
    )


def read_export_query(noun: str, parameters: Parameters, vocabulary: Vocabulary) -> ListQuery:
    """Raises `InvalidParameterError` and `UnknownParameterError`, which name the parameter."""
    for name in ("limit", "cursor"):
        if any(given == name for given, _ in parameters):
            detail = f"An export is the whole filtered list: `{name}` does not apply to it."
            raise UnknownParameterError(detail, parameter=name)
    return read_list_query(noun, parameters, vocabulary)


def read_statistics_query(noun: str, parameters: Parameters, vocabulary: Vocabulary) -> StatisticsQuery:
    """Raises `InvalidParameterError` and `UnknownParameterError`, which name the parameter."""
    own = ("group_by", "limit", "lang")
    of_filters = [pair for pair in parameters if pair[0] not in own]
    return StatisticsQuery(
        filters=parse_filters(noun, of_filters, vocabulary),
        filter_parameters=of_filters,
        group_by=read_dimensions(noun, parameters),
        limit=whole_number(parameters, "limit", least=1, most=MOST_GROUPS, otherwise=DEFAULT_GROUPS),
        language=read_language(parameters),
    )


def read_dimensions(noun: str, parameters: Parameters) -> tuple[str, ...]:
    """What to count by. Raises `InvalidParameterError`."""
    known = dimensions_of(noun)
    texts = [text.strip() for name, value in parameters if name == "group_by" for text in value.split(",")]
    unknown = [text for text in texts if text not in known]
    if unknown:
        raise invalid("group_by", unknown[0], f"one of {', '.join(known)}")
    dimensions = tuple(dict.fromkeys(texts))
    if not 1 <= len(dimensions) <= MOST_DIMENSIONS:
        raise InvalidParameterError(
            f"`group_by` names {len(dimensions)} dimensions: expected 1 to {MOST_DIMENSIONS} of {', '.join(known)}.",
            parameter="group_by",
        )
    return dimensions


def read_feed_query(parameters: Parameters, vocabulary: Vocabulary, saved: FindSaved) -> FeedQuery:
    """Raises `InvalidParameterError`, `InvalidQueryError` and `UnknownParameterError`, which name the parameter."""
    own = ("after", "epoch", "limit", "wait")
    return FeedQuery(
        interest=read_interest([pair for pair in parameters if pair[0] not in own], vocabulary, saved),
        after=read_seq(single(parameters, "after")),
        epoch=_read_epoch(single(parameters, "epoch")),
        limit=read_page_size(parameters),
        wait=whole_number(parameters, "wait", least=0, most=LONGEST_WAIT, otherwise=0),
        language=read_language(parameters),
    )


def read_interest(parameters: Parameters, vocabulary: Vocabulary, saved: FindSaved) -> Interest:
    """What changes are asked for: words, type, filters and a saved search, event types and causes.

    Raises `InvalidParameterError`, `InvalidQueryError` and `UnknownParameterError`, which name the parameter.
    """
    types = _several(parameters, "event_type", EVENT_TYPES)
    causes = _several(parameters, "cause", list(map(str, Cause)))
    if any(name == "updated_since" for name, _ in parameters):
        raise UnknownParameterError("The feed goes by `after`, not by `updated_since`.", parameter="updated_since")
    noun = choice(parameters, "type", SEARCHED_NOUNS)
    filters = parse_filters(noun, [pair for pair in parameters if pair[0] not in _INTEREST], vocabulary)
    with query_of("q"):
        asked = Criterion.of(noun, single(parameters, "q") or "", filters, vocabulary)
    search_id = single(parameters, "saved_search")
    followed = [] if search_id is None else [saved(search_id)]
    return Interest(tuple(filter(None, [asked, *followed])), types, causes)


def _several(parameters: Parameters, name: str, known: Sequence[str]) -> frozenset[str]:
    """The values of a parameter that takes several of a few. Raises `InvalidParameterError`."""
    values = frozenset(value for given, value in parameters if given == name)
    if unknown := sorted(values - set(known)):
        raise invalid(name, unknown[0], f"one of {', '.join(known)}")
    return values


def read_seq(text: str | None) -> int | None:
    """The number of a change, 0 for the one before the first. Raises `InvalidParameterError`."""
    given = [] if text is None else [("after", text)]
    number = whole_number(given, "after", least=0, most=MAX_SEQ, otherwise=-1)
    return None if text is None else number


def _read_epoch(text: str | None) -> str | None:
    if text is not None and not re.fullmatch(_EPOCH_PATTERN, text):
        raise invalid("epoch", text, "`dataset.epoch` of an answer of the feed")
    return text


def read_language(parameters: Parameters) -> str:
    """The language of names and labels; English where none is asked for."""
    return choice(parameters, "lang", LANGUAGES) or "en"


def read_page_size(parameters: Parameters) -> int:
    """How many entries a page has."""
    return whole_number(parameters, "limit", least=1, most=MAX_LIMIT, otherwise=DEFAULT_LIMIT)


def list_parameters(noun: str) -> list[dict[str, Any]]:
    """The parameters of a list, for the OpenAPI document."""
    return [
        *filter_parameters(noun),
        _LIMIT,
        CURSOR_PARAMETER,
        described("sort", "Order; `-` turns it round.", {"type": "string", "enum": list(sorts_of(noun))}),
        LANGUAGE_PARAMETER,
    ]


def export_parameters(noun: str) -> list[dict[str, Any]]:
    """The parameters of an export, for the OpenAPI document."""
    return [each for each in list_parameters(noun) if each["name"] not in ("limit", "cursor")]


def statistics_parameters(noun: str) -> list[dict[str, Any]]:
    """The parameters of statistics, for the OpenAPI document."""
    return [
        group_by_parameter(noun),
        *filter_parameters(noun),
        described_number("limit", "Groups at most.", least=1, most=MOST_GROUPS, otherwise=DEFAULT_GROUPS),
        LANGUAGE_PARAMETER,
    ]


def group_by_parameter(noun: str) -> dict[str, Any]:
    """The parameter that names dimensions, for the OpenAPI document."""
    dimension = {"type": "string", "enum": list(dimensions_of(noun))}
    return {
        "name": "group_by",
        "in": "query",
        "required": True,
        "description": f"What to count by: up to {MOST_DIMENSIONS}, with commas between them.",
        "schema": {"type": "array", "items": dimension, "minItems": 1, "maxItems": MOST_DIMENSIONS},
        "style": "form",
        "explode": False,
    }


def filter_parameters(noun: str) -> list[dict[str, Any]]:
    """The filters of a noun, for the OpenAPI document."""
    return [_filter(noun, known.name) for known in filters_of(noun)]


def feed_parameters() -> list[dict[str, Any]]:
    """The parameters of the feed, for the OpenAPI document."""
    wait = "Seconds to wait for a change where there is none yet; the answer comes with the first."
    return [
        *interest_parameters(),
        described("after", "Number of the last change you have.", _SEQ | {"default": 0}),
        described(
            "epoch",
            "`dataset.epoch` of the answer in which you got that number: if the service was brought back to an earlier "
            "state since, you are told (410).",
            {"type": "string", "pattern": f"^{_EPOCH_PATTERN}$"},
        ),
        _LIMIT,
        described_number("wait", wait, least=0, most=LONGEST_WAIT, otherwise=0),
        LANGUAGE_PARAMETER,
    ]


def interest_parameters() -> list[dict[str, Any]]:
    """The parameters that choose changes, for the OpenAPI document."""
    words = "Words that the record has to hold, in the query language of the search, without forgiven typing errors."
    return [
        *(_filter(None, name) for name in FILTERS if not FILTERS[name].lists_only),
        described("q", words, {"type": "string", "pattern": r"^[^\x00]*$", "maxLength": MAX_CHARACTERS}),
        described("type", "Kind of records; all if not given.", {"type": "string", "enum": list(SEARCHED_NOUNS)}),
        described(
            "saved_search",
            "Id of a saved search, which the record has to meet beside all else.",
            {"type": "string", "pattern": f"^{SAVED_SEARCH_PATTERN}$"},
        ),
        described("event_type", "Only these types.", reference_to("EventType"), many=True),
        described(
            "cause", "Why changes were made.", {"type": "string", "enum": [str(each) for each in Cause]}, many=True
        ),
    ]


def _filter(noun: str | None, name: str) -> dict[str, Any]:
    known = FILTERS[name]
    meaning = known.nouns[noun] if noun else " / ".join(dict.fromkeys(known.nouns.values()))
    return described(name, f"{meaning} Value: {known.values}.", value_schema(name, noun), many=not known.single)


_SEQ: dict[str, Any] = {"type": "integer", "minimum": 0, "maximum": MAX_SEQ}
_LIMIT = described_number("limit", "Entries a page.", least=1, most=MAX_LIMIT, otherwise=DEFAULT_LIMIT)
CURSOR_PARAMETER = described(
    "cursor",
    "Where to go on: part of `page.next`. It belongs to the filters and the order of its list.",
    {"type": "string", "format": "cursor", "pattern": CURSOR_PATTERN},
)
LANGUAGE_PARAMETER = described(
    "lang",
    "Language of names and labels, and of the text where an official one is held.",
    reference_to("Language"),
)
