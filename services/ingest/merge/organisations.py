"""Organisations that documents name or let speak, as records.

All that a record says rests on its roles, and on the names and memberships that a file of facts tells.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TypeVar, cast

from services.core.domain.organisations import organisation_id
from services.core.store.organisations import (
    OrganisationMembership,
    OrganisationName,
    OrganisationRecord,
    OrganisationRole,
)
from services.core.store.reviews import ReviewRecord
from services.core.store.seed import facts, sample_state_records
from services.ingest.merge.sources import SourceReading
from services.ingest.normalise.organisations import known_organisation
from services.ingest.reading import ReadHearing, ReadOrganisation, ReadStatement

_NATIONAL_INSTITUTION = "nhri"
_Entry = TypeVar("_Entry", OrganisationName, OrganisationMembership)


def organisation_records(
    sources: Iterable[SourceReading], review: ReviewRecord | None
) -> dict[str, OrganisationRecord]:
    """The organisations that these sources name or let speak, by id. `review`: whose sources they are, if one's."""
    told: dict[str, _Told] = defaultdict(_Told)
    for source in sources:
        for organisation in source.reading.organisations:
            of_it = told[_id_of(organisation, review)]
            of_it.roles.append(_named(organisation, source, review))
            of_it.names += [_name_told(each, source) for each in organisation.names]
            of_it.memberships += [_membership(each, source) for each in organisation.memberships]
        for statement in source.reading.statements:
            if statement.speaker_name and statement.speaker_kind:
                told[known_organisation(statement.speaker)].roles.append(_spoke(statement, source, review))
        for hearing in source.reading.hearings:
            for name in hearing.requesting_organisations:
                told[known_organisation(organisation_id(name))].roles.append(_requested(name, hearing, source))
    return {key: _record(key, each) for key, each in told.items()}


@dataclass
class _Told:
    """What is told of one organisation."""

    roles: list[OrganisationRole] = field(default_factory=list)
    names: list[OrganisationName] = field(default_factory=list)
    memberships: list[OrganisationMembership] = field(default_factory=list)


def joined_organisation(one: OrganisationRecord, other: OrganisationRecord) -> OrganisationRecord:
    """One record of two that have the same id. It does not matter which came first."""
    names = [name for name in (*one.names, *other.names) if "document" in name]
    return _record(one.id, _Told([*one.roles, *other.roles], names, [*one.memberships, *other.memberships]))


def without_roles(
    record: OrganisationRecord, *, review: str | None = None, documents: frozenset[str] = frozenset()
) -> OrganisationRecord | None:
    """The record without what rests on a review, or on the parts of documents that are of no one review; None where
    nothing is left."""
    kept = _Told(
        [role for role in record.roles if not _rests_on(role, review, documents)],
        [name for name in record.names if "document" in name and name["document"] not in documents],
        [each for each in record.memberships if each["document"] not in documents],
    )
    return _record(record.id, kept) if kept.roles else None


def _rests_on(role: OrganisationRole, review: str | None, documents: frozenset[str]) -> bool:
    if review is not None:
        return role.get("review") == review
    return "review" not in role and role["document"] in documents


def _id_of(told: ReadOrganisation, review: ReviewRecord | None) -> str:
    if told.id:
        return told.id
    of_state = review.state_under_review if review and told.kind == _NATIONAL_INSTITUTION else None
    return known_organisation(organisation_id(told.name, of_state))


def _name_told(told: Mapping[str, str], source: SourceReading) -> OrganisationName:
    return cast(OrganisationName, {**told, "document": source.document})


def _membership(told: Mapping[str, str], source: SourceReading) -> OrganisationMembership:
    return cast(OrganisationMembership, {**told, "document": source.document})


def _requested(name: str, hearing: ReadHearing, source: SourceReading) -> OrganisationRole:
    return OrganisationRole(role="requester", name=name, document=source.document, hearing=hearing.id)


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
    for name in ("since", "until", "territory", "source"):
        if value := getattr(told, name):
            role[name] = value
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


def _record(public_id: str, told: _Told) -> OrganisationRecord:
    """The record that this makes, in an order that does not depend on which came first.

    Its seats are where the documents say; a national institution's territory is the State whose code its id bears, if
    no file of facts tells another.
    """
    distinct = {_place(role): role for role in told.roles}
    roles = [distinct[key] for key in sorted(distinct)]
    is_institution = any(role["role"] == _NATIONAL_INSTITUTION for role in roles)
    memberships = _distinct(told.memberships)
    territories = sorted({role["territory"] for role in roles if "territory" in role})
    return OrganisationRecord(
        id=public_id,
        names=_names(roles, told.names),
        roles=roles,
        memberships=memberships,
        member_of=tuple(sorted({each["organisation"] for each in memberships})),
        role_ids=tuple(sorted({role["role"] for role in roles})),
        states=tuple(sorted({role["seat"] for role in roles if "seat" in role})),
        territory=territories[0] if territories else _state_first_in(public_id) if is_institution else None,
        sample=all("review" in role and _state(role) in _sample_states() for role in roles),
    )


def _place(role: OrganisationRole) -> tuple[str, str, str, str]:
    return (role.get("review", ""), role.get("hearing", ""), role["document"], repr(sorted(role.items())))


def _distinct(entries: Iterable[_Entry]) -> list[_Entry]:
    by_words = {repr(sorted(entry.items())): entry for entry in entries}
    return [by_words[key] for key in sorted(by_words)]


def _names(roles: Iterable[OrganisationRole], of_facts: Iterable[OrganisationName]) -> list[OrganisationName]:
    """Each name once: those of facts with their dates, oldest first, then others with an acronym where one is told."""
    known = sorted(_distinct(of_facts), key=lambda each: (each.get("until", "9"), each.get("since", ""), each["name"]))
    written = {each["name"] for each in known}
    return [*known, *(each for each in _names_of_roles(roles) if each["name"] not in written)]


def _names_of_roles(roles: Iterable[OrganisationRole]) -> list[OrganisationName]:
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
