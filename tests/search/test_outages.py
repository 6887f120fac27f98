"""A real Meilisearch that is killed, hangs, is emptied or comes back as another: the service says so, and recovers."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import meilisearch
import pytest
from sqlalchemy import Engine

from services.search.dependencies import Desk, open_desk
from services.search.settings import SearchSettings
from tests.readings import TEXTS, matrix, recommendation, report
from tests.search.conftest import SearchService, eventually, load, serving
from tests.search.meilisearch_process import MeilisearchProcess, skip_without_program
from tests.search.test_indexer import assert_same, many

REPORT = report([recommendation("116.1", TEXTS[0]), recommendation("116.2", TEXTS[1])])
MANY = 6_000
CUTOFF = 1.0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MeilisearchProcess]:
    skip_without_program()
    folder = tmp_path / "meilisearch"
    folder.mkdir()
    server = MeilisearchProcess(folder)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def settings(server: MeilisearchProcess, tmp_path: Path, database_url: str) -> SearchSettings:
    return SearchSettings(
        data_dir=tmp_path / "data",
        database_url=database_url,
        search_poll_seconds=0.1,
        search_cutoff_seconds=CUTOFF,
        search_engine="meilisearch",
        meili_url=server.url,
    )


@contextmanager
def in_the_background(act: Callable[[], object]) -> Iterator[list[BaseException]]:
    """Do it in a thread. What it raises is in the list at the end."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            act()
        except Exception as error:  # noqa: BLE001 - the test looks at it
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    yield raised
    thread.join()


def under_way(server: MeilisearchProcess, kind: str = "documentAdditionOrUpdate") -> bool:
    """Whether the server is at work on documents, or has some before it."""
    asked = {"statuses": "enqueued,processing", "types": kind}
    return bool(httpx.get(f"{server.url}/tasks", params=asked).json()["results"])


def problem_of(answer: httpx.Response) -> Mapping[str, Any]:
    assert answer.status_code == 503, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert int(answer.headers["retry-after"]) > 0
    problem: Mapping[str, Any] = answer.json()
    assert problem["code"] == "unavailable"
    return problem


def ready(service: SearchService) -> bool:
    return service.client.get("/readyz").status_code == 200


def same(desk: Desk, store: Engine) -> bool:
    eventually(lambda: desk.engine.health().ok and desk.indexer.lag().changes == 0, 60)
    assert_same(desk, store)
    return True


def test_killed_during_a_build(
    server: MeilisearchProcess, settings: SearchSettings, store: Engine, tmp_path: Path
) -> None:
    load(store, tmp_path, REPORT, "report.pdf")
    many(store, MANY)
    with open_desk(settings, settings.database_url or "") as desk:
        with in_the_background(desk.indexer.step) as raised:
            eventually(lambda: under_way(server))
            server.kill()
        assert "Meilisearch cannot be reached" in str(raised[0])
        assert not desk.engine.health().ok
        server.start()
        while desk.indexer.step():
            pass
        assert_same(desk, store)
        assert desk.indexer.reconcile().repaired == 0


def test_killed_during_a_batch(
    server: MeilisearchProcess, settings: SearchSettings, store: Engine, tmp_path: Path
) -> None:
    load(store, tmp_path, REPORT, "report.pdf")
    with open_desk(settings, settings.database_url or "") as desk:
        assert desk.indexer.step()
        before = desk.engine.cursor()
        many(store, 1_500)
        with in_the_background(desk.indexer.step) as raised:
            eventually(lambda: under_way(server))
            server.kill()
        assert raised
        server.start()
        assert desk.engine.cursor() in {before, desk.indexer.lag().head}, "all of a batch or nothing of it"
        while desk.indexer.step():
            pass
        assert_same(desk, store)
        assert desk.indexer.reconcile().repaired == 0


