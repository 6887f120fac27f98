"""examples/receivers/python/tracker.py: its copy is whole again, whatever happened to it and whatever came first."""

import json
import random
import runpy
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from services.core.domain.changes import Cause
from services.core.store.changes import forget_changes, head
from services.ingest.load import Loader
from tests.api.writer import Writer
from tests.core.runtime.test_worker import eventually
from tests.examples.conftest import PYTHON, Example, MakeExample, reading, subscribe

Records = dict[str, dict[str, Any]]

STATES = {"state_under_review": ["CHE", "PER", "UKR"]}
TRACKER = SimpleNamespace(**runpy.run_path(str(PYTHON / "tracker.py")))
NEVER = "3600"
"""Seconds between two readings of the feed: for as long as a test takes, webhooks are all it has."""


@pytest.fixture
def writer(engine: Engine, tmp_path: Path) -> Writer:
    folder = tmp_path / "documents"
    folder.mkdir()
    writer = Writer(Loader(engine, timedelta(days=36_500)), folder)
    writer.begin()
    return writer


@pytest.fixture
def tracker(api: httpx.Client, example: MakeExample, writer: Writer) -> Example:
    """It follows some States, and has their secret; not yet started."""
    made = example(sys.executable, PYTHON / "tracker.py", COPY="copy.sqlite", UPR_API=str(api.base_url))
    made.settings["UPR_FILTERS"] = str(httpx.QueryParams(STATES))
    wanted = {"url": made.url, "filters": STATES, "type": "recommendations", "causes": list(map(str, Cause))}
    made.settings["UPR_WEBHOOK_SECRET"] = subscribe(api, **wanted)["secret"]
    return made


def held(tracker: Example) -> dict[str, Any]:
    with reading(tracker.printed.parent / "copy.sqlite") as copy:
        rows = copy.execute("SELECT id, record FROM records WHERE record IS NOT NULL").fetchall()
    return {record_id: json.loads(record) for record_id, record in rows}


def stored(api: httpx.Client) -> dict[str, Any]:
    rows = api.get("/v1/recommendations.ndjson", params=STATES).text.splitlines()
    return {record["id"]: record for record in map(json.loads, rows)}


def caught_up(tracker: Example, api: httpx.Client, times: int = 1) -> None:
    eventually(lambda: sum("all is known" in line for line in tracker.lines()) >= times, 30)


def turn_up_to(writer: Writer, first: int, last: int) -> Counter[str]:
    changes: Counter[str] = Counter()
    for turn in range(first, last):
        changes.update(writer.write(turn))
    return changes


class History:
    """Some records that come, change, take other ids, cease to meet the filters and go; every state in between."""

    def __init__(self, chance: random.Random, length: int) -> None:
        self._chance = chance
        self.events: list[dict[str, Any]] = []
        self.states: list[Records] = [{}]
        for seq in range(1, length + 1):
            after = dict(self.states[-1])
            self.events.append({"seq": seq, **self._change(seq, after)})
            self.states.append(after)

    def _change(self, seq: int, records: Records) -> dict[str, Any]:
        """Make one change to the records, and tell of it."""
        record_id = self._chance.choice("abcd")
        data = {"id": record_id, "text": str(seq)}
        told = {"subject": {"id": record_id}, "data": data, "changed": {}, "match": "stayed"}
        if record_id not in records:
            records[record_id] = data
            return {**told, "type": "recommendation.created", "match": "entered"}
        verb = self._chance.choice(("updated", "deleted", "left", "replaced"))
        if verb == "replaced":
            new = self._chance.choice("abcdefgh")
            records.pop(record_id)
            records[new] = {**data, "id": new}
            changed = {"id": [record_id, new]}
            told = {**told, "subject": {"id": new}, "data": records[new], "changed": changed}
            return {**told, "type": "recommendation.replaced"}
        if verb == "updated":
            records[record_id] = data
            return {**told, "type": "recommendation.updated"}
        records.pop(record_id)
        return {**told, "type": f"recommendation.{'deleted' if verb == 'deleted' else 'updated'}", "match": "left"}


@pytest.mark.parametrize("seed", range(150))
def test_whatever_comes_first_the_copy_is_the_same(seed: int) -> None:
    """Webhooks come twice, late, or never; pages of the feed, exports and ends of the program in between."""
    chance = random.Random(seed)
    history, copy = History(chance, 40), TRACKER.Copy(":memory:")
    copy.start_anew([], 0)
    for newest in range(1, 41):
        if chance.random() < 0.5:
            copy.take(chance.choices(history.events[:newest], k=chance.randint(1, 6)))
        if chance.random() < 0.1:
            at = chance.randint(copy.cursor, newest)
            copy.start_anew(history.states[at].values(), at)
        if chance.random() < 0.2:
            up_to = chance.randint(copy.cursor, newest)
            copy.take(history.events[copy.cursor : up_to], up_to)
    copy.take(history.events[copy.cursor :], 40)
    copy.take(chance.choices(history.events, k=20))
    rows = copy._db.execute("SELECT id, record FROM records").fetchall()
    assert {record_id: json.loads(record) for record_id, record in rows} == history.states[-1]
    copy._db.close()


def test_webhooks_alone_keep_the_copy(
    tracker: Example, api: httpx.Client, writer: Writer, deliverer: None, engine: Engine
) -> None:
    tracker.start(CATCH_UP_SECONDS=NEVER)
    caught_up(tracker, api)
    before = stored(api)
    assert held(tracker) == before
    assert before
    changes = turn_up_to(writer, 1, 25)
    verbs = ("created", "updated", "position_changed", "replaced", "deleted")
    assert {f"recommendation.{verb}" for verb in verbs} <= changes.keys()
    wanted = stored(api)
    assert wanted != before
    eventually(lambda: held(tracker) == wanted, 60)
    assert len([line for line in tracker.lines() if "all is known" in line]) == 1


def test_killed_again_and_again_it_catches_up(
    tracker: Example, api: httpx.Client, writer: Writer, deliverer: None
) -> None:
    """Changes come while it runs, while it is down, and while it starts; tries that failed come late."""
    chance, turn = random.Random(6), 1
    for _ in range(5):
        tracker.start(CATCH_UP_SECONDS="0.5")
        for _ in range(3):
            writer.write(turn := turn + 1)
        time.sleep(chance.random())
        tracker.kill()
        for _ in range(4):
            writer.write(turn := turn + 1)
    wanted = stored(api)
    assert held(tracker) != wanted
    tracker.start(CATCH_UP_SECONDS=NEVER)
    eventually(lambda: held(tracker) == wanted, 30)
    time.sleep(7)  # by now those that failed first were tried again
    assert held(tracker) == wanted


def test_away_for_longer_than_changes_are_kept_it_begins_with_an_export(
    tracker: Example, api: httpx.Client, writer: Writer, deliverer: None, engine: Engine
) -> None:
    tracker.start(CATCH_UP_SECONDS=NEVER)
    caught_up(tracker, api)
    tracker.kill()
    turn_up_to(writer, 1, 12)
    with engine.begin() as connection:
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        assert forget_changes(connection, before=tomorrow, read_up_to=head(connection), limit=100_000)
    wanted = stored(api)
    assert held(tracker) != wanted
    tracker.start()
    caught_up(tracker, api, times=2)
    assert held(tracker) == wanted
    turn_up_to(writer, 12, 20)
    eventually(lambda: held(tracker) == stored(api), 60)
