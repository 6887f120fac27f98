"""How most answers begin: one state of the data is held, and who knows it already is told so."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from fastapi import Request, Response
from sqlalchemy import Connection

from services.api.dependencies import desk_of
from services.api.details.parts import Setting
from services.core.runtime.conditional import Version, unchanged, version_of
from services.core.schemas.dataset import dataset
from services.core.schemas.names import Names
from services.core.schemas.shapes import Shape
from services.core.store.changes import head_and_time
from services.core.store.engine import snapshot
from services.core.store.reference import Reference


@dataclass(frozen=True)
class Opening:
    """A state of the data, for an answer that any change may change. The connection is good within `opening`."""

    request: Request
    connection: Connection
    reference: Reference
    version: Version
    dataset: Shape

    def held(self) -> Response | None:
        """304 where the reader holds this version of the answer. First make sure that there is an answer at all."""
        return unchanged(self.request, self.version)

    def setting(self, language: str) -> Setting:
        """What parts of the answer are read from."""
        public_url = desk_of(self.request).settings.public_url
        return Setting(self.connection, Names(self.reference, language), public_url)


@contextmanager
def opening(request: Request) -> Iterator[Opening]:
    """The newest state of the data, in one snapshot: one query for its number."""
    desk = desk_of(request)
    with snapshot(desk.engine) as connection:
        seq, as_of = head_and_time(connection)
        reference = desk.reference.as_of(connection, seq)
        version = version_of(request, seq, reference.names_hash, modified=as_of)
        yield Opening(request, connection, reference, version, dataset(seq, as_of, reference))
