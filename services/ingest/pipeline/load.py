"""The last stage: what was read is stored, with its changes."""

from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import Connection, select, text

from services.core.domain.errors import UnreadableDocumentError
from services.core.store.ingest import issues_table
from services.ingest.datasets import data_set_for
from services.ingest.load import FileRead, Loaded, Loader
from services.ingest.pipeline import held
from services.ingest.pipeline.file_names import file_name
from services.ingest.pipeline.read import path_of
from services.ingest.pipeline.records import Stage
from services.ingest.pipeline.staging import Staged, State
from services.ingest.pipeline.task import Step, Task
from services.ingest.reading import Reading, ReadIssue
from services.ingest.run_data_sets import Shared, load_data_set

TOGETHER = 8
"""Files of one review that are loaded in one transaction at most: what a kill may undo is to stay small."""


def load_all(task: Task) -> None:
    """Store each file that was compared, some of one review together; then note which files are gone.

    Everything about a file is noted in the transactions that store it, or after them in one that can be repeated.
    """
    loader = Loader(task.engine, task.desk.backfill_after)
    states = task.staging.states()
    total = sum(states.get(each, 0) for each in (State.COMPARED, State.LOADED))
    done = states.get(State.LOADED, 0)
    taken: set[int] = set()
    for first in task.staging.take(State.COMPARED):
        if first.place in taken:
            continue
        task.lock.execute(text("SELECT 1"))  # raises where the lock is lost
        for file, fault in _load_some(task, loader, _to_load_with(task, first)):
            taken.add(file.place)
            done += 1
            task.desk.tell(Step(Stage.LOADING, done, total, file.name, fault.detail if fault else None))
    _settle_the_rest(task)


def _to_load_with(task: Task, file: Staged) -> list[Staged]:
    """The files that a file is loaded together with, itself included.

    Which they are follows from what the run found, not from how far it is, so that a run that was killed makes the same
    changes. Where one of them was loaded by itself, all the others are.
    """
    if file.review is None:
        return [file]
    of_review = task.staging.of_review(file.review)
    at = next(at for at, each in enumerate(of_review) if each.place == file.place)
    some = of_review[at - at % TOGETHER :][:TOGETHER]
    return some if all(each.state is State.COMPARED for each in some) else [file]


def _load_some(
    task: Task, loader: Loader, files: Sequence[Staged]
) -> Iterator[tuple[Staged, UnreadableDocumentError | None]]:
    """Store files, together if that is possible. Answers each, and why it could not be stored."""
    if len(files) > 1 and _load_together(task, loader, files):
        yield from ((file, None) for file in files)
    else:
        yield from ((file, _load(task, loader, file)) for file in files)


def _load_together(task: Task, loader: Loader, files: Sequence[Staged]) -> bool:
    """Store files of one review in one transaction, in which everything is noted about them, too."""
    to_load = _to_load(task, files)
    if len(to_load) < len(files):
        return False

    def within(connection: Connection, told: Sequence[Loaded]) -> None:
        for file, read, loaded in zip(files, to_load, told, strict=True):
            task.staging.add_changes(connection, file.place, loaded.counts)
            task.note(connection, _news(task, connection, loaded.issues), file=file.name, sha256=file.sha256)
            issues = (*read.reading.issues, *_differing(file, read.reading))
            _settle(task, connection, file, issues, told=read.reading.told, document=loaded.document)

    try:
        return loader.load_together(to_load, within) is not None
    except UnreadableDocumentError:
        return False  # one by one it will be seen which it is


def _to_load(task: Task, files: Sequence[Staged]) -> list[FileRead]:
    """These files with what was read of them; without those that are read as they are loaded."""
    with task.engine.connect() as connection:
        before = held.held_at(connection, task.source.name, [file.address for file in files])
    return [
        FileRead(
            path_of(task, file),
            file.sha256,
            reading,
            name=file_name(file.address, file.name, file.kind),
            replaces=held.former_bytes(task.engine, before.get(file.address), file.sha256),
            seen_at=task.run.started_at,
        )
        for file in files
        if file.sha256 is not None and (reading := task.staging.reading_of(file.place)) is not None
    ]


def _load(task: Task, loader: Loader, file: Staged) -> UnreadableDocumentError | None:
    """Store one file by itself. Answers why it could not be stored."""

    def within(connection: Connection, loaded: Loaded) -> None:
        task.staging.add_changes(connection, file.place, loaded.counts)
        task.note(connection, _news(task, connection, loaded.issues), file=file.name, sha256=file.sha256)

    try:
        read = next(iter(_to_load(task, [file])), None)
        if read is None:
            shared = _load_export(task, loader, file)
            with task.engine.begin() as connection:
                _settle(task, connection, file, shared.issues, told=shared.told, readers=_reader(task, file))
            return None
        loaded = loader.load(
            read.path,
            read.sha256,
            read.reading,
            name=read.name,
            replaces=read.replaces,
            seen_at=read.seen_at,
            within=within,
        )
    except UnreadableDocumentError as error:
        _refuse(task, file, error)
        return error
    issues = (*read.reading.issues, *_differing(file, read.reading))
    with task.engine.begin() as connection:
        _settle(task, connection, file, issues, told=read.reading.told, document=loaded.document)
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


def _settle(
    task: Task,
    connection: Connection,
    file: Staged,
    issues: Iterable[ReadIssue],
    *,
    told: int,
    document: str | None = None,
    readers: str | None = None,
) -> None:
    task.staging.set(connection, file.place, State.LOADED, reading=None)
    task.note(connection, issues, file=file.name, sha256=file.sha256, document=document)
    if task.run.options.since is None or document is not None:  # else a part of an export was loaded
        _hold(task, connection, file, held.Outcome.LOADED, told=told, readers=readers)


def _refuse(task: Task, file: Staged, error: UnreadableDocumentError) -> None:
    with task.engine.begin() as connection:
        values = {"code": error.code, "detail": error.detail, "reading": None}
        task.staging.set(connection, file.place, State.UNREADABLE, **values)
        task.note(connection, [ReadIssue("error", error.code, error.detail)], file=file.name, sha256=file.sha256)


def _hold(
    task: Task, connection: Connection, file: Staged, outcome: held.Outcome, *, told: int, readers: str | None = None
) -> None:
    about = {"address": file.address, "name": file.name, "sha256": file.sha256, "outcome": outcome, "told": told}
    who = {} if readers is None else {"readers": readers}
    held.hold(connection, task.source.name, task.run.id, **about, **who)


def _reader(task: Task, file: Staged) -> str | None:
    data_set = data_set_for(path_of(task, file))
    return None if data_set is None else held.reader_of_export(data_set)


def _settle_the_rest(task: Task) -> None:
    """Note which files could not be read, which are gone, and which are there again."""
    for file in task.staging.take(State.UNREADABLE):
        with task.engine.begin() as connection:
            _hold(task, connection, file, held.Outcome.UNREADABLE, told=0)
    with task.engine.begin() as connection:
        held.there_again(connection, task.source.name, task.run.id)
        if task.looks_at_all():
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
