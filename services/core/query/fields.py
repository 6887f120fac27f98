"""Fields within a query: `from:Spain`, `cycle:2..4`, `topic:"torture prevention"`. What they are called, and mean.

A field asks for what one or several filters ask for; `fields.toml` holds their names. A value is what the filter takes,
or any name of it: of a State, a group of States, a label, in any language. `a,b` is either of two, `a..b` a range.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from services.core.domain.errors import InvalidParameterError, InvalidQueryError
from services.core.domain.positions import Position, PositionDetail
from services.core.query.analysis import fold
from services.core.query.filters import FILTERS, MAX_VALUES, TEXT_LANGUAGES, Vocabulary, filter_for, with_families
from services.core.query.tree import Dates, Either, Field, Node
from services.core.query.value_names import STATE, fixed_names

TYPE = "type"
"""The field for the kind of record. It is no filter of lists, which hold one kind each."""
_DATE_ENDS = {"date": (True, True), "date_from": (True, False), "date_to": (False, True)}
"""Which ends of a range a date is, by filter; `date` is both."""
_PLACES = {
    "state_under_review": (STATE,),
    "recommending_state": (STATE,),
    "speaker": (STATE, "region", "bloc"),
    "region": ("region",),
    "recommending_region": ("region",),
    "bloc": ("bloc",),
    "recommending_bloc": ("bloc",),
}
"""Whose names the values of filters are. Those of labels are named by the filter's scheme."""
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "position": tuple(Position),
    "position_detail": tuple(PositionDetail),
    "language": TEXT_LANGUAGES,
}
_NUMBERS = frozenset({"cycle", "session", "council_session", "iachr_period"})
_SHOWN = 60
_SUGGESTED = 3
_DAY = re.compile(r"\d{4}(?:-\d{2}(?:-\d{2})?)?", re.ASCII)
_NO_LETTER = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a field asks for: any of the values of these filters, or any of the ranges of dates.

    Among the values of numbers are ranges with an open end, as they are typed ("3..").
    """

    field: str
    filters: Mapping[str, tuple[str, ...]]
    dates: tuple[Dates, ...] = ()

    def or_(self, other: "Asked") -> "Asked":
        """Either. Both are of one field."""
        names = dict.fromkeys([*self.filters, *other.filters])
        several = {name: (*self.filters.get(name, ()), *other.filters.get(name, ())) for name in names}
        filters = {name: tuple(dict.fromkeys(values)) for name, values in several.items()}
        for name, values in filters.items():
            if len(values) > MAX_VALUES:
                raise InvalidQueryError(f"`{self.field}:` asks for more than {MAX_VALUES} values of {name}.")
        return Asked(self.field, filters, (*self.dates, *other.dates))

    @property
    def node(self) -> Node:
        """The same as a condition."""
        nodes: list[Node] = [_condition(name, values) for name, values in self.filters.items()]
        nodes += self.dates
        return nodes[0] if len(nodes) == 1 else Either(tuple(nodes))


def _condition(name: str, values: tuple[str, ...]) -> Field:
    if name not in _NUMBERS:
        return Field(name, values)
    numbers = dict.fromkeys(number for value in values for number in _numbers_of(value))
    return Field(name, tuple(numbers), asked=values)


def _numbers_of(value: str) -> Sequence[str]:
    """All numbers that a value of `_numbers` stands for."""
    first, dots, _ = value.partition("..")
    return [str(number) for number in range(int(first), int(first) + MAX_VALUES)] if dots else [first]


def field_called(name: str) -> str | None:
    """The field of this name, in any language; None where there is none."""
    return _fields_by_name().get(fold(name))


def field_names() -> Mapping[str, tuple[str, ...]]:
    """The fields that have names of their own beside their filter's, with these: `from` is also `de`."""
    return {name: tuple(entry.get("also", ())) for name, entry in _facts().items() if "filters" in entry}


def read_field(field: str, texts: Sequence[str], vocabulary: Vocabulary, noun: str | None = None) -> Asked:
    """What a field (of `field_called`) with these values asks for. `noun` None: of records of all types.

    Raises `InvalidQueryError`, which names the value and, where it can, what may be meant.
    """
    texts = [text.strip() for text in texts if text.strip()]
    if not texts:
        raise InvalidQueryError(f"`{field}:` has no value: put it right behind the colon.", field=field)
    filters = _applying(field, noun)
    asked = Asked(field, {})
    for each in texts:
        asked = asked.or_(_read(field, each, filters, vocabulary, noun))
    return asked


