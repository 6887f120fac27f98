"""Which state of the data an answer shows."""

import hashlib
from datetime import datetime

import orjson

from services.core.schemas.shapes import Shape, moment_text
from services.core.store.reference import Reference


def dataset(seq: int, as_of: datetime, reference: Reference) -> Shape:
    """`{version, as_of, cursor}`: the newest change, when it was recorded, and the hash of the vocabularies."""
    return {"version": f"{seq}-{vocabulary_hash(reference)}", "as_of": moment_text(as_of), "cursor": seq}


def vocabulary_hash(reference: Reference) -> str:
    """Eight hex digits that change with States' groups and with the entries of any vocabulary."""
    states = [(state.id, state.region, state.blocs) for state in sorted(reference.states.values(), key=lambda s: s.id)]
    return hashlib.sha256(orjson.dumps([states, sorted(reference.labels)])).hexdigest()[:8]
