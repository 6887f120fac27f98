"""Replays, from what is asked over HTTP to what arrives."""

import random
import socket
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, text

from services.api.webhooks import replaying
from services.api.webhooks.fanout import fan_out
from services.api.webhooks.forgetting import KeptFor
from services.api.webhooks.replaying import replay_block, replays_wait
from services.core.domain.changes import Cause
from tests.api.conftest import MakeKey
from tests.api.webhooks.conftest import Publish, draft, rows
from tests.api.webhooks.receivers import answering, receiving
from tests.api.webhooks.test_deliver import (
    FakeClock,
    MakeDeliverer,
    StartDeliverer,
    clock,
    deliveries,
    eventually,
    make_deliverer,
    parts,
    start_deliverer,
    work_off,
)

__all__ = ["clock", "make_deliverer", "start_deliverer"]

URL = "/v1/webhooks/endpoints"
HOOK = "https://tracker.example.org/"


@pytest.fixture
def client(api: httpx.Client, make_key: MakeKey) -> httpx.Client:
    """The API, to one key."""
    api.headers["Authorization"] = f"Bearer {make_key()[1]}"
    return api


def create(client: httpx.Client, url: str = HOOK, **members: Any) -> str:
    answer = client.post(URL, json={"url": url, **members})
    assert answer.status_code == 201, answer.text
    return f"{URL}/{answer.json()['id']}"


def replay(client: httpx.Client, endpoint: str, **asked: Any) -> dict[str, Any]:
    answer = client.post(f"{endpoint}/replay", json=asked)
    assert answer.status_code == 202, answer.text
    told: dict[str, Any] = answer.json()
    assert client.get(answer.headers["Location"]).json()["id"] == told["id"]
    return told


def fan_out_all(engine: Engine) -> None:
    def block() -> bool:
        with engine.begin() as connection:
            return fan_out(connection) is not None

    while block():
        pass


def go_through(engine: Engine, now: datetime | None = None) -> int:
    """Do all that replays have to do; how many blocks it took."""
    blocks = 0
    while True:
        with engine.begin() as connection:
            if replay_block(connection, now or datetime.now(UTC)) is None:
                return blocks
        blocks += 1


def owed(engine: Engine, status: str = "pending") -> list[int]:
    found = rows(engine, "SELECT seq, status FROM webhook_deliveries ORDER BY seq")
    return [row.seq for row in found if row.status == status]


def settle_all(engine: Engine, status: str = "delivered") -> None:
    with engine.begin() as connection:
        query = "UPDATE webhook_deliveries SET status = :status, attempts = attempts + 1, settled_at = now()"
        connection.execute(text(query), {"status": status})


def arrived(requests: list[bytes]) -> dict[str, list[bytes]]:
    """Bodies by webhook-id."""
    found: dict[str, list[bytes]] = {}
    for headers, body in map(parts, requests):
        found.setdefault(headers["webhook-id"], []).append(body)
    return found


def test_what_is_replayed_is_what_was_delivered(
    engine: Engine, client: httpx.Client, publish: Publish, make_deliverer: MakeDeliverer
) -> None:
    with receiving() as receiver:
        endpoint = create(client, receiver.url, filters={"state_under_review": "PER", "position": ["pending"]})
        before, after = ("state_under_review:PER", "position:pending"), ("state_under_review:PER", "position:noted")
        publish(
            draft(),
            draft(cause=Cause.BACKFILL),
            draft(terms_after=("state_under_review:CHL",)),
            draft(type="recommendation.position_changed", terms_before=before, terms_after=after),
            draft(terms_before=after, terms_after=after),
            draft(type="recommendation.deleted", terms_before=before, terms_after=()),
        )
        deliverer = make_deliverer()
        work_off(deliverer)
        first = arrived(receiver.requests)
        assert sorted(first) == sorted(row.id for row in rows(engine, "SELECT id FROM changes WHERE seq IN (1, 4, 6)"))
        receiver.requests.clear()
        told = replay(client, endpoint, since=0)
        assert (told["status"], told["after"], told["to_seq"], told["seq"], told["owed"]) == ("running", 0, 6, 0, 0)
        work_off(deliverer)
        assert arrived(receiver.requests) == first
        ended = client.get(f"{endpoint}/replays").json()["data"]
        assert [(each["status"], each["seq"], each["owed"]) for each in ended] == [("done", 6, 3)]
    assert deliveries(engine) == [("delivered", 2)] * 3


