from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from services.core.store.engine import make_engine


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = make_engine(database_url, pool_size=2)
    yield engine
    engine.dispose()