def test_the_service_says_that_it_is_away_and_recovers_by_itself(
    server: MeilisearchProcess, settings: SearchSettings, store: Engine, tmp_path: Path
) -> None:
    load(store, tmp_path, REPORT, "report.pdf")
    with serving(settings, settings.database_url or "") as service:
        eventually(lambda: ready(service))
        assert service.search(q="116.2")["total"] == 1
        server.kill()
        for path in ("/v1/search?q=torture", "/v1/facets/topic", "/v1/suggest?q=tort", "/v1/similar/PER-2-116.1"):
            assert "Meilisearch" in problem_of(service.client.get(path))["detail"], path
        assert problem_of(service.client.get("/readyz"))["dependencies"]["index"] == "Meilisearch cannot be reached"
        assert service.client.get("/healthz").status_code == 200
        load(store, tmp_path, matrix([recommendation("116.1", TEXTS[0], position="noted")]), "matrix.docx")
        server.start()
        eventually(lambda: ready(service))
        eventually(lambda: service.search(position="noted")["total"] == 1, 30)
        assert same(service.desk, store)


def test_a_server_that_hangs(
    server: MeilisearchProcess, settings: SearchSettings, store: Engine, tmp_path: Path
) -> None:
    load(store, tmp_path, REPORT, "report.pdf")
    with serving(settings, settings.database_url or "") as service:
        eventually(lambda: ready(service))
        server.hang()
        try:
            started = time.monotonic()
            detail = problem_of(service.client.get("/v1/search?q=torture"))["detail"]
            assert time.monotonic() - started < 5 * CUTOFF, "it does not wait for what will not come"
            assert "in time" in detail or "given up" in detail
        finally:
            server.go_on()
        assert service.search(q="116.2")["total"] == 1
        assert same(service.desk, store)


@pytest.mark.parametrize("how", ["all documents are gone", "all indexes are gone", "its disk is gone"])
def test_an_index_that_is_emptied(
    server: MeilisearchProcess, settings: SearchSettings, store: Engine, tmp_path: Path, how: str
) -> None:
    load(store, tmp_path, REPORT, "report.pdf")
    with serving(settings, settings.database_url or "") as service:
        eventually(lambda: ready(service))
        client = meilisearch.Client(server.url)
        if how == "its disk is gone":
            server.kill()
            server.lose_everything()
            server.start()
        else:
            for index in client.get_raw_indexes()["results"]:
                held = client.index(index["uid"])
                held.delete_all_documents() if how == "all documents are gone" else held.delete()
        eventually(lambda: lost(service) or rebuilt(service))
        eventually(lambda: ready(service) and service.search(q="116.2")["total"] == 1, 30)
        assert same(service.desk, store)


def lost(service: SearchService) -> bool:
    """A search never tells of nothing where there should be something: it says that there is no index."""
    answer = service.client.get("/v1/search", params={"q": "116.2"})
    if answer.status_code == 200:
        assert answer.json()["total"] == 1
        return False
    return bool(problem_of(answer))


def rebuilt(service: SearchService) -> bool:
    return "upr_index_ready 1.0" in service.client.get("/metrics").text


def test_a_server_that_comes_back_with_less_is_compared(
    server: MeilisearchProcess, settings: SearchSettings, store: Engine, tmp_path: Path
) -> None:
    """Its cursor stands where it should, so that there is nothing to follow: only a comparison tells."""
    load(store, tmp_path, REPORT, "report.pdf")
    with serving(settings, settings.database_url or "") as service:
        eventually(lambda: ready(service))
        eventually(lambda: service.desk.indexer._compared)
        server.kill()
        eventually(lambda: not service.desk.indexer._compared)
        server.start()
        client = meilisearch.Client(server.url)
        (uid,) = [index["uid"] for index in client.get_raw_indexes()["results"]]
        task = client.index(uid).delete_documents(filter='type = "recommendations"')
        client.wait_for_task(task.task_uid)
        eventually(lambda: service.client.get("/v1/search?type=recommendations").json()["total"] == 2, 30)
        assert same(service.desk, store)
