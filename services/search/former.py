"""Recommendations under ids that they do not bear: former ones, removed ones, numbers that hold several."""

from dataclasses import dataclass

from sqlalchemy import Connection

from services.core.schemas.names import Names
from services.core.schemas.shapes import Shape, shape_of
from services.core.store.former_ids import bearer_of, parts_of, removal_reason
from services.core.store.recommendations import RECOMMENDATIONS
from services.core.store.reference import Reference

_NOUN = "recommendations"


@dataclass(frozen=True)
class Elsewhere:
    """What the store knows of an id that the index does not: the record (not indexed yet), its new id, its parts, or
    why it was removed. None of it where it never was."""

    record: Shape | None = None
    bearer: str | None = None
    parts: tuple[str, ...] = ()
    removed: str | None = None


def look_elsewhere(connection: Connection, record_id: str, reference: Reference) -> Elsewhere:
    """Look an id up in the store."""
    if held := RECOMMENDATIONS.one(connection, record_id):
        return Elsewhere(record=shape_of(_NOUN, held, Names(reference)))
    return Elsewhere(
        bearer=bearer_of(connection, _NOUN, record_id),
        parts=tuple(row.id for row in parts_of(connection, record_id)),
        removed=removal_reason(connection, _NOUN, record_id),
    )