def test_a_range_from_before_the_endpoint_arrives_too(
    engine: Engine, client: httpx.Client, publish: Publish, make_deliverer: MakeDeliverer
) -> None:
    publish(*[draft() for _ in range(5)])
    with receiving() as receiver:
        endpoint = create(client, receiver.url)
        replay(client, endpoint, from_seq=2, to_seq=4)
        work_off(make_deliverer())
        assert len(receiver.requests) == 3
    assert owed(engine, "delivered") == [2, 3, 4]


@pytest.mark.parametrize(
    ("asked", "seqs"),
    [
        ({"since": 0}, [1, 2, 3, 4, 5]),
        ({"since": 3}, [4, 5]),
        ({"since": 5}, []),
        ({"from_seq": 0, "to_seq": 0}, []),
        ({"from_seq": 2, "to_seq": 2}, [2]),
        ({"from_seq": 4, "to_seq": 2}, []),
        ({"from_seq": 6}, []),
        ({"from": "2026-03-02T00:00:00Z"}, [2, 3, 4, 5]),
        ({"from": "2026-03-01T22:00:00-03:00"}, [3, 4, 5]),
        ({"from": "2026-03-02T00:00:00Z", "until": "2026-03-04T00:00:00Z"}, [2, 3]),
        ({"from": "2026-03-02T00:00:00Z", "to_seq": 4}, [2, 3, 4]),
        ({"since": 0, "until": "2026-01-01T00:00:00Z"}, []),
        ({"from": "2027-01-01T00:00:00Z"}, []),
        ({"from": "0001-01-01T00:00:00Z"}, [1, 2, 3, 4, 5]),
    ],
)
def test_ranges(engine: Engine, client: httpx.Client, publish: Publish, asked: Any, seqs: list[int]) -> None:
    publish(*[draft() for _ in range(5)])
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE changes SET occurred_at = timestamptz '2026-03-01' + (seq - 1) * interval '1 day'")
        )
    replay(client, create(client), **asked)
    go_through(engine)
    assert owed(engine) == seqs


def test_a_moment_covers_what_a_long_transaction_recorded_late(
    engine: Engine, client: httpx.Client, publish: Publish
) -> None:
    """Change 2 has a later number than 1 and an earlier time: nothing of the range is missed."""
    publish(*[draft() for _ in range(4)])
    with engine.begin() as connection:
        for seq, day in ((1, 2), (2, 1), (3, 3), (4, 2)):
            connection.execute(text(f"UPDATE changes SET occurred_at = '2026-03-0{day}' WHERE seq = {seq}"))
    endpoint = create(client)
    replay(client, endpoint, **{"from": "2026-03-02T00:00:00Z", "until": "2026-03-03T00:00:00Z"})
    go_through(engine)
    assert owed(engine) == [1, 2, 3, 4]


def test_all_or_only_what_was_not_delivered(engine: Engine, client: httpx.Client, publish: Publish) -> None:
    endpoint = create(client)
    publish(*[draft() for _ in range(5)])
    fan_out_all(engine)
    with engine.begin() as connection:
        for seq, status in ((1, "delivered"), (2, "failed"), (3, "expired")):
            values = f"status = '{status}', settled_at = now(), attempts = 3"
            connection.execute(text(f"UPDATE webhook_deliveries SET {values} WHERE seq = {seq}"))
        later = "due_at = now() + interval '1 day', attempts = 4"
        connection.execute(text(f"UPDATE webhook_deliveries SET {later} WHERE seq = 4"))
        connection.execute(text("DELETE FROM webhook_deliveries WHERE seq = 5"))
    assert replay(client, endpoint, since=0, deliveries="undelivered")["deliveries"] == "undelivered"
    go_through(engine)
    found = rows(engine, "SELECT *, due_at <= now() AS due FROM webhook_deliveries ORDER BY seq")
    assert [(row.status, row.attempts, row.attempts_before, row.due) for row in found] == [
        ("delivered", 3, 0, True),
        ("pending", 3, 3, True),
        ("pending", 3, 3, True),
        ("pending", 4, 4, True),
        ("pending", 0, 0, True),
    ]
    assert [row.token for row in found] == [0, 1, 1, 0, 0]
    replay(client, endpoint, since=0)
    go_through(engine)
    assert owed(engine) == [1, 2, 3, 4, 5]


