import datetime
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine

from services.core.domain.errors import SettingsError
from services.core.runtime.worker import BackgroundWorker
from services.ingest.pipeline import records
from services.ingest.pipeline.task import Desk, Step
from services.ingest.runs import recent_runs
from services.ingest.scheduler import Scheduler, pasts_of, scheduled
from tests.ingest.pipeline.conftest import Run
from tests.ingest.pipeline.documents import TEXTS, matrix
from tests.ingest.pipeline.site import Site
from tests.ingest.pipeline.world import contents, desk_on, tiny_source

DAY = datetime.timedelta(days=1)


class Clock:
    """Says how late it is, from now on."""

    def __init__(self) -> None:
        self.ahead = datetime.timedelta()

    def __call__(self) -> datetime.datetime:
        return datetime.datetime.now(datetime.UTC) + self.ahead


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def scheduler(engine: Engine, database_url: str, tmp_path: Path, site: Site, clock: Clock) -> Scheduler:
    @contextmanager
    def desk(tell: Callable[[Step], None], _sleep: Callable[[float], None]) -> Iterator[Desk]:
        with desk_on(database_url, tmp_path, tell) as opened:
            yield opened

    return Scheduler(engine, {"tiny": tiny_source(site.address)}, ["tiny"], desk, clock=clock)


def statuses(engine: Engine) -> list[str]:
    return [run["status"] for run in reversed(recent_runs(engine))]


def test_the_calendar_runs_what_is_due_once_and_again_after_its_cadence(
    scheduler: Scheduler, engine: Engine, clock: Clock
) -> None:
    (worker,) = scheduler.workers(1)
    assert scheduler.step(worker)
    assert not scheduler.step(worker)
    clock.ahead = 5 * DAY  # nobody was there for days
    assert scheduler.step(worker)
    assert statuses(engine) == ["finished", "finished"]


def test_a_service_that_stops_in_the_middle_of_a_run_goes_on_with_it(
    scheduler: Scheduler, engine: Engine, site: Site
) -> None:
    stopping = BackgroundWorker("stopping", lambda: scheduler.step(stopping))
    count = 0
    beat = stopping.beat

    def stop_soon() -> None:
        nonlocal count
        count += 1
        if count == 20:
            stopping.stop()
        beat()

    stopping.beat = stop_soon  # type: ignore[method-assign]
    assert not scheduler.step(stopping)
    assert statuses(engine) == ["running"]
    stopped = recent_runs(engine)[0]["id"]
    (worker,) = scheduler.workers(1)
    assert scheduler.step(worker)
    assert [(run["id"], run["status"]) for run in recent_runs(engine)] == [(stopped, "finished")]
    assert sorted(site.asked_for(fully=True)) == sorted(site.files)


def test_failures_are_tried_again_after_a_while(scheduler: Scheduler, engine: Engine, site: Site, clock: Clock) -> None:
    site.answers["list.json"] = (403, b"")
    (worker,) = scheduler.workers(1)
    assert scheduler.step(worker)
    assert not scheduler.step(worker)
    clock.ahead = datetime.timedelta(minutes=20)
    site.answers.clear()
    assert scheduler.step(worker)
    assert statuses(engine) == ["failed", "finished"]
    past = pasts_of(engine, {"tiny": DAY})["tiny"]
    assert (past.failures, past.stopped) == (0, False)


def test_what_was_released_is_loaded_by_the_service(scheduler: Scheduler, engine: Engine, run: Run, site: Site) -> None:
    run()
    site.files["Costamar-3.docx"] = matrix("Costamar", 3, TEXTS[:1])
    held = run()
    (worker,) = scheduler.workers(1)
    assert not scheduler.step(worker)
    records.release(engine, held.run)
    assert scheduler.step(worker)
    assert not scheduler.step(worker)
    assert records.run_of(engine, held.run).status == "finished"
    assert len(contents(engine)["recommendations"]) == 10


def test_runs_of_a_part_do_not_count_for_the_calendar(scheduler: Scheduler, run: Run) -> None:
    run(limit=1)
    run(dry_run=True)
    (worker,) = scheduler.workers(1)
    assert scheduler.step(worker)


def test_the_setting_names_sources_that_are_there(site: Site) -> None:
    known = {"tiny": tiny_source(site.address)}
    assert list(scheduled("all", known)) == list(scheduled(" tiny ,", known)) == ["tiny"]
    assert scheduled("", known) == {}
    with pytest.raises(SettingsError, match="there is no source 'tinny'; there are tiny"):
        scheduled("tiny,tinny", known)
