import contextlib
import functools
import logging
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Connection, Engine, text
from standardwebhooks import Webhook, WebhookVerificationError

from services.api.webhooks import deliver
from services.api.webhooks.deliver import Deliverer, Places
from services.api.webhooks.fanout import fan_out
from services.api.webhooks.forgetting import KeptFor
from services.api.webhooks.queue import Room, Tried, claim, settle
from services.api.webhooks.schedule import load_schedule
from services.api.webhooks.sender import AttemptOutcome, AttemptResult, WebhookSender
from services.api.webhooks.signature import new_secret
from services.core.domain.changes import Cause
from services.core.store.changes import append_changes
from services.ingest.load import Loader
from services.ingest.reading import Reading
from tests.api.webhooks.conftest import DEVELOPMENT, Publish, Subscribe, draft, rows
from tests.api.webhooks.receivers import OK, Behaviour, answering, answering_ok, receiving
from tests.readings import TEXTS, addendum, matrix, recommendation, report

DEADLINE = 2.0
ROOM = Room(quick=10, a_quick_endpoint=10, slow=10, a_slow_endpoint=10)


class FakeClock:
    """The database's clock, as far as deliverers see it. It starts ahead of the real one, by which rows are made."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC) + timedelta(hours=1)

    def __call__(self, _connection: Connection) -> datetime:
        return self.now


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


MakeDeliverer = Callable[..., Deliverer]


@pytest.fixture
def make_deliverer(engine: Engine, clock: FakeClock) -> Iterator[MakeDeliverer]:
    made = []

    def make(**options: Any) -> Deliverer:
        sender = WebhookSender(DEVELOPMENT, deadline_seconds=DEADLINE)
        options = {"public_url": "https://upr.example.org", "deadline_seconds": DEADLINE, "clock": clock, **options}
        made.append(Deliverer(engine, sender, chance=lambda: 0.5, **options))
        return made[-1]

    yield make
    for deliverer in made:
        deliverer.finish()


def work(deliverer: Deliverer, until: Callable[[], bool], seconds: float = 8.0) -> None:
    """Let it work until something has happened."""
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end, "it did not happen in time"
        if not deliverer.step():
            time.sleep(0.005)


def work_off(deliverer: Deliverer) -> None:
    """Let it do all that is due now."""
    while deliverer.step() or not deliverer.idle:
        time.sleep(0.002)


def parts(request: bytes) -> tuple[dict[str, str], bytes]:
    head, _, body = request.partition(b"\r\n\r\n")
    lines = (line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    return {name.lower(): value for name, value in lines}, body


def verified(request: bytes, secret: str) -> dict[str, Any]:
    headers, body = parts(request)
    event = Webhook(secret).verify(body, headers)
    assert headers["webhook-id"] == event["data"]["id"]
    received: dict[str, Any] = event
    return received


def deliveries(engine: Engine) -> list[tuple[str, int]]:
    found = rows(engine, "SELECT status, attempts FROM webhook_deliveries ORDER BY seq, endpoint")
    return [(row.status, row.attempts) for row in found]


def test_an_event_arrives_signed_and_as_the_feed_has_it(
    engine: Engine, api: httpx.Client, subscribe: Subscribe, publish: Publish, make_deliverer: MakeDeliverer
) -> None:
    with receiving() as receiver:
        secret = subscribe(receiver.url)["secret"]
        publish(draft(changed={"position": ["pending", "noted"]}, type="recommendation.position_changed"))
        work_off(make_deliverer(public_url="http://127.0.0.1:8000"))
    assert len(receiver.requests) == 1
    headers, _ = parts(receiver.requests[0])
    assert headers["content-type"] == "application/json"
    body = verified(receiver.requests[0], secret)
    assert set(body) == {"type", "timestamp", "data"}
    assert body["type"] == "recommendation.position_changed"
    event = api.get("/v1/changes").json()["data"][0]
    assert body["data"] == event
    assert body["timestamp"] == event["occurred_at"]
    assert event["changed"] == {"position": ["pending", "noted"]}
    assert deliveries(engine) == [("delivered", 1)]
    attempt = rows(engine, "SELECT * FROM webhook_attempts")[0]
    assert (attempt.number, attempt.status, attempt.outcome, attempt.error) == (1, 200, "success", None)
    assert bytes(attempt.answer_start) == b"OK"


def test_a_receiver_that_fails_is_tried_by_the_schedule(
    engine: Engine, subscribe: Subscribe, publish: Publish, make_deliverer: MakeDeliverer, clock: FakeClock
) -> None:
    waits = load_schedule().waits
    deliverer = make_deliverer()
    with receiving(answering(b"HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\nno")) as receiver:
        secret = subscribe(receiver.url)["secret"]
        publish()
        for tries, wait in enumerate(waits, 1):
            work_off(deliverer)
            assert len(receiver.requests) == tries
            assert rows(engine, "SELECT due_at FROM webhook_deliveries")[0].due_at == clock.now + wait
            clock.now += wait - timedelta(milliseconds=1)
            work_off(deliverer)
            assert len(receiver.requests) == tries
            clock.now += timedelta(milliseconds=1)
        assert deliveries(engine) == [("pending", len(waits))]
        work_off(deliverer)
        clock.now += timedelta(days=10)
        work_off(deliverer)
    assert deliveries(engine) == [("failed", len(waits) + 1)]
    assert len(receiver.requests) == len(waits) + 1
    assert len({verified(request, secret)["data"]["id"] for request in receiver.requests}) == 1
    assert len({parts(request)[1] for request in receiver.requests}) == 1
    attempts = rows(engine, "SELECT number, status, outcome, answer_start FROM webhook_attempts ORDER BY number")
    assert [row.number for row in attempts] == list(range(1, len(waits) + 2))
    assert {(row.status, row.outcome, bytes(row.answer_start)) for row in attempts} == {(500, "bad_status", b"no")}


def test_a_receiver_may_ask_for_a_later_try(
    engine: Engine, subscribe: Subscribe, publish: Publish, make_deliverer: MakeDeliverer, clock: FakeClock
) -> None:
    with receiving(answering(b"HTTP/1.1 429 Busy\r\nRetry-After: 8\r\nContent-Length: 0\r\n\r\n")) as receiver:
        subscribe(receiver.url)
        publish()
        work_off(make_deliverer())
    assert rows(engine, "SELECT due_at FROM webhook_deliveries")[0].due_at == clock.now + timedelta(seconds=8)


def test_after_a_failure_the_next_success_ends_the_trouble(
    engine: Engine, subscribe: Subscribe, publish: Publish, make_deliverer: MakeDeliverer, clock: FakeClock
) -> None:
    answers = iter([b"HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 204 X\r\n\r\n"])
    deliverer = make_deliverer()
    with receiving(lambda connection: connection.sendall(next(answers))) as receiver:
        subscribe(receiver.url)
        publish()
        work_off(deliverer)
        assert rows(engine, "SELECT failing_since FROM webhook_endpoints")[0].failing_since == clock.now
        clock.now += timedelta(seconds=5)
        work_off(deliverer)
    assert rows(engine, "SELECT failing_since FROM webhook_endpoints")[0].failing_since is None
    assert deliveries(engine) == [("delivered", 2)]


def test_410_disables_the_endpoint(
    engine: Engine, subscribe: Subscribe, publish: Publish, make_deliverer: MakeDeliverer, clock: FakeClock
) -> None:
    deliverer = make_deliverer(places=Places(running=1, held_of_one=1))
    with receiving(answering(b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n")) as receiver:
        subscribe(receiver.url)
        publish(draft(), draft())
        work_off(deliverer)
        publish()
        clock.now += timedelta(days=3)
        work_off(deliverer)
    assert len(receiver.requests) == 1
    assert deliveries(engine) == [("failed", 1), ("pending", 0)]
    endpoint = rows(engine, "SELECT status, status_reason FROM webhook_endpoints")[0]
    assert endpoint.status == "disabled"
    assert endpoint.status_reason.startswith("The receiver answered 410 (gone) on 20")


def test_five_days_of_nothing_but_failures_disable_the_endpoint(
    engine: Engine, subscribe: Subscribe, publish: Publish, make_deliverer: MakeDeliverer, clock: FakeClock
) -> None:
    deliverer = make_deliverer()
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/"
    subscribe(url)
    for _ in range(5):
        publish()
        work_off(deliverer)
        assert rows(engine, "SELECT status FROM webhook_endpoints")[0].status == "enabled"
        clock.now += timedelta(days=1)
    publish()
    work_off(deliverer)
    endpoint = rows(engine, "SELECT status, status_reason FROM webhook_endpoints")[0]
    assert endpoint.status == "disabled"
    assert "Every try has failed since" in endpoint.status_reason
    assert "refused" in endpoint.status_reason


def test_redirects_are_not_followed(
    engine: Engine, subscribe: Subscribe, publish: Publish, make_deliverer: MakeDeliverer
) -> None:
    with receiving() as elsewhere:
        moved = f"HTTP/1.1 307 Moved\r\nLocation: {elsewhere.url}\r\nContent-Length: 0\r\n\r\n"
        with receiving(answering(moved.encode())) as receiver:
            subscribe(receiver.url)
            publish()
            work_off(make_deliverer())
    assert (len(receiver.requests), elsewhere.requests) == (1, [])
    assert deliveries(engine) == [("pending", 1)]
    assert "redirects are not followed" in rows(engine, "SELECT error FROM webhook_attempts")[0].error


def test_an_address_that_is_no_longer_allowed_is_not_called(
    engine: Engine, subscribe: Subscribe, publish: Publish, make_deliverer: MakeDeliverer
) -> None:
    with receiving() as receiver:
        subscribe(receiver.url)
        publish()
        deliverer = make_deliverer()
        deliverer._sender = WebhookSender(type(DEVELOPMENT)())  # loopback was allowed when it was created
        work_off(deliverer)
    assert receiver.requests == []
    assert rows(engine, "SELECT outcome FROM webhook_attempts")[0].outcome == "refused_address"
    assert deliveries(engine) == [("pending", 1)]


def held_back(go_on: threading.Event, seconds: float = 10) -> Behaviour:
    def behave(connection: socket.socket) -> None:
        go_on.wait(seconds)
        answering_ok(connection)

    return behave


def test_an_endpoint_deleted_during_a_try(
    engine: Engine, subscribe: Subscribe, publish: Publish, make_deliverer: MakeDeliverer
) -> None:
    go_on = threading.Event()
    deliverer = make_deliverer(places=Places(running=1))
    with receiving(held_back(go_on)) as receiver:
        subscribe(receiver.url)
        publish(*[draft() for _ in range(20)])
        work(deliverer, lambda: len(receiver.requests) == 1)
        with engine.begin() as connection:
            connection.execute(text("DELETE FROM webhook_endpoints"))
        go_on.set()
        work_off(deliverer)
        count = len(receiver.requests)
        time.sleep(0.1)
        work_off(deliverer)
        assert len(receiver.requests) == count
    assert deliveries(engine) == []
    assert rows(engine, "SELECT 1 FROM webhook_attempts") == []


def test_a_paused_endpoint_gets_nothing_until_it_is_enabled(
    engine: Engine, subscribe: Subscribe, publish: Publish, make_deliverer: MakeDeliverer
) -> None:
    deliverer = make_deliverer()
    with receiving() as receiver:
        subscribe(receiver.url)
        publish()
        with engine.begin() as connection:
            fan_out(connection)
            connection.execute(text("UPDATE webhook_endpoints SET status = 'paused'"))
        work_off(deliverer)
        assert receiver.requests == []
        with engine.begin() as connection:
            connection.execute(text("UPDATE webhook_endpoints SET status = 'enabled'"))
        work_off(deliverer)
    assert deliveries(engine) == [("delivered", 1)]


def test_a_stale_token_settles_nothing(
    engine: Engine, subscribe: Subscribe, publish: Publish, clock: FakeClock
) -> None:
    subscribe("https://tracker.example.org/")
    publish()
    lease = timedelta(seconds=30)
    with engine.begin() as connection:
        fan_out(connection)
        (first,) = claim(connection, ROOM, now=clock.now, lease=lease)
    with engine.begin() as connection:
        assert claim(connection, ROOM, now=clock.now + lease - timedelta(seconds=1), lease=lease) == []
        (second,) = claim(connection, ROOM, now=clock.now + lease, lease=lease)
    assert (first.delivery, first.token + 1) == (second.delivery, second.token)
    gone = AttemptResult(410, AttemptOutcome.BAD_STATUS, 5)
    fine = AttemptResult(200, AttemptOutcome.SUCCESS, 5)
    settling = functools.partial(settle, schedule=load_schedule(), now=clock.now + lease, chance=random.random)
    with engine.begin() as connection:
        settled = settling(connection, [Tried(first, clock.now, gone)])
    assert (settled.stale, settled.failed, settled.disabled) == (1, 0, frozenset())
    assert deliveries(engine) == [("pending", 0)]
    with engine.begin() as connection:
        settled = settling(connection, [Tried(first, clock.now, gone), Tried(second, clock.now, fine)])
    assert (settled.stale, settled.delivered) == (1, 1)
    assert deliveries(engine) == [("delivered", 1)]
    assert len(rows(engine, "SELECT 1 FROM webhook_attempts")) == 1
    with engine.begin() as connection:
        assert settling(connection, [Tried(second, clock.now, gone)]).stale == 1
    assert deliveries(engine) == [("delivered", 1)]


def test_what_is_claimed_by_one_is_not_claimed_by_another(
    engine: Engine, subscribe: Subscribe, publish: Publish, clock: FakeClock
) -> None:
    for _ in range(3):
        subscribe("https://tracker.example.org/")
    publish(*[draft() for _ in range(20)])
    with engine.begin() as connection:
        fan_out(connection)
    claimed: list[str] = []

    def take() -> None:
        while True:
            with engine.begin() as connection:
                some = claim(connection, Room(7, 60, 0, 0), now=clock.now, lease=timedelta(minutes=1))
            claimed.extend(each.delivery for each in some)
            if not some:
                return

    threads = [threading.Thread(target=take) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claimed) == len(set(claimed)) == 60


def test_an_event_that_is_no_longer_kept_is_let_go(
    engine: Engine, subscribe: Subscribe, publish: Publish, make_deliverer: MakeDeliverer
) -> None:
    with receiving() as receiver:
        subscribe(receiver.url)
        publish(draft(), draft())
        with engine.begin() as connection:
            fan_out(connection)
            connection.execute(text("DELETE FROM changes WHERE seq = 1"))
        work_off(make_deliverer())
    assert deliveries(engine) == [("expired", 0), ("delivered", 1)]


@pytest.mark.parametrize("patience", [60.0, 0.0])
def test_failing_endpoints_wait_for_quick_ones_but_not_for_ever(
    *,
    engine: Engine,
    subscribe: Subscribe,
    publish: Publish,
    make_deliverer: MakeDeliverer,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
    patience: float,
) -> None:
    monkeypatch.setattr(deliver, "SLOW_WAIT_SECONDS", patience)
    deliverer, go_on = make_deliverer(), threading.Event()
    with (
        receiving(answering(b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n")) as failing,
        receiving(held_back(go_on)) as quick,
    ):
        subscribe(failing.url)
        publish()
        work_off(deliverer)
        subscribe(quick.url)
        clock.now += timedelta(days=1)
        publish()
        try:
            work(deliverer, lambda: len(quick.requests) == 1)
            for _ in range(20):
                deliverer.step()
                time.sleep(0.005)
            assert len(failing.requests) == (1 if patience else 3)
        finally:
            go_on.set()
        work(deliverer, lambda: len(failing.requests) == 3)
        work_off(deliverer)
    assert sorted(deliveries(engine)) == [("delivered", 1), ("pending", 1), ("pending", 2)]


def test_slow_endpoints_do_not_delay_others(
    engine: Engine,
    subscribe: Subscribe,
    publish: Publish,
    make_deliverer: MakeDeliverer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """More tries hang than there are threads; a quick endpoint hears of everything before any of them has ended."""
    monkeypatch.setattr(deliver, "SLOW_SECONDS", 0.5)
    deliverer = make_deliverer(deadline_seconds=60, places=Places(threads=8, running=2, slow=4, slow_of_one=1))
    deliverer._sender = WebhookSender(DEVELOPMENT, deadline_seconds=60)
    with contextlib.ExitStack() as stack:
        go_on = threading.Event()
        stack.callback(go_on.set)
        for _ in range(12):
            subscribe(stack.enter_context(receiving(held_back(go_on, 60))).url)
        publish(draft(), draft())
        work(deliverer, lambda: deliverer.running >= 8)
        quick = stack.enter_context(receiving())
        subscribe(quick.url)
        publish(*[draft() for _ in range(30)])
        work(deliverer, lambda: len(quick.requests) == 30, 30)
        publish(*[draft() for _ in range(10)])
        work(deliverer, lambda: len(quick.requests) == 40, 30)
        assert deliverer.running >= 8
        go_on.set()


def test_one_endpoint_gets_only_so_many_at_once(
    subscribe: Subscribe, publish: Publish, make_deliverer: MakeDeliverer
) -> None:
    lock = threading.Lock()
    now, most = 0, 0

    def count(connection: socket.socket) -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.02)
        with lock:
            now -= 1
        answering_ok(connection)

    with receiving(count) as receiver:
        subscribe(receiver.url)
        publish(*[draft() for _ in range(30)])
        work_off(make_deliverer(places=Places(running=3)))
    assert len(receiver.requests) == 30
    assert most <= 4  # the count ends before the answer, so that the next one may have begun


def test_what_waits_is_given_back_at_the_end(
    engine: Engine, subscribe: Subscribe, publish: Publish, make_deliverer: MakeDeliverer
) -> None:
    go_on = threading.Event()
    first = make_deliverer(places=Places(running=1))
    with receiving(held_back(go_on)) as receiver:
        subscribe(receiver.url)
        publish(*[draft() for _ in range(5)])
        work(first, lambda: len(receiver.requests) == 1)
        threading.Timer(0.2, go_on.set).start()
        first.finish()
        assert sorted(deliveries(engine)) == [("delivered", 1), *[("pending", 0)] * 4]
        work_off(make_deliverer())  # no lease is in its way
    assert [row.status for row in rows(engine, "SELECT status FROM webhook_deliveries")] == ["delivered"] * 5


def test_a_fault_of_ours_is_a_failed_try_and_stops_nothing(
    engine: Engine,
    subscribe: Subscribe,
    publish: Publish,
    make_deliverer: MakeDeliverer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with receiving() as receiver:
        broken = subscribe(receiver.url)
        subscribe(receiver.url)
        with engine.begin() as connection:
            values = {"id": broken["id"]}
            connection.execute(text("UPDATE webhook_endpoints SET secret = 'whsec_x' WHERE id = :id"), values)
        publish()
        work_off(make_deliverer())
    assert sorted(deliveries(engine)) == [("delivered", 1), ("pending", 1)]
    outcomes = {row.outcome for row in rows(engine, "SELECT outcome FROM webhook_attempts")}
    assert outcomes == {"success", "internal_error"}


def test_no_secret_is_in_the_log(
    subscribe: Subscribe, publish: Publish, make_deliverer: MakeDeliverer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with receiving() as receiver, receiving(answering(b"nonsense")) as other:
        secrets = [subscribe(each.url)["secret"] for each in (receiver, other)]
        publish()
        work_off(make_deliverer())
    assert len(receiver.requests) == len(other.requests) == 1
    assert not any(secret in caplog.text for secret in secrets)


def load(engine: Engine, folder: Path, reading: Reading, name: str, backfill_after_days: int) -> None:
    file = folder / name
    file.write_text(name)
    sha256 = name.encode().hex().ljust(64, "0")
    Loader(engine, timedelta(days=backfill_after_days)).load(file, sha256, reading)


def test_documents_become_events(
    engine: Engine, tmp_path: Path, subscribe: Subscribe, make_deliverer: MakeDeliverer
) -> None:
    """A report, then the State's answers: who watches what is pending hears of the departure."""
    pending = report([recommendation("116.1", TEXTS[0]), recommendation("116.2", TEXTS[1])])
    answered = matrix([recommendation("116.1", TEXTS[0], position="noted")])
    deliverer = make_deliverer()
    with receiving() as watching, receiving() as usual, receiving() as historian:
        secret = subscribe(
            watching.url,
            event_types=["recommendation.position_changed"],
            causes=list(Cause),
            filters={"state_under_review": "PER", "position": "pending"},
        )["secret"]
        subscribe(usual.url)
        subscribe(historian.url, causes=["backfill"])
        load(engine, tmp_path, pending, "report.pdf", backfill_after_days=180)
        work_off(deliverer)
        assert (watching.requests, usual.requests, len(historian.requests)) == ([], [], 5)
        load(engine, tmp_path, answered, "matrix.docx", backfill_after_days=36_500)
        work_off(deliverer)
    (event,) = [verified(request, secret)["data"] for request in watching.requests]
    assert event["subject"] == {
        "id": "PER-2-116.1",
        "url": "https://upr.example.org/recommendations/PER-2-116.1",
    }
    assert event["changed"]["position"] == ["pending", "noted"]
    assert len(usual.requests) == len(rows(engine, "SELECT 1 FROM changes WHERE cause <> 'backfill'"))
    assert len(historian.requests) == 5


