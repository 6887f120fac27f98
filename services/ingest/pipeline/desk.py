"""What runs work with, as the settings of this process say."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import timedelta

from sqlalchemy import Engine

from services.core.runtime.tracing import tracer_provider
from services.core.store.archive import FOLDER, Archive
from services.core.store.engine import make_engine
from services.ingest.fetching.fetcher import Fetcher
from services.ingest.fetching.kept import Kept
from services.ingest.ocr import sandbox_of
from services.ingest.pipeline.task import Desk, OpenFetch, RunFetch, Step
from services.ingest.settings import IngestSettings
from services.ingest.sources import Source

RUNS = "runs"
"""The place, in the data folder, of what adapters put together in a run."""
CONNECTIONS = 6
"""What a run takes of its engine at most: its own, its lock's, and two to load reviews of a data set."""
_TO_ASK_WITH = 17
"""Connections: one for each thread that fetches (`Rate.at_once`), and one for the search."""


_NOTED_AT_ONCE = 50
"""Files found as they were that are noted together."""


@contextmanager
def open_desk(
    settings: IngestSettings,
    engine: Engine,
    tell: Callable[[Step], None] = lambda _step: None,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Desk]:
    """A desk for one run at a time. `tell`: see `Desk`; `sleep` may raise `StoppedError`, too."""
    with ExitStack() as stack:
        sandbox = stack.enter_context(sandbox_of(settings))
        tracing = tracer_provider(settings, "ingest")
        if tracing is not None:
            stack.callback(tracing.shutdown)
        archive = Archive(settings.data_dir / FOLDER)
        yield Desk(
            engine=engine,
            archive=archive,
            sandbox=sandbox,
            open_fetch=fetching(settings, engine, archive, sleep),
            folder=settings.data_dir / RUNS,
            backfill_after=timedelta(days=settings.backfill_after_days),
            tell=tell,
            tracing=tracing,
        )


def fetching(
    settings: IngestSettings, engine: Engine, archive: Archive, sleep: Callable[[float], None] = time.sleep
) -> OpenFetch:
    """What asks for a source's files, with connections of its own to the database of `engine`."""

    @contextmanager
    def opened(source: Source, run: str) -> Iterator[RunFetch]:
        archive.forget_unfinished()
        Kept(engine, run).forget(settings.fetch_log_kept_days)
        about = source.description
        folders = [address for address in about.sites.values() if not address.startswith(("http://", "https://"))]
        # What is noted of requests may be lost in a crash of the database: then some are asked again.
        url = engine.url.render_as_string(hide_password=False)
        asking = make_engine(url, pool_size=_TO_ASK_WITH, name="upr-ingest-fetch", durable=False)
        try:
            fetcher = Fetcher.from_settings(
                settings,
                asking,
                archive,
                run=run,
                rate=about.rate,
                folders=folders,
                noted_at_once=_NOTED_AT_ONCE,
                sleep=sleep,
            )
            with closing(fetcher):
                yield fetcher
        finally:
            asking.dispose()

    return opened
