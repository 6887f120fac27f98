"""Readers that wait for changes: `wait` and Server-Sent Events, on real sockets and a real store."""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, text

from services.api import live, streams
from services.api.app import create_app
from services.api.settings import ApiSettings
from services.core.runtime.serve import served
from services.core.runtime.web import Service
from services.core.store.changes import append_changes
from tests.api.webhooks.conftest import draft

ACCEPT = {"Accept": "text/event-stream"}
CHILE = ("id:CHL-2-1.1", "state_under_review:CHL")


@pytest.fixture
def app(database_url: str) -> Service:
    return create_app(ApiSettings(database_url=database_url, feed_most_waiting=60), database_url)


@pytest.fixture
def client(app: Service) -> Iterator[httpx.Client]:
    with served(app, settings=app.state.settings) as address, httpx.Client(base_url=address, timeout=30) as client:
        yield client


def publish(engine: Engine, *numbers: int, **members: Any) -> None:
    with engine.begin() as connection:
        append_changes(connection, [draft(subject=f"PER-2-1.{number}", **members) for number in numbers])


@contextmanager
def meanwhile(work: Callable[[], object], after: float = 0.3) -> Iterator[None]:
    """Do something a moment later."""
    timer = threading.Timer(after, work)
    timer.start()
    yield
    timer.join()


class Stream:
    """What a browser's EventSource makes of a stream."""

    def __init__(self, answer: httpx.Response) -> None:
        self.last_id: str | None = None
        self.comments = 0
        self._lines = answer.iter_lines()

    def events(self, count: int) -> list[dict[str, Any]]:
        """The next events."""
        found: list[dict[str, Any]] = []
        data: str | None = None
        while len(found) < count:
            name, _, value = next(self._lines).partition(": ")
            if name == "id":
                self.last_id = value
            elif name == "data":
                data = value
            elif not name and data is not None:
                found.append(json.loads(data))
                assert found[-1]["seq"] == int(self.last_id or 0)
                data = None
        return found

    def until_id(self, wanted: int) -> None:
        """Read on until the last id is this one, without an event."""
        while self.last_id != str(wanted):
            name, _, value = next(self._lines).partition(": ")
            assert name != "data"
            self.last_id = value if name == "id" else self.last_id

    def seqs(self, count: int) -> list[int]:
        return [event["seq"] for event in self.events(count)]


@contextmanager
def listening(client: httpx.Client, headers: dict[str, str] | None = None, **parameters: Any) -> Iterator[Stream]:
    with client.stream("GET", "/v1/changes", params=parameters, headers={**ACCEPT, **(headers or {})}) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        assert "content-encoding" not in answer.headers
        yield Stream(answer)


def test_who_waits_is_answered_with_the_first_change(client: httpx.Client, engine: Engine) -> None:
    publish(engine, 1)
    started = time.monotonic()
    with meanwhile(lambda: publish(engine, 2, 3)):
        answer = client.get("/v1/changes", params={"after": 1, "wait": 25})
    assert time.monotonic() - started < 20
    told = answer.json()
    assert [event["seq"] for event in told["data"]] == [2, 3]
    assert (told["page"]["next"], told["dataset"]["cursor"]) == (None, 3)
    assert "etag" not in answer.headers
    assert told["data"] == client.get("/v1/changes", params={"after": 1}).json()["data"]
    at_once = client.get("/v1/changes", params={"after": 1, "wait": 25, "limit": 1}).json()
    assert ([event["seq"] for event in at_once["data"]], "after=2" in at_once["page"]["next"]) == ([2], True)


def test_who_waits_in_vain_learns_how_far_the_feed_has_come(client: httpx.Client, engine: Engine) -> None:
    with meanwhile(lambda: publish(engine, 1, 2)):
        told = client.get("/v1/changes", params={"wait": 1, "state_under_review": "CHL"}).json()
    assert (told["data"], told["page"]["next"], told["dataset"]["cursor"]) == ([], None, 2)
    for wait in ("61", "-1", "x"):
        assert client.get("/v1/changes", params={"wait": wait}).json()["parameter"] == "wait"