def test_one_at_a_time_and_the_same_once(engine: Engine, client: httpx.Client, publish: Publish) -> None:
    endpoint, other = create(client), create(client)
    publish(draft(), draft())
    first = replay(client, endpoint, since=0)
    assert replay(client, endpoint, since=0)["id"] == first["id"]
    refused = client.post(f"{endpoint}/replay", json={"since": 1})
    assert (refused.status_code, refused.json()["code"]) == (409, "replay_under_way")
    assert refused.json()["replay"] == first["id"]
    assert replay(client, other, since=1)["id"] != first["id"]
    cancelled = client.post(f"{endpoint}/replays/{first['id']}/cancel").json()
    assert (cancelled["status"], cancelled["finished_at"] is None) == ("cancelled", False)
    assert client.post(f"{endpoint}/replays/{first['id']}/cancel").json() == cancelled
    assert go_through(engine) == 1
    assert [row.seq for row in rows(engine, "SELECT seq FROM webhook_deliveries")] == [2]
    again = replay(client, endpoint, since=0)
    assert again["id"] != first["id"]
    listed = client.get(f"{endpoint}/replays", params={"limit": 1}).json()
    assert [each["id"] for each in listed["data"]] == [again["id"]]
    last = client.get(httpx.URL(listed["page"]["next"]).raw_path.decode()).json()
    assert ([each["id"] for each in last["data"]], last["page"]["next"]) == ([first["id"]], None)


def test_replays_go_on_in_blocks_and_in_turn(
    engine: Engine, client: httpx.Client, publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replaying, "BLOCK", 10)
    one, two = create(client), create(client)
    publish(*[draft() for _ in range(25)])
    for endpoint in (one, two):
        replay(client, endpoint, since=0)
    seqs = []
    for minute in range(6):
        with engine.begin() as connection:
            replay_block(connection, datetime.now(UTC) + timedelta(minutes=minute))
        told = [client.get(f"{endpoint}/replays").json()["data"][0] for endpoint in (one, two)]
        seqs.append(tuple(each["seq"] for each in told))
    assert seqs == [(10, 0), (10, 10), (20, 10), (20, 20), (25, 20), (25, 25)]
    with engine.connect() as connection:
        assert not replays_wait(connection)


def test_a_block_that_breaks_off_is_done_anew(engine: Engine, client: httpx.Client, publish: Publish) -> None:
    endpoint = create(client)
    publish(draft(), draft())
    replay(client, endpoint, since=0)
    with engine.connect() as connection:
        assert replay_block(connection, datetime.now(UTC)) is not None
        with engine.begin() as other:
            assert replay_block(other, datetime.now(UTC)) is None  # without waiting
        connection.rollback()
    assert owed(engine) == []
    go_through(engine)
    assert owed(engine) == [1, 2]


def test_what_is_no_longer_kept_is_refused(engine: Engine, client: httpx.Client, publish: Publish) -> None:
    endpoint = create(client)
    publish(*[draft() for _ in range(5)])
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM changes WHERE seq <= 2"))
    for asked in ({"since": 1}, {"from_seq": 2}, {"from": "2020-01-01T00:00:00Z"}):
        answer = client.post(f"{endpoint}/replay", json=asked)
        assert (answer.status_code, answer.json()["code"]) == (410, "changes_gone"), asked
        told = answer.json()
        assert (told["oldest"], told["cursor"], "recommendations" in told["exports"]) == (3, 5, True)
    assert replay(client, endpoint, since=2)["status"] == "running"


