"""What a record answers to under each filter, as terms `filter:value`.

The feed stores them beside each change, webhooks match against them, and the search index keeps them as facets: so one
vocabulary of filters means the same everywhere. `core.store.filtering` says the same in SQL; a test keeps them equal.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

from services.core.query.filters import FILTERS
from services.core.store.reference import Reference

Values = dict[str, tuple[str, ...]]

_ONE_VALUE = (
    *("review", "cycle", "session", "council_session", "iachr_period"),
    *("position", "position_detail", "hearing", "kind"),
)
"""Filters that go by a member of the same name."""
_FILTER_OF_SCHEME = {known.scheme: known.name for known in FILTERS.values() if known.scheme}


def filter_values(noun: str, shape: dict[str, Any], reference: Reference) -> Values:
    """The values of a shape under each filter that applies to its noun, but for dates and those for lists only."""
    found: Values = {"id": (shape["id"],)}
    found |= {name: (str(shape[name]),) for name in _ONE_VALUE if shape.get(name) is not None}
    found |= _lists(noun, shape)
    found |= _places(noun, shape, reference)
    found |= _labels(noun, shape)
    applicable = _applicable(noun)
    return {name: values for name, values in found.items() if values and name in applicable}


@cache
def _applicable(noun: str) -> frozenset[str]:
    return frozenset(name for name, known in FILTERS.items() if noun in known.nouns)


def record_date(noun: str, shape: dict[str, Any]) -> str | None:
    """The date by which `date_from` and `date_to` judge the record."""
    return shape.get("published_on" if noun == "documents" else "date")


def filter_terms(noun: str, shape: dict[str, Any] | None, reference: Reference) -> tuple[str, ...]:
    """All terms of a shape, `date:` among them; none for no shape."""
    if shape is None:
        return ()
    values = filter_values(noun, shape, reference)
    terms = [f"{name}:{value}" for name, several in values.items() for value in several]
    day = record_date(noun, shape)
    return (*terms, f"date:{day}") if day else tuple(terms)


def _lists(noun: str, shape: dict[str, Any]) -> Values:
    """What a shape lists, or holds one of, under a member of another name."""
    found: Values = {"external_id": _each(shape.get("external_ids")), "document": _documents(noun, shape)}
    if language := shape.get("text_language"):
        found["language"] = _each((language, *shape.get("translations", ())))
    elif noun == "documents":
        found["language"] = _each(shape["languages"])
    if speaker := shape.get("speaker"):
        found["speaker"] = (speaker["code"],)
    if requesting := shape.get("requesting_organisations"):
        found["organisation"] = _each([each["id"] for each in requesting])
    if noun == "organisations":
        found["role"] = _each([each["role"] for each in shape.get("roles", ())])
        found["member_of"] = _each([each["organisation"] for each in shape.get("memberships", ())])
    return found


def _documents(noun: str, shape: dict[str, Any]) -> tuple[str, ...]:
    if noun == "documents":
        return ()
    held: Sequence[str] = shape.get("documents") or ([shape["document"]] if shape.get("document") else [])
    return _each(held)


def _places(noun: str, shape: dict[str, Any], reference: Reference) -> Values:
    """The States, with their regions and blocs, that are under review and that recommend."""
    under_review = _each(_under_review(noun, shape))
    regions, blocs = reference.groups_of(under_review)
    found = {"state_under_review": () if noun == "states" else under_review, "region": regions, "bloc": blocs}
    if recommending := shape.get("recommending_states"):
        codes = _each([state["code"] for state in recommending])
        regions, blocs = reference.groups_of(codes)
        found |= {"recommending_state": codes, "recommending_region": regions, "recommending_bloc": blocs}
    return found


def _under_review(noun: str, shape: dict[str, Any]) -> Sequence[str]:
    if noun == "states":
        return (shape["id"],)
    if shape.get("state_under_review"):
        return (shape["state_under_review"]["code"],)
    return [state["code"] for state in shape["states"]] if noun in ("hearings", "observations") else ()


def _labels(noun: str, shape: dict[str, Any]) -> Values:
    found: dict[str, list[str]] = {"scheme": [shape["scheme"]]} if noun == "labels" else {}
    for label in shape.get("labels", ()):
        if name := _FILTER_OF_SCHEME.get(label["scheme"]):
            found.setdefault(name, []).append(label["code"])
    return {name: _each(codes) for name, codes in found.items()}


def _each(values: Sequence[str] | None) -> tuple[str, ...]:
    """Each value once."""
    if not values:
        return ()
    return tuple(values) if len(values) == 1 else tuple(dict.fromkeys(values))