def test_filters_and_words_choose_what_ends_the_wait(client: httpx.Client, engine: Engine) -> None:
    whole = {"text_language": "es", "translations": {}, "labels": [], "sources": [], "recommending_states": []}
    data = {"id": "CHL-2-1.1", "text": "Prevenir la tortura", **whole}

    def two() -> None:
        publish(engine, 1)
        publish(engine, 2, terms_after=CHILE, data=data)

    with meanwhile(two):
        told = client.get("/v1/changes", params={"wait": 25, "q": "torturas", "state_under_review": "CHL"}).json()
    assert [(event["seq"], event["match"]) for event in told["data"]] == [(2, "entered")]


def test_a_stream_tells_every_change_once_and_in_order(client: httpx.Client, engine: Engine) -> None:
    publish(engine, 1, 2)
    with listening(client, after="0") as all_of_it, listening(client) as from_now_on:
        assert all_of_it.seqs(2) == [1, 2]
        writers = [threading.Thread(target=_write, args=(engine,)) for _ in range(3)]
        for writer in writers:
            writer.start()
        assert all_of_it.seqs(360) == from_now_on.seqs(360) == list(range(3, 363))
        for writer in writers:
            writer.join()
    with listening(client, {"Last-Event-ID": "360"}, after="5") as again:
        assert again.seqs(2) == [361, 362]


def _write(engine: Engine) -> None:
    for _ in range(40):
        publish(engine, 1, 2, 3)


def test_a_stream_has_filters_and_languages_and_moves_its_id_past_what_does_not_match(
    client: httpx.Client, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "HEARTBEAT_SECONDS", 0.3)
    with listening(client, state_under_review="CHL", lang="es") as stream:
        publish(engine, 1, 2)
        stream.until_id(2)
        publish(engine, 3, terms_after=CHILE, data={"id": "CHL-2-1.1", "state": {"code": "CHL", "name": "Chile"},
                "other": {"code": "ESP", "name": "Spain"}})  # fmt: skip
        (event,) = stream.events(1)
    assert (event["seq"], event["data"]["other"]["name"]) == (3, "España")


def test_a_lost_connection_to_the_store_loses_nothing(client: httpx.Client, engine: Engine) -> None:
    with listening(client) as stream:
        publish(engine, 1)
        assert stream.seqs(1) == [1]
        with engine.begin() as connection:
            connection.execute(
                text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'upr-api%'"
                     " AND datname = current_database()")
            )  # fmt: skip
        publish(engine, 2)
        assert stream.seqs(1) == [2]


def test_bad_ids_and_too_many_readers_are_refused(client: httpx.Client, app: Service, engine: Engine) -> None:
    for wrong in ("x", "-1", "9" * 30):
        answer = client.get("/v1/changes", headers={**ACCEPT, "Last-Event-ID": wrong})
        assert (answer.status_code, answer.json()["parameter"]) == (400, "Last-Event-ID")
    app.state.desk.live._most_waiting = 1
    with listening(client) as stream:
        for refused in (client.get("/v1/changes", headers=ACCEPT), client.get("/v1/changes", params={"wait": 5})):
            assert (refused.status_code, refused.json()["code"]) == (503, "too_many_waiting")
            assert refused.headers["Retry-After"]
        publish(engine, 1)
        assert stream.seqs(1) == [1]
    _until(lambda: app.state.desk.live.waiting == 0)
    with listening(client):
        pass


def test_head_and_readers_who_go_leave_their_place(client: httpx.Client, app: Service) -> None:
    assert client.head("/v1/changes", headers=ACCEPT).status_code == 200
    with pytest.raises(httpx.ReadTimeout):
        client.get("/v1/changes", params={"wait": 60}, timeout=0.5)
    _until(lambda: app.state.desk.live.waiting == 0)


