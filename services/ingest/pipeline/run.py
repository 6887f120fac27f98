"""A run of a source, from its lock to its end."""

import shutil
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from typing import Any

from services.core.runtime.problems import DATABASE_AWAY
from services.core.runtime.tracing import traced
from services.ingest.fetching.outcomes import NotFetchedError
from services.ingest.pipeline import records
from services.ingest.pipeline.checks import Figures, Reason, reasons_against
from services.ingest.pipeline.compare import compare_all
from services.ingest.pipeline.fetch import fetch_all
from services.ingest.pipeline.figures import figures_of, report
from services.ingest.pipeline.find import find
from services.ingest.pipeline.load import load_all
from services.ingest.pipeline.lock import source_lock
from services.ingest.pipeline.read import read_all
from services.ingest.pipeline.records import Options, Stage, Status
from services.ingest.pipeline.staging import Staging
from services.ingest.pipeline.task import Desk, StoppedError, Task
from services.ingest.sources import Source


@dataclass(frozen=True)
class Ended:
    """How a run ended: `counts` are its report."""

    run: str
    source: str
    status: Status
    counts: Mapping[str, Any]
    reasons: Sequence[Reason] = ()


def run_source(desk: Desk, source: Source, options: Options) -> Ended:
    """Run a source, or go on with a run that was stopped.

    Raises `SourceBusyError` where it is under way already, `StoppedError` where `desk.tell` does.
    """
    with source_lock(desk.engine, source.name) as lock:
        run = records.take_up_or_begin(desk.engine, source.name, options, at_most=source.description.cadence)
        return _go_on(Task(desk, source, run, Staging(desk.engine, run.id), lock))


def run_released(desk: Desk, source: Source) -> Ended | None:
    """Load what was held of a source and then released; None where nothing was. Raises `SourceBusyError`."""
    with source_lock(desk.engine, source.name) as lock:
        run = records.released_run(desk.engine, source.name)
        return None if run is None else _go_on(Task(desk, source, run, Staging(desk.engine, run.id), lock))


def _go_on(task: Task) -> Ended:
    since = time.monotonic()
    with traced(task.desk.tracing, "ingest run", run=task.run.id, source=task.source.name) as found:
        try:
            figures, reasons = _through_the_stages(task)
        except NotFetchedError as error:
            figures, reasons = None, [Reason(error.code, f"the search cannot go on: {error.detail}", failed=True)]
        except BaseException as stopped:
            _note_stop(task, since, stopped)
            raise
        ended = _end(task, _counted(task, since, figures), reasons)
        found["status"] = ended.status
        return ended


def _through_the_stages(task: Task) -> tuple[Figures | None, list[Reason]]:
    """Take the run as far as it may go; what was checked (None: before it was taken up), and why it is not loaded."""
    stage, run = task.run.stage, task.run.id
    figures: Figures | None = None
    if stage is not Stage.LOADING:
        if stage in (Stage.FINDING, Stage.FETCHING):
            _find_and_fetch(task)
        for next_stage, work in ((Stage.READING, read_all), (Stage.COMPARING, compare_all)):
            records.note_stage(task.engine, run, next_stage)
            with _traced_stage(task, next_stage):
                work(task)
        figures = figures_of(task)
        reasons = reasons_against(figures, task.source.description, whole=task.looks_at_all())
        if reasons or task.run.options.dry_run:
            return figures, reasons
        records.note_passed(task.engine, task.run, figures.counts())
    with _traced_stage(task, Stage.LOADING):
        load_all(task)
    return figures, []


def _find_and_fetch(task: Task) -> None:
    with task.desk.open_fetch(task.source, task.run.id) as fetch:
        if task.run.stage is Stage.FINDING:
            with _traced_stage(task, Stage.FINDING):
                find(task, fetch)
            records.note_stage(task.engine, task.run.id, Stage.FETCHING)
        with _traced_stage(task, Stage.FETCHING):
            fetch_all(task, fetch)


def _traced_stage(task: Task, stage: Stage) -> AbstractContextManager[object]:
    """A span around a stage, within that of the run. Statements have none: a run sends thousands."""
    return traced(task.desk.tracing, f"ingest {stage}", run=task.run.id)


def _counted(task: Task, since: float, figures: Figures | None) -> Mapping[str, Any]:
    """The report, with what was checked, now or before the run was stopped."""
    checked = figures.counts() if figures else records.run_of(task.engine, task.run.id).counts.get("checked")
    return {**report(task, since), **({"checked": checked} if checked else {})}


def _end(task: Task, counts: Mapping[str, Any], reasons: Sequence[Reason]) -> Ended:
    if any(reason.failed for reason in reasons):
        status = Status.FAILED
    elif task.run.options.dry_run:
        status = Status.TRIED
    else:
        status = Status.HELD if reasons else Status.FINISHED
    records.end(task.engine, task.run, status, counts, reasons, whole=task.looks_at_all())
    if status is not Status.HELD:
        shutil.rmtree(task.folder, ignore_errors=True)
    return Ended(task.run.id, task.source.name, status, counts, reasons)


def _note_stop(task: Task, since: float, stopped: BaseException) -> None:
    """Note how far the run came. A fault of ours ends it as failed; whoever is asked to stop goes on with it later."""
    with suppress(*DATABASE_AWAY):
        counts = _counted(task, since, None)
        records.note_counts(task.engine, task.run.id, counts)
        if isinstance(stopped, Exception) and not isinstance(stopped, (*DATABASE_AWAY, StoppedError)):
            reason = Reason("fault", f"{type(stopped).__name__}: {stopped}", failed=True)
            records.end(task.engine, task.run, Status.FAILED, counts, [reason], whole=False)
