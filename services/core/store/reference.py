"""What changes rarely and every request needs: States, groups, blocs and labels, read once and kept a few seconds."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, Engine

from services.core.query.filters import Vocabulary
from services.core.store.labels import LABELS, LabelRecord
from services.core.store.states import PLACE_GROUPS, STATES, PlaceGroupRecord, StateRecord


@dataclass(frozen=True)
class Reference:
    """States, groups and labels by id, and the vocabulary that filters accept."""

    states: Mapping[str, StateRecord]
    groups: Mapping[str, PlaceGroupRecord]
    labels: Mapping[str, LabelRecord]
    vocabulary: Vocabulary


class ReferenceShelf:
    """Keeps the reference for a while. Threads share it."""

    def __init__(self, engine: Engine, seconds: float = 5.0) -> None:
        self._engine = engine
        self._seconds = seconds
        self._lock = threading.Lock()
        self._held: Reference | None = None
        self._until = 0.0

    def get(self) -> Reference:
        """The reference, at most `seconds` old."""
        with self._lock:
            if self._held is None or time.monotonic() >= self._until:
                self._held = read_reference(self._engine)
                self._until = time.monotonic() + self._seconds
            return self._held


def read_reference(engine: Engine) -> Reference:
    """Read States, groups and labels from the store: three queries."""
    with engine.connect() as connection:
        return reference_seen_by(connection)


def reference_seen_by(connection: Connection) -> Reference:
    """States, groups and labels as this transaction sees them."""
    states = {record.id: record for record in STATES.where(connection)}
    groups = {record.id: record for record in PLACE_GROUPS.where(connection)}
    labels = {record.id: record for record in LABELS.where(connection)}
    return reference_of(states, groups, labels)


def reference_of(
    states: Mapping[str, StateRecord], groups: Mapping[str, PlaceGroupRecord], labels: Mapping[str, LabelRecord]
) -> Reference:
    """The reference that these records make."""
    schemes: dict[str, set[str]] = {}
    for label in labels.values():
        schemes.setdefault(label.scheme, set()).add(label.code)
    vocabulary = Vocabulary(
        states=frozenset(states),
        regions=frozenset(group.id for group in groups.values() if group.kind == "region"),
        blocs=frozenset(group.id for group in groups.values() if group.kind == "bloc"),
        labels={scheme: frozenset(codes) for scheme, codes in schemes.items()},
    )
    return Reference(states, groups, labels, vocabulary)
