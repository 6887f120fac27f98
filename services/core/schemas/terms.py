"""What a record answers to under each filter, as terms `filter:value`.

The feed stores them beside each change, webhooks match against them, and the search index keeps them as facets: so one
vocabulary of filters means the same everywhere. `core.store.filtering` says the same in SQL; a test keeps them equal.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from services.core.query.filters import FILTERS
from services.core.store.reference import Reference

_ONE_VALUE = (
    *("review", "cycle", "session", "council_session", "iachr_period"),
    *("position", "position_detail", "hearing", "kind"),
)
"""Filters that go by a member of the same name."""
_FILTER_OF_SCHEME = {known.scheme: known.name for known in FILTERS.values() if known.scheme}


def filter_values(noun: str, shape: dict[str, Any], reference: Reference) -> dict[str, tuple[str, ...]]:
    """The values of a shape under each filter that applies to its noun, but for dates and those for lists only."""
    found: dict[str, dict[str, None]] = {}
    for name, value in _pairs(noun, shape, reference):
        if noun in FILTERS[name].nouns:
            found.setdefault(name, {})[value] = None
    return {name: tuple(values) for name, values in found.items()}


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


def _pairs(noun: str, shape: dict[str, Any], reference: Reference) -> Iterator[tuple[str, str]]:
    yield "id", shape["id"]
    yield from _plain(shape)
    yield from _documents(noun, shape)
    under_review = list(_under_review(noun, shape))
    for code in under_review:
        if noun != "states":
            yield "state_under_review", code
        yield from _places(code, "region", "bloc", reference)
    for state in shape.get("recommending_states", ()):
        yield "recommending_state", state["code"]
        yield from _places(state["code"], "recommending_region", "recommending_bloc", reference)
    if noun == "labels":
        yield "scheme", shape["scheme"]
    for label in shape.get("labels", ()):
        if label["scheme"] in _FILTER_OF_SCHEME:
            yield _FILTER_OF_SCHEME[label["scheme"]], label["code"]


def _plain(shape: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name in _ONE_VALUE:
        if shape.get(name) is not None:
            yield name, str(shape[name])
    for external in shape.get("external_ids", ()):
        yield "external_id", external
    yield from (("organisation", each["id"]) for each in shape.get("requesting_organisations", ()))
    yield from (("role", each["role"]) for each in shape.get("roles", ()))
    yield from (("member_of", each["organisation"]) for each in shape.get("memberships", ()))
    if shape.get("speaker"):
        yield "speaker", shape["speaker"]["code"]
    if shape.get("text_language"):
        yield "language", shape["text_language"]
        yield from (("language", language) for language in shape.get("translations", ()))


def _documents(noun: str, shape: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if noun == "documents":
        yield from (("language", language) for language in shape["languages"])
        return
    held: Iterable[str] = shape.get("documents") or ([shape["document"]] if shape.get("document") else [])
    yield from (("document", document) for document in held)


def _under_review(noun: str, shape: dict[str, Any]) -> Iterator[str]:
    if noun == "states":
        yield shape["id"]
    elif shape.get("state_under_review"):
        yield shape["state_under_review"]["code"]
    elif noun in ("hearings", "observations"):
        yield from (state["code"] for state in shape["states"])


def _places(code: str, region: str, bloc: str, reference: Reference) -> Iterator[tuple[str, str]]:
    state = reference.states.get(code)
    if state is None:
        return
    if state.region:
        yield region, state.region
    yield from ((bloc, each) for each in state.blocs)
