"""Every table of the product, in one place for migrations and for tests that compare the two."""

from services.core.store import (
    changes,
    documents,
    former_ids,
    hearings,
    ingest,
    keys,
    labels,
    observations,
    organisations,
    paragraphs,
    pledges,
    quarantine,
    recommendations,
    reviews,
    saved_searches,
    statements,
    states,
    uploads,
    webhooks,
)
from services.core.store.metadata import metadata
from services.core.store.records import Aggregate, Stored

__all__ = [
    "AGGREGATES",
    "changes",
    "former_ids",
    "ingest",
    "keys",
    "metadata",
    "paragraphs",
    "quarantine",
    "saved_searches",
    "uploads",
    "webhooks",
]

AGGREGATES: dict[str, Aggregate[Stored]] = {
    aggregate.noun: aggregate  # type: ignore[misc]  # each is an Aggregate of its own record
    for aggregate in (
        states.STATES,
        reviews.REVIEWS,
        documents.DOCUMENTS,
        recommendations.RECOMMENDATIONS,
        pledges.PLEDGES,
        observations.OBSERVATIONS,
        hearings.HEARINGS,
        statements.STATEMENTS,
        organisations.ORGANISATIONS,
        labels.LABELS,
    )
}
"""The nouns that have public records, by the name that stands in their address."""
