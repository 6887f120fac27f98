"""Facets as people use them: values with counts as links, those chosen, and more of them when asked for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from services.core.pages.addresses import Address
from services.core.pages.words import Words
from services.core.schemas.names import Names
from services.search.engines.base import TYPE, YEAR, SearchRequest

SHOWN = 8
"""Values of a facet that are shown before somebody asks for all."""
MORE = "more"
"""The parameter of the page that names facets to show whole."""


@dataclass(frozen=True)
class ShownValue:
    """One value. `address` is the page with it chosen, or with it no longer chosen."""

    label: str
    count: int
    address: str
    chosen: bool


@dataclass(frozen=True)
class ShownFacet:
    """One facet. `toggle` is the page with all its values, or with the first ones; None where there are no more."""

    name: str
    title: str
    values: tuple[ShownValue, ...]
    values_total: int
    unlabelled: int
    toggle: str | None
    whole: bool

    @property
    def chosen(self) -> bool:
        """Whether any of its values is chosen."""
        return any(value.chosen for value in self.values)


@dataclass(frozen=True)
class Chip:
    """Something by which the list is narrowed, and the page without it."""

    label: str
    address: str


def shown_facets(facets: Mapping[str, Any], here: Address, asked: SearchRequest, words: Words) -> list[ShownFacet]:
    """All facets but the types and the years, which are shown by themselves."""
    return [_facet(name, told, here, asked, words) for name, told in facets.items() if name not in (TYPE, YEAR)]


def _facet(name: str, told: Mapping[str, Any], here: Address, asked: SearchRequest, words: Words) -> ShownFacet:
    chosen, whole = asked.filters.get(name, ()), (MORE, name) in here.pairs
    values = [
        ShownValue(
            value["label"],
            value["count"],
            str(here.without(name, value["value"]) if value["value"] in chosen else here.adding(name, value["value"])),
            value["value"] in chosen,
        )
        for place, value in enumerate(told["values"])
        if whole or place < SHOWN or value["value"] in chosen
    ]
    toggle = here.without(MORE, name) if whole else here.adding(MORE, name)
    return ShownFacet(
        name,
        words(f"filter.{name}"),
        tuple(values),
        told["values_total"],
        told["unlabelled"],
        f"{toggle}#facet-{name}" if len(told["values"]) > SHOWN else None,
        whole,
    )


def types(facet: Mapping[str, Any], here: Address, asked: SearchRequest) -> list[ShownValue]:
    """How many records of each type there are, and the page with those alone."""
    return [
        ShownValue(
            value["label"], value["count"], str(here.setting(TYPE, value["value"])), value["value"] == asked.type
        )
        for value in facet["values"]
    ]


def chips(here: Address, asked: SearchRequest, words: Words, names: Names) -> Iterator[Chip]:
    """By what the list is narrowed besides the words."""
    for name, values in asked.filters.items():
        for value in values:
            yield Chip(
                f"{words(f'filter.{name}')}: {names.of_filter_value(name, value)}",
                str(_without(here, name, value, len(values))),
            )
    for name, day in (("date_from", asked.date_from), ("date_to", asked.date_to)):
        if day:
            told = words("search.from_date" if name == "date_from" else "search.to_date", date=words.date(day))
            yield Chip(told, str(here.setting(name, None)))
    if asked.strict:
        yield Chip(words("search.strict"), str(here.setting("strict", None)))


def _without(here: Address, name: str, value: str, values: int) -> Address:
    """Without a value, however it was written in the address."""
    return here.setting(name, None) if values == 1 else here.without(name, value)
