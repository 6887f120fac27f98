"""How many tries an endpoint gets in a second, and at once: by a fake clock, over several deliverers."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from services.api.webhooks.queue import BURST_SECONDS, Room, claim
from tests.api.webhooks.conftest import Publish, Subscribe, draft, rows
from tests.api.webhooks.test_deliver import FakeClock, clock
from tests.api.webhooks.test_replaying import client, create, fan_out_all

__all__ = ["client", "clock"]

HOOK = "https://tracker.example.org/"
ROOM = Room(quick=1000, a_quick_endpoint=1000, slow=10, a_slow_endpoint=2, a_paced_endpoint=1000)
LEASE = timedelta(seconds=5)


def take(engine: Engine, clock: FakeClock, room: Room = ROOM) -> int:
    with engine.begin() as connection:
        return len(claim(connection, room, now=clock.now, lease=LEASE))


@pytest.mark.parametrize("rate", [0.2, 1, 3, 8, 40])
def test_an_endpoint_gets_its_rate_and_no_more(
    engine: Engine, subscribe: Subscribe, publish: Publish, clock: FakeClock, rate: float
) -> None:
    """Two deliverers look for work every tenth of a second, for 20 seconds."""
    subscribe(HOOK, max_per_second=rate)
    publish(*[draft() for _ in range(1000)])
    fan_out_all(engine)
    taken = []
    for _ in range(200):
        taken.append(take(engine, clock) + take(engine, clock))
        clock.now += timedelta(seconds=0.1)
    burst = max(1.0, rate * BURST_SECONDS)
    assert rate * 20 - 1 <= sum(taken) <= rate * 20 + burst + 1e-6
    for at in range(len(taken) - 10):
        assert sum(taken[at : at + 10]) <= rate + burst + 1e-6


def test_a_rate_is_of_one_endpoint_alone(
    engine: Engine, subscribe: Subscribe, publish: Publish, clock: FakeClock
) -> None:
    subscribe(HOOK, max_per_second=2)
    subscribe(HOOK)
    publish(*[draft() for _ in range(20)])
    fan_out_all(engine)
    assert take(engine, clock) == 20 + 1
    assert take(engine, clock) == 0


def test_only_so_many_at_once_whoever_asks(
    engine: Engine, subscribe: Subscribe, publish: Publish, clock: FakeClock
) -> None:
    subscribe(HOOK, max_concurrent=3)
    publish(*[draft() for _ in range(20)])
    fan_out_all(engine)
    assert [take(engine, clock, Room(2, 2, 0, 0)), take(engine, clock), take(engine, clock)] == [2, 1, 0]
    clock.now += LEASE
    assert take(engine, clock) == 3


def test_the_pace_is_set_shown_changed_and_lifted(client: httpx.Client, engine: Engine) -> None:
    endpoint = create(client, max_per_second=2.5, max_concurrent=4)
    told = client.get(endpoint).json()
    assert (told["max_per_second"], told["max_concurrent"]) == (2.5, 4)
    told = client.patch(endpoint, json={"max_per_second": None, "max_concurrent": None}).json()
    assert (told["max_per_second"], told["max_concurrent"]) == (None, None)
    told = client.patch(endpoint, json={"max_per_second": 10}).json()
    assert (told["max_per_second"], told["max_concurrent"]) == (10, None)
    assert len(rows(engine, "SELECT 1 FROM webhook_paces")) == 1
    bad: list[dict[str, Any]] = [
        {"max_per_second": 0},
        {"max_per_second": 1001},
        {"max_per_second": True},
        {"max_per_second": "1"},
        {"max_concurrent": 0},
        {"max_concurrent": 65},
        {"max_concurrent": 1.5},
    ]
    for body in bad:
        answer = client.patch(endpoint, json=body)
        assert [each["pointer"] for each in answer.json()["errors"]] == [f"#/{next(iter(body))}"], body
    assert client.delete(endpoint).status_code == 204
    assert rows(engine, "SELECT 1 FROM webhook_paces") == []
