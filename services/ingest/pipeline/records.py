"""Runs of sources as rows: begun, taken up again, held, released, ended."""

import datetime
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self

from sqlalchemy import Connection, Engine, Row, func, insert, select, update

from services.core.domain.errors import NotFoundError, UprError
from services.core.store.ingest import runs_table
from services.ingest.pipeline.checks import Reason
from services.ingest.pipeline.staging import clear_staged


class Stage(StrEnum):
    """What a run is doing, in this order."""

    FINDING = "finding"
    FETCHING = "fetching"
    READING = "reading"
    COMPARING = "comparing"
    LOADING = "loading"


class Status(StrEnum):
    """What became of a run."""

    RUNNING = "running"
    FINISHED = "finished"
    HELD = "held"
    FAILED = "failed"
    TRIED = "tried"
    """A dry run."""
    DISCARDED = "discarded"
    SUPERSEDED = "superseded"
    """It was held, and a newer run has finished."""
    INTERRUPTED = "interrupted"
    """It was stopped, and another one was begun instead of going on with it."""


class NotHeldError(UprError):
    """A run that is not held: there is nothing to release or to discard."""

    code, status, title = "not_held", 409, "The run is not held"


@dataclass(frozen=True)
class Options:
    """What a run is asked to do."""

    since: datetime.date | None = None
    limit: int | None = None
    dry_run: bool = False

    @property
    def whole(self) -> bool:
        """Whether it looks for everything that the source has: what it does not find is gone."""
        return self.since is None and self.limit is None

    def as_json(self) -> dict[str, Any]:
        """As the run keeps them."""
        return {**asdict(self), "since": self.since.isoformat() if self.since else None}

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        """Back from what the run keeps."""
        since = told.get("since")
        return cls(datetime.date.fromisoformat(since) if since else None, told.get("limit"), bool(told.get("dry_run")))


@dataclass(frozen=True)
class RunRecord:
    """One run of a source."""

    id: str
    source: str
    status: Status
    stage: Stage
    options: Options
    started_at: datetime.datetime
    released: bool
    counts: Mapping[str, Any]
    taken_up: bool = False


def take_up_or_begin(engine: Engine, source: str, options: Options, *, at_most: datetime.timedelta) -> RunRecord:
    """The run that was stopped, if it was asked for the same and is no older than `at_most`; else a new one.

    Only for who holds the source's lock: then no run of it is under way. One that is not gone on with is
    `interrupted`; one that had been released is held again.
    """
    with engine.begin() as connection:
        for row in connection.execute(_of_source(source, Status.RUNNING)):
            run = _record(row, taken_up=True)
            asked_now = run.options == options and (run.released or run.started_at > _now(connection) - at_most)
            if asked_now:
                return run
            _leave(connection, run)
        return _begin(connection, source, options)


def released_run(engine: Engine, source: str) -> RunRecord | None:
    """A run of the source that was released and is not done yet."""
    with engine.connect() as connection:
        rows = connection.execute(_of_source(source, Status.RUNNING).where(runs_table.c.released_at.is_not(None)))
        row = rows.first()
        return _record(row, taken_up=True) if row is not None else None


def run_of(engine: Engine, run: str) -> RunRecord:
    """The run of a source with this id. Raises `NotFoundError`."""
    with engine.connect() as connection:
        return _record(_row(connection, run))


def not_ended(connection: Connection, runs: Iterable[str]) -> set[str]:
    """Those of these runs that may still go on: they are running, or held."""
    columns = runs_table.c
    query = select(columns.id).where(columns.id.in_(list(runs)), columns.status.in_([Status.RUNNING, Status.HELD]))
    return set(connection.scalars(query))


def note_stage(engine: Engine, run: str, stage: Stage) -> None:
    """Note what a run does from now on."""
    _set(engine, run, stage=stage)


def note_passed(engine: Engine, run: RunRecord, checked: Mapping[str, int]) -> None:
    """Note that a run looks right, and is to be loaded."""
    _set(engine, run.id, stage=Stage.LOADING, counts={**run.counts, "checked": dict(checked)})


