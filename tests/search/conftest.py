"""What tests of the search service share: a store to change, real documents, and the service on a real socket."""

import hashlib
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import meilisearch
import psycopg
import pytest
from sqlalchemy import Engine

from services.core.domain.errors import UnreadableDocumentError
from services.core.runtime.serve import served
from services.core.store.engine import make_engine
from services.ingest.load import Loaded, Loader
from services.ingest.reading import Reading
from services.ingest.sandbox import Sandbox
from services.search.app import create_app
from services.search.dependencies import Desk, open_desk
from services.search.settings import SearchSettings
from tests.postgres_fixtures import FreshDatabases, with_database
from tests.search.truth import Truth

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
LONG_AGO = timedelta(days=36_500)


@dataclass(frozen=True)
class SearchService:
    """The service on a socket, and what it stands on."""

    client: httpx.Client
    desk: Desk

    def search(self, **parameters: Any) -> dict[str, Any]:
        answer = self.client.get("/v1/search", params=parameters)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


def load(store: Engine, folder: Path, reading: Reading, name: str) -> Loaded:
    """Load a reading that a test made up, as of a file of this name."""
    file = folder / name
    file.write_text(name)
    return Loader(store, LONG_AGO).load(file, hashlib.sha256(name.encode()).hexdigest(), reading)


def eventually(holds: Callable[[], Any], seconds: float = 20.0) -> Any:
    """What `holds` gives once it is true."""
    deadline = time.monotonic() + seconds
    while not (answer := holds()):
        assert time.monotonic() < deadline, f"{holds} never held"
        time.sleep(0.02)
    return answer


@contextmanager
def serving(settings: SearchSettings, url: str) -> Iterator[SearchService]:
    """The service on a free port."""
    app = create_app(settings, url)
    with served(app, settings=settings) as address, httpx.Client(base_url=address, timeout=30) as client:
        yield SearchService(client, app.state.desk)


@pytest.fixture
def store(database_url: str) -> Iterator[Engine]:
    engine = make_engine(database_url, pool_size=3)
    yield engine
    engine.dispose()


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> SearchSettings:
    return SearchSettings(data_dir=tmp_path / "data", database_url=database_url, search_poll_seconds=0.1)


@pytest.fixture
def desk(settings: SearchSettings, database_url: str) -> Iterator[Desk]:
    with open_desk(settings, database_url) as desk:
        yield desk


@pytest.fixture
def service(settings: SearchSettings, database_url: str) -> Iterator[SearchService]:
    """The service, following the changes."""
    with serving(settings, database_url) as service:
        eventually(lambda: service.client.get("/readyz").status_code == 200)
        yield service


@pytest.fixture(scope="session")
def empty_service(fresh_databases: FreshDatabases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SearchService]:
    """The service on a store in which nothing is. Tests only ask it."""
    with fresh_databases() as url:
        settings = SearchSettings(data_dir=tmp_path_factory.mktemp("empty"), database_url=url)
        with serving(settings, url) as service:
            eventually(lambda: service.client.get("/readyz").status_code == 200)
            yield service


@pytest.fixture(scope="session")
def real_database_url(
    postgres_admin: psycopg.Connection[tuple[Any, ...]], postgres_url: str, template_database: str
) -> Iterator[str]:
    """A database with what every sixth of the real reports, the matrices, and what was written before the reviews of
    Slovenia hold. Tests only read it."""
    if not (SHARED / "wg_reports").is_dir():
        pytest.skip("not run: the real documents are not beside the repository")
    name = f"upr_test_real_{uuid.uuid4().hex[:10]}"
    postgres_admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template_database}"')
    url = with_database(postgres_url, name)
    with ExitStack() as stack:
        stack.callback(postgres_admin.execute, f'DROP DATABASE "{name}" WITH (FORCE)')
        _load_real(url)
        yield url


def _load_real(url: str) -> None:
    reports = sorted((SHARED / "wg_reports").glob("*.pdf"))[::6]
    matrices = [*(SHARED / "matrices").glob("*.docx"), *(SHARED / "slovenia").rglob("*hematic*ist*.docx")]
    slovenia = [
        SHARED / "slovenia" / f"cycle{cycle}" / f"{name}.pdf"
        for cycle, names in ((2, ("g1423930", "g1413493", "g1414064")), (4, ("g2419943", "g2420410", "g2420070")))
        for name in names
    ]
    engine = make_engine(url, pool_size=1)
    loader = Loader(engine, LONG_AGO)
    with Sandbox(1) as sandbox:
        for path, sha256, result in sandbox.read_all([*reports, *matrices, *slovenia]):
            assert not isinstance(result, UnreadableDocumentError), (path, result.detail)
            assert sha256 is not None
            loader.load(path, sha256, result)
    engine.dispose()


@pytest.fixture(scope="session")
def truth(real_database_url: str) -> Iterator[Truth]:
    """The answers by brute force over the real documents."""
    truth = Truth(real_database_url)
    yield truth
    truth.engine.dispose()


@pytest.fixture(scope="session", params=["embedded", "meilisearch"])
def real_service(
    request: pytest.FixtureRequest, real_database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SearchService]:
    """The service on real documents, once with every engine at hand."""
    folder = tmp_path_factory.mktemp("real")
    settings = SearchSettings(data_dir=folder, database_url=real_database_url, search_poll_seconds=0.5)
    if request.param == "meilisearch":
        settings = on_meilisearch(settings)
    with serving(settings, real_database_url) as service:
        eventually(lambda: service.client.get("/readyz").status_code == 200, 120)
        yield service
    forget(settings)


def on_meilisearch(settings: SearchSettings) -> SearchSettings:
    """The same with an index of its own on the server of UPR_MEILI_URL."""
    if not os.environ.get("UPR_MEILI_URL"):
        pytest.skip("not run: UPR_MEILI_URL is not set")
    return settings.model_copy(update={"search_engine": "meilisearch", "meili_index": f"test{uuid.uuid4().hex[:8]}"})


def forget(settings: SearchSettings) -> None:
    """Lose the index, whatever keeps it."""
    shutil.rmtree(settings.data_dir / "search", ignore_errors=True)
    if settings.search_engine == "meilisearch":
        assert settings.meili_url is not None
        client = meilisearch.Client(settings.meili_url, settings.meili_key)
        for index in client.get_raw_indexes({"limit": 1000})["results"]:
            if index["uid"].startswith(settings.meili_index):
                client.wait_for_task(client.delete_index(index["uid"]).task_uid, timeout_in_ms=30_000)
