"""The third stage: what was fetched is read, each file in the sandbox, and the reading kept."""

import itertools
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path

from services.core.domain.errors import UnreadableDocumentError
from services.ingest.datasets import data_set_for
from services.ingest.datasets.base import DataSet
from services.ingest.load_sources import review_told
from services.ingest.pipeline.records import Stage
from services.ingest.pipeline.staging import Staged, State, packed
from services.ingest.pipeline.task import Step, Task
from services.ingest.quarantine import Quarantine
from services.ingest.reading import Reading, ReadIssue


def read_all(task: Task) -> None:
    """Read each file that was fetched. The export of a data set is read as it is loaded: it is too large to keep."""
    states = task.staging.states()
    total = states.get(State.FETCHED, 0) + sum(states.get(each, 0) for each in (State.READ, State.UNREADABLE))
    done = total - states.get(State.FETCHED, 0)
    for file, result in _results(task):
        done += 1
        fault = result.detail if isinstance(result, UnreadableDocumentError) else None
        _settle(task, file, result)
        task.desk.tell(Step(Stage.READING, done, total, file.name, fault))


def path_of(task: Task, file: Staged) -> Path:
    """Where the bytes of a file are."""
    assert file.sha256 is not None
    return task.desk.archive.path(file.sha256)


def _results(task: Task) -> Iterator[tuple[Staged, Reading | UnreadableDocumentError | None]]:
    def data_set(file: Staged) -> DataSet | None:
        return data_set_for(path_of(task, file))

    # Neighbours of one kind go together, so that the sandbox reads ahead.
    for is_export, files in itertools.groupby(task.staging.take(State.FETCHED), key=data_set):
        if is_export is None:
            yield from _documents(task, files)
        else:
            yield from ((file, None) for file in files)


def _documents(task: Task, files: Iterable[Staged]) -> Iterator[tuple[Staged, Reading | UnreadableDocumentError]]:
    ahead: deque[Staged] = deque()

    def paths() -> Iterator[Path]:
        for file in files:
            ahead.append(file)
            yield path_of(task, file)

    for outcome in Quarantine(task.engine).read_all(task.desk.sandbox, paths()):
        yield ahead.popleft(), outcome.result


def _settle(task: Task, file: Staged, result: Reading | UnreadableDocumentError | None) -> None:
    with task.engine.begin() as connection:
        if isinstance(result, UnreadableDocumentError):
            issue = ReadIssue("error", result.code, result.detail)
            task.staging.set(connection, file.place, State.UNREADABLE, code=result.code, detail=result.detail)
            task.note(connection, [issue], file=file.name, sha256=file.sha256)
        elif result is None:
            task.staging.set(connection, file.place, State.READ)
        else:
            values = {"reading": packed(result), "told": result.told, "review": review_told(result)}
            task.staging.set(connection, file.place, State.READ, **values)
