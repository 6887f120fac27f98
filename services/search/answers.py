"""What answers of the search service have in common: their version, the state of the index they show, facets."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from fastapi import Request

from services.core.runtime.conditional import Version, version_of
from services.core.schemas.names import Names
from services.core.store.reference import Reference
from services.search.dependencies import Desk
from services.search.engines.base import Engine as SearchEngine
from services.search.engines.base import FacetCounts, IndexMissingError
from services.search.speakers import printed_speakers

_TRIES = 3

Told = TypeVar("Told")


def desk_of(request: Request) -> Desk:
    """The desk of the app that was asked."""
    desk: Desk = request.app.state.desk
    return desk


def version_at(request: Request, cursor: int | None, reference: Reference) -> Version:
    """The version of an answer from the index at this change. Weak, since answers tell how long they took."""
    return version_of(request, cursor, reference.names_hash, weak=True)


def at_one_state(engine: SearchEngine, ask: Callable[[], Told]) -> tuple[int, Told]:
    """What `ask` finds in the index, and the change at which it stood: it may be written to or replaced in between.

    Raises `IndexMissingError` where it never stood still.
    """
    cursor = engine.cursor()
    for _ in range(_TRIES):
        told = ask()
        before, cursor = cursor, engine.cursor()
        if cursor is None:
            break
        if before == cursor:
            return cursor, told
    raise IndexMissingError("The search index is being built.")


def facet_labels(desk: Desk, facets: Mapping[str, FacetCounts], names: Names) -> dict[str, dict[str, str]]:
    """What to call the values of each facet. Organisations are called as they are printed: the reference does not
    know them."""
    return {name: _labels(desk, name, counts, names) for name, counts in facets.items()}


def _labels(desk: Desk, name: str, counts: FacetCounts, names: Names) -> dict[str, str]:
    labels = {value: names.of_filter_value(name, value) for value, _ in counts.values}
    if name == "speaker" and (organisations := [value for value in labels if not names.knows_speaker(value)]):
        with desk.store.connect() as connection:
            labels |= printed_speakers(connection, organisations)
    return labels


def facet_shape(counts: FacetCounts, labels: Mapping[str, str]) -> dict[str, Any]:
    """A facet as it is shown."""
    return {
        "values": [{"value": value, "label": labels[value], "count": count} for value, count in counts.values],
        "unlabelled": counts.unlabelled,
    }
