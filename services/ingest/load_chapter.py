"""What documents of no one review tell: hearings elsewhere, debates, facts about States."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection, func, or_, select

from services.core.domain.changes import Cause
from services.core.store.changes import ChangeDraft
from services.core.store.filtering import as_array
from services.core.store.hearings import HEARINGS, HearingRecord
from services.core.store.labels import LABELS
from services.core.store.records import Stored
from services.core.store.reference import Reference
from services.core.store.states import STATES, Fact
from services.core.store.tables import AGGREGATES
from services.ingest.load_records import Write, reference_with, write_records
from services.ingest.load_shared import label_ids_of, organisations_to_write
from services.ingest.merge import MergedChapter, SourceReading
from services.ingest.merge.documents import day_of
from services.ingest.merge.facts import facts_without, joined_facts, new_facts


def write_chapter(write: Write, merged: MergedChapter | None, told: Sequence[SourceReading]) -> list[ChangeDraft]:
    """`told`: all readings held, also those whose hearings are no longer told of. `merged`: None if nothing is left."""
    documents = frozenset(each.document for each in told)
    merged = merged or MergedChapter({}, {}, {}, {})
    reference = reference_with(write, LABELS.read(write.connection, list(label_ids_of(merged.statements))))
    held_hearings = _hearings_told_by(write.connection, documents)
    hearings = held_hearings.keys() | merged.hearings.keys()
    statements = AGGREGATES["statements"]
    before: dict[str, Mapping[str, Stored]] = {
        "documents": AGGREGATES["documents"].read(write.connection, documents),
        "hearings": held_hearings,
        "statements": {
            record.id: record  # type: ignore[attr-defined]  # every statement has an id
            for record in statements.where(write.connection, statements.table.c.hearing.in_(hearings))
        },
    }
    drafts = [
        draft
        for noun, held in before.items()
        for draft in write_records(write, noun, held, getattr(merged, noun), reference)
    ]
    held_organisations, organisations = organisations_to_write(
        write.connection, merged.organisations, documents=documents
    )
    drafts += write_records(write, "organisations", held_organisations, organisations, reference)
    return drafts + _write_facts(write, merged.facts, documents, reference)


def _hearings_told_by(connection: Connection, documents: frozenset[str]) -> dict[str, HearingRecord]:
    """The hearings of no one review that rest on these documents."""
    columns = HEARINGS.table.c
    rests_on_them = columns.documents.overlap(as_array(sorted(documents)))
    return {record.id: record for record in HEARINGS.where(connection, columns.review.is_(None), rests_on_them)}


def _write_facts(
    write: Write, told: Mapping[str, list[Fact]], documents: frozenset[str], reference: Reference
) -> list[ChangeDraft]:
    """Write what these documents tell of States now, in the place of what they told. Documents take turns here."""
    connection = write.connection
    rests_on_them = or_(*(STATES.table.c.facts.contains([{"sources": [{"document": each}]}]) for each in documents))
    if not told and not STATES.where(connection, rests_on_them):
        return []
    connection.execute(select(func.pg_advisory_xact_lock(func.hashtext("upr-state-facts"))))
    held = STATES.read(connection, list(told)) | {each.id: each for each in STATES.where(connection, rests_on_them)}
    drafts: list[ChangeDraft] = []
    for code, record in sorted(held.items()):
        facts = joined_facts([*facts_without(record.facts, documents), *told.get(code, ())])
        if facts != record.facts:
            because = _because_of(write, new_facts(record.facts, facts))
            drafts += write_records(because, "states", {code: record}, {code: replace(record, facts=facts)}, reference)
    return drafts


def _because_of(write: Write, facts: Sequence[Fact]) -> Write:
    """The circumstances of a State's change: the latest day of these new facts says whether they are news. A fact that
    is only taken away is corrected."""
    if write.cause is Cause.CORRECTION or write.cause_by_day is None or not facts:
        return replace(write, cause=Cause.CORRECTION, effective_on=None)
    latest = max(
        (fact["date"] or f"{fact['year']}-12-31" for fact in facts if fact["date"] or fact["year"]), default=None
    )
    exact = latest if any(fact["date"] == latest for fact in facts) else None
    return replace(write, cause=write.cause_by_day(day_of(latest)), effective_on=day_of(exact))
