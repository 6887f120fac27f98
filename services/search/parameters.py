"""Query parameters of searches: read strictly, and described for the OpenAPI document."""

from dataclasses import dataclass
from typing import Any

from services.core.domain.errors import NotFoundError, UnknownParameterError
from services.core.query.filters import FILTERS, FilterSet, Vocabulary, parse_filters
from services.core.query.parser import MAX_CHARACTERS, parse_query
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
from services.search.documents import FILTER_NAMES
from services.search.engines.base import MAX_PER_PAGE, TYPE, YEAR, SearchRequest
from services.search.similar import NOUN, SCOPES

SORTS = ("relevance", "date", "-date", "number", "-number")
DEFAULT_PER_PAGE = 20
MAX_PAGE = 10_000_000
FACET_SORTS = ("count", "name")
MAX_FACET_LIMIT = 10_000
DEFAULT_FACET_LIMIT = 100
MAX_SIMILAR = 50
DEFAULT_SIMILAR = 10
MAX_SUGGESTIONS = 50
DEFAULT_SUGGESTIONS = 10
_OWN = ("type", "page", "per_page", "sort", "strict", "lang", "facets", "facet_sort", "facet_limit")
_OF_PAGES = ("page", "per_page", "facets", "facet_sort", "facet_limit")
"""What a search is asked for, and the values of one facet are not."""
_NO_FACETS = ("id", "external_id", "language")
FACETS = tuple(name for name in FILTER_NAMES if name not in _NO_FACETS)
"""Filters that are facets, too."""
COUNTED = (*FACETS, TYPE, YEAR)
"""All facets: every record has a type, and the range of dates is the filter of the years."""
_TEXT = {"type": "string", "pattern": r"^[^\x00]*$", "maxLength": MAX_CHARACTERS}


@dataclass(frozen=True)
class FacetOrder:
    """How the values of facets are shown. `sort` None: the most frequent first, years in their order."""

    sort: str | None = None
    limit: int = MAX_FACET_LIMIT


@dataclass(frozen=True)
class SearchQuery:
    """What a search is asked for."""

    request: SearchRequest
    language: str
    facet_order: FacetOrder = FacetOrder()


@dataclass(frozen=True)
class FacetQuery:
    """Which values of one facet are asked for: of the records that `search` finds, those whose names `q` may mean."""

    search: SearchQuery
    q: str
    order: FacetOrder


@dataclass(frozen=True)
class SuggestQuery:
    """What was typed, and which suggestions are asked for. `noun`: to find records of this type alone."""

    q: str
    noun: str | None
    language: str
    limit: int

    @property
    def of_searches(self) -> list[tuple[str, str]]:
        """What the searches that are suggested ask for besides."""
        return [*([("type", self.noun)] if self.noun else []), *([("lang", self.language)] * (self.language != "en"))]


def read_suggest_query(parameters: Parameters) -> SuggestQuery:
    """Raises `InvalidParameterError`."""
    return SuggestQuery(
        typed_text(parameters, "q"),
        choice(parameters, "type", SEARCHED_NOUNS),
        choice(parameters, "lang", LANGUAGES) or "en",
        whole_number(parameters, "limit", least=1, most=MAX_SUGGESTIONS, otherwise=DEFAULT_SUGGESTIONS),
    )


@dataclass(frozen=True)
class SimilarQuery:
    """Which of the recommendations that are like one are asked for. `request` has the filters."""

    request: SearchRequest
    scope: str
    language: str
    limit: int


def read_similar_query(parameters: Parameters, vocabulary: Vocabulary) -> SimilarQuery:
    """Raises `InvalidParameterError` and `UnknownParameterError`."""
    filters = parse_filters(
        NOUN, [pair for pair in parameters if pair[0] not in ("scope", "lang", "limit")], vocabulary
    )
    return SimilarQuery(
        SearchRequest(
            parse_query(""),
            NOUN,
            {name: values for name, values in filters.values.items() if not FILTERS[name].single},
            _one(filters, "date_from"),
            _one(filters, "date_to"),
        ),
        choice(parameters, "scope", SCOPES) or "all",
        choice(parameters, "lang", LANGUAGES) or "en",
        whole_number(parameters, "limit", least=1, most=MAX_SIMILAR, otherwise=DEFAULT_SIMILAR),
    )


