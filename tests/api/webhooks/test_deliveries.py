"""The log of deliveries, sending one again, pausing and enabling: over HTTP, with what arrives."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, text

from services.api.webhooks.deliveries import DeliveryWithAttempts, answer_text
from services.api.webhooks.forgetting import KeptFor
from services.api.webhooks.sender import ANSWER_BYTES
from tests.api.conftest import MakeKey
from tests.api.webhooks.conftest import Publish, draft, rows
from tests.api.webhooks.receivers import answering, receiving
from tests.api.webhooks.test_deliver import FakeClock, MakeDeliverer, clock, deliveries, make_deliverer, parts, work_off
from tests.api.webhooks.test_replaying import arrived, client, create, fan_out_all, owed

__all__ = ["client", "clock", "make_deliverer"]

BYTES = b"\xff\x00\xfe" * 1000
BAD = b"HTTP/1.1 500 X\r\nContent-Length: 3000\r\n\r\n" + BYTES
GONE = b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n"


def get(client: httpx.Client, path: str, **parameters: Any) -> dict[str, Any]:
    answer = client.get(path, params=parameters or None)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def test_the_log_tells_every_try(
    client: httpx.Client, publish: Publish, make_deliverer: MakeDeliverer, clock: FakeClock
) -> None:
    answers = iter([BAD, "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nñandú".encode()])
    deliverer = make_deliverer()
    with receiving(lambda connection: connection.sendall(next(answers))) as receiver:
        endpoint = create(client, receiver.url)
        publish()
        work_off(deliverer)
        (first,) = get(client, f"{endpoint}/deliveries")["data"]
        assert (first["status"], first["attempts"], first["settled_at"]) == ("pending", 1, None)
        assert datetime.fromisoformat(first["next_attempt_at"]) == clock.now + timedelta(seconds=5)
        assert (first["last_attempt"]["status"], first["last_attempt"]["outcome"]) == (500, "bad_status")
        clock.now += timedelta(seconds=5)
        work_off(deliverer)
    (second,) = get(client, f"{endpoint}/deliveries")["data"]
    assert (second["status"], second["attempts"], second["next_attempt_at"]) == ("delivered", 2, None)
    assert (second["last_attempt"]["status"], second["last_attempt"]["error"]) == (200, None)
    whole = get(client, f"{endpoint}/deliveries/{second['id']}")
    DeliveryWithAttempts.model_validate(whole)
    tries = whole.pop("tries")
    assert whole == second
    assert [(each["number"], each["answer_encoding"]) for each in tries] == [(1, "base64"), (2, "utf-8")]
    assert base64.b64decode(tries[0]["answer_start"]) == BYTES[:ANSWER_BYTES]
    assert tries[1]["answer_start"] == "ñandú"
    assert tries[0]["error"] == "The receiver answered 500."


@pytest.mark.parametrize(
    ("start", "told"),
    [
        (b"", (None, None)),
        ("año\n".encode(), ("año\n", "utf-8")),
        (b"a\xc3", ("YcM=", "base64")),
        (b"a" * (ANSWER_BYTES - 1) + b"\xc3", ("a" * (ANSWER_BYTES - 1), "utf-8")),
        (b"\xff" * 3, ("////", "base64")),
        (b"a\0b", ("a\0b", "utf-8")),
    ],
)
def test_an_answer_is_told_without_loss(start: bytes, told: tuple[str | None, str | None]) -> None:
    assert answer_text(start) == told


def test_the_log_is_read_page_by_page_and_narrowed(engine: Engine, client: httpx.Client, publish: Publish) -> None:
    endpoint = create(client)
    publish(*[draft(type=f"recommendation.{'created' if n % 2 else 'deleted'}") for n in range(1, 8)])
    fan_out_all(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE webhook_deliveries SET created_at = date '2026-03-01' + (seq - 1)::int"))
        connection.execute(text("UPDATE webhook_deliveries SET status = 'failed' WHERE seq > 5"))

    def seqs(**parameters: Any) -> list[int]:
        page = get(client, f"{endpoint}/deliveries", **parameters)
        found = [row["seq"] for row in page["data"]]
        while page["page"]["next"]:
            page = get(client, httpx.URL(page["page"]["next"]).raw_path.decode())
            found += [row["seq"] for row in page["data"]]
        return found

    assert seqs() == seqs(limit=3) == [7, 6, 5, 4, 3, 2, 1]
    assert seqs(status="failed") == [7, 6]
    assert seqs(status=["failed", "pending"], event_type="recommendation.deleted", limit=1) == [6, 4, 2]
    assert seqs(**{"from": "2026-03-02T00:00:00Z", "until": "2026-03-05T00:00:00Z"}) == [4, 3, 2]
    cursor = httpx.URL(get(client, f"{endpoint}/deliveries", limit=1)["page"]["next"]).params["cursor"]
    for parameters in (
        {"status": "lost"},
        {"event_type": "x"},
        {"from": "2026-03-02"},
        {"until": ["2026-03-02T00:00:00Z"] * 2},
        {"limit": 0},
        {"cursor": "x"},
        {"cursor": cursor, "status": "failed"},
        {"colour": "red"},
    ):
        answer = client.get(f"{endpoint}/deliveries", params=parameters)
        assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json"), parameters


def test_the_log_is_the_owners(
    api: httpx.Client, client: httpx.Client, engine: Engine, make_key: MakeKey, publish: Publish
) -> None:
    endpoint, another = create(client), create(client)
    publish()
    fan_out_all(engine)
    path = f"/deliveries/{get(client, f'{endpoint}/deliveries')['data'][0]['id']}"
    other = {"Authorization": f"Bearer {make_key()[1]}"}
    for method, each in (("GET", "/deliveries"), ("GET", path), ("POST", f"{path}/redeliver")):
        assert api.request(method, endpoint + each, headers=other).status_code == 404
        assert api.request(method, endpoint + each, headers={"Authorization": ""}).status_code == 401
    assert client.get(another + path).status_code == 404
    assert client.post(f"{another}{path}/redeliver").status_code == 404


def test_one_is_sent_again_whatever_became_of_it(
    engine: Engine, client: httpx.Client, publish: Publish, make_deliverer: MakeDeliverer, clock: FakeClock
) -> None:
    fine, bad = b"HTTP/1.1 204 X\r\n\r\n", b"HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n"
    answers = iter([fine, bad, bad, fine])
    deliverer = make_deliverer()
    with receiving(lambda connection: connection.sendall(next(answers))) as receiver:
        endpoint = create(client, receiver.url)
        publish()
        work_off(deliverer)
        path = f"{endpoint}/deliveries/{get(client, f'{endpoint}/deliveries')['data'][0]['id']}"
        answer = client.post(f"{path}/redeliver")
        assert answer.status_code == 202
        assert (answer.json()["status"], answer.json()["attempts"]) == ("pending", 1)
        work_off(deliverer)
        assert get(client, path)["attempts"] == 2
        due = rows(engine, "SELECT due_at FROM webhook_deliveries")[0].due_at
        assert due == clock.now + timedelta(seconds=5)  # the schedule begins anew
        client.post(f"{path}/redeliver")  # while it is pending: at once
        work_off(deliverer)
        client.post(f"{path}/redeliver")
        work_off(deliverer)
        assert (get(client, path)["status"], get(client, path)["attempts"]) == ("delivered", 4)
        assert [each["number"] for each in get(client, path)["tries"]] == [1, 2, 3, 4]
        assert len(arrived(receiver.requests)) == 1
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM changes"))
    gone = client.post(f"{path}/redeliver")
    assert (gone.status_code, gone.json()["code"]) == (410, "changes_gone")
    assert deliveries(engine) == [("delivered", 4)]


def test_what_was_missed_while_disabled_arrives_when_it_is_enabled(
    engine: Engine, client: httpx.Client, publish: Publish, make_deliverer: MakeDeliverer, clock: FakeClock
) -> None:
    behaviour = [GONE]
    deliverer = make_deliverer()
    with receiving(lambda connection: connection.sendall(behaviour[0])) as receiver:
        endpoint = create(client, receiver.url)
        publish(draft())
        work_off(deliverer)
        disabled = get(client, endpoint)
        assert (disabled["status"], disabled["missed_after"]) == ("disabled", 1)
        publish(draft(), draft())
        work_off(deliverer)
        receiver.requests.clear()
        behaviour[0] = b"HTTP/1.1 204 X\r\n\r\n"
        enabled = client.post(f"{endpoint}/enable").json()
        assert (enabled["status"], enabled["missed_after"], enabled["failing_since"]) == ("enabled", None, None)
        work_off(deliverer)
        assert len(arrived(receiver.requests)) == 3  # the one that was refused is among them
        (replay,) = get(client, f"{endpoint}/replays")["data"]
        assert (replay["reason"], replay["deliveries"], replay["status"]) == ("enabled", "undelivered", "done")
        assert client.post(f"{endpoint}/enable", json={}).json() == get(client, endpoint)
        assert len(get(client, f"{endpoint}/replays")["data"]) == 1
        assert client.post(f"{endpoint}/enable", json={"catch_up": 1}).status_code == 422


def test_a_pause_is_made_up_for_or_not_as_asked(
    engine: Engine, client: httpx.Client, publish: Publish, make_deliverer: MakeDeliverer
) -> None:
    deliverer = make_deliverer()
    with receiving() as receiver:
        endpoint = create(client, receiver.url)
        for method, path, body in (
            ("PATCH", "", {"status": "enabled"}),
            ("POST", "/enable", {"catch_up": False}),
        ):
            publish()
            work_off(deliverer)
            client.patch(endpoint, json={"status": "paused"})
            publish(draft(), draft())
            work_off(deliverer)
            client.patch(endpoint, json={"status": "paused"})  # a second time changes nothing
            assert client.request(method, endpoint + path, json=body).json()["status"] == "enabled"
            publish()
            work_off(deliverer)
        assert owed(engine, "delivered") == [1, 2, 3, 4, 5, 8]
        assert len(receiver.requests) == 6


def test_what_was_missed_and_is_no_longer_kept_is_told(engine: Engine, client: httpx.Client, publish: Publish) -> None:
    endpoint = create(client)
    client.patch(endpoint, json={"status": "paused"})
    publish(draft(), draft(), draft())
    fan_out_all(engine)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM changes WHERE seq < 3"))
    for answer in (client.post(f"{endpoint}/enable"), client.patch(endpoint, json={"status": "enabled"})):
        assert (answer.status_code, answer.json()["code"], answer.json()["cursor"]) == (410, "changes_gone", 3)
    assert get(client, endpoint)["status"] == "paused"
    assert client.post(f"{endpoint}/enable", json={"catch_up": False}).json()["status"] == "enabled"


def test_what_is_settled_is_removed_after_a_while(
    engine: Engine, client: httpx.Client, publish: Publish, make_deliverer: MakeDeliverer, clock: FakeClock
) -> None:
    deliverer = make_deliverer(kept=KeptFor(log=timedelta(days=30)))
    with receiving() as receiver:
        endpoint = create(client, receiver.url)
        publish(draft(), draft())
        work_off(deliverer)
        client.patch(endpoint, json={"status": "paused"})
        path = get(client, f"{endpoint}/deliveries")["data"][0]["id"]
        client.post(f"{endpoint}/deliveries/{path}/redeliver")
        assert sorted(deliveries(engine)) == [("delivered", 1), ("pending", 1)]
        clock.now += timedelta(days=31)
        deliverer._forget_at = 0.0
        deliverer.step()
        assert deliveries(engine) == [("pending", 1)]
        assert len(rows(engine, "SELECT 1 FROM webhook_attempts")) == 1


def test_headers_bear_the_same_id(client: httpx.Client, publish: Publish, make_deliverer: MakeDeliverer) -> None:
    with receiving(answering(BAD)) as receiver:
        endpoint = create(client, receiver.url)
        publish()
        deliverer = make_deliverer()
        work_off(deliverer)
        (row,) = get(client, f"{endpoint}/deliveries")["data"]
        client.post(f"{endpoint}/deliveries/{row['id']}/redeliver")
        work_off(deliverer)
        assert [parts(each)[0]["webhook-id"] for each in receiver.requests] == [row["event"]] * 2
    assert datetime.fromisoformat(row["created_at"]) <= datetime.now(UTC)