def note_counts(engine: Engine, run: str, counts: Mapping[str, Any]) -> None:
    """Note what a run has done when it stops."""
    _set(engine, run, counts=dict(counts))


def end(
    engine: Engine,
    run: RunRecord,
    status: Status,
    counts: Mapping[str, Any],
    reasons: Sequence[Reason] = (),
    *,
    whole: bool,
) -> None:
    """Note how a run ended. What a held one found is kept; a finished one that looked at everything (`whole`) stands in
    the place of those held before.
    """
    with engine.begin() as connection:
        _end(connection, run.id, status, counts=dict(counts), reasons=[reason.as_json() for reason in reasons])
        if status is Status.FINISHED and whole:
            older = _of_source(run.source, Status.HELD).where(runs_table.c.started_at < run.started_at)
            for row in connection.execute(older):
                _end(connection, row.id, Status.SUPERSEDED)


def release(engine: Engine, run: str) -> RunRecord:
    """Let a held run be loaded. Raises `NotFoundError`, `NotHeldError`. Whoever runs the source goes on with it."""
    with engine.begin() as connection:
        record = _held(connection, run)
        values = {"status": Status.RUNNING, "finished_at": None, "released_at": func.now(), "stage": Stage.LOADING}
        connection.execute(update(runs_table).where(runs_table.c.id == record.id).values(values))
    return run_of(engine, run)


def discard(engine: Engine, run: str) -> None:
    """Forget what a held run found. Raises `NotFoundError`, `NotHeldError`."""
    with engine.begin() as connection:
        _end(connection, _held(connection, run).id, Status.DISCARDED)


def _held(connection: Connection, run: str) -> RunRecord:
    record = _record(_row(connection, run, lock=True))
    if record.status is not Status.HELD:
        raise NotHeldError(f"The run {run} is not held: it is {record.status}.")
    return record


def _leave(connection: Connection, run: RunRecord) -> None:
    if run.released:
        back = {"status": Status.HELD, "released_at": None, "finished_at": func.now()}
        connection.execute(update(runs_table).where(runs_table.c.id == run.id).values(back))
    else:
        _end(connection, run.id, Status.INTERRUPTED)


def _begin(connection: Connection, source: str, options: Options) -> RunRecord:
    values = {"id": f"run_{secrets.token_hex(8)}", "source": source, "counts": {}, "stage": Stage.FINDING}
    begun = insert(runs_table).values(**values, options=options.as_json()).returning(runs_table)
    return _record(connection.execute(begun).one())


def _end(connection: Connection, run: str, status: Status, **values: object) -> None:
    if status is not Status.HELD:
        clear_staged(connection, [run])
    ended = update(runs_table).where(runs_table.c.id == run)
    connection.execute(ended.values(status=status, finished_at=func.now(), **values))


def _set(engine: Engine, run: str, **values: object) -> None:
    with engine.begin() as connection:
        connection.execute(update(runs_table).where(runs_table.c.id == run).values(**values))


def _of_source(source: str, status: Status) -> Any:
    columns = runs_table.c
    query = select(runs_table).where(columns.source == source, columns.status == status, columns.stage.is_not(None))
    return query.order_by(columns.started_at.desc(), columns.id)


def _row(connection: Connection, run: str, *, lock: bool = False) -> Row[Any]:
    query = select(runs_table).where(runs_table.c.id == run, runs_table.c.stage.is_not(None))
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no run of a source with the id {run!r}.")
    return row


def _now(connection: Connection) -> datetime.datetime:
    return connection.scalar(select(func.now())) or datetime.datetime.now(datetime.UTC)


def _record(row: Row[Any], *, taken_up: bool = False) -> RunRecord:
    return RunRecord(
        row.id,
        row.source,
        Status(row.status),
        Stage(row.stage),
        Options.of(row.options),
        row.started_at,
        row.released_at is not None,
        row.counts,
        taken_up,
    )
