"""The database that a command works on."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from services.core.runtime.postgres import database_url
from services.core.runtime.settings import CoreSettings
from services.core.store import migrate
from services.core.store.engine import make_engine


@contextmanager
def ready_database(settings: CoreSettings) -> Iterator[str]:
    """Its address. An embedded one is migrated; with UPR_DATABASE_URL `upr db migrate` is the operator's to run."""
    with database_url(settings) as url:
        if settings.database_url is None:
            migrate.upgrade(url)
        yield url


@contextmanager
def ready_store(settings: CoreSettings, *, name: str, pool_size: int = 2) -> Iterator[Engine]:
    """Connections to it; `name` is what the server shows as the application."""
    with ready_database(settings) as url:
        engine = make_engine(url, pool_size=pool_size, name=name)
        try:
            yield engine
        finally:
            engine.dispose()
