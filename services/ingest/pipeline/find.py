"""The first stage: the adapter says which files there are."""

import hashlib
import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import delete

from services.core.store.ingest import issues_table
from services.ingest.fetching.outcomes import NotFetchedError
from services.ingest.pipeline import records
from services.ingest.pipeline.held import held_at, is_settled
from services.ingest.pipeline.records import Stage
from services.ingest.pipeline.staging import State
from services.ingest.pipeline.task import NOT_SEARCHED, Step, Task
from services.ingest.reading import ReadIssue
from services.ingest.sources.base import Fetch, Found, Visit

_NOTED_AT_ONCE = 100


def find(task: Task, fetch: Fetch) -> None:
    """Note every file that the adapter finds. A search that was stopped begins anew.

    Raises `NotFetchedError` where it cannot go on.
    """
    _forget_earlier_search(task)
    found = enumerate(itertools.islice(task.source.adapter.find(_visit(task, fetch)), task.run.options.limit))
    while some := list(itertools.islice(_told(task, found), _NOTED_AT_ONCE)):
        task.staging.add([_row(task, place, each) for place, each in some])


def _told(task: Task, found: Iterator[tuple[int, Found]]) -> Iterator[tuple[int, Found]]:
    for place, each in found:
        task.desk.tell(Step(Stage.FINDING, place + 1, task.run.options.limit, each.name))
        yield place, each


def _forget_earlier_search(task: Task) -> None:
    _remove_folders_of_ended_runs(task)
    task.folder.mkdir(parents=True, exist_ok=True)
    task.staging.clear()
    with task.engine.begin() as connection:
        connection.execute(delete(issues_table).where(issues_table.c.run == task.run.id))


def _remove_folders_of_ended_runs(task: Task) -> None:
    """Whoever ends a run that was held, or leaves one that was stopped, may be another machine's process."""
    folders = {folder.name: folder for folder in task.desk.folder.glob("run_*")}
    with task.engine.connect() as connection:
        wanted = records.not_ended(connection, folders)
    for name in folders.keys() - wanted:
        shutil.rmtree(folders[name], ignore_errors=True)


def _visit(task: Task, fetch: Fetch) -> Visit:
    def note(issue: ReadIssue) -> None:
        with task.engine.begin() as connection:
            task.note(connection, [issue], file=task.source.name)

    def unread(part: str, error: NotFetchedError) -> None:
        note(ReadIssue("error", NOT_SEARCHED, f"{part}: {error.code}, {error.detail}; what was found there is kept"))

    return Visit(
        sites=task.source.description.sites,
        since=task.run.options.since,
        engine=task.engine,
        fetch=fetch,
        folder=task.folder,
        note=note,
        told=lambda done, total: task.desk.tell(Step(Stage.FINDING, done, total)),
        unread=unread,
    )


def _row(task: Task, place: int, found: Found) -> dict[str, Any]:
    row: dict[str, Any] = {
        "place": place,
        "state": State.FOUND,
        "address": found.address,
        "name": found.name,
        "kinds": sorted(found.kinds),
        "symbol": found.symbol,
        "language": found.language,
        "may_be_missing": found.may_be_missing,
        "most_bytes": found.most_bytes,
        "sha256": None,
        "kind": None,
        "bytes": None,
    }
    return row if found.kept is None else {**row, **_put_together(task, found, found.kept)}


def _put_together(task: Task, found: Found, file: Path) -> dict[str, Any]:
    """A file that the adapter made of answers is fetched with that."""
    with file.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    task.desk.archive.keep(file, sha256)
    with task.engine.connect() as connection:
        held = held_at(connection, task.source.name, [found.address]).get(found.address)
    state = State.UNCHANGED if is_settled(held, sha256) else State.FETCHED
    return {"state": state, "sha256": sha256, "kind": min(found.kinds), "bytes": file.stat().st_size}
