"""Runs sources when they are due, in threads of the service."""

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Engine, Row, select

from services.core.domain.errors import SettingsError
from services.core.runtime.worker import BackgroundWorker
from services.core.store.ingest import runs_table
from services.ingest.pipeline.lock import SourceBusyError, is_free
from services.ingest.pipeline.records import Options, Status
from services.ingest.pipeline.run import Ended, run_released, run_source
from services.ingest.pipeline.task import Desk, Step, StoppedError
from services.ingest.schedule import Past, due_now
from services.ingest.sources import Source

log = structlog.get_logger(__name__)

IDLE_SECONDS = 5.0
_NAP_SECONDS = 0.5

OpenDesk = Callable[[Callable[[Step], None], Callable[[float], None]], AbstractContextManager[Desk]]
"""Opens what one run works with: it tells how far it is, and waits as it is told to."""


def scheduled(names: str, known: Mapping[str, Source]) -> dict[str, Source]:
    """The sources that the setting `ingest_schedule` names. Raises `SettingsError`."""
    wanted = list(known) if names.strip() == "all" else [name.strip() for name in names.split(",") if name.strip()]
    if unknown := [name for name in wanted if name not in known]:
        raise SettingsError(f"UPR_INGEST_SCHEDULE: there is no source {unknown[0]!r}; there are {', '.join(known)}.")
    return {name: known[name] for name in wanted}


class Scheduler:
    """Looks for what is to be run, and runs it. Several workers may share it: a source's lock keeps them apart."""

    def __init__(
        self,
        engine: Engine,
        known: Mapping[str, Source],
        planned: Iterable[str],
        open_desk: OpenDesk,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`planned`: the sources that the calendar runs. Held runs that were released are loaded for all `known`."""
        self._engine = engine
        self._known = known
        self._cadences = {name: known[name].description.cadence for name in planned}
        self._open_desk = open_desk
        self._clock = clock

    def workers(self, count: int) -> tuple[BackgroundWorker, ...]:
        """So many workers, each of which does one run at a time."""
        return tuple(self._worker(f"runs-{number}") for number in range(1, count + 1))

    def _worker(self, name: str) -> BackgroundWorker:
        worker = BackgroundWorker(name, lambda: self.step(worker), idle_wait=IDLE_SECONDS)
        return worker

    def step(self, worker: BackgroundWorker) -> bool:
        """Do one run, if any is due; whether there was one."""
        for name in released_sources(self._engine):
            if name in self._known and self._run(name, worker, run_released):
                return True
        pasts = pasts_of(self._engine, self._cadences)
        return any(
            self._run(name, worker, lambda desk, source: run_source(desk, source, Options()))
            for name in due_now(self._clock(), self._cadences, pasts)
        )

    def _run(self, name: str, worker: BackgroundWorker, run: Callable[[Desk, Source], Ended | None]) -> bool:
        def check() -> None:
            worker.beat()
            if worker.stopping:
                raise StoppedError(name)

        def sleep(seconds: float) -> None:
            end = time.monotonic() + seconds
            while (left := end - time.monotonic()) > 0:
                time.sleep(min(left, _NAP_SECONDS))
                check()

        if not is_free(self._engine, name):
            return False
        try:
            with self._open_desk(lambda _step: check(), sleep) as desk:
                ended = run(desk, self._known[name])
        except SourceBusyError:
            return False
        except StoppedError:
            log.info("run stopped, to be gone on with", source=name)
            return False
        if ended is not None:
            _log(ended)
        return ended is not None


def _log(ended: Ended) -> None:
    shown = ("found", "fetched", "unchanged", "missing", "refused", "inserted", "updated", "deleted", "seconds")
    tell = log.warning if ended.status in (Status.HELD, Status.FAILED) else log.info
    tell(
        "run ended",
        source=ended.source,
        run=ended.run,
        status=str(ended.status),
        reasons=[reason.code for reason in ended.reasons],
        **{name: ended.counts[name] for name in shown},
    )


_c = runs_table.c
_LOOKED_AT = 40
"""Runs of a source that are looked at: the wait after failures has long reached its greatest by then."""
_STANDING = frozenset({Status.FINISHED, Status.HELD, Status.SUPERSEDED, Status.DISCARDED})


def released_sources(engine: Engine) -> list[str]:
    """The sources of which a run was released and is not loaded yet."""
    query = select(_c.source).where(_c.status == Status.RUNNING, _c.released_at.is_not(None)).distinct()
    with engine.connect() as connection:
        return sorted(connection.scalars(query))


def pasts_of(engine: Engine, cadences: Mapping[str, timedelta]) -> dict[str, Past]:
    """What is known of the runs of some sources. Runs that looked for a part, and dry runs, do not count."""
    whole = {name: _c.options[name].astext for name in ("since", "limit", "dry_run")}
    query = select(_c.status, _c.started_at, _c.finished_at).where(
        _c.stage.is_not(None), whole["since"].is_(None), whole["limit"].is_(None), whole["dry_run"] == "false"
    )
    with engine.connect() as connection:
        return {
            source: past_from(
                connection.execute(
                    query.where(_c.source == source).order_by(_c.started_at.desc(), _c.id).limit(_LOOKED_AT)
                ),
                oldest=datetime.now(UTC) - cadence,
            )
            for source, cadence in cadences.items()
        }


def past_from(runs: Iterable[Row[Any]], *, oldest: datetime) -> Past:
    """What the runs of a source, the latest first, come to. One begun before `oldest` is not gone on with."""
    failures, failed, stopped = 0, None, False
    for run in runs:
        if run.status in _STANDING:
            return Past(run.started_at, failures, failed, stopped)
        if run.status == Status.FAILED:
            failures, failed = failures + 1, failed or run.finished_at
        stopped = stopped or (run.status == Status.RUNNING and run.started_at > oldest)
    return Past(None, failures, failed, stopped)
