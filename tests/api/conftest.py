"""What tests of the API share: a store, keys, and the service on a real socket."""

from collections.abc import Callable, Iterator
from datetime import datetime

import httpx
import pytest
from sqlalchemy import Engine

from services.api.app import create_app
from services.api.settings import ApiSettings
from services.core.runtime.keys import Key, Scope, create_key
from services.core.runtime.serve import served
from services.core.store.engine import make_engine

MakeKey = Callable[..., tuple[Key, str]]


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = make_engine(database_url, pool_size=4)
    yield engine
    engine.dispose()


@pytest.fixture
def make_key(engine: Engine) -> MakeKey:
    def make(*scopes: Scope, name: str = "test", expires_at: datetime | None = None) -> tuple[Key, str]:
        with engine.begin() as connection:
            return create_key(connection, name=name, scopes=scopes or (Scope.WEBHOOKS_WRITE,), expires_at=expires_at)

    return make


@pytest.fixture
def api(database_url: str) -> Iterator[httpx.Client]:
    """The API, with webhooks to this machine allowed."""
    settings = ApiSettings(database_url=database_url, webhook_allow_loopback=True)
    app = create_app(settings, database_url)
    with served(app, settings=settings) as address, httpx.Client(base_url=address) as client:
        yield client