def read_search_query(parameters: Parameters, vocabulary: Vocabulary, *, words: str = "q") -> SearchQuery:
    """`words` is the parameter that holds the query.

    Raises `InvalidParameterError`, `UnknownParameterError` and `InvalidQueryError`, which name the parameter at fault.
    """
    noun = choice(parameters, "type", SEARCHED_NOUNS)
    filters = parse_filters(noun, [pair for pair in parameters if pair[0] not in (words, *_OWN)], vocabulary)
    if "updated_since" in filters.values:
        raise UnknownParameterError("`updated_since` is for lists, not for search.", parameter="updated_since")
    sort = choice(parameters, "sort", SORTS)
    strict = choice(parameters, "strict", ("true", "false")) == "true"
    with query_of(words):
        query = parse_query(single(parameters, words) or "", vocabulary, noun, strict=strict)
    return SearchQuery(
        SearchRequest(
            query=query,
            type=noun,
            filters={name: values for name, values in filters.values.items() if not FILTERS[name].single},
            date_from=_one(filters, "date_from"),
            date_to=_one(filters, "date_to"),
            facets=_facets(parameters, noun),
            page=whole_number(parameters, "page", least=1, most=MAX_PAGE, otherwise=1),
            per_page=whole_number(parameters, "per_page", least=0, most=MAX_PER_PAGE, otherwise=DEFAULT_PER_PAGE),
            sort=None if sort == "relevance" else sort,
            strict=strict,
        ),
        choice(parameters, "lang", LANGUAGES) or "en",
        FacetOrder(
            choice(parameters, "facet_sort", FACET_SORTS),
            whole_number(parameters, "facet_limit", least=1, most=MAX_FACET_LIMIT, otherwise=MAX_FACET_LIMIT),
        ),
    )


def read_export_query(parameters: Parameters, vocabulary: Vocabulary) -> SearchQuery:
    """Of an export: all that a search finds, in its order. Raises what `read_search_query` raises."""
    for name, _ in parameters:
        if name in _OF_PAGES:
            detail = f"An export is all that is found: `{name}` does not apply to it."
            raise UnknownParameterError(detail, parameter=name)
    return read_search_query([*parameters, ("per_page", str(MAX_PER_PAGE))], vocabulary)


def read_facet_query(name: str, parameters: Parameters, vocabulary: Vocabulary) -> FacetQuery:
    """Of a request for the values of one facet. `search` is there what `q` is in a search.

    Raises `NotFoundError` where there is no such facet, and what `read_search_query` raises.
    """
    if name not in COUNTED:
        raise NotFoundError(f"There is no facet {name[:60]}; there are {', '.join(COUNTED)}.")
    noun = choice(parameters, "type", SEARCHED_NOUNS)
    if noun and not is_facet(name, noun):
        known = ", ".join(each for each in SEARCHED_NOUNS if is_facet(name, each))
        raise invalid("type", noun, f"one of {known}, which have `{name}`")
    of_search = [pair for pair in parameters if pair[0] not in ("q", "sort", "limit")]
    for key, _ in of_search:
        if key in _OF_PAGES:
            raise UnknownParameterError(f"There is no parameter `{key}` here.", parameter=key)
    return FacetQuery(
        read_search_query([*of_search, ("facets", name), ("per_page", "0")], vocabulary, words="search"),
        typed_text(parameters, "q"),
        FacetOrder(
            choice(parameters, "sort", FACET_SORTS),
            whole_number(parameters, "limit", least=1, most=MAX_FACET_LIMIT, otherwise=DEFAULT_FACET_LIMIT),
        ),
    )


def typed_text(parameters: Parameters, name: str) -> str:
    """What somebody types to find a name. Raises `InvalidParameterError` where no name is that long."""
    text = single(parameters, name) or ""
    if len(text) > MAX_TYPED:
        raise invalid(name, text, f"at most {MAX_TYPED} characters")
    return text


def _one(filters: FilterSet, name: str) -> str | None:
    return filters.values[name][0] if name in filters.values else None


def _facets(parameters: Parameters, noun: str | None) -> tuple[str, ...]:
    wanted = [name.strip() for key, value in parameters if key == "facets" for name in value.split(",")]
    names = tuple(dict.fromkeys(name for name in wanted if name))
    for name in names:
        if not is_facet(name, noun):
            raise invalid("facets", name, f"some of {', '.join(each for each in COUNTED if is_facet(each, noun))}")
    return names


def is_facet(name: str, noun: str | None) -> bool:
    """Whether records of this noun can be counted by it."""
    if name not in FACETS:
        return name in COUNTED
    return noun is None or noun in FILTERS[name].nouns


