"""Opens what asks for the files of a source in a run."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from urllib.parse import urlsplit

from sqlalchemy import Engine

from services.core.store.archive import Archive
from services.ingest.fetching.fetcher import Fetcher
from services.ingest.fetching.files import SCHEMES
from services.ingest.settings import IngestSettings
from services.ingest.sources import Source
from services.ingest.sources.base import Fetch


def opening(
    settings: IngestSettings, engine: Engine, archive: Archive
) -> Callable[[Source, str], AbstractContextManager[Fetch]]:
    """What runs open (`pipeline.task.OpenFetch`): at the source's rate, from its site or its folder."""

    @contextmanager
    def opened(source: Source, run: str) -> Iterator[Fetch]:
        archive.forget_unfinished()
        sites = source.description.sites.values()
        folders = [site for site in sites if urlsplit(site).scheme in SCHEMES]
        yield Fetcher.from_settings(settings, engine, archive, run=run, rate=source.description.rate, folders=folders)

    return opened
