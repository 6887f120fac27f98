"""Organisations that documents name, as records. A record grows with every document that names it."""

from collections.abc import Iterable

from services.core.domain import identifiers
from services.core.store.organisations import OrganisationRecord
from services.core.store.reviews import ReviewRecord
from services.ingest.merge.sources import SourceReading
from services.ingest.reading import ReadOrganisation

Entries = list[dict[str, object]]


def organisation_records(review: ReviewRecord, sources: Iterable[SourceReading]) -> dict[str, OrganisationRecord]:
    """The organisations that these sources of a review name, by id.

    An institution's and an association's seat is where the document says; the national institution's territory is the
    State under review.
    """
    records: dict[str, OrganisationRecord] = {}
    for source in sources:
        for told in source.reading.organisations:
            record = _record(review, source, told)
            held = records.get(record.id)
            records[record.id] = joined_organisation(held, record) if held else record
    return records


def joined_organisation(one: OrganisationRecord, other: OrganisationRecord) -> OrganisationRecord:
    """One record of two that have the same id. It does not matter which came first."""
    return OrganisationRecord(
        id=one.id,
        names=_joined(one.names, other.names),
        roles=_joined(one.roles, other.roles),
        memberships=_joined(one.memberships, other.memberships),
        role_ids=tuple(sorted({*one.role_ids, *other.role_ids})),
        member_of=tuple(sorted({*one.member_of, *other.member_of})),
        states=tuple(sorted({*one.states, *other.states})),
        territory=min(filter(None, (one.territory, other.territory)), default=None),
        sample=one.sample and other.sample,
    )


def _record(review: ReviewRecord, source: SourceReading, told: ReadOrganisation) -> OrganisationRecord:
    name: dict[str, object] = {"name": told.name}
    if told.acronym:
        name["acronym"] = told.acronym
    role: dict[str, object] = {"role": told.kind, "review": review.id, "document": source.document}
    if told.submission:
        role["submission"] = told.submission
    if told.status:
        role["status"] = told.status
    return OrganisationRecord(
        id=identifiers.slug(told.name),
        names=[name],
        roles=[role],
        memberships=[],
        role_ids=(told.kind,),
        states=(told.state,) if told.state else (),
        territory=review.state_under_review if told.kind == "nhri" else None,
        sample=review.sample,
    )


def _joined(one: Entries, other: Entries) -> Entries:
    """Each entry once, in an order that does not depend on which came first."""
    distinct = {repr(sorted(entry.items())): entry for entry in (*one, *other)}
    return [distinct[key] for key in sorted(distinct)]
