"""What differs between records and those that are stored: written, with a change for each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cache
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from services.core.domain.changes import Cause
from services.core.domain.documents import DocumentKind
from services.core.schemas.events import draft_change
from services.core.schemas.names import Names
from services.core.schemas.shapes import shape_of
from services.core.store.changes import ChangeDraft
from services.core.store.documents import DocumentRecord
from services.core.store.former_ids import forget_removed, remember_removed
from services.core.store.labels import LabelRecord
from services.core.store.observations import ObservationRecord
from services.core.store.recommendations import current_position
from services.core.store.records import Aggregate, Stored
from services.core.store.reference import Reference, reference_of
from services.core.store.seed import sample_state_records
from services.core.store.states import PLACE_GROUPS, STATES, PlaceGroupRecord, StateRecord
from services.core.store.tables import AGGREGATES
from services.ingest.merge.documents import day_of

Places = tuple[dict[str, StateRecord], dict[str, PlaceGroupRecord]]
"""States and groups: facts of the seed, which do not change while documents are loaded, but for samples' States."""


class Because(NamedTuple):
    """Why something changes: whether it is news, and since when it is so in the world."""

    cause: Cause
    effective_on: date | None


@dataclass(frozen=True)
class Write:
    """One transaction's circumstances.

    `cause_by_day`: where one document tells of different days (facts), the cause of each; not for corrections.
    `because_of`: where several documents are loaded at once, why what each of them tells changes, by its id.
    """

    connection: Connection
    now: datetime
    cause: Cause
    effective_on: date | None
    places: Places | None = None
    cause_by_day: Callable[[date | None], Cause] | None = None
    because_of: Mapping[str, Because] = field(default_factory=dict)

    def because(self, record: Stored | None) -> Because:
        """Why a record changes: since the weightiest of the new documents that it rests on tells it."""
        for document in _documents_of(record) if self.because_of else ():
            if document in self.because_of:
                return self.because_of[document]
        return Because(self.cause, self.effective_on)


def _documents_of(record: Stored | None) -> Sequence[str]:
    """The documents that a record rests on, the weightiest first."""
    if isinstance(record, DocumentRecord):
        return (record.id,)
    if isinstance(document := getattr(record, "document", None), str):
        return (document,)
    documents: Sequence[str] = getattr(record, "documents", ())
    return documents


def write_records(
    write: Write, noun: str, before: Mapping[str, Stored], after: Mapping[str, Stored], reference: Reference
) -> list[ChangeDraft]:
    """Write what differs between two sets of records of one noun; answers the changes, in the order of their ids."""
    aggregate: Aggregate[Stored] = AGGREGATES[noun]
    replaced = _replaced(before, after)
    gone = {record_id for record_id in before if record_id not in after}
    new = {key: _dated(write, record) for key, record in after.items() if key not in before}
    changed = {
        key: _dated(write, record, before[key])
        for key, record in after.items()
        if key in before and record != before[key]
    }
    if not (gone or new or changed):
        return []
    removed = {record_id: _reason(before[record_id]) for record_id in sorted(gone - set(replaced.values()))}
    names = Names(reference)
    drafts: list[ChangeDraft] = []
    amended: list[Stored] = []
    for record_id in sorted({*gone, *new, *changed}):
        if record_id in gone and record_id not in removed:
            continue  # told by the change of the record that it became
        former = replaced.get(record_id)
        was = before.get(former or record_id)
        now_is = new.get(record_id) or changed.get(record_id)
        because = write.because(now_is or was)
        draft = draft_change(
            noun,
            shape_of(noun, was, names) if was else None,
            shape_of(noun, now_is, names) if now_is else None,
            cause=Cause.MERGE if former else because.cause,
            effective_on=_effective_on(because, now_is or was),
            reference=reference,
            replaced=former,
            reason=removed.get(record_id),
        )
        if draft is not None:
            drafts.append(draft)
        elif record_id in changed:
            amended.append(changed.pop(record_id))
    aggregate.delete(write.connection, sorted(gone))
    aggregate.insert(write.connection, list(new.values()))
    aggregate.update(write.connection, list(changed.values()))
    aggregate.amend(write.connection, amended)
    _note_former_ids(write.connection, noun, (before, after), removed)
    return drafts


def _note_former_ids(
    connection: Connection,
    noun: str,
    both: tuple[Mapping[str, Stored], Mapping[str, Stored]],
    removed: Mapping[str, str],
) -> None:
    """Note which ids are gone and which are back, of records before and after. Aliases may be lost, too."""
    before, after = both
    held_aliases, aliases = _aliases(before), _aliases(after)
    lost = dict.fromkeys(held_aliases - aliases - after.keys() - removed.keys(), "no_source_holds_it")
    remember_removed(connection, noun, {**removed, **lost})
    forget_removed(connection, noun, [*(after.keys() - before.keys()), *(aliases - held_aliases)])


def _aliases(records: Mapping[str, Stored]) -> set[str]:
    return {alias for record in records.values() for alias in getattr(record, "aliases", ())}


def _effective_on(because: Because, record: Stored | None) -> date | None:
    """The date in the world: of the answer that a recommendation holds, of others the document's publication."""
    if isinstance(record, ObservationRecord):
        return record.date
    answer = current_position(getattr(record, "positions", []))
    return (day_of(answer["effective_on"]) if answer else None) or because.effective_on


def _reason(record: Stored) -> str:
    """Why a record has to go. What only a draft held goes because the report that replaced it does not."""
    kinds = {entry["kind"] for entry in getattr(record, "sources", ())}
    return "not_in_final" if kinds == {DocumentKind.WORKING_GROUP_DRAFT} else "no_source_holds_it"


def _replaced(before: Mapping[str, Stored], after: Mapping[str, Stored]) -> dict[str, str]:
    """New ids, each with the id that its record bore before."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for record_id, record in after.items():
        if record_id in before:
            continue
        for alias in getattr(record, "aliases", ()):
            if alias in before and alias not in after and alias not in taken:
                found[record_id] = alias
                taken.add(alias)
                break
    return found


def _dated(write: Write, record: Stored, held: Stored | None = None) -> Stored:
    if held is None:
        return replace(record, revision=1, created_at=write.now, updated_at=write.now)
    return replace(record, revision=held.revision + 1, created_at=held.created_at, updated_at=write.now)


@cache
def sample_states() -> dict[str, StateRecord]:
    """The invented States of sample documents, by code."""
    return {record.id: record for record in sample_state_records()}


def ensure_sample_states(connection: Connection) -> None:
    """Store the invented States, if a sample is the first to name them."""
    missing = [record for key, record in sample_states().items() if STATES.one(connection, key) is None]
    if missing:
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtext("upr-seed"))))
        still = STATES.read(connection, [record.id for record in missing])
        STATES.insert(connection, [record for record in missing if record.id not in still])


def reference_with(write: Write, labels: Mapping[str, LabelRecord]) -> Reference:
    """States and groups as the transaction sees them, with these labels."""
    return reference_of(*(write.places or read_places(write.connection)), labels)


def read_places(connection: Connection) -> Places:
    """All States and groups that are stored."""
    states = {record.id: record for record in STATES.where(connection)}
    groups = {record.id: record for record in PLACE_GROUPS.where(connection)}
    return states, groups