def test_a_replay_holds_what_it_has_not_read_but_not_for_a_paused_endpoint(
    engine: Engine, client: httpx.Client, publish: Publish
) -> None:
    endpoint = create(client)
    publish(*[draft() for _ in range(5)])
    fan_out_all(engine)
    running = replay(client, endpoint, since=2)
    kept = KeptFor(changes=timedelta(days=1))

    def forget() -> list[int]:
        with engine.begin() as connection:
            kept.forget(connection, datetime.now(UTC) + timedelta(days=2), limit=100)
        return [row.seq for row in rows(engine, "SELECT seq FROM changes ORDER BY seq")]

    assert forget() == [2, 3, 4, 5]
    client.patch(endpoint, json={"status": "paused"})
    address = f"{endpoint}/replays/{running['id']}"
    assert client.get(address).json()["status"] == "waiting"
    assert forget() == [5]
    assert go_through(engine) == 0
    assert client.post(f"{endpoint}/enable").status_code == 200
    go_through(engine)
    assert client.get(address).json()["status"] == "expired"


def test_only_enabled_endpoints_of_the_own_key(
    api: httpx.Client, client: httpx.Client, make_key: MakeKey, publish: Publish
) -> None:
    publish()
    endpoint = create(client)
    running = replay(client, endpoint, since=0)
    client.patch(endpoint, json={"status": "paused"})
    refused = client.post(f"{endpoint}/replay", json={"since": 1})
    assert (refused.status_code, refused.json()["code"]) == (409, "endpoint_not_enabled")
    other = {"Authorization": f"Bearer {make_key()[1]}"}
    for method, path in (
        ("POST", "/replay"),
        ("GET", "/replays"),
        ("GET", f"/replays/{running['id']}"),
        ("POST", f"/replays/{running['id']}/cancel"),
        ("POST", "/enable"),
    ):
        body = {"since": 0} if path == "/replay" else None
        assert api.request(method, endpoint + path, headers=other, json=body).status_code == 404, path
        assert api.request(method, endpoint + path, headers={"Authorization": ""}, json=body).status_code == 401
    assert client.get(f"{endpoint}/replays/rpl_0").status_code == 404
    assert client.get(f"{endpoint}/replays?cursor=x").json()["code"] == "invalid_cursor"
    assert client.get(f"{endpoint}/replays?colour=x").json()["code"] == "unknown_parameter"


BAD_BODIES: list[tuple[Any, list[str]]] = [
    ({}, ["#/since"]),
    ({"to_seq": 1}, ["#/since"]),
    ({"since": 0, "from_seq": 1}, ["#/since", "#/from_seq"]),
    ({"since": 2}, ["#/since"]),
    ({"from_seq": 3}, ["#/from_seq"]),
    ({"since": 0, "to_seq": 2}, ["#/to_seq"]),
    ({"since": -1}, ["#/since"]),
    ({"since": 2**63}, ["#/since"]),
    ({"since": "0"}, ["#/since"]),
    ({"since": 0.5}, ["#/since"]),
    ({"from": "yesterday"}, ["#/from"]),
    ({"from": "2026-01-01T00:00:00"}, ["#/from"]),
    ({"from": 0}, ["#/from"]),
    ({"from": "0001-01-01T00:00:00+14:00"}, ["#/from"]),
    ({"since": 0, "deliveries": "some"}, ["#/deliveries"]),
    ({"since": 0, "from_": None}, ["#/from_"]),
    ([], ["#"]),
]


def test_a_bad_body_is_told_where_it_is_bad(client: httpx.Client, publish: Publish) -> None:
    publish()
    endpoint = create(client)
    for body, pointers in BAD_BODIES:
        answer = client.post(f"{endpoint}/replay", json=body)
        assert answer.status_code == 422, (body, answer.text)
        assert [error["pointer"] for error in answer.json()["errors"]] == pointers, body
    assert client.get(f"{endpoint}/replays").json()["data"] == []


