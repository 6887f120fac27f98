"""From a reading to records and changes: one transaction a document.

The reading is stored, the readings of its review are merged anew, the result is compared with what is stored, and what
differs is written together with its changes. Loading the same file again finds nothing that differs.
"""

import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, insert, select

from services.core.domain import identifiers
from services.core.domain.changes import Cause
from services.core.domain.documents import DocumentKind
from services.core.domain.errors import UnreadableDocumentError
from services.core.schemas.events import draft_change
from services.core.schemas.names import Names
from services.core.schemas.shapes import shape_of
from services.core.store.changes import ChangeDraft, append_changes
from services.core.store.documents import FileEntry
from services.core.store.former_ids import forget_removed, remember_removed
from services.core.store.ingest import readings_table
from services.core.store.labels import LABELS, LabelRecord
from services.core.store.recommendations import current_position
from services.core.store.records import Aggregate, Stored
from services.core.store.reference import Reference, reference_of
from services.core.store.reviews import REVIEWS
from services.core.store.seed import sample_state_records
from services.core.store.states import PLACE_GROUPS, STATES, StateRecord
from services.core.store.tables import AGGREGATES
from services.ingest.merge import MergedReview, SourceReading, merge_review
from services.ingest.merge.labels import joined
from services.ingest.reading import Reading, reading_from

_PARTS_OF_A_REVIEW = ("documents", "hearings", "statements", "recommendations", "pledges")


@dataclass(frozen=True)
class Loaded:
    """What loading one document did. `counts` are changes by event type; empty where nothing was new."""

    document: str
    review: str
    outcome: str
    counts: Mapping[str, int]
    sample: bool = False


@dataclass(frozen=True)
class _Write:
    """One transaction's circumstances."""

    connection: Connection
    now: datetime
    cause: Cause
    effective_on: date | None


class Loader:
    """Loads readings into one store.

    `backfill_after`: a document published longer ago than this is history, and its changes say `backfill`.
    """

    def __init__(self, engine: Engine, backfill_after: timedelta) -> None:
        self._engine = engine
        self._backfill_after = backfill_after

    def load(self, path: Path, sha256: str, reading: Reading) -> Loaded:
        """Store a reading and what it changes.

        Raises `UnreadableDocumentError` (`unknown_review`) where the document does not tell whose review it is of.
        """
        state, cycle = _whose_review(reading)
        review = identifiers.review_id(state, cycle)
        source = SourceReading(
            document=identifiers.document_id(reading.document.symbol, sha256),
            file=_file_entry(path, sha256, reading),
            reading=reading,
        )
        with self._engine.begin() as connection:
            connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(review))))
            held = _readings(connection, review)
            if (old := held.get(sha256)) is not None and _is_same(old, source):
                return Loaded(source.document, review, "unchanged", {}, bool(_samples().get(state)))
            _store(connection, review, source)
            others = [each for key, each in held.items() if key != sha256]
            merged = merge_review(
                state,
                cycle,
                [*others, source],
                sample=state in _samples(),
            )
            write = _Write(
                connection=connection,
                now=connection.scalar(select(func.now())) or datetime.now(UTC),
                cause=self._cause(source, held.values(), merged.review.date),
                effective_on=_day(reading.document.published_on),
            )
            drafts = _write_review(write, merged)
            append_changes(connection, drafts)
        counts: dict[str, int] = {}
        for draft in drafts:
            counts[draft.type] = counts.get(draft.type, 0) + 1
        return Loaded(source.document, review, "loaded", counts, merged.review.sample)

    def _cause(self, source: SourceReading, held: Any, reviewed_on: date | None) -> Cause:
        if any(old.document == source.document for old in held):
            return Cause.CORRECTION
        day = _day(source.reading.document.published_on) or reviewed_on
        if day is not None and datetime.now(UTC).date() - day > self._backfill_after:
            return Cause.BACKFILL
        return Cause.PUBLICATION


def _whose_review(reading: Reading) -> tuple[str, int]:
    said = reading.document
    if said.state_under_review is None or said.cycle is None:
        missing = "which State it is about" if said.state_under_review is None else "which cycle it belongs to"
        raise UnreadableDocumentError("unknown_review", f"The document does not tell {missing}.")
    return said.state_under_review, said.cycle


def _file_entry(path: Path, sha256: str, reading: Reading) -> FileEntry:
    return FileEntry(
        sha256=sha256,
        name=path.name,
        media_type=mimetypes.guess_type(path.name)[0] or "application/octet-stream",
        language=reading.document.language,
        bytes=path.stat().st_size,
        pages=reading.document.pages,
        current=True,
        parser=reading.parser,
        parser_version=reading.parser_version,
    )


def _readings(connection: Connection, review: str) -> dict[str, SourceReading]:
    rows = connection.execute(select(readings_table).where(readings_table.c.review == review))
    return {
        row.sha256: SourceReading(document=row.document, file=row.file, reading=reading_from(row.reading))
        for row in rows
    }


