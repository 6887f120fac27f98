"""Organisations that documents name or let speak, as records. All that a record says rests on its roles."""

from collections.abc import Iterable, Mapping
from functools import cache

from services.core.domain.organisations import organisation_id
from services.core.store.organisations import OrganisationName, OrganisationRecord, OrganisationRole
from services.core.store.reviews import ReviewRecord
from services.core.store.seed import facts, sample_state_records
from services.ingest.merge.sources import SourceReading
from services.ingest.reading import ReadOrganisation, ReadStatement

_NATIONAL_INSTITUTION = "nhri"


def organisation_records(
    sources: Iterable[SourceReading], review: ReviewRecord | None
) -> dict[str, OrganisationRecord]:
    """The organisations that these sources name or let speak, by id. `review`: whose sources they are, if one's."""
    roles: dict[str, list[OrganisationRole]] = {}
    for source in sources:
        for organisation in source.reading.organisations:
            of_state = review.state_under_review if review and organisation.kind == _NATIONAL_INSTITUTION else None
            key = organisation_id(organisation.name, of_state)
            roles.setdefault(key, []).append(_named(organisation, source, review))
        for statement in source.reading.statements:
            if statement.speaker_name and statement.speaker_kind:
                roles.setdefault(statement.speaker, []).append(_spoke(statement, source, review))
    return {key: _record(key, each) for key, each in roles.items()}


def joined_organisation(one: OrganisationRecord, other: OrganisationRecord) -> OrganisationRecord:
    """One record of two that have the same id. It does not matter which came first."""
    return _record(one.id, [*one.roles, *other.roles])


def without_roles(record: OrganisationRecord, told_here: Mapping[str, str]) -> OrganisationRecord | None:
    """The record without what rests on a review (`{"review": "PER-2"}`) or on a document's part that is of no one
    review (`{"document": "A-HRC-28-2"}`); None where nothing is left."""
    kept = [role for role in record.roles if not _rests_on(role, told_here)]
    return _record(record.id, kept) if kept else None


def _rests_on(role: OrganisationRole, told_here: Mapping[str, str]) -> bool:
    if "review" in told_here:
        return role.get("review") == told_here["review"]
    return "review" not in role and role["document"] == told_here["document"]


def _named(told: ReadOrganisation, source: SourceReading, review: ReviewRecord | None) -> OrganisationRole:
    role = _role(told.kind, told.name, source, review)
    if told.acronym:
        role["acronym"] = told.acronym
    if told.submission:
        role["submission"] = told.submission
    if told.status:
        role["status"] = told.status
    if told.state:
        role["seat"] = told.state
    if told.city:
        role["city"] = told.city
    if told.page:
        role["page"] = told.page
    return role


def _spoke(told: ReadStatement, source: SourceReading, review: ReviewRecord | None) -> OrganisationRole:
    role = _role(told.speaker_kind or "", told.speaker_name or "", source, review)
    if told.hearing:
        role["hearing"] = told.hearing
    return role


def _role(kind: str, name: str, source: SourceReading, review: ReviewRecord | None) -> OrganisationRole:
    role = OrganisationRole(role=kind, name=name, document=source.document)
    if review:
        role["review"] = review.id
    return role


def _record(public_id: str, told: Iterable[OrganisationRole]) -> OrganisationRecord:
    """The record that roles make, in an order that does not depend on which came first.

    Its seats are where the documents say; a national institution's territory is the State whose code its id bears.
    """
    distinct = {_place(role): role for role in told}
    roles = [distinct[key] for key in sorted(distinct)]
    is_institution = any(role["role"] == _NATIONAL_INSTITUTION for role in roles)
    return OrganisationRecord(
        id=public_id,
        names=_names(roles),
        roles=roles,
        memberships=[],
        role_ids=tuple(sorted({role["role"] for role in roles})),
        states=tuple(sorted({role["seat"] for role in roles if "seat" in role})),
        territory=_state_first_in(public_id) if is_institution else None,
        sample=all("review" in role and _state(role) in _sample_states() for role in roles),
    )


def _place(role: OrganisationRole) -> tuple[str, str, str, str]:
    return (role.get("review", ""), role.get("hearing", ""), role["document"], repr(sorted(role.items())))


def _names(roles: Iterable[OrganisationRole]) -> list[OrganisationName]:
    """Each name once, with its acronym where a document tells one."""
    told = sorted({(role["name"], role.get("acronym")) for role in roles}, key=lambda each: (each[0], each[1] or ""))
    with_acronym = {name for name, acronym in told if acronym}
    return [
        OrganisationName(name=name, acronym=acronym) if acronym else OrganisationName(name=name)
        for name, acronym in told
        if acronym or name not in with_acronym
    ]


def _state_first_in(institution: str) -> str | None:
    """The State whose code stands first in the id of an institution (`organisation_id`); None where none does."""
    code = institution.partition("-")[0].upper()
    return code if code in _all_states() else None


def _state(role: OrganisationRole) -> str:
    """The State under review of the review that a role belongs to."""
    return role["review"].rpartition("-")[0]


@cache
def _all_states() -> frozenset[str]:
    return _sample_states() | {row["code"] for row in facts("states")}


@cache
def _sample_states() -> frozenset[str]:
    return frozenset(record.id for record in sample_state_records())
