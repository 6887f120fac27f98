"""What changes rarely and every request needs: States, groups, blocs and labels, read once and kept a few seconds."""

import hashlib
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, cached_property

import orjson
from sqlalchemy import Connection, Engine

from services.core.query.filters import Vocabulary
from services.core.query.value_names import STATE, NamedValue, ValueNames
from services.core.store.changes import head
from services.core.store.engine import snapshot
from services.core.store.labels import LABELS, LabelRecord
from services.core.store.records import EPOCH, Stored
from services.core.store.seed import sample_state_records
from services.core.store.states import PLACE_GROUPS, STATES, PlaceGroupRecord, StateRecord
from services.core.store.vocabularies import label_families, vocabulary

_REMEMBERED = 20_000
"""Of sets of States, the groups that they are in."""


@dataclass(frozen=True)
class Reference:
    """States, groups and labels by id, and the vocabulary that filters accept."""

    states: Mapping[str, StateRecord]
    groups: Mapping[str, PlaceGroupRecord]
    labels: Mapping[str, LabelRecord]
    vocabulary: Vocabulary
    named_states: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict, compare=False)
    named_labels: dict[str, dict[tuple[str, str], dict[str, str]]] = field(default_factory=dict, compare=False)
    """What records show of States and labels, by language and what they hold: made once (`schemas.names`)."""
    _groups_of: dict[tuple[str, ...], tuple[tuple[str, ...], tuple[str, ...]]] = field(
        default_factory=dict, compare=False, repr=False
    )

    def groups_of(self, codes: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The regions and the blocs of some States, each once. The same States recommend together again and again."""
        found = self._groups_of.get(codes)
        if found is None:
            if len(self._groups_of) >= _REMEMBERED:
                self._groups_of.clear()
            states = [self.states[code] for code in codes if code in self.states]
            regions = dict.fromkeys(state.region for state in states if state.region)
            blocs = dict.fromkeys(bloc for state in states for bloc in state.blocs)
            found = self._groups_of[codes] = (tuple(regions), tuple(blocs))
        return found

    @cached_property
    def vocabulary_hash(self) -> str:
        """Eight hex digits that change with States' groups and with the entries of any vocabulary."""
        states = [(key, state.region, state.blocs) for key, state in sorted(self.states.items())]
        return _hash([states, sorted(self.labels)])

    @cached_property
    def names_hash(self) -> str:
        """Eight hex digits that change with anything that records show of States, groups and labels."""
        named = (self.states, self.groups, self.labels)
        return _hash([self.vocabulary_hash, [[(key, each[key].names) for key in sorted(each)] for each in named]])

    @cached_property
    def changed_at(self) -> datetime:
        """When any of it was written last."""
        records: tuple[Iterable[Stored], ...] = (self.states.values(), self.groups.values(), self.labels.values())
        return max((record.updated_at for each in records for record in each), default=EPOCH)


def _hash(content: object) -> str:
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()[:8]


class ReferenceShelf:
    """Keeps the reference for a while. Threads share it.

    New labels come with changes, so a reader who knows the newest change can ask for a reference that is not older.
    What comes without changes (States and groups of a new version, States of samples) is seen after `seconds`.
    """

    def __init__(self, engine: Engine, seconds: float = 5.0) -> None:
        self._engine = engine
        self._seconds = seconds
        self._lock = threading.Lock()
        self._held: Reference | None = None
        self._seq = -1
        self._until = 0.0

    def get(self) -> Reference:
        """The reference, at most `seconds` old."""
        with self._lock:
            if self._held is not None and time.monotonic() < self._until:
                return self._held
        return self.newest()

    def newest(self) -> Reference:
        """The reference as of now."""
        with snapshot(self._engine) as connection:
            return self.as_of(connection, head(connection))

    def as_of(self, connection: Connection, seq: int) -> Reference:
        """The reference that belongs to a snapshot whose newest change is `seq`, or a later one."""
        with self._lock:
            if self._held is None or seq > self._seq or time.monotonic() >= self._until:
                # On the reader's own connection: who waits for another one here could wait for ever.
                self._held = reference_seen_by(connection)
                self._seq = seq
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


@cache
def _sample_codes() -> frozenset[str]:
    return frozenset(record.id for record in sample_state_records())


def reference_of(
    states: Mapping[str, StateRecord], groups: Mapping[str, PlaceGroupRecord], labels: Mapping[str, LabelRecord]
) -> Reference:
    """The reference that these records make."""
    schemes: dict[str, set[str]] = {}
    for label in labels.values():
        schemes.setdefault(label.scheme, set()).add(label.code)
    accepted = Vocabulary(
        # Invented States can be asked for before a sample is loaded: the same request is valid everywhere.
        states=frozenset(states) | _sample_codes(),
        regions=frozenset(group.id for group in groups.values() if group.kind == "region"),
        blocs=frozenset(group.id for group in groups.values() if group.kind == "bloc"),
        labels={scheme: frozenset(codes) for scheme, codes in schemes.items()},
        families=label_families(),
        names=_value_names(states, groups, labels),
    )
    return Reference(states, groups, labels, accepted)


def _value_names(
    states: Mapping[str, StateRecord], groups: Mapping[str, PlaceGroupRecord], labels: Mapping[str, LabelRecord]
) -> ValueNames:
    named = {STATE: [NamedValue(code, name) for code, state in states.items() for name in state.names.values()]}
    for group in groups.values():
        named.setdefault(group.kind, []).extend(NamedValue(group.id, name) for name in group.names.values())
    entries = vocabulary()
    for label in labels.values():
        aliases = entries[label.id].aliases if label.id in entries else ()
        names = dict.fromkeys((*label.names.values(), *aliases, label.code))
        named.setdefault(label.scheme, []).extend(NamedValue(label.code, name) for name in names)
    return ValueNames(named)