def is_value(field: str, text: str, vocabulary: Vocabulary, noun: str | None = None) -> bool:
    """Whether a text is a value of a field, by its code or by any name. Of numbers and dates nothing is."""
    filters = _filters_of(field)
    if filters[0] in _DATE_ENDS or filters[0] in _NUMBERS:
        return False
    return any(_values(name, text, vocabulary, noun, len(filters) == 1) for name in _applying(field, noun))


def _applying(field: str, noun: str | None) -> tuple[str, ...]:
    """The filters that a field asks for and that apply to the noun."""
    filters = _filters_of(field)
    applying = tuple(name for name in filters if noun is None or name == TYPE or noun in _nouns_of(name))
    if not applying:
        nouns = ", ".join(dict.fromkeys(each for name in filters for each in _nouns_of(name)))
        raise InvalidQueryError(f"`{field}:` does not apply to {noun}; it applies to {nouns}.", field=field)
    return applying


def _nouns_of(name: str) -> Mapping[str, str]:
    return FILTERS["date_from" if name == "date" else name].nouns


def _read(field: str, text: str, filters: tuple[str, ...], vocabulary: Vocabulary, noun: str | None) -> Asked:
    if filters[0] in _DATE_ENDS:
        return Asked(field, {}, (_dates(field, text, *_DATE_ENDS[filters[0]]),))
    if filters[0] in _NUMBERS:
        return Asked(field, {filters[0]: _numbers(field, text)})
    found = {name: values for name in filters if (values := _values(name, text, vocabulary, noun, len(filters) == 1))}
    # "CAN" is Canada before it is the Andean Community.
    states = {name: values for name, values in found.items() if vocabulary.states.issuperset(values)}
    if not found:
        raise _unknown(field, text, filters, vocabulary, noun)
    return Asked(field, states or found)


def _values(name: str, text: str, vocabulary: Vocabulary, noun: str | None, alone: bool) -> tuple[str, ...]:
    """The values of a filter that a text means; none where it means none."""
    if choices := _choices_of(name, noun):
        chosen = _chosen(name, text)
        return (chosen,) if chosen in choices else ()
    known = filter_for(None, name)
    if name == "speaker" and (place := _place(text, vocabulary)):
        return (place,)
    if name != "speaker" or alone:
        try:
            code = known.read_for(noun, text.replace("/", "-") if name == "document" else text, vocabulary)
        except InvalidParameterError:
            code = ""
        if code and not (name == "speaker" and _named(name, text, vocabulary)):
            return with_families(name, [code], vocabulary)
    return with_families(name, _named(name, text, vocabulary), vocabulary)


def _place(text: str, vocabulary: Vocabulary) -> str | None:
    """The State or the group of States with this code."""
    code = text.strip()
    if code.upper() in vocabulary.states:
        return code.upper()
    return code.lower() if code.lower() in vocabulary.regions | vocabulary.blocs else None


def _named(name: str, text: str, vocabulary: Vocabulary) -> list[str]:
    """The values that have this name, and exist."""
    scheme = FILTERS[name].scheme
    if scheme is not None:
        exist = vocabulary.labels.get(scheme, frozenset())
        return [value for value in vocabulary.names.values(scheme, text) if value in exist]
    places = vocabulary.states | vocabulary.regions | vocabulary.blocs
    for kind in _PLACES.get(name, ()):
        if values := [value for value in vocabulary.names.values(kind, text) if value in places]:
            return values
    return []


def _choices_of(name: str, noun: str | None) -> tuple[str, ...]:
    """The only values there are, where they are few."""
    if name == TYPE:
        return tuple(dict.fromkeys(_facts()["values"][TYPE].values()))
    if name == "kind":
        choices = FILTERS[name].choices
        return (
            choices[noun]
            if noun is not None and noun in choices
            else tuple(value for values in choices.values() for value in values)
        )
    return _CHOICES.get(name, ())


def _chosen(name: str, text: str) -> str:
    """The value that a text means, whatever its case, accents and blanks ("National report"); or one of its names."""
    value = _as_choice(text)
    return str(_facts()["values"].get(name, {}).get(value) or _named_choices(name).get(value, value))


