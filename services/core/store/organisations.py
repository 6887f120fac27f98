"""Organisations: coalitions, institutions and bodies that take part in reviews."""

from dataclasses import dataclass

from sqlalchemy import Boolean, Column, Index, Table
from sqlalchemy.dialects.postgresql import JSONB

from services.core.store.metadata import metadata, plain_text, row_history, texts
from services.core.store.records import Aggregate, Stored


@dataclass(frozen=True, kw_only=True)
class OrganisationRecord(Stored):
    """`names` and `memberships` are dated entries; `role_ids` and `member_of` are their codes, for filters."""

    id: str
    names: list[dict[str, object]]
    roles: list[dict[str, object]]
    memberships: list[dict[str, object]]
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
Index(None, organisations_table.c.role_ids, postgresql_using="gin")
Index(None, organisations_table.c.states, postgresql_using="gin")
ORGANISATIONS = Aggregate("organisations", organisations_table, OrganisationRecord)
