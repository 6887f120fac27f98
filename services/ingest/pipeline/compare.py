"""The fourth stage: what loading each file would change is tried, without writing it."""

from collections import Counter
from collections.abc import Mapping

from services.core.domain.errors import UnreadableDocumentError
from services.ingest.datasets import data_set_for
from services.ingest.load import Loader
from services.ingest.load_sources import places_told
from services.ingest.pipeline.held import Held, Outcome, files_and_records, former_bytes, held_at
from services.ingest.pipeline.read import path_of
from services.ingest.pipeline.records import Stage
from services.ingest.pipeline.staging import Staged, State
from services.ingest.pipeline.task import Step, Task
from services.ingest.run_data_sets import load_data_set


def compare_all(task: Task) -> None:
    """Note of each file that was read what loading it would change of what is held.

    What can only add is not tried, except in a dry run, which is to say what would be added. Neither is the first
    export of a source: it takes as long to read as to load, and the checks have nothing to compare it with.
    """
    loader = Loader(task.engine, task.desk.backfill_after, only_try=True)
    _, held = files_and_records(task.engine, task.source.name)
    states = task.staging.states()
    total = sum(states.get(each, 0) for each in (State.READ, State.COMPARED))
    done = states.get(State.COMPARED, 0)
    for file in task.staging.take(State.READ):
        done += 1
        would, told = _tried(task, loader, file, holds_any=held > 0)
        with task.engine.begin() as connection:
            task.staging.set(connection, file.place, State.COMPARED, would=would, told=told)
        task.desk.tell(Step(Stage.COMPARING, done, total, file.name))


def _tried(task: Task, loader: Loader, file: Staged, *, holds_any: bool) -> tuple[Mapping[str, int], int | None]:
    """The changes by event type, and how many records the file tells of. One that cannot be stored changes nothing.

    `holds_any`: whether any record of the source is held, of which a share could go or change.
    """
    with task.engine.connect() as connection:
        held = held_at(connection, task.source.name, [file.address]).get(file.address)
    try:
        may_only_add = not (task.run.options.dry_run or _was_loaded(held))
        if may_only_add and file.review and loader.can_only_add(file.sha256 or "", [file.review]):
            return {}, file.told
        if (reading := task.staging.reading_of(file.place)) is None:
            return _tried_export(task, loader, file) if holds_any or task.run.options.dry_run else ({}, None)
        assert file.sha256 is not None
        if may_only_add and loader.can_only_add(file.sha256, places_told(file.sha256, reading)):
            return {}, file.told
        replaces = former_bytes(task.engine, held, file.sha256)
        seen_at = task.run.started_at
        changes = loader.load(path_of(task, file), file.sha256, reading, replaces=replaces, seen_at=seen_at).counts
    except UnreadableDocumentError:
        return {}, file.told  # loading will say why, and go on with the next
    return changes, file.told


def _tried_export(task: Task, loader: Loader, file: Staged) -> tuple[Mapping[str, int], int | None]:
    path = path_of(task, file)
    data_set = data_set_for(path)
    changes: Counter[str] = Counter()
    told = 0
    if data_set is not None:
        for so_far in load_data_set(loader, data_set, path, since=task.run.options.since):
            changes, told = so_far.changes, so_far.told
            task.desk.tell(Step(Stage.COMPARING, so_far.done, so_far.shares, file.name))
    return changes, told


def _was_loaded(held: Held | None) -> bool:
    return held is not None and held.outcome is Outcome.LOADED
