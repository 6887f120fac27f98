"""Nothing is lost, whatever is killed. `make bench-webhooks` does the same for long."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from services.api.webhooks.fanout import fan_out
from services.core.store.changes import append_changes
from tests.api.webhooks.conftest import Publish, Subscribe, draft, rows
from tests.api.webhooks.receivers import receiving
from tests.api.webhooks.upheaval import DELIVERERS, WRITERS, Plan, deliver, go_through, running, verified
from tests.effort import EFFORT


@pytest.mark.soak
def test_whatever_is_killed_all_is_read_and_received(database_url: str, tmp_path: Path, subscribe: Subscribe) -> None:
    with receiving() as receiver:
        secret = subscribe(receiver.url)["secret"]
        plan = Plan(changes=300 * EFFORT, kills=EFFORT, pause=0.1)
        told = go_through(database_url, tmp_path, receiver, secret, plan)
    assert list(told.faults()) == []
    assert len(told.stored) >= plan.changes
    assert len(told.kills) == WRITERS + DELIVERERS + 2


def test_connections_that_the_server_ends_lose_nothing(
    database_url: str, engine: Engine, subscribe: Subscribe, publish: Publish
) -> None:
    """Neither those in the middle of a claim or a settlement, nor the one that listens."""
    ended = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'upr-deliver'"
    left = "SELECT count(*) FROM changes c LEFT JOIN webhook_deliveries d USING (seq) WHERE d.status IS DISTINCT FROM"
    with receiving() as receiver, running({"deliverer": (deliver, (database_url,))}) as crew:
        secret = subscribe(receiver.url)["secret"]
        publish(*[draft() for _ in range(100)])
        for requests in (1, 60, 120, 180):
            _until(lambda: len(receiver.requests) >= requests)  # noqa: B023 - used up within the turn
            _until(lambda: rows(engine, ended)[0].count > 0)  # it may be without any, just after the last were ended
            publish(*[draft() for _ in range(50)])
        _until(lambda: rows(engine, f"{left} 'delivered'")[0].count == 0)
        crew.check()
    events = {row.id for row in rows(engine, "SELECT id FROM changes")}
    assert len(events) == 300
    assert {event for event, _ in verified(receiver, secret)} == events


def _until(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def numbers(api: httpx.Client, after: int, wait: int = 0) -> list[tuple[int, str]]:
    """What the feed tells after a number; what it answers must be where to go on from."""
    answer = api.get("/v1/changes", params={"after": after, "wait": wait}).raise_for_status().json()
    told = [(each["seq"], each["subject"]["id"]) for each in answer["data"]]
    assert answer["dataset"]["cursor"] == (told[-1][0] if told else after)
    return told


def test_an_idle_transaction_that_has_its_numbers_delays_the_others_and_hides_none(
    engine: Engine, api: httpx.Client, publish: Publish
) -> None:
    with engine.connect() as idle:
        append_changes(idle, [draft(subject="A"), draft(subject="A")])
        other = threading.Thread(target=publish, args=(draft(subject="B"),))
        other.start()
        assert numbers(api, 0, wait=1) == []
        with engine.begin() as connection:
            assert fan_out(connection) is None
        idle.commit()
    other.join()
    assert numbers(api, 0) == [(1, "A"), (2, "A"), (3, "B")]


def test_an_idle_transaction_without_numbers_holds_up_nobody_and_comes_after_what_was_read(
    engine: Engine, api: httpx.Client, publish: Publish
) -> None:
    with engine.connect() as idle:
        idle.execute(text("CREATE TABLE written_by_it (n integer)"))
        publish(draft(subject="B"))
        assert numbers(api, 0) == [(1, "B")]
        append_changes(idle, [draft(subject="A")])
        assert numbers(api, 1) == []
        idle.commit()
    assert numbers(api, 1) == [(2, "A")]


def test_a_transaction_that_is_idle_for_too_long_is_undone_with_its_numbers(
    engine: Engine, api: httpx.Client, publish: Publish
) -> None:
    with engine.connect() as idle:
        assert idle.scalar(text("SHOW idle_in_transaction_session_timeout")) == "1min"
        idle.execute(text("SET LOCAL idle_in_transaction_session_timeout = 200"))
        append_changes(idle, [draft(subject="A")])
        publish(draft(subject="B"))  # waits until the other is ended
        with pytest.raises(DBAPIError):
            idle.commit()
        idle.invalidate()
    assert numbers(api, 0) == [(1, "B")]
