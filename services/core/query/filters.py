"""The filters that lists, search, statistics, the feed and webhooks share (DESIGN §5).

Repeating a filter means OR, different filters mean AND. Each declares the nouns it applies to; an unknown or
inapplicable one, or a value it cannot take, is an error that names it.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from services.core.domain.errors import InvalidParameterError, UnknownParameterError
from services.core.domain.kinds import KINDS
from services.core.domain.positions import Position, PositionDetail
from services.core.domain.reviews import MidTermStatus
from services.core.query.value_names import ValueNames

MAX_VALUES = 200
"""How often one filter may be repeated."""

ID_PATTERN = r"[A-Za-z0-9][A-Za-z0-9._~:-]{0,199}"
CODE_PATTERN = r"[A-Za-z0-9][A-Za-z0-9._:-]{0,99}"
GREATEST_NUMBER = 999_999_999
TEXT_LANGUAGES = ("ar", "en", "es", "fr", "pt", "ru", "zh")
"""Languages that documents are held in: the UN's six, and Portuguese."""

_ID = re.compile(ID_PATTERN)
_CODE = re.compile(CODE_PATTERN)
_NUMBER = re.compile(r"[0-9]{1,9}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True)
class Vocabulary:
    """The values that exist: codes of States, groups and blocs, and labels by scheme.

    `families` gives, by id of a label, the codes of all labels that mean the same in other generations of its scheme;
    `names` what the values are called.
    """

    states: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()
    blocs: frozenset[str] = frozenset()
    labels: Mapping[str, frozenset[str]] = field(default_factory=dict)
    families: Mapping[str, frozenset[str]] = field(default_factory=dict)
    names: ValueNames = field(default_factory=ValueNames)


Reader = Callable[[str, str, Vocabulary], str]


@dataclass(frozen=True)
class Filter:
    """One filter. `nouns` maps each noun it applies to to what it means there.

    `choices`: by noun the only values there are, where they differ from noun to noun. `lists_only`: it asks for what
    the record itself does not tell, so that the feed, webhooks and search cannot go by it.
    """

    name: str
    nouns: Mapping[str, str]
    read: Reader
    values: str
    scheme: str | None = None
    single: bool = False
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    lists_only: bool = False

    def read_for(self, noun: str | None, text: str, vocabulary: Vocabulary) -> str:
        """The canonical value that a text means. `noun` None: of any noun. Raises `InvalidParameterError`."""
        choices = self.choices.get(noun or "")
        if choices is None:
            return self.read(self.name, text, vocabulary)
        value = text.strip().lower()
        if value not in choices:
            raise _reject(self.name, text, f"one of {', '.join(choices)}")
        return value


@dataclass(frozen=True)
class FilterSet:
    """Parsed filters of one request: canonical values by filter name, in the order of `FILTERS`."""

    noun: str | None
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.values)

    def without(self, name: str) -> "FilterSet":
        """The same filters less one, for counts that ignore a facet's own filter."""
        return FilterSet(self.noun, {key: value for key, value in self.values.items() if key != name})

    def canonical(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The same for filters that mean the same, whatever the order they came in."""
        return tuple((name, tuple(sorted(self.values[name]))) for name in sorted(self.values))

    def matches(self, terms: Iterable[str]) -> bool:
        """Whether a record with these terms (`schemas.terms.filter_terms`) meets all filters."""
        held = frozenset(terms)
        return all(self._meets(name, wanted, held) for name, wanted in self.values.items())

    @staticmethod
    def _meets(name: str, wanted: tuple[str, ...], held: frozenset[str]) -> bool:
        if name in ("date_from", "date_to"):
            dates = [term.partition(":")[2] for term in held if term.startswith("date:")]
            return any(day >= wanted[0] if name == "date_from" else day <= wanted[0] for day in dates)
        return any(f"{name}:{value}" in held for value in wanted)


def parse_filters(noun: str | None, parameters: Iterable[tuple[str, str]], vocabulary: Vocabulary) -> FilterSet:
    """Read filters from query parameters. `noun` None: a feed of mixed nouns, where every filter may stand.

    Raises `UnknownParameterError` and `InvalidParameterError`.
    """
    found: dict[str, list[str]] = {}
    for name, text in parameters:
        values = found.setdefault(name, [])
        value = filter_for(noun, name).read_for(noun, text, vocabulary)
        if value not in values:
            values.append(value)
    for name, values in found.items():
        if len(values) > (1 if FILTERS[name].single else MAX_VALUES):
            raise InvalidParameterError(f"`{name}` is given {len(values)} different values: too many.", parameter=name)
    return FilterSet(noun, {name: with_families(name, found[name], vocabulary) for name in FILTERS if name in found})


def with_families(name: str, values: Sequence[str], vocabulary: Vocabulary) -> tuple[str, ...]:
    """The values and, for labels, those that mean the same in other generations: filters follow the crosswalk."""
    scheme = FILTERS[name].scheme
    if scheme is None:
        return tuple(values)
    families = (sorted(vocabulary.families.get(f"{scheme}:{value}", ())) for value in values)
    return tuple(dict.fromkeys([*values, *(code for family in families for code in family)]))


def filter_for(noun: str | None, name: str) -> Filter:
    """The filter of this name. Raises `UnknownParameterError` where it does not exist or does not apply."""
    known = FILTERS.get(name)
    if known is None:
        raise UnknownParameterError(f"There is no parameter `{name}` here.", parameter=name)
    if noun is None and known.lists_only:
        raise UnknownParameterError(f"`{name}` is for lists of {', '.join(known.nouns)}.", parameter=name)
    if noun is not None and noun not in known.nouns:
        applies = ", ".join(known.nouns)
        raise UnknownParameterError(f"`{name}` does not apply to {noun}; it applies to {applies}.", parameter=name)
    return known


def filters_of(noun: str) -> list[Filter]:
    """The filters that apply to a noun."""
    return [known for known in FILTERS.values() if noun in known.nouns]


def _reject(name: str, text: str, expected: str) -> InvalidParameterError:
    shown = text if len(text) <= 60 else text[:57] + "…"
    return InvalidParameterError(f"`{name}` cannot be “{shown}”: expected {expected}.", parameter=name)


def _state(name: str, text: str, vocabulary: Vocabulary) -> str:
    code = text.strip().upper()
    if code not in vocabulary.states:
        raise _reject(name, text, "the ISO 3166 alpha-3 code of a State, such as PER (see /v1/states)")
    return code


def _one_of(choose: Callable[[Vocabulary], frozenset[str]], where: str) -> Reader:
    def read(name: str, text: str, vocabulary: Vocabulary) -> str:
        value = text.strip().lower()
        if value not in choose(vocabulary):
            options = ", ".join(sorted(choose(vocabulary))[:20])
            raise _reject(name, text, f"one of {options}{where}")
        return value

    return read


def _label(scheme: str) -> Reader:
    def read(name: str, text: str, vocabulary: Vocabulary) -> str:
        code = text.strip().lower().removeprefix(f"{scheme}:")
        if code not in vocabulary.labels.get(scheme, frozenset()):
            raise _reject(name, text, f"the code of a label of the scheme {scheme} (see /v1/labels?scheme={scheme})")
        return code

    return read


def _number(name: str, text: str, vocabulary: Vocabulary) -> str:  # noqa: ARG001 - one shape for all readers
    if not _NUMBER.fullmatch(text.strip()):
        raise _reject(name, text, "a whole number")
    return str(int(text))


def _identifier(name: str, text: str, vocabulary: Vocabulary) -> str:  # noqa: ARG001
    if not _ID.fullmatch(text.strip()):
        raise _reject(name, text, "an id as the records carry it")
    return text.strip()


def _code(name: str, text: str, vocabulary: Vocabulary) -> str:  # noqa: ARG001
    if not _CODE.fullmatch(text.strip()):
        raise _reject(name, text, "a code as the records carry it")
    return text.strip()


def _date(name: str, text: str, vocabulary: Vocabulary) -> str:  # noqa: ARG001
    try:
        if not _DATE.fullmatch(text.strip()):
            raise ValueError(text)
        return date.fromisoformat(text.strip()).isoformat()
    except ValueError:
        raise _reject(name, text, "a date such as 2014-11-05") from None


def _moment(name: str, text: str, vocabulary: Vocabulary) -> str:  # noqa: ARG001
    try:
        moment = datetime.fromisoformat(text.strip().replace(" ", "+"))
        if moment.tzinfo is None:
            raise ValueError(text)
        return moment.isoformat()
    except (ValueError, OverflowError):
        raise _reject(name, text, "a moment with its offset such as 2026-11-21T09:00:00Z") from None


_POSITIONS = _one_of(lambda _: frozenset(Position), "")
_DETAILS = _one_of(lambda _: frozenset(PositionDetail), "")
_REGIONS = _one_of(lambda vocabulary: vocabulary.regions, "")
_BLOCS = _one_of(lambda vocabulary: vocabulary.blocs, "")
_LANGUAGES = _one_of(lambda _: frozenset(TEXT_LANGUAGES), "")
_KINDS = _one_of(lambda _: frozenset(value for kinds in KINDS.values() for value in kinds), "")
_MID_TERM = _one_of(lambda _: frozenset(MidTermStatus), "")
_SCHEMES = _one_of(lambda vocabulary: frozenset(vocabulary.labels), "")

_ALL = (
    "states", "reviews", "documents", "recommendations", "pledges", "observations", "hearings", "statements",
    "organisations", "labels",
)  # fmt: skip
_ABOUT_A_REVIEW = ("reviews", "documents", "recommendations", "pledges", "hearings", "statements")
_LABELLED = ("recommendations", "pledges", "observations")
_LABELLED_BY_RULE = (*_LABELLED, "statements")
"""Nouns that carry labels of schemes which rules give. What is said in a dialogue nobody codes otherwise."""


def _means(nouns: Iterable[str], meaning: str) -> dict[str, str]:
    return dict.fromkeys(nouns, meaning)


def _labels(name: str, scheme: str, what: str, nouns: Iterable[str] = _LABELLED) -> Filter:
    meaning = f"Records that carry this {what}."
    return Filter(name, _means(nouns, meaning), _label(scheme), f"code of a label `{scheme}`", scheme)


_DATES = {
    "reviews": "the day of the review",
    "documents": "the day of publication",
    "recommendations": "the day of the review in which it was made",
    "pledges": "the day of the review in which it was made",
    "observations": "the day the document was published",
    "hearings": "the day of the hearing",
    "statements": "the day of the hearing",
}

FILTERS: dict[str, Filter] = {
    known.name: known
    for known in (
        Filter("id", _means(_ALL, "The record's id."), _identifier, "id"),
        Filter(
            "external_id",
            _means(("recommendations",), "Id in another system: `uhri:…`, `upr-info:…`."),
            _identifier,
            "id",
        ),
        Filter(
            "state_under_review",
            {
                **_means(_ABOUT_A_REVIEW, "State whose record is reviewed."),
                "observations": "State that the observation addresses.",
            },
            _state,
            "alpha-3 code of a State",
        ),
        Filter(
            "recommending_state",
            _means(("recommendations",), "State that made the recommendation, alone or with others."),
            _state,
            "alpha-3 code of a State",
        ),
        Filter(
            "region",
            {
                **_means(_ABOUT_A_REVIEW, "UN regional group of the State under review."),
                "states": "UN regional group of the State.",
            },
            _REGIONS,
            "code of a regional group",
        ),
        Filter(
            "recommending_region",
            _means(("recommendations",), "UN regional group of a recommending State."),
            _REGIONS,
            "code of a regional group",
        ),
        Filter(
            "bloc",
            {
                **_means(_ABOUT_A_REVIEW, "Organisation that the State under review belongs to."),
                "states": "Organisation that the State belongs to.",
            },
            _BLOCS,
            "code of a bloc",
        ),
        Filter(
            "recommending_bloc",
            _means(("recommendations",), "Organisation that a recommending State belongs to."),
            _BLOCS,
            "code of a bloc",
        ),
        Filter("review", _means(_ABOUT_A_REVIEW[1:], "Review, such as PER-2."), _identifier, "id of a review"),
        Filter(
            "cycle",
            _means(("reviews", "documents", "recommendations", "pledges", "statements"), "Cycle of the review."),
            _number,
            "number",
        ),
        Filter("session", _means(_ABOUT_A_REVIEW, "Session of the UPR Working Group."), _number, "number"),
        Filter(
            "council_session",
            _means(("documents", "hearings"), "Session of the Human Rights Council."),
            _number,
            "number",
        ),
        Filter(
            "iachr_period",
            _means(("hearings",), "Period of sessions of the Inter-American Commission on Human Rights."),
            _number,
            "number",
        ),
        Filter(
            "position",
            _means(("recommendations",), "What the State under review answered."),
            _POSITIONS,
            "supported, noted or pending",
        ),
        Filter(
            "position_detail",
            _means(("recommendations",), "What the State added to its answer."),
            _DETAILS,
            "implemented, in_process, partial or not_supported",
        ),
        Filter(
            "mid_term",
            _means(("reviews",), "What is known of the State's voluntary mid-term report."),
            _MID_TERM,
            "submitted, suggested or not_seen",
            lists_only=True,
        ),
        _labels("topic", "topic", "topic", _LABELLED_BY_RULE),
        _labels("theme", "ohchr-theme", "OHCHR theme"),
        _labels("issue", "upr-info-issue", "UPR Info issue"),
        _labels("sdg", "sdg", "Sustainable Development Goal"),
        _labels("sdg_target", "sdg-target", "SDG target"),
        _labels("group", "group", "group of persons", _LABELLED_BY_RULE),
        _labels("action", "action", "action category"),
        _labels("instrument", "instrument", "instrument", _LABELLED_BY_RULE),
        _labels("addressee", "addressee", "body within the State", _LABELLED_BY_RULE),
        Filter(
            "document",
            _means(
                ("reviews", "recommendations", "pledges", "hearings", "statements"),
                "Document it is read from.",
            ),
            _identifier,
            "id of a document, such as A-HRC-22-15",
        ),
        Filter("hearing", _means(("statements",), "Hearing at which it was made."), _identifier, "id of a hearing"),
        Filter(
            "organisation",
            _means(("hearings",), "Organisation that asked for the hearing."),
            _code,
            "id of an organisation",
        ),
        Filter("role", _means(("organisations",), "What the organisation is or was: coalition, nhri …"), _code, "code"),
        Filter(
            "member_of",
            _means(("organisations",), "Organisation that it is or was a member of."),
            _code,
            "id of an organisation",
        ),
        Filter("speaker", _means(("statements",), "State (or organisation) that spoke."), _code, "code"),
        Filter(
            "kind",
            {
                "documents": "Kind of document, such as working_group_report.",
                "hearings": "Kind of hearing, such as working_group_review.",
                "statements": "Kind of statement, such as dialogue.",
                "observations": "recommendation or concern.",
            },
            _KINDS,
            "kind of the noun, listed in `/openapi.json`",
            choices={noun: tuple(kinds) for noun, kinds in KINDS.items()},
        ),
        Filter("scheme", _means(("labels",), "Vocabulary that the label belongs to."), _SCHEMES, "code of a scheme"),
        Filter(
            "language",
            {
                "documents": "Language that a file of the document is held in.",
                "recommendations": "Language of the text or of an official translation.",
                **_means(("pledges", "observations", "statements"), "Language of the text."),
            },
            _LANGUAGES,
            "code of a language",
        ),
        Filter(
            "date_from",
            {noun: f"Not before: {meaning}." for noun, meaning in _DATES.items()},
            _date,
            "date",
            single=True,
        ),
        Filter(
            "date_to", {noun: f"Not after: {meaning}." for noun, meaning in _DATES.items()}, _date, "date", single=True
        ),
        Filter(
            "updated_since",
            _means(_ALL, "Records created or changed since this moment (lists only)."),
            _moment,
            "moment with its offset",
            single=True,
            lists_only=True,
        ),
    )
}
"""All filters by name."""
