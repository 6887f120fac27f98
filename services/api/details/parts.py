"""Parts: what `include=` adds to a record, alone or as a row of a list.

A part is loaded for all records of an answer at once, so that the number of queries does not grow with the rows.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Connection

from services.core.schemas.names import Names
from services.core.schemas.shapes import permalink

T = TypeVar("T")


@dataclass(frozen=True)
class Setting:
    """What the parts of one answer are read from, and how they name things."""

    connection: Connection
    names: Names
    public_url: str
    _held: dict[Any, Any] = field(default_factory=dict)

    def once(self, load: "Callable[[Setting, Sequence[Any]], T]", records: Sequence[Any]) -> T:
        """What `load` finds for the records of this answer: asked for by several parts, read once."""
        if load not in self._held:
            self._held[load] = load(self, records)
        found: T = self._held[load]
        return found

    def permalink(self, noun: str, record_id: str) -> str:
        """The permalink of a record."""
        return permalink(self.public_url, noun, record_id)

    def address(self, path: str) -> str:
        """The address of what is at `path` below the API's version."""
        return f"{self.public_url.rstrip('/')}/v1/{path}"


Load = Callable[[Setting, Sequence[Any]], Mapping[str, Any]]
"""Of some records, the part of each by the record's id. Those that have none are left out."""


@dataclass(frozen=True)
class Part:
    """One part of a noun's records. `model` is what it looks like; `queries` how many it takes at most.

    `alone`: too much for the rows of a list, so that only one record can have it.
    """

    name: str
    model: Any
    meaning: str
    load: Load
    queries: int
    alone: bool = False
