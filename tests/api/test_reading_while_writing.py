"""What a reader sees while another process loads, replaces and withdraws documents.

Whoever pages meets each record that stays as it is once; whoever keeps a copy, from pages or an export and then from
the feed, has what the store has.
"""

import json
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest

from services.core.store.paging import sorts_of
from tests.api.routes.test_records import Copy
from tests.api.site import Site, open_site
from tests.up.programs import ROOT

NOUN = "recommendations"
VERBS = ("created", "updated", "position_changed", "replaced", "deleted")
TURNS = 5
"""Documents that are written while one list is read."""


class Writer:
    """The other process. It writes meanwhile: who asked for a turn need not wait for it."""

    def __init__(self, orders: IO[str], answers: IO[str]) -> None:
        self._orders = orders
        self._answers = answers
        self._asked = 0
        self.changes: Counter[str] = Counter()

    def go(self) -> None:
        """Ask for a turn."""
        self._orders.write("\n")
        self._orders.flush()
        self._asked += 1

    def wait(self) -> None:
        """Until all turns that were asked for are done."""
        for _ in range(self._asked):
            self.changes.update(json.loads(self._answers.readline()))
        self._asked = 0


@pytest.fixture
def writer(database_url: str, tmp_path: Path) -> Iterator[Writer]:
    command = [sys.executable, "-m", "tests.api.writer", database_url, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield Writer(process.stdin, process.stdout)
        process.stdin.close()
        assert process.wait(30) == 0


@pytest.fixture
def site(database_url: str, writer: Writer) -> Iterator[Site]:
    with open_site(database_url) as site:
        yield site


def read_slowly(site: Site, writer: Writer, seed: str, **asked: Any) -> list[dict[str, Any]]:
    """All pages, of a few rows each, while the writer takes its turns."""
    chance = random.Random(seed)
    turns, pages = TURNS, [site.json(f"/v1/{NOUN}", limit=chance.randint(5, 12), **asked)]
    while following := pages[-1]["page"]["next"]:
        if turns and chance.random() < 0.7:
            writer.go()
            turns -= 1
        pages.append(site.json(following))
    for _ in range(turns):  # so that the same are taken in every run
        writer.go()
    return pages


class Watch:
    """Which records stay as they are while a reader reads."""

    def __init__(self, site: Site, writer: Writer, filters: dict[str, Any]) -> None:
        self._site = site
        self._writer = writer
        self._filters = filters
        self._before = self._versions()

    def _versions(self) -> set[tuple[str, int, str, str]]:
        rows = self._site.rows(f"/v1/{NOUN}", limit=200, **self._filters)
        return {(row["id"], row["revision"], row["created_at"], row["updated_at"]) for row in rows}

    def check(self, ids: list[str], *, may_move: bool = False) -> None:
        """Those were met once, and none twice. `may_move`: but those that changed."""
        self._writer.wait()
        after, met = self._versions(), Counter(ids)
        stayed = {record_id for record_id, *_ in self._before & after}
        changed = {record_id for record_id, *_ in self._before ^ after}
        assert len(stayed) > 20
        assert len(changed) > 5
        assert {record_id: met[record_id] for record_id in stayed} == dict.fromkeys(stayed, 1)
        twice = {record_id for record_id, times in met.items() if times > 1}
        assert twice <= (changed if may_move else set())


def test_pages(site: Site, writer: Writer) -> None:
    """What stays as it is comes once, and what has come is a copy to keep."""
    copies: list[tuple[Copy, dict[str, Any]]] = []
    for sort in sorts_of(NOUN):
        watch = Watch(site, writer, {})
        pages = read_slowly(site, writer, sort, sort=sort)
        rows = [row for page in pages for row in page["data"]]
        # In this order, what is changed moves to the end, and is met there once more.
        watch.check([row["id"] for row in rows], may_move=sort == "updated_at")
        copies.append((Copy(NOUN, {row["id"]: row for row in rows}, pages[0]["dataset"]["cursor"]), {}))
    compare(site, writer, copies)


def test_filters(site: Site, writer: Writer) -> None:
    """A copy of a filtered list follows the feed under the same filters."""
    copies: list[tuple[Copy, dict[str, Any]]] = []
    for filters in ({"state_under_review": ["CHE", "PER", "UKR"]}, {"region": "africa"}, {"recommending_state": "ESP"}):
        pages = read_slowly(site, writer, str(filters), **filters)
        records = {row["id"]: row for page in pages for row in page["data"]}
        copies.append((Copy(NOUN, records, pages[0]["dataset"]["cursor"]), filters))
        copies[0][0].follow(site, **copies[0][1])  # one follows closely, the others from far behind
    compare(site, writer, copies)


def test_exports(site: Site, writer: Writer) -> None:
    """An export is whole, and a copy that follows from its version."""
    copies: list[tuple[Copy, dict[str, Any]]] = []
    for filters in ({}, {"state_under_review": ["CHE", "PER", "UKR"]}, {}):
        watch = Watch(site, writer, filters)
        for _ in range(TURNS):
            writer.go()
        answer = site.get(f"/v1/{NOUN}.ndjson", **filters)
        rows = list(map(json.loads, answer.text.splitlines()))
        watch.check([row["id"] for row in rows])
        seq, _, _ = answer.headers["openupr-dataset"].partition("-")
        copies.append((Copy(NOUN, {row["id"]: row for row in rows}, int(seq)), filters))
    writer.go()
    compare(site, writer, copies)


def compare(site: Site, writer: Writer, copies: list[tuple[Copy, dict[str, Any]]]) -> None:
    """Once all is written, and the copies have followed."""
    writer.wait()
    assert {f"recommendation.{verb}" for verb in VERBS} <= writer.changes.keys()
    for copy, filters in copies:
        copy.follow(site, **filters)
        assert copy.records == {row["id"]: row for row in site.rows(f"/v1/{NOUN}", limit=200, **filters)}
