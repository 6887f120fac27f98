"""Every hostile behaviour has its outcome, and none of it gets further than a line in the log of requests."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select, text

from services.core.runtime.guard import AddressRules
from services.core.store.archive import Archive
from services.core.store.engine import make_engine
from services.core.store.tables import metadata
from services.ingest.fetching.exchange import Exchange
from services.ingest.fetching.fetcher import Fetcher
from services.ingest.fetching.outcomes import NotFetchedError
from services.ingest.fetching.pace import Pace
from tests.ingest.fetching.behaviours import BEHAVIOURS, FETCHED, Expected
from tests.ingest.fetching.conftest import AUTHORITIES, IMPATIENT, QUICK
from tests.ingest.fetching.hostile_server import HostileServer
from tests.ingest.fetching.samples import PDF
from tests.postgres_fixtures import FreshDatabases

SLOW = replace(QUICK, deadline=0.25)
OWN_TABLES = frozenset({"fetch_hosts", "resources", "responses"})


@pytest.fixture(scope="module")
def store(fresh_databases: FreshDatabases) -> Iterator[Engine]:
    """One database for all behaviours. At the end nothing is in it but what fetching notes."""
    with fresh_databases() as url:
        engine = make_engine(url, name="tests")
        before = _sizes(engine)
        yield engine
        assert _sizes(engine) == before
        engine.dispose()


def _sizes(engine: Engine) -> dict[str, int]:
    with engine.connect() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in metadata.sorted_tables
            if table.name not in OWN_TABLES
        }


@pytest.fixture
def clean_store(store: Engine) -> Engine:
    """Ports may come again: nothing is known of any host."""
    with store.begin() as connection:
        connection.execute(text("DELETE FROM fetch_hosts; DELETE FROM resources; DELETE FROM responses"))
    return store


def test_there_are_enough_of_them() -> None:
    assert len(BEHAVIOURS) >= 90


@pytest.mark.parametrize("name", BEHAVIOURS)
def test_behaviour(name: str, clean_store: Engine, tmp_path: Path, server: HostileServer) -> None:
    expected = BEHAVIOURS[name]
    server.paths["/"] = expected.behaviour
    archive = Archive(tmp_path)
    outcome = _outcome(expected, clean_store, archive, server)
    with clean_store.connect() as connection:
        responses = connection.execute(text("SELECT * FROM responses WHERE reason <> 'robots' ORDER BY id")).all()
    asked = len(server.paths_asked)
    assert (outcome, asked) == (expected.outcome, asked if expected.asked is None else expected.asked)
    assert len(responses) == asked
    assert list((tmp_path / "incoming").glob("*")) == []
    kept = {path.name for path in tmp_path.glob("??/*")}
    assert kept == {response.sha256 for response in responses if response.sha256}
    assert len(kept) <= 1


def _outcome(expected: Expected, engine: Engine, archive: Archive, server: HostileServer) -> str:
    exchange = Exchange(AddressRules(allow_http=True, allow_loopback=True), "tests", ssl_context=AUTHORITIES)
    pace = Pace(engine, 1_000.0, 2, patience=IMPATIENT)
    fetcher = Fetcher(engine, archive, exchange, pace, limits=SLOW if expected.slow else QUICK)
    try:
        came = fetcher(server.url("/"), kinds=frozenset({"pdf"}), may_be_missing=expected.may_be_missing)
    except NotFetchedError as error:
        refused = error
    else:
        assert came.path.read_bytes() == PDF
        return FETCHED
    assert refused.detail
    assert refused.detail.isprintable()
    assert refused.missing == (refused.code == "missing")
    return refused.code