def test_an_old_addendum_is_posted_to_none_but_who_asked_for_history(
    engine: Engine, tmp_path: Path, subscribe: Subscribe, make_deliverer: MakeDeliverer
) -> None:
    answers = addendum([("116.1", "supported"), ("116.2", "noted")])
    deliverer = make_deliverer()
    load(engine, tmp_path, report([recommendation(f"116.{n}", TEXTS[n]) for n in (1, 2)]), "report.pdf", 36_500)
    with receiving() as usual, receiving() as pending, receiving() as historian:
        subscribe(usual.url)
        subscribe(pending.url, event_types=["recommendation.position_changed"], filters={"position": "pending"})
        secret = subscribe(historian.url, causes=["backfill"])["secret"]
        load(engine, tmp_path, answers, "addendum.pdf", backfill_after_days=180)
        work_off(deliverer)
        assert (usual.requests, pending.requests) == ([], [])
    told = [verified(request, secret)["data"] for request in historian.requests]
    assert {each["cause"] for each in told} == {"backfill"}
    moved = {each["subject"]["id"]: each["changed"]["position"] for each in told if "position" in each["changed"]}
    assert moved == {"PER-2-116.1": ["pending", "supported"], "PER-2-116.2": ["pending", "noted"]}


def test_a_correction_never_posts_that_a_position_changed(
    engine: Engine, tmp_path: Path, subscribe: Subscribe, make_deliverer: MakeDeliverer
) -> None:
    deliverer = make_deliverer()
    load(engine, tmp_path, report([recommendation("116.1", TEXTS[0])]), "report.pdf", 36_500)
    better = report([recommendation("116.1", TEXTS[0], position="supported")], version="2")
    with receiving() as moves, receiving() as everything:
        subscribe(moves.url, event_types=["recommendation.position_changed"], causes=list(Cause))
        secret = subscribe(everything.url, filters={"id": "PER-2-116.1"})["secret"]
        load(engine, tmp_path, better, "report.pdf", 36_500)
        work_off(deliverer)
    assert moves.requests == []
    (told,) = [verified(request, secret)["data"] for request in everything.requests]
    assert (told["type"], told["cause"]) == ("recommendation.updated", "correction")
    assert told["changed"]["position"] == ["pending", "supported"]


