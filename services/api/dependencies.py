"""What the API's routes stand on: the store, the reference, the settings; opened once a process."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from fastapi import Request
from sqlalchemy import Engine

from services.api.live import LiveFeed
from services.api.overview import OverviewShelf
from services.api.settings import ApiSettings
from services.core.store.engine import make_engine
from services.core.store.reference import ReferenceShelf


@dataclass(frozen=True)
class Desk:
    """Everything a route needs that outlives the request."""

    settings: ApiSettings
    engine: Engine
    reference: ReferenceShelf
    live: LiveFeed
    overviews: OverviewShelf = field(default_factory=OverviewShelf)


@contextmanager
def open_desk(settings: ApiSettings, database_url: str) -> Iterator[Desk]:
    """A desk on a database; its connections are closed in the end."""
    engine = make_engine(
        database_url,
        pool_size=settings.database_pool_size,
        name="upr-api",
        statement_seconds=settings.database_statement_seconds,
    )
    try:
        reference = ReferenceShelf(engine)
        live = LiveFeed(engine, database_url, reference, most_waiting=settings.feed_most_waiting)
        yield Desk(settings, engine, reference, live)
    finally:
        engine.dispose()


def desk_of(request: Request) -> Desk:
    """The desk of the app that answers this request."""
    desk: Desk = request.app.state.desk
    return desk