def test_many_changes_are_replayed_block_by_block_in_a_moment(
    engine: Engine, client: httpx.Client, publish: Publish
) -> None:
    publish(*[draft() for _ in range(10_000)])
    endpoint = create(client)
    asked = time.monotonic()
    replay(client, endpoint, since=0)
    assert time.monotonic() - asked < 5  # nothing is written for each change
    assert go_through(engine) == 5
    assert len(owed(engine)) == 10_000


def test_four_days_without_a_receiver_then_all_arrives(
    engine: Engine, client: httpx.Client, publish: Publish, make_deliverer: MakeDeliverer, clock: FakeClock
) -> None:
    """The first events are given up, later ones are still tried; a replay brings what was given up."""
    down = answering(b"HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n")
    up = answering(b"HTTP/1.1 204 X\r\n\r\n")
    behaviour = [down]

    def behave(connection: socket.socket) -> None:
        behaviour[0](connection)

    deliverer = make_deliverer()
    with receiving(behave) as receiver:
        endpoint = create(client, receiver.url)
        began = clock.now
        while clock.now < began + timedelta(days=4):
            publish()
            for _ in range(3):
                work_off(deliverer)
                clock.now += timedelta(hours=2)
        assert owed(engine, "failed")
        assert client.get(endpoint).json()["status"] == "enabled"
        receiver.requests.clear()
        behaviour[0] = up
        told = replay(client, endpoint, since=0, deliveries="undelivered")
        work_off(deliverer)
        assert client.get(f"{endpoint}/replays/{told['id']}").json()["status"] == "done"
        events = {row.id for row in rows(engine, "SELECT id FROM changes")}
        assert set(arrived(receiver.requests)) == events
    assert {status for status, _ in deliveries(engine)} == {"delivered"}


def _is_whole(request: bytes) -> bool:
    """Not broken off by the death of the sender."""
    headers, body = parts(request)
    return len(body) == int(headers.get("content-length", "-1"))


def test_replays_while_deliverers_are_killed(
    engine: Engine, client: httpx.Client, publish: Publish, start_deliverer: StartDeliverer
) -> None:
    chance = random.Random(5)
    with receiving() as receiver:
        endpoint = create(client, receiver.url)
        publish(*[draft() for _ in range(600)])
        told = replay(client, endpoint, since=0)
        deliverers = [start_deliverer(), start_deliverer()]
        for _ in range(3):
            time.sleep(chance.random() / 2)
            victim = chance.randrange(2)
            deliverers[victim].kill()
            deliverers[victim] = start_deliverer()
        done: Callable[[], bool] = lambda: owed(engine, "delivered") == list(range(1, 601))  # noqa: E731
        eventually(done, 60)
        for each in deliverers:
            each.stop()
        assert [each.process.wait(10) for each in deliverers] == [0, 0]
        ended = client.get(f"{endpoint}/replays/{told['id']}").json()
        assert (ended["status"], ended["seq"]) == ("done", 600)
        bodies = arrived([each for each in receiver.requests if _is_whole(each)])
    assert set(bodies) == {row.id for row in rows(engine, "SELECT id FROM changes")}
    assert all(len(set(same)) == 1 for same in bodies.values())


def test_who_settles_deletes_and_replays_do_not_wait_in_a_circle(
    engine: Engine, client: httpx.Client, publish: Publish, make_deliverer: MakeDeliverer
) -> None:
    """Replays go over what is claimed and settled at the same time, and endpoints come and go."""
    publish(*[draft() for _ in range(300)])
    faults: list[Exception] = []
    done = threading.Event()

    def go_on() -> None:
        while not done.is_set():
            try:
                go_through(engine)
            except Exception as fault:  # noqa: BLE001
                faults.append(fault)

    thread = threading.Thread(target=go_on)
    thread.start()
    deliverer = make_deliverer()
    try:
        with receiving() as receiver:
            for _ in range(3):
                endpoint = create(client, receiver.url)
                for _ in range(3):
                    told = replay(client, endpoint, since=0)
                    for _ in range(10):
                        deliverer.step()
                    address = f"{endpoint}/replays/{told['id']}"
                    while client.get(address).json()["status"] == "running":
                        deliverer.step()
                client.delete(endpoint)
            work_off(deliverer)
    finally:
        done.set()
        thread.join()
    assert faults == []