def _is_same(old: SourceReading, new: SourceReading) -> bool:
    return (old.reading.parser, old.reading.parser_version) == (new.reading.parser, new.reading.parser_version)


def _store(connection: Connection, review: str, source: SourceReading) -> None:
    sha256 = source.file["sha256"]
    key = f"{sha256}:{review}"
    connection.execute(delete(readings_table).where(readings_table.c.source == key))
    connection.execute(
        insert(readings_table).values(
            source=key,
            review=review,
            document=source.document,
            sha256=sha256,
            parser=source.reading.parser,
            parser_version=source.reading.parser_version,
            file=source.file,
            reading=source.reading,  # orjson writes dataclasses as they are
        )
    )


def _write_review(write: _Write, merged: MergedReview) -> list[ChangeDraft]:
    connection, review = write.connection, merged.review
    if review.sample:
        _ensure_sample_states(connection)
    labels = _labels_to_write(connection, merged.labels)
    reference = _reference(connection, {**LABELS.read(connection, list(_label_ids(merged))), **labels})
    held_labels = LABELS.read(connection, list(labels))
    drafts = _write_records(write, "labels", held_labels, labels, reference)
    held_review = REVIEWS.read(connection, [review.id])
    drafts += _write_records(write, "reviews", held_review, {review.id: review}, reference)
    for noun in _PARTS_OF_A_REVIEW:
        held = {
            record.id: record  # type: ignore[attr-defined]  # every record of these nouns has an id
            for record in AGGREGATES[noun].where(connection, AGGREGATES[noun].table.c.review == review.id)
        }
        drafts += _write_records(write, noun, held, getattr(merged, noun), reference)
    return drafts


def _label_ids(merged: MergedReview) -> set[str]:
    return {label for record in merged.recommendations.values() for label in record.label_ids}


def _labels_to_write(connection: Connection, told: Mapping[str, LabelRecord]) -> dict[str, LabelRecord]:
    """The labels that are new or better known now. Reviews loaded at once share labels: they take turns here."""
    held = LABELS.read(connection, list(told))
    if any(label not in held or joined(held[label], record) != held[label] for label, record in told.items()):
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtext("upr-labels"))))
        held = LABELS.read(connection, list(told))
    improved = {label: joined(held[label], record) if label in held else record for label, record in told.items()}
    return {label: record for label, record in improved.items() if held.get(label) != record}


def _write_records(
    write: _Write, noun: str, before: Mapping[str, Stored], after: Mapping[str, Stored], reference: Reference
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
    aggregate.delete(write.connection, sorted(gone))
    aggregate.insert(write.connection, list(new.values()))
    aggregate.update(write.connection, list(changed.values()))
    removed = {record_id: _reason(before[record_id]) for record_id in sorted(gone - set(replaced.values()))}
    remember_removed(write.connection, noun, removed)
    forget_removed(write.connection, noun, list(new))

    names = Names(reference)
    drafts: list[ChangeDraft] = []
    for record_id in sorted({*gone, *new, *changed}):
        if record_id in gone and record_id not in removed:
            continue  # told by the change of the record that it became
        former = replaced.get(record_id)
        was = before.get(former or record_id)
        now_is = new.get(record_id) or changed.get(record_id)
        draft = draft_change(
            noun,
            shape_of(noun, was, names) if was else None,
            shape_of(noun, now_is, names) if now_is else None,
            cause=Cause.MERGE if former else write.cause,
            effective_on=_effective_on(write, now_is or was),
            reference=reference,
            replaced=former,
            reason=removed.get(record_id),
        )
        if draft is not None:
            drafts.append(draft)
    return drafts


def _effective_on(write: _Write, record: Stored | None) -> date | None:
    """The date in the world: of the answer that a recommendation holds, of others the document's publication."""
    answer = current_position(getattr(record, "positions", []))
    return (_day(answer["effective_on"]) if answer else None) or write.effective_on


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


def _dated(write: _Write, record: Stored, held: Stored | None = None) -> Stored:
    if held is None:
        return replace(record, revision=1, created_at=write.now, updated_at=write.now)
    return replace(record, revision=held.revision + 1, created_at=held.created_at, updated_at=write.now)


@cache
def _samples() -> dict[str, StateRecord]:
    return {record.id: record for record in sample_state_records()}


def _ensure_sample_states(connection: Connection) -> None:
    missing = [record for key, record in _samples().items() if STATES.one(connection, key) is None]
    if missing:
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtext("upr-seed"))))
        still = STATES.read(connection, [record.id for record in missing])
        STATES.insert(connection, [record for record in missing if record.id not in still])


def _reference(connection: Connection, labels: Mapping[str, LabelRecord]) -> Reference:
    states = {record.id: record for record in STATES.where(connection)}
    groups = {record.id: record for record in PLACE_GROUPS.where(connection)}
    return reference_of(states, groups, labels)


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