def test_four_days_down_and_all_is_there_by_retries_or_by_the_feed(
    engine: Engine, api: httpx.Client, subscribe: Subscribe, make_deliverer: MakeDeliverer, clock: FakeClock
) -> None:
    """The receiver is down for longer than one event is tried for. What was given up meanwhile is in the feed."""
    down, up = b"HTTP/1.1 503 Down\r\nContent-Length: 0\r\n\r\n", OK
    answers = [down]
    deliverer = make_deliverer(public_url="http://127.0.0.1:8000")
    with receiving(lambda connection: connection.sendall(answers[-1])) as receiver:
        secret = subscribe(receiver.url)["secret"]
        _one_each_six_hours(engine, deliverer, clock, days=4)
        tries = len(receiver.requests)
        answers.append(up)
        _one_each_six_hours(engine, deliverer, clock, days=2)
        received = [verified(request, secret)["data"] for request in receiver.requests[tries:]]
    states = [row.status for row in rows(engine, "SELECT status FROM webhook_deliveries ORDER BY seq")]
    given_up = states.count("failed")
    assert states == ["failed"] * given_up + ["delivered"] * (24 - given_up)
    assert 0 < given_up < 6
    assert sorted(event["seq"] for event in received) == list(range(given_up + 1, 25))
    caught_up = api.get("/v1/changes", params={"after": 0, "limit": given_up}).json()["data"]
    every = api.get("/v1/changes", params={"after": 0}).json()["data"]
    assert sorted([*caught_up, *received], key=lambda event: int(event["seq"])) == every
    assert rows(engine, "SELECT status, failing_since FROM webhook_endpoints") == [("enabled", None)]


