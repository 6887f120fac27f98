"""What answers of the search service have in common: their version, the state of the index they show, facets."""

import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from fastapi import Request

from services.core.domain.identifiers import sort_key
from services.core.query.analysis import fold
from services.core.runtime.conditional import Version, version_of
from services.core.schemas.names import Names
from services.core.store.reference import Reference
from services.search.dependencies import Desk
from services.search.engines.base import YEAR, FacetCounts, IndexMissingError
from services.search.engines.base import Engine as SearchEngine
from services.search.parameters import FacetOrder
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


def asked_in_time(desk: Desk, ask: Callable[[], Told]) -> tuple[int, Told]:
    """`at_one_state`, in the time that a search may take. Raises `CutoffError` where it takes longer."""
    return desk.cutoff.within(lambda: at_one_state(desk.engine, ask))


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


def facet_shape(name: str, counts: FacetCounts, labels: Mapping[str, str], order: FacetOrder) -> dict[str, Any]:
    """A facet as it is shown: its first values in the order asked for."""
    values = list(counts.values)
    if order.sort == "name":
        values.sort(key=lambda pair: (_by_name(labels[pair[0]]), pair[0]))
    elif order.sort is None and name == YEAR:
        values.sort()
    shown = [{"value": value, "label": labels[value], "count": count} for value, count in values[: order.limit]]
    return {"values": shown, "values_total": len(values), "unlabelled": counts.unlabelled}


def _by_name(label: str) -> str:
    """In the order of the alphabet whatever the accents and case, and of the numbers."""
    return sort_key(fold(label))


def milliseconds_since(started: float) -> float:
    """For `took_ms`; `started` is of `time.perf_counter`."""
    return round((time.perf_counter() - started) * 1000, 2)
