"""PostgreSQL goes away under load and comes back: clear answers meanwhile, and everything goes on by itself."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from services.api.app import create_app as create_api
from services.api.settings import ApiSettings
from services.core.runtime.postgres import embedded_postgres
from services.core.runtime.serve import served
from services.core.store import migrate
from services.core.store.changes import append_changes
from services.core.store.engine import make_engine
from services.search.app import create_app as create_search
from services.search.settings import SearchSettings
from tests.api.webhooks.conftest import draft
from tests.up.programs import wait_until

PATHS = {
    "api": (
        "/v1/states/PER",
        "/v1/recommendations?limit=2",
        "/v1/changes?after=0",
        "/v1/recommendations.csv",
        "/readyz",
    ),
    "search": ("/v1/search?q=torture&facets=topic", "/v1/suggest?q=per", "/readyz"),
}


class Database:
    """An embedded PostgreSQL that can be away for a while."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lease = ExitStack()
        self.url = ""

    def start(self) -> None:
        self.url = self._lease.enter_context(embedded_postgres(self.folder, durable=False))

    def stop(self) -> None:
        self._lease.close()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "pg")
    database.start()
    migrate.upgrade(database.url)
    yield database
    database.stop()


@pytest.fixture
def addresses(database: Database, tmp_path: Path) -> Iterator[dict[str, str]]:
    more = {"database_url": database.url, "data_dir": tmp_path}
    api, search = ApiSettings(**more), SearchSettings(**more, search_poll_seconds=0.2)
    with (
        served(create_api(api, database.url), settings=api) as api_address,
        served(create_search(search, database.url), settings=search) as search_address,
    ):
        found = {"api": api_address, "search": search_address}
        wait_until(lambda: all(ready(each) for each in found.values()), 30)
        yield found


def ready(address: str) -> bool:
    return httpx.get(f"{address}/readyz", timeout=20).status_code == 200


def write(database: Database, number: int) -> None:
    engine = make_engine(database.url, pool_size=1)
    with engine.begin() as connection:
        append_changes(connection, [draft(subject=f"PER-2-1.{number}")])
    engine.dispose()


Answers = list[tuple[float, float, httpx.Response]]


def asking(
    addresses: dict[str, str], answers: list[tuple[float, float, httpx.Response]], over: threading.Event
) -> None:
    with httpx.Client(timeout=30) as client:
        while not over.is_set():
            for service, paths in PATHS.items():
                for path in paths:
                    began = time.monotonic()
                    answer = client.get(addresses[service] + path)
                    answers.append((began, time.monotonic(), answer))


def test_postgresql_is_away_for_a_while(database: Database, addresses: dict[str, str]) -> None:
    write(database, 1)
    answers: Answers = []
    over = threading.Event()
    thread = threading.Thread(target=asking, args=(addresses, answers, over))
    thread.start()
    try:
        wait_until(lambda: len(answers) > 20, 30)
        went = time.monotonic()
        database.stop()
        away = time.monotonic()
        wait_until(lambda: len([1 for began, _, _ in answers if began > away]) > 30, 30)
        came = time.monotonic()
        database.start()
        back = time.monotonic()
        wait_until(lambda: all(ready(each) for each in addresses.values()), 10)
        write(database, 2)
        seen: Callable[[], bool] = lambda: _cursor(addresses["search"]) == 2  # noqa: E731
        wait_until(seen, 15)
        assert time.monotonic() - back < 20
    finally:
        over.set()
        thread.join()

    assert {answer.status_code for _, ended, answer in answers if ended < went} == {200}
    refused = [(began, ended, answer) for began, ended, answer in answers if answer.status_code != 200]
    meanwhile = [answer for began, ended, answer in answers if away < began and ended < came]
    of_api = [answer for answer in meanwhile if str(answer.url).startswith(addresses["api"])]
    assert [(answer.url.path, answer.text) for answer in of_api if answer.status_code != 503] == []
    for began, ended, answer in refused:
        assert answer.status_code == 503, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert int(answer.headers["retry-after"]) > 0
        assert ended - began < 12
    assert [event["seq"] for event in httpx.get(f"{addresses['api']}/v1/changes?after=0").json()["data"]] == [1, 2]


def _cursor(search: str) -> int:
    answer = httpx.get(f"{search}/v1/search?q=x", timeout=20)
    return int(answer.json()["dataset"]["cursor"]) if answer.status_code == 200 else -1
