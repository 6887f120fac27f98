"""Query parameters of searches: read strictly, and described for the OpenAPI document."""

from dataclasses import dataclass
from typing import Any

from services.core.domain.errors import UnknownParameterError
from services.core.query.filters import FILTERS, FilterSet, Vocabulary, parse_filters
from services.core.query.parser import MAX_CHARACTERS, parse_query
from services.core.runtime.parameters import (
    Parameters,
    choice,
    described,
    described_number,
    invalid,
    single,
    whole_number,
)
from services.core.schemas.filter_values import reference_to, value_schema
from services.core.schemas.names import LANGUAGES
from services.core.schemas.texts import SEARCHED_NOUNS
from services.search.documents import FILTER_NAMES
from services.search.engines.base import MAX_PER_PAGE, SearchRequest

SORTS = ("relevance", "date", "-date", "number", "-number")
DEFAULT_PER_PAGE = 20
MAX_PAGE = 10_000_000
_OWN = ("q", "type", "page", "per_page", "sort", "strict", "lang", "facets")
_NO_FACETS = ("id", "external_id", "language")
FACETS = tuple(name for name in FILTER_NAMES if name not in _NO_FACETS)


@dataclass(frozen=True)
class SearchQuery:
    """What a search is asked for."""

    request: SearchRequest
    language: str


def read_search_query(parameters: Parameters, vocabulary: Vocabulary) -> SearchQuery:
    """Raises `InvalidParameterError`, `UnknownParameterError` and `InvalidQueryError`, which name the fault."""
    noun = choice(parameters, "type", SEARCHED_NOUNS)
    filters = parse_filters(noun, [pair for pair in parameters if pair[0] not in _OWN], vocabulary)
    if "updated_since" in filters.values:
        raise UnknownParameterError("`updated_since` is for lists, not for search.", parameter="updated_since")
    sort = choice(parameters, "sort", SORTS)
    return SearchQuery(
        SearchRequest(
            query=parse_query(single(parameters, "q") or ""),
            type=noun,
            filters={name: values for name, values in filters.values.items() if not FILTERS[name].single},
            date_from=_one(filters, "date_from"),
            date_to=_one(filters, "date_to"),
            facets=_facets(parameters, noun),
            page=whole_number(parameters, "page", least=1, most=MAX_PAGE, otherwise=1),
            per_page=whole_number(parameters, "per_page", least=0, most=MAX_PER_PAGE, otherwise=DEFAULT_PER_PAGE),
            sort=None if sort == "relevance" else sort,
            strict=choice(parameters, "strict", ("true", "false")) == "true",
        ),
        choice(parameters, "lang", LANGUAGES) or "en",
    )


def _one(filters: FilterSet, name: str) -> str | None:
    return filters.values[name][0] if name in filters.values else None


def _facets(parameters: Parameters, noun: str | None) -> tuple[str, ...]:
    wanted = [name.strip() for key, value in parameters if key == "facets" for name in value.split(",")]
    names = tuple(dict.fromkeys(name for name in wanted if name))
    for name in names:
        if name != "type" and (name not in FACETS or (noun and noun not in FILTERS[name].nouns)):
            known = ", ".join(each for each in FACETS if not noun or noun in FILTERS[each].nouns)
            raise invalid("facets", name, f"some of {known}, type")
    return names


def search_parameters() -> list[dict[str, Any]]:
    """The parameters of a search, for the OpenAPI document."""
    words = "Words (typing errors forgiven), “phrases” in quotes, -not, OR. All words must match."
    facets = "Filters to count by, with commas between them. With a `type`, those that apply to it."
    counted = {"type": "array", "items": {"type": "string", "enum": [*FACETS, "type"]}}
    return [
        described("q", words, {"type": "string", "pattern": r"^[^\x00]*$", "maxLength": MAX_CHARACTERS}),
        described("type", "Kind of records; all if not given.", {"type": "string", "enum": list(SEARCHED_NOUNS)}),
        {**described("facets", facets, counted), "style": "form", "explode": False},
        described_number("page", "Page.", least=1, most=MAX_PAGE, otherwise=1),
        described_number("per_page", "Hits a page.", least=0, most=MAX_PER_PAGE, otherwise=DEFAULT_PER_PAGE),
        described("sort", "Order.", {"type": "string", "enum": list(SORTS), "default": "relevance"}),
        described("strict", "No typing errors, nothing unfinished.", {"type": "string", "enum": ["true", "false"]}),
        described("lang", "Language of names and labels.", reference_to("Language")),
        *(_filter(name) for name in (*FILTER_NAMES, "date_from", "date_to")),
    ]


def _filter(name: str) -> dict[str, Any]:
    known = FILTERS[name]
    meaning = " / ".join(dict.fromkeys(known.nouns.values()))
    return described(name, f"{meaning} Value: {known.values}.", value_schema(name), many=not known.single)
