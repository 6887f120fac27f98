"""Recommendations under ids that they do not bear: former ones, removed ones, numbers that hold several."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from services.core.schemas.names import Names
from services.core.schemas.shapes import Shape, shape_of
from services.core.store.former_ids import removal_reason
from services.core.store.recommendations import RECOMMENDATIONS, recommendations_table
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
    columns = recommendations_table.c
    if held := RECOMMENDATIONS.one(connection, record_id):
        return Elsewhere(record=shape_of(_NOUN, held, Names(reference)))
    bearer = connection.scalar(select(columns.id).where(columns.aliases.contains([record_id])))
    # The range is there for the index: as bytes, a full stop is what follows a dash.
    under_it = (columns.id > f"{record_id}-", columns.id < f"{record_id}.", columns.part.is_not(None))
    parts = connection.scalars(select(columns.id).where(*under_it).order_by(columns.sort_key))
    return Elsewhere(bearer=bearer, parts=tuple(parts), removed=removal_reason(connection, _NOUN, record_id))
