"""The last stage: what was read is stored, with its changes."""

from collections.abc import Iterable

from sqlalchemy import Connection, select, text

from services.core.domain.errors import UnreadableDocumentError
from services.core.store.ingest import issues_table
from services.ingest.datasets import data_set_for
from services.ingest.load import Loaded, Loader
from services.ingest.pipeline import held
from services.ingest.pipeline.file_names import file_name
from services.ingest.pipeline.read import path_of
from services.ingest.pipeline.records import Stage
from services.ingest.pipeline.staging import Staged, State
from services.ingest.pipeline.task import Step, Task
from services.ingest.reading import Reading, ReadIssue
from services.ingest.run_data_sets import Shared, load_data_set


def load_all(task: Task) -> None:
    """Store each file that was compared; then note which files are gone.

    Everything about a file is noted in the transactions that store it, or after them in one that can be repeated.
    """
    loader = Loader(task.engine, task.desk.backfill_after)
    states = task.staging.states()
    total = sum(states.get(each, 0) for each in (State.COMPARED, State.LOADED))
    done = states.get(State.LOADED, 0)
    for file in task.staging.take(State.COMPARED):
        done += 1
        task.lock.execute(text("SELECT 1"))  # raises where the lock is lost
        fault = _load(task, loader, file)
        task.desk.tell(Step(Stage.LOADING, done, total, file.name, fault.detail if fault else None))
    _settle_the_rest(task)


def _load(task: Task, loader: Loader, file: Staged) -> UnreadableDocumentError | None:
    """Store one file. Answers why it could not be stored."""

    def within(connection: Connection, loaded: Loaded) -> None:
        task.staging.add_changes(connection, file.place, loaded.counts)
        task.note(connection, _news(task, connection, loaded.issues), file=file.name, sha256=file.sha256)

    path = path_of(task, file)
    try:
        reading = task.staging.reading_of(file.place)
        if reading is None:
            shared = _load_export(task, loader, file)
            _settle(task, file, shared.issues, told=shared.told)
            return None
        assert file.sha256 is not None
        name = file_name(file.address, file.name, file.kind)
        with task.engine.connect() as connection:
            before = held.held_at(connection, task.source.name, [file.address]).get(file.address)
        replaces = held.former_bytes(task.engine, before, file.sha256)
        loaded = loader.load(
            path, file.sha256, reading, name=name, replaces=replaces, seen_at=task.run.started_at, within=within
        )
    except UnreadableDocumentError as error:
        _refuse(task, file, error)
        return error
    _settle(task, file, (*reading.issues, *_differing(file, reading)), told=reading.told, document=loaded.document)
    return None


def _load_export(task: Task, loader: Loader, file: Staged) -> Shared:
    def within(connection: Connection, loaded: Loaded) -> None:
        task.staging.add_changes(connection, file.place, loaded.counts)

    data_set = data_set_for(path_of(task, file))
    shared: Shared | None = None
    if data_set is not None:
        for shared in load_data_set(loader, data_set, path_of(task, file), within, since=task.run.options.since):
            task.desk.tell(Step(Stage.LOADING, shared.done, shared.shares, file.name))
    if shared is None:
        raise UnreadableDocumentError("no_recommendations", "no row of the data set is understood")
    return shared


def _settle(task: Task, file: Staged, issues: Iterable[ReadIssue], *, told: int, document: str | None = None) -> None:
    with task.engine.begin() as connection:
        task.staging.set(connection, file.place, State.LOADED, reading=None)
        task.note(connection, issues, file=file.name, sha256=file.sha256, document=document)
        if task.run.options.since is None or document is not None:  # else a part of an export was loaded
            _hold(task, connection, file, held.Outcome.LOADED, told)


def _refuse(task: Task, file: Staged, error: UnreadableDocumentError) -> None:
    with task.engine.begin() as connection:
        values = {"code": error.code, "detail": error.detail, "reading": None}
        task.staging.set(connection, file.place, State.UNREADABLE, **values)
        task.note(connection, [ReadIssue("error", error.code, error.detail)], file=file.name, sha256=file.sha256)


def _hold(task: Task, connection: Connection, file: Staged, outcome: held.Outcome, told: int) -> None:
    about = {"address": file.address, "name": file.name, "sha256": file.sha256, "outcome": outcome, "told": told}
    held.hold(connection, task.source.name, task.run.id, **about)


def _settle_the_rest(task: Task) -> None:
    """Note which files could not be read, which are gone, and which are there again."""
    for file in task.staging.take(State.UNREADABLE):
        with task.engine.begin() as connection:
            _hold(task, connection, file, held.Outcome.UNREADABLE, 0)
    with task.engine.begin() as connection:
        held.there_again(connection, task.source.name, task.run.id)
        if task.run.options.whole:
            for address, name in held.gone_now(connection, task.source.name, task.run.id):
                issue = ReadIssue("warning", "gone", f"{address} is no longer there; what it told is kept")
                task.note(connection, [issue], file=name)


def _news(task: Task, connection: Connection, issues: Iterable[ReadIssue]) -> list[ReadIssue]:
    """What this run had not found before: each document of a review finds anew what merging brings to light."""
    columns = issues_table.c
    return [
        issue
        for issue in issues
        if connection.scalar(
            select(columns.id)
            .where(columns.run == task.run.id, columns.code == issue.code, columns.detail == issue.detail)
            .limit(1)
        )
        is None
    ]


def _differing(file: Staged, reading: Reading) -> list[ReadIssue]:
    """A file that is another document than the source says is loaded as what it is."""
    told, said = reading.document, []
    if file.symbol is not None and told.symbol is not None and _same_letters(file.symbol) != _same_letters(told.symbol):
        said.append(f"{told.symbol}, not {file.symbol}")
    if file.language is not None and told.language != file.language:
        said.append(f"in the language {told.language}, not {file.language}")
    return [ReadIssue("warning", "another_document", f"{file.address} is {' and '.join(said)}")] if said else []


def _same_letters(symbol: str) -> str:
    return "".join(symbol.split()).upper()
