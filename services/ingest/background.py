"""What the ingest service does beside answering: runs sources, reads uploads, and reads again what it reads better."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from functools import partial

from services.core.runtime.worker import BackgroundWorker
from services.core.store.archive import FOLDER as DOCUMENTS
from services.core.store.archive import Archive
from services.core.store.engine import make_engine
from services.ingest.ocr import sandbox_of
from services.ingest.pipeline.desk import CONNECTIONS, open_desk
from services.ingest.reparse import Reparser
from services.ingest.scheduler import Scheduler, scheduled
from services.ingest.settings import IngestSettings
from services.ingest.sources import known_sources
from services.ingest.uploads import FOLDER as UPLOADS
from services.ingest.uploads import UploadReader, Uploads

_REPARSE_EVERY = 300.0
"""Seconds between looks for what is stale: versions rise when the service is started anew."""

_FILES_A_STEP = 50


@contextmanager
def background_work(settings: IngestSettings, database_url: str) -> Iterator[tuple[BackgroundWorker, ...]]:
    """Work in threads of this process until the end; what was begun is finished then."""
    backfill_after = timedelta(days=settings.backfill_after_days)
    archive = Archive(settings.data_dir / DOCUMENTS)
    with ExitStack() as stack:
        engine = make_engine(database_url, pool_size=4, name="upr-ingest-background")
        stack.callback(engine.dispose)
        sandboxes = [stack.enter_context(sandbox_of(settings, workers=1)) for _ in range(2)]
        uploads = Uploads(engine, settings.data_dir / UPLOADS)
        uploads.forget_unfinished()
        reader = UploadReader(uploads, engine, sandboxes[0], archive, backfill_after)
        reparser = Reparser(engine, sandboxes[1], archive, backfill_after)

        def read_again() -> bool:
            steps = reparser.read_again(limit=_FILES_A_STEP, stopped=lambda: rereading.stopping)
            return sum(1 for _ in steps) > 0

        reading = BackgroundWorker("uploads", reader.step)
        rereading = BackgroundWorker("reparse", read_again, idle_wait=_REPARSE_EVERY)
        for worker in (reading, rereading):
            stack.enter_context(_running(worker))
        yield reading, rereading


@contextmanager
def _running(worker: BackgroundWorker) -> Iterator[None]:
    thread = threading.Thread(target=worker.run, name=worker.name)
    thread.start()
    try:
        yield
    finally:
        worker.stop()
        thread.join()


@contextmanager
def scheduled_runs(settings: IngestSettings, database_url: str) -> Iterator[Scheduler]:
    """Run sources when they are due, and what was released, until the end; a run under way then goes on next time.

    Raises `SettingsError` for a source that is not there.
    """
    known = known_sources(settings.source_sites)
    planned = scheduled(settings.ingest_schedule, known)
    with ExitStack() as stack:
        connections = settings.ingest_runs_at_once * CONNECTIONS
        engine = make_engine(database_url, pool_size=connections, name="upr-ingest-runs")
        stack.callback(engine.dispose)
        scheduler = Scheduler(engine, known, planned, partial(open_desk, settings, engine))
        for worker in scheduler.workers(settings.ingest_runs_at_once):
            stack.enter_context(_running(worker))
        yield scheduler
