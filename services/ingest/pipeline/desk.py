"""What runs work with, as the settings of this process say."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy import Engine

from services.core.store.archive import FOLDER, Archive
from services.ingest.fetching.fetcher import Fetcher
from services.ingest.fetching.kept import Kept
from services.ingest.ocr import sandbox_of
from services.ingest.pipeline.task import Desk, Step
from services.ingest.settings import IngestSettings
from services.ingest.sources import Source
from services.ingest.sources.base import Fetch

RUNS = "runs"
"""The place, in the data folder, of what adapters put together in a run."""


@contextmanager
def open_desk(
    settings: IngestSettings,
    engine: Engine,
    tell: Callable[[Step], None] = lambda _step: None,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Desk]:
    """A desk for one run at a time. `tell`: see `Desk`; `sleep` may raise `StoppedError`, too."""
    archive = Archive(settings.data_dir / FOLDER)

    @contextmanager
    def fetching(source: Source, run: str) -> Iterator[Fetch]:
        archive.forget_unfinished()
        Kept(engine, run).forget(settings.fetch_log_kept_days)
        about = source.description
        folders = [address for address in about.sites.values() if not address.startswith(("http://", "https://"))]
        yield Fetcher.from_settings(settings, engine, archive, run=run, rate=about.rate, folders=folders, sleep=sleep)

    with sandbox_of(settings) as sandbox:
        yield Desk(
            engine=engine,
            archive=archive,
            sandbox=sandbox,
            open_fetch=fetching,
            folder=settings.data_dir / RUNS,
            backfill_after=timedelta(days=settings.backfill_after_days),
            tell=tell,
        )