@cache
def _named_choices(name: str) -> Mapping[str, str]:
    """The values of a filter by what they are called in any language, as `_chosen` takes it."""
    named = fixed_names().get(name, {})
    return {_as_choice(each): value for value, names in named.items() for each in names.values()}


def _as_choice(text: str) -> str:
    return _NO_LETTER.sub("_", fold(text.strip()))


def _numbers(field: str, text: str) -> tuple[str, ...]:
    """The numbers asked for; what has no end is left as it is: cycles and sessions count on from 1, one by one, so that
    `MAX_VALUES` of them are all there are."""
    first, dots, last = (part.strip() for part in text.partition(".."))
    ends = (first or "1", last or first) if dots else (first, first)
    if not (first or last) or not all(end.isascii() and end.isdigit() and len(end) <= 9 for end in ends):
        raise _no_value(field, text, "a whole number, or a range such as 3.., ..4 or 2..4")
    if dots and not last:
        return (f"{int(first)}..",)
    numbers = range(int(ends[0]), int(ends[1]) + 1)
    if not 0 < len(numbers) <= MAX_VALUES:
        raise _no_value(field, text, f"a range from the smaller number to the greater, of at most {MAX_VALUES}")
    return tuple(map(str, numbers))


def _dates(field: str, text: str, begins: bool, ends: bool) -> Dates:
    first, dots, last = (part.strip() for part in text.partition(".."))
    if not dots:
        last = first
    elif not (begins and ends):
        raise _no_value(field, text, "one date, such as 2012 or 2012-11-05")
    if not (first or last) or not all(_is_date(day) for day in (first, last) if day):
        or_range = ", or a range such as 2012..2015" if begins and ends else ""
        raise _no_value(field, text, f"a date such as 2012, 2012-11 or 2012-11-05{or_range}")
    dates = Dates(first or None if begins else None, last or None if ends else None)
    if dates.first and dates.last and dates.first[: len(dates.last)] > dates.last:
        raise _no_value(field, text, "a range from the earlier date to the later")
    return dates


def _is_date(text: str) -> bool:
    """Whether this is a day, a month or a year that can be."""
    if not _DAY.fullmatch(text):
        return False
    try:
        filter_for(None, "date_from").read_for(None, text + "-01-01"[len(text) - 4 :], Vocabulary())
    except InvalidParameterError:
        return False
    return True


def _unknown(
    field: str, text: str, filters: tuple[str, ...], vocabulary: Vocabulary, noun: str | None
) -> InvalidQueryError:
    """The error for a value that means nothing, with the likeliest that do."""
    if choices := _choices_of(filters[0], noun):
        return _no_value(field, text, f"one of {', '.join(choices)}")
    kinds = dict.fromkeys(kind for name in filters for kind in (_PLACES.get(name) or (FILTERS[name].scheme or "",)))
    near = sorted(
        (pair for kind in kinds for pair in vocabulary.names.near(kind, text, _SUGGESTED)), key=lambda pair: -pair[0]
    )
    meant = {each.value: each.name for _, each in near[:_SUGGESTED]}
    shown = " or ".join(f"{name} ({value})" for value, name in meant.items())
    detail = f"`{field}:` knows no “{_short(text)}”." + (f" Did you mean {shown}?" if shown else "")
    return InvalidQueryError(
        detail, field=field, suggestions=[{"value": value, "name": name} for value, name in meant.items()]
    )


def _no_value(field: str, text: str, expected: str) -> InvalidQueryError:
    return InvalidQueryError(f"`{field}:` cannot be “{_short(text)}”: expected {expected}.", field=field)


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _filters_of(field: str) -> tuple[str, ...]:
    entry = _facts().get(field)
    return tuple(entry["filters"]) if entry else (field,)


@cache
def _facts() -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / "fields.toml").read_text("utf-8"))


@cache
def _fields_by_name() -> Mapping[str, str]:
    """Fields by all their names: filters are fields, and `fields.toml` may call them otherwise."""
    named = {name: name for name, known in FILTERS.items() if not known.lists_only and name != "scheme"}
    for field, entry in _facts().items():
        if field != "values":
            named |= dict.fromkeys([field, *entry.get("also", ())], field)
    return named
