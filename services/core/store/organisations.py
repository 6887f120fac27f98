"""Organisations: coalitions, institutions and bodies that take part in reviews."""

from dataclasses import dataclass
from typing import NotRequired, TypedDict

from sqlalchemy import Boolean, Column, Index, Table
from sqlalchemy.dialects.postgresql import JSONB

from services.core.store.metadata import metadata, plain_text, row_history, texts
from services.core.store.records import Aggregate, Stored


class OrganisationName(TypedDict):
    """A name under which documents know it, with the acronym that they print beside it.

    `since` and `until` (`2025-10`) where a file of facts (`document`) says when it bore the name, by which `source`.
    """

    name: str
    acronym: NotRequired[str]
    language: NotRequired[str]
    since: NotRequired[str]
    until: NotRequired[str]
    source: NotRequired[str]
    document: NotRequired[str]


class OrganisationMembership(TypedDict):
    """An organisation that it belongs to, or belonged to, as a file of facts (`document`) tells by some `source`."""

    organisation: str
    document: str
    since: NotRequired[str]
    until: NotRequired[str]
    source: NotRequired[str]


class OrganisationRole(TypedDict):
    """What it was in one review or hearing, as one document tells: `nhri`, `organisation` or `intergovernmental`, of a
    hearing `requester`; or what it is, as a file of facts tells: `coalition`, `npm`, `city` …

    `name`, `acronym`, `seat` (a State's code) and `city` are as that document has them; `submission` is the joint
    submission it took part in (`JS1`), `status` an accreditation ("A"). `since`, `until`, `territory` and `source` are
    a file of facts'.
    """

    role: str
    name: str
    document: str
    acronym: NotRequired[str]
    review: NotRequired[str]
    hearing: NotRequired[str]
    submission: NotRequired[str]
    status: NotRequired[str]
    seat: NotRequired[str]
    city: NotRequired[str]
    page: NotRequired[int]
    since: NotRequired[str]
    until: NotRequired[str]
    territory: NotRequired[str]
    source: NotRequired[str]


@dataclass(frozen=True, kw_only=True)
class OrganisationRecord(Stored):
    """`states` (its seats), `territory` and most `names` follow from its `roles`; `role_ids` and `member_of` are codes,
    for filters."""

    id: str
    names: list[OrganisationName]
    roles: list[OrganisationRole]
    memberships: list[OrganisationMembership]
    role_ids: tuple[str, ...] = ()
    member_of: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    territory: str | None = None
    sample: bool = False


organisations_table = Table(
    "organisations",
    metadata,
    Column("id", plain_text(), primary_key=True),
    Column("names", JSONB, nullable=False),
    Column("roles", JSONB, nullable=False),
    Column("memberships", JSONB, nullable=False),
    Column("role_ids", texts(), nullable=False),
    Column("member_of", texts(), nullable=False),
    Column("states", texts(), nullable=False),
    Column("territory", plain_text()),
    Column("sample", Boolean, nullable=False),
    *row_history(),
)
Index(None, organisations_table.c.roles, postgresql_using="gin", postgresql_ops={"roles": "jsonb_path_ops"})
Index(None, organisations_table.c.role_ids, postgresql_using="gin")
Index(None, organisations_table.c.member_of, postgresql_using="gin")
Index(None, organisations_table.c.states, postgresql_using="gin")
ORGANISATIONS = Aggregate("organisations", organisations_table, OrganisationRecord)
