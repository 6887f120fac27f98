"""What tests of fetching share: a server, a database, an archive, and a fetcher that is quick to give up."""

import ssl
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from services.core.runtime.egress import EgressProxy
from services.core.runtime.guard import AddressRules, Resolve
from services.core.store.archive import Archive
from services.core.store.engine import make_engine
from services.ingest.fetching.exchange import Exchange
from services.ingest.fetching.fetcher import Fetcher, Limits, user_agent
from services.ingest.fetching.pace import Pace, Patience
from tests.ingest.fetching.hostile_server import HostileServer, serving

QUICK = Limits(most_bytes=1_000_000, deadline=10.0, tries=2, first_pause=0.001, pause_when_too_many=0.05)
IMPATIENT = Patience(for_a_turn=2.0, first_rest=30.0)
AUTHORITIES = ssl.create_default_context(cafile=Path(__file__).with_name("tls") / "authority.pem")
"""Read once: the usual ones take a twentieth of a second."""

MakeFetcher = Callable[..., Fetcher]


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = make_engine(database_url, pool_size=10, name="tests")
    yield engine
    engine.dispose()


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "documents")


@pytest.fixture
def server() -> Iterator[HostileServer]:
    with serving() as hostile:
        yield hostile


@pytest.fixture
def make_fetcher(engine: Engine, archive: Archive) -> MakeFetcher:
    """Makes fetchers that may ask this machine, and are in no hurry to be polite."""

    def make(
        *,
        run: str | None = None,
        rate: float = 1_000.0,
        at_once: int = 8,
        limits: Limits = QUICK,
        patience: Patience = IMPATIENT,
        rules: AddressRules | None = None,
        resolve: Resolve | None = None,
        ssl_context: Any = None,
        proxy: EgressProxy | None = None,
        noted_at_once: int = 1,
    ) -> Fetcher:
        rules = rules or AddressRules(allow_http=True, allow_loopback=True)
        exchange = Exchange(
            rules, user_agent("tests@example.org"), resolve=resolve, ssl_context=ssl_context or AUTHORITIES, proxy=proxy
        )
        pace = Pace(engine, rate, at_once, patience=patience)
        return Fetcher(engine, archive, exchange, pace, limits=limits, run=run, noted_at_once=noted_at_once)

    return make


@pytest.fixture
def fetcher(make_fetcher: MakeFetcher) -> Fetcher:
    return make_fetcher()


def rows(engine: Engine, query: str) -> Sequence[Any]:
    """What a query answers."""
    with engine.connect() as connection:
        return connection.execute(text(query)).all()