def test_a_stop_ends_all_at_once(app: Service, engine: Engine) -> None:
    with served(app, settings=app.state.settings) as address, httpx.Client(base_url=address, timeout=30) as client:
        answers: list[httpx.Response] = []
        waiting = threading.Thread(target=lambda: answers.append(client.get("/v1/changes", params={"wait": 60})))
        waiting.start()
        with listening(client) as stream:
            publish(engine, 1)
            assert stream.seqs(1) == [1]
            waiting.join()
            waiting = threading.Thread(
                target=lambda: answers.append(client.get("/v1/changes", params={"wait": 60, "after": 1}))
            )
            waiting.start()
            _until(lambda: app.state.desk.live.waiting == 2)
            started = time.monotonic()
            _stop(app)
            with pytest.raises(StopIteration):
                stream.events(1)
            waiting.join()
            assert time.monotonic() - started < 10
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[1].json()["data"] == []


def test_fifty_readers_take_few_threads_and_connections(
    app: Service, client: httpx.Client, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    matched: list[int] = []
    monkeypatch.setattr(live, "matched", lambda *given: _counting(matched, *given))
    before = threading.active_count()

    async def listen() -> list[list[int]]:
        async with httpx.AsyncClient(base_url=client.base_url, timeout=30, limits=httpx.Limits()) as many:
            return await asyncio.gather(*[_read(many, number) for number in range(50)], _tell())

    async def _read(many: httpx.AsyncClient, number: int) -> list[int]:
        found: list[int] = []
        state = ("PER", "CHL")[number % 2]
        async with many.stream("GET", "/v1/changes", params={"region": "grulac", "state_under_review": state},
                               headers=ACCEPT) as answer:  # fmt: skip
            async for line in answer.aiter_lines():
                if line.startswith("data"):
                    found.append(json.loads(line[6:])["seq"])
                    if len(found) == 2:
                        return found
        return found

    async def _tell() -> list[int]:
        while app.state.desk.live.waiting < 50:
            await asyncio.sleep(0.05)
        threads = threading.active_count() - before
        connections = await asyncio.to_thread(_connections, engine)
        for state in ("PER", "CHL", "PER", "CHL"):
            terms = (f"id:{state}-2-1.1", f"state_under_review:{state}", "region:grulac")
            await asyncio.to_thread(publish, engine, 1, terms_after=terms)
        return [threads, connections]

    *readers, (threads, connections) = asyncio.run(listen())
    assert readers == [[1, 3], [2, 4]] * 25
    assert threads < 45  # the pool of a process, whatever the number of readers
    assert connections <= app.state.settings.database_pool_size + 1
    assert matched  # news were read for all, and matched for the two interests
    assert max(matched) <= 2


def _counting(seen: list[int], *given: Any) -> Any:
    from services.api.feed import matched  # noqa: PLC0415 - the real one, beside the one that is replaced

    seen.append(len(given[2]))
    return matched(*given)


def _connections(engine: Engine) -> int:
    asked = (
        "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'upr-api%' AND datname = current_database()"
    )
    with engine.connect() as connection:
        return int(connection.scalar(text(asked)) or 0)


def _stop(app: Service) -> None:
    """As the server does when it is told to stop: in its event loop."""
    tasks = app.state.desk.live._tasks
    tasks[0].get_loop().call_soon_threadsafe(app.when_stopping)


def _until(condition: Callable[[], bool], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_who_waits_does_not_wait_on_when_the_store_goes_back(
    client: httpx.Client, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(engine, 1, 2, 3)
    with listening(client, after=2) as stream:
        assert stream.seqs(1) == [3]
        with engine.begin() as connection:
            connection.execute(text("DELETE FROM changes WHERE seq > 1"))
            connection.execute(text("UPDATE change_head SET seq = 1, restored = true"))
        publish(engine, 4, 5, 6)
        with pytest.raises(StopIteration):
            stream.events(1)
    again = client.get("/v1/changes", params={"after": 5}, headers=ACCEPT)
    assert (again.status_code, again.json()["code"]) == (410, "feed_restored")
