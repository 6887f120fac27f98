"""What many reviews share, and whose writers take turns: labels and organisations."""

from collections.abc import Mapping

from sqlalchemy import Connection, func, or_, select

from services.core.store.labels import LABELS, LabelRecord
from services.core.store.organisations import ORGANISATIONS, OrganisationRecord
from services.core.store.pledges import PledgeRecord
from services.core.store.recommendations import RecommendationRecord
from services.core.store.statements import StatementRecord
from services.ingest.merge.labels import joined
from services.ingest.merge.organisations import joined_organisation, without_roles


def label_ids_of(*records: Mapping[str, RecommendationRecord | PledgeRecord | StatementRecord]) -> set[str]:
    """The labels that records carry."""
    return {label for of_a_noun in records for record in of_a_noun.values() for label in record.label_ids}


def labels_to_write(connection: Connection, told: Mapping[str, LabelRecord]) -> dict[str, LabelRecord]:
    """The labels that are new or better known now. Reviews loaded at once share labels: they take turns here."""
    held = LABELS.read(connection, list(told))
    if any(label not in held or joined(held[label], record) != held[label] for label, record in told.items()):
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtext("upr-labels"))))
        held = LABELS.read(connection, list(told))
    improved = {label: joined(held[label], record) if label in held else record for label, record in told.items()}
    return {label: record for label, record in improved.items() if held.get(label) != record}


def organisations_to_write(
    connection: Connection,
    told: Mapping[str, OrganisationRecord],
    *,
    review: str | None = None,
    documents: frozenset[str] = frozenset(),
) -> tuple[dict[str, OrganisationRecord], dict[str, OrganisationRecord]]:
    """What is held of the organisations that a review, or documents of no one review, tell or told of, and what they
    are now. Reviews share organisations: they take turns here."""
    told_here = [{"review": review}] if review is not None else [{"document": each} for each in sorted(documents)]
    rests_on_it = or_(*(ORGANISATIONS.table.c.roles.contains([each]) for each in told_here))
    if not told and not ORGANISATIONS.where(connection, rests_on_it):
        return {}, {}
    connection.execute(select(func.pg_advisory_xact_lock(func.hashtext("upr-organisations"))))
    held = ORGANISATIONS.read(connection, list(told))
    held |= {record.id: record for record in ORGANISATIONS.where(connection, rests_on_it)}
    now = {
        key: kept for key, record in held.items() if (kept := without_roles(record, review=review, documents=documents))
    }
    now |= {key: joined_organisation(now[key], record) if key in now else record for key, record in told.items()}
    return held, now
