"""What all stages of a run have at hand."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import Connection, Engine, insert, select

from services.core.store.archive import Archive
from services.core.store.ingest import issues_table
from services.ingest.pipeline.records import RunRecord, Stage
from services.ingest.pipeline.staging import Staging
from services.ingest.reading import ReadIssue
from services.ingest.sandbox import Sandbox
from services.ingest.sources import Source
from services.ingest.sources.base import Fetch

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider


class RunFetch(Fetch, Protocol):
    """Asks for the files of a run, which it is told of before."""

    def foresee(self, addresses: Sequence[str]) -> None:
        """These are asked for next."""
        ...


OpenFetch = Callable[[Source, str], AbstractContextManager[RunFetch]]
"""Opens what asks for the files of a source in one run, known by its id."""


NOT_SEARCHED = "not_searched"
"""The Issue that says which part of a source could not be searched."""


class StoppedError(Exception):
    """Somebody asked the run to stop; it can be taken up again."""


@dataclass(frozen=True)
class Step:
    """How far a run is in one stage. `fault`: why a file did not come further."""

    stage: Stage
    done: int = 0
    total: int | None = None
    file: str = ""
    fault: str | None = None


@dataclass(frozen=True)
class Desk:
    """What every run on this machine works with. `folder`: for files that adapters put together.

    `tell` hears how far the run is, at least after each file; it raises `StoppedError` to stop the run. `tracing`:
    where spans of runs and their stages go.
    """

    engine: Engine
    archive: Archive
    sandbox: Sandbox
    open_fetch: OpenFetch
    folder: Path
    backfill_after: timedelta
    tell: Callable[[Step], None] = field(default=lambda _step: None)
    tracing: "TracerProvider | None" = None


@dataclass(frozen=True)
class Task:
    """One run, while it is under way."""

    desk: Desk
    source: Source
    run: RunRecord
    staging: Staging
    lock: Connection
    """Holds the source's lock for as long as it answers."""

    @property
    def engine(self) -> Engine:
        """The store's connections."""
        return self.desk.engine

    @property
    def folder(self) -> Path:
        """The run's own folder."""
        return self.desk.folder / self.run.id

    def looks_at_all(self) -> bool:
        """Whether the run looks, and could look, at everything that the source has: what it does not find is gone."""
        columns = issues_table.c
        query = select(columns.id).where(columns.run == self.run.id, columns.code == NOT_SEARCHED).limit(1)
        with self.engine.connect() as connection:
            return self.run.options.whole and connection.scalar(query) is None

    def note(
        self,
        connection: Connection,
        issues: Iterable[ReadIssue],
        *,
        file: str,
        sha256: str | None = None,
        document: str | None = None,
    ) -> None:
        """Keep what was not understood, in a transaction of the caller's."""
        about = {"run": self.run.id, "file": file, "sha256": sha256, "document": document}
        rows = [
            {**about, "severity": each.severity, "code": each.code, "detail": each.detail, "page": each.page}
            for each in issues
        ]
        if rows:
            connection.execute(insert(issues_table), rows)
