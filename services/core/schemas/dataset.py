"""Which state of the data an answer shows."""

from datetime import datetime

from services.core.schemas.shapes import Shape, moment_text
from services.core.store.reference import Reference


def dataset(seq: int, as_of: datetime, reference: Reference) -> Shape:
    """`{version, as_of, cursor}`: the newest change, when it was recorded, and the hash of the vocabularies."""
    return {"version": f"{seq}-{reference.vocabulary_hash}", "as_of": moment_text(as_of), "cursor": seq}