def _one_each_six_hours(engine: Engine, deliverer: Deliverer, clock: FakeClock, days: int) -> None:
    for _ in range(days * 4):
        with engine.begin() as connection:
            append_changes(connection, [draft()])
        _let_pass(engine, deliverer, clock, timedelta(hours=6))


def _let_pass(engine: Engine, deliverer: Deliverer, clock: FakeClock, time_span: timedelta) -> None:
    """Let time pass, and what becomes due in it be tried at its moment."""
    end = clock.now + time_span
    while clock.now < end:
        work_off(deliverer)
        due = rows(engine, "SELECT min(due_at) AS next FROM webhook_deliveries WHERE status = 'pending'")[0].next
        clock.now = min(end, max(due or end, clock.now))
    work_off(deliverer)


# Real processes from here on.


@dataclass
class DelivererProcess:
    process: "subprocess.Popen[bytes]"
    log: Path

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)


StartDeliverer = Callable[[], DelivererProcess]


@pytest.fixture
def start_deliverer(database_url: str, tmp_path: Path) -> Iterator[StartDeliverer]:
    """Starts `upr api deliver` as a process of its own, with a short deadline."""
    running: list[DelivererProcess] = []
    settings = {
        "UPR_DATABASE_URL": database_url,
        "UPR_WEBHOOK_ALLOW_LOOPBACK": "true",
        "UPR_WEBHOOK_DEADLINE_SECONDS": "2",
        "UPR_LOG_LEVEL": "debug",
    }

    def start() -> DelivererProcess:
        log = tmp_path / f"deliverer-{len(running)}.log"
        command = [sys.executable, "-c", "from services.api.commands import app; app()", "deliver"]
        with log.open("wb") as stream:
            process = subprocess.Popen(command, env={**os.environ, **settings}, stderr=stream)
        running.append(DelivererProcess(process, log))
        eventually(lambda: "worker started" in log.read_text())
        return running[-1]

    yield start
    for each in running:
        each.kill()


