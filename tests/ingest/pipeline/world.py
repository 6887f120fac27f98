"""A tiny source, and what runs it: real HTTP, a real store; documents are read in this process, which is quicker."""

import datetime
import itertools
import os
import re
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
from sqlalchemy import Connection, Engine, event, text

from services.core.domain.errors import UnreadableDocumentError
from services.core.store.archive import Archive
from services.core.store.engine import make_engine
from services.ingest.parsers import read_document
from services.ingest.parsers.base import Content
from services.ingest.pipeline.desk import fetching
from services.ingest.pipeline.records import Options
from services.ingest.pipeline.run import Ended, run_source
from services.ingest.pipeline.task import Desk, Step
from services.ingest.sandbox import ReadFile, Sandbox
from services.ingest.settings import IngestSettings
from services.ingest.sources import Source
from services.ingest.sources.base import Found, Visit
from services.ingest.sources.description import Description

KINDS = frozenset({"docx", "csv", "json"})


class ListAdapter:
    """Everything that the site lists, in its order."""

    name = "tiny"

    def find(self, visit: Visit) -> Iterator[Found]:
        site = visit.sites["site"]
        listed = orjson.loads(visit.fetch(f"{site}/list.json", kinds=frozenset({"json"})).path.read_bytes())
        for done, name in enumerate(listed):
            visit.told(done, len(listed))
            yield Found(f"{site}/{name}", name, KINDS)


def tiny_source(site: str, *, least: int = 1, gone: float = 0.02, changed: float = 0.1) -> Source:
    return Source(
        ListAdapter(),
        Description.model_validate(
            {
                "title": "A tiny source",
                "sites": {"site": site},
                "cadence": "1 day",
                "rate": {"requests_per_second": 50, "at_once": 2},
                "least": {"found": least},
                "hold": {"gone": gone, "changed": changed},
            }
        ),
    )


class ReadHere(Sandbox):
    """Reads in this process: no worker has to start."""

    def read_all(self, files: Iterable[Path]) -> Iterator[ReadFile]:
        for path in files:
            data = path.read_bytes()
            try:
                yield ReadFile(path, path.name, read_document(Content(path.name, data)))
            except UnreadableDocumentError as error:
                yield ReadFile(path, path.name, error)


@contextmanager
def desk_on(url: str, folder: Path, tell: Callable[[Step], None] = lambda _step: None) -> Iterator[Desk]:
    """What a run works with, on a database and a folder of its own."""
    engine = make_engine(url, pool_size=6)
    archive = Archive(folder / "documents")
    settings = IngestSettings(fetch_allow_loopback=True)

    asking = fetching(settings, engine, archive)
    try:
        yield Desk(engine, archive, ReadHere(), asking, folder / "runs", datetime.timedelta(days=180), tell)
    finally:
        engine.dispose()


def run_tiny(
    url: str, folder: Path, source: Source, tell: Callable[[Step], None] = lambda _step: None, **asked: object
) -> Ended:
    """One run of a source."""
    with desk_on(url, folder, tell) as desk:
        return run_source(desk, source, Options(**asked))  # type: ignore[arg-type]


def run_and_die(url: str, folder: str, site: str, commits: int) -> None:
    """For a child process: run, and be killed, as the kernel kills, before the commit of this number."""
    counted = count_commits(lambda count: os.kill(os.getpid(), signal.SIGKILL) if count == commits else None)
    with counted:
        run_tiny(url, Path(folder), tiny_source(site))


@contextmanager
def count_commits(heard: Callable[[int], None]) -> Iterator[None]:
    """Within, `heard` is told the number of each transaction before it is committed."""
    numbers = itertools.count(1)

    def committing(_connection: Connection) -> None:
        heard(next(numbers))

    event.listen(Engine, "commit", committing)
    try:
        yield
    finally:
        event.remove(Engine, "commit", committing)


TABLES = (
    *("states", "labels", "reviews", "documents", "recommendations", "pledges", "hearings", "statements"),
    *("organisations", "paragraphs", "observations", "former_ids", "readings", "changes"),
    *("ingest_issues", "ingest_held"),
)
LEFT_OUT = ("moments", "ids of runs, changes, readings and issues", "the port of the site")
"""What `contents` leaves out: it is another one in every run."""
_OF_ITS_OWN = ("created_at", "updated_at", "loaded_at", "occurred_at", "gone_since", "removed_at", "run")
_NUMBERED = {"changes": ["id"], "readings": ["id"], "ingest_issues": ["id"]}


def contents(engine: Engine) -> dict[str, list[str]]:
    """Every row of the store, without the moments, the ids that are drawn by lot, and the port of the site."""
    with engine.connect() as connection:
        return {table: _rows(connection, table) for table in TABLES}


def _rows(connection: Connection, table: str) -> list[str]:
    keys = "".join(f" - '{name}'" for name in (*_OF_ITS_OWN, *_NUMBERED.get(table, [])))
    if table == "changes":
        keys += " #- '{data,created_at}' #- '{data,updated_at}'"
    rows = connection.execute(text(f"SELECT (to_jsonb(held_row) {keys})::text FROM {table} AS held_row"))
    return sorted(re.sub(r"127\.0\.0\.1:\d+", "site", row[0]) for row in rows)