def search_parameters() -> list[dict[str, Any]]:
    """The parameters of a search, for the OpenAPI document."""
    words = "Words (typing errors forgiven), “phrases” in quotes, -not, OR, fields (from:Spain). All words must match."
    facets = "Filters to count by, `type` and `year`, with commas between them. With a `type`, those that apply to it."
    counted = {"type": "array", "items": {"type": "string", "enum": list(COUNTED)}}
    return [
        described("q", words, _TEXT),
        _TYPE,
        {**described("facets", facets, counted), "style": "form", "explode": False},
        described("facet_sort", _FACET_SORT, {"type": "string", "enum": list(FACET_SORTS)}),
        described_number(
            "facet_limit", "Values of each facet.", least=1, most=MAX_FACET_LIMIT, otherwise=MAX_FACET_LIMIT
        ),
        described_number("page", "Page.", least=1, most=MAX_PAGE, otherwise=1),
        described_number("per_page", "Hits a page.", least=0, most=MAX_PER_PAGE, otherwise=DEFAULT_PER_PAGE),
        described("sort", "Order.", {"type": "string", "enum": list(SORTS), "default": "relevance"}),
        *_READING,
        *filter_parameters(),
    ]


def export_parameters() -> list[dict[str, Any]]:
    """The parameters of an export, for the OpenAPI document."""
    return [each for each in search_parameters() if each["name"] not in _OF_PAGES]


def facet_parameters() -> list[dict[str, Any]]:
    """The parameters of the values of one facet, for the OpenAPI document."""
    typed = (
        "What the values are called, or the beginning of any word of it, in any language. One typing error is "
        "forgiven from five letters."
    )
    return [
        described("q", typed, TYPED_SCHEMA),
        described("search", "Words that the counted records must match: what `q` is in a search.", _TEXT),
        _TYPE,
        described("sort", _FACET_SORT, {"type": "string", "enum": list(FACET_SORTS)}),
        described_number("limit", "Values.", least=1, most=MAX_FACET_LIMIT, otherwise=DEFAULT_FACET_LIMIT),
        *_READING,
        *filter_parameters(),
    ]


def suggest_parameters() -> list[dict[str, Any]]:
    """The parameters of suggestions, for the OpenAPI document."""
    typed = (
        "What is typed: the beginning of any words of a name, in any language (one typing error is forgiven from five "
        "letters), of a symbol or a number."
    )
    return [
        described("q", typed, TYPED_SCHEMA | {"examples": ["tortu"]}),
        _TYPE,
        described_number("limit", "Suggestions.", least=1, most=MAX_SUGGESTIONS, otherwise=DEFAULT_SUGGESTIONS),
        LANGUAGE_PARAMETER,
    ]


def similar_parameters() -> list[dict[str, Any]]:
    """The parameters of recommendations like one, for the OpenAPI document."""
    scope = "To the same State (in `earlier` or `later` cycles), to `other_states`, or `all`."
    return [
        described("scope", scope, {"type": "string", "enum": list(SCOPES), "default": "all"}),
        described_number("limit", "Recommendations.", least=1, most=MAX_SIMILAR, otherwise=DEFAULT_SIMILAR),
        LANGUAGE_PARAMETER,
        *filter_parameters(NOUN),
    ]


def filter_parameters(noun: str | None = None) -> list[dict[str, Any]]:
    """The filters, for the OpenAPI document: those that apply to a noun, or all."""
    names = (*FILTER_NAMES, "date_from", "date_to")
    return [_filter(name) for name in names if noun is None or noun in FILTERS[name].nouns]


MAX_TYPED = 200
"""Characters that somebody may type to find a name."""
TYPED_SCHEMA = {"type": "string", "pattern": r"^[^\x00]*$", "maxLength": MAX_TYPED}
_TYPE = described("type", "Kind of records; all if not given.", {"type": "string", "enum": list(SEARCHED_NOUNS)})
_FACET_SORT = "By count, the most frequent first, or by name. If not given, by count, and years in their order."
LANGUAGE_PARAMETER = described("lang", "Language of names and labels.", reference_to("Language"))
_READING = (
    described("strict", "No typing errors, nothing unfinished.", {"type": "string", "enum": ["true", "false"]}),
    LANGUAGE_PARAMETER,
)


def _filter(name: str) -> dict[str, Any]:
    known = FILTERS[name]
    meaning = " / ".join(dict.fromkeys(known.nouns.values()))
    return described(name, f"{meaning} Value: {known.values}.", value_schema(name), many=not known.single)