def stop_between_transactions(process: subprocess.Popen[bytes], engine: Engine) -> None:
    """SIGSTOP, but not while it holds the fan-out's row: that would keep the other one waiting, as it should."""
    busy = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid() AND state IN ('active', 'idle in transaction')"
    )

    def stopped() -> bool:
        process.send_signal(signal.SIGSTOP)
        time.sleep(0.1)
        with engine.connect() as connection:
            if connection.scalar(busy) == 0:
                return True
        process.send_signal(signal.SIGCONT)
        return False

    eventually(stopped)


def eventually(condition: Callable[[], bool], seconds: float = 40.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def _has_more(requests: list[bytes], count: int) -> bool:
    return len(requests) > count


def test_an_event_is_posted_within_a_second_of_the_commit(
    subscribe: Subscribe, publish: Publish, start_deliverer: StartDeliverer
) -> None:
    with receiving() as receiver:
        secret = subscribe(receiver.url)["secret"]
        deliverer = start_deliverer()
        publish()  # the first one takes longer: connections are made
        eventually(lambda: len(receiver.requests) == 1)
        waits = []
        for pause in (0.1, 0.3, 0.5, 0.7):
            time.sleep(pause)
            waits.append(time.monotonic())
            count = len(receiver.requests)
            publish()
            eventually(functools.partial(_has_more, receiver.requests, count))
            waits[-1] = time.monotonic() - waits[-1]
        deliverer.stop()
        assert deliverer.process.wait(10) == 0
    assert max(waits) < 1, waits
    log = deliverer.log.read_text()
    assert "worker stopped" in log
    assert secret not in log
    assert "webhook tried" in log


def test_a_stop_waits_for_the_tries_that_run(
    engine: Engine, subscribe: Subscribe, publish: Publish, start_deliverer: StartDeliverer
) -> None:
    go_on = threading.Event()
    with receiving(held_back(go_on)) as receiver:
        subscribe(receiver.url)
        deliverer = start_deliverer()
        publish()
        eventually(lambda: len(receiver.requests) == 1)
        deliverer.stop()
        eventually(lambda: "finishing the tries" in deliverer.log.read_text())
        deliverer.stop()  # as a parent does that stops everything
        time.sleep(0.3)
        assert deliverer.process.poll() is None
        go_on.set()
        assert deliverer.process.wait(10) == 0
    assert deliveries(engine) == [("delivered", 1)]


def test_what_a_killed_deliverer_was_at_is_delivered_by_another(
    engine: Engine, subscribe: Subscribe, publish: Publish, start_deliverer: StartDeliverer
) -> None:
    go_on = threading.Event()
    with receiving(held_back(go_on)) as receiver:
        secret = subscribe(receiver.url)["secret"]
        first, second = start_deliverer(), start_deliverer()
        stop_between_transactions(second.process, engine)  # so that it is the first that takes the event
        publish()
        eventually(lambda: len(receiver.requests) == 1)
        second.process.send_signal(signal.SIGCONT)
        first.kill()
        go_on.set()
        eventually(lambda: deliveries(engine) == [("delivered", 1)])
        second.stop()
        assert second.process.wait(10) == 0
    events = [verified(request, secret)["data"]["id"] for request in receiver.requests]
    assert len(events) == 2
    assert len(set(events)) == 1


def test_a_secret_that_is_renewed_between_two_tries_signs_the_second_beside_the_former(
    engine: Engine, subscribe: Subscribe, make_deliverer: MakeDeliverer, clock: FakeClock, publish: Publish
) -> None:
    with receiving(answering(b"HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\nno")) as receiver:
        endpoint, renewed = subscribe(receiver.url), new_secret()
        publish()
        deliverer = make_deliverer()
        work_off(deliverer)
        values = {"secret": renewed, "until": clock.now + timedelta(hours=24)}
        columns = "former_secret = secret, secret = :secret, former_secret_until = :until"
        with engine.begin() as connection:
            connection.execute(text(f"UPDATE webhook_endpoints SET {columns}"), values)
        for wait in (timedelta(minutes=5), timedelta(hours=25)):
            clock.now += wait
            work_off(deliverer)
    assert len(receiver.requests) == 3
    for at, secrets in enumerate(([endpoint["secret"]], [endpoint["secret"], renewed], [renewed])):
        for secret in (endpoint["secret"], renewed):
            assert _fits(receiver.requests[at], secret) == (secret in secrets), (at, secret)


def _fits(request: bytes, secret: str) -> bool:
    try:
        verified(request, secret)
    except WebhookVerificationError:
        return False
    return True


def test_old_changes_are_removed_when_they_were_fanned_out(
    engine: Engine, make_deliverer: MakeDeliverer, clock: FakeClock, publish: Publish
) -> None:
    publish(*[draft() for _ in range(5)])
    for_ever, deliverer = make_deliverer(), make_deliverer(kept=KeptFor(changes=timedelta(days=30)))
    clock.now += timedelta(days=31)
    assert deliverer.step()  # fans out, and removes all but the last
    for_ever.step()
    assert [row.seq for row in rows(engine, "SELECT seq FROM changes ORDER BY seq")] == [5]
    assert not deliverer.step()
