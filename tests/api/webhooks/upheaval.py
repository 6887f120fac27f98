"""Writers, a reader of the feed, a fan-out and deliverers, each a process that is killed time and again.

`go_through` lets them work until so many changes were written, read and delivered, and tells what each side has of
them. The children are forked from a server that has all modules loaded, so that a new one is there in no time.
"""

import json
import multiprocessing
import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Connection, Engine, text

from services.api.app import create_app
from services.api.settings import ApiSettings
from services.api.webhooks.deliver import deliver_until_stopped
from services.api.webhooks.fanout import fan_out
from services.api.webhooks.signature import check_signature
from services.core.runtime.logs import configure_logs
from services.core.runtime.serve import served
from services.core.store.changes import append_changes, head
from services.core.store.engine import make_engine
from tests.api.webhooks.conftest import draft
from tests.api.webhooks.receivers import Receiver

SUBJECTS = [f"PER-2-116.{number}" for number in range(1, 200)]
WRITERS, DELIVERERS = 8, 2
DEADLINE = 2.0
PATIENCE = 300.0
"""Seconds between two kills, or after the last, after which something must be wrong."""

Event = tuple[int, str, str, int]
"""Of a change: number, id, subject, and how many changes that subject had by then."""


@dataclass(frozen=True)
class Plan:
    """At least so many `changes` are written; each process is killed `kills` times, at moments that `seed` chooses.

    `pause`: seconds that a writer waits between two transactions, on average.
    """

    changes: int
    kills: int
    pause: float
    seed: int = 6


@dataclass(frozen=True)
class Told:
    """What came of it. `stored`: the table of changes; `read`: what the reader of the feed has noted, in its order;
    `received`: each whole request that came to the receiver, verified."""

    stored: list[Event]
    read: list[Event]
    received: list[tuple[str, str]]
    kills: dict[str, int]
    seconds: float

    @property
    def twice(self) -> int:
        """Requests beyond the first of an event."""
        return len(self.received) - len({event for event, _ in self.received})

    def faults(self) -> Iterator[str]:
        """What should not be."""
        if [seq for seq, *_ in self.stored] != list(range(1, len(self.stored) + 1)):
            yield "the numbers of the changes are not dense"
        if self.read != self.stored:
            yield f"the feed, read by its cursor, is not the table: {len(self.read)} for {len(self.stored)}"
        made: dict[str, list[int]] = {}
        for _, _, subject, count in self.stored:
            made.setdefault(subject, []).append(count)
        if any(counts != list(range(1, len(counts) + 1)) for counts in made.values()):
            yield "the changes of a record are not in the order in which they were made"
        events = {event for _, event, *_ in self.stored}
        if {event for event, _ in self.received} != events:
            yield f"received {len({event for event, _ in self.received})} of {len(events)} events"
        if len(set(self.received)) != len({event for event, _ in self.received}):
            yield "an event came with two bodies"


def go_through(url: str, folder: Path, receiver: Receiver, secret: str, plan: Plan) -> Told:
    """Everything runs and is killed until all is written; then what is left is read and delivered.

    The endpoint of `receiver`, which hears of everything, must be there. Raises `TimeoutError` where it does not end.
    """
    engine = make_engine(url, pool_size=2)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE counted (subject text PRIMARY KEY, changes integer NOT NULL)"))
        values = [{"subject": subject} for subject in SUBJECTS]
        connection.execute(text("INSERT INTO counted VALUES (:subject, 0)"), values)
    settings = ApiSettings(database_url=url)
    started = time.monotonic()
    with served(create_app(settings, url), settings=settings) as address:
        kills = _kill_and_kill(engine, _roles(url, address, folder, plan), folder, plan)
    seconds = time.monotonic() - started
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT seq, id, subject, data FROM changes ORDER BY seq")).all()
    engine.dispose()
    stored = [(row.seq, row.id, row.subject, row.data["revision"]) for row in rows]
    return Told(stored, Notes(folder / "read").events(), list(verified(receiver, secret)), kills, seconds)


def _roles(url: str, address: str, folder: Path, plan: Plan) -> dict[str, tuple[Callable[..., None], tuple[Any, ...]]]:
    writers = {f"writer {n}": (_write, (url, folder / "enough", plan.pause)) for n in range(WRITERS)}
    deliverers = {f"deliverer {n}": (deliver, (url,)) for n in range(DELIVERERS)}
    return {**writers, **deliverers, "reader": (_read, (address, folder / "read")), "fan-out": (_fan_out, (url,))}


def _kill_and_kill(engine: Engine, roles: dict[str, Any], folder: Path, plan: Plan) -> dict[str, int]:
    """Kill each as often as planned while changes are written, wait for the rest; how often each was killed."""
    chance = random.Random(plan.seed)
    victims = [role for role in roles for _ in range(plan.kills)]
    chance.shuffle(victims)
    progress, share = Progress(engine, folder / "read"), plan.changes / (len(victims) + 1)
    with running(roles) as crew:
        for number, victim in enumerate(victims):
            at = (number + chance.random()) * share
            _until(crew, partial(progress.has_written, at))
            crew.kill(victim)
        _until(crew, partial(progress.has_written, plan.changes))
        (folder / "enough").touch()
        _until(crew, lambda: crew.ended("writer") and progress.all_done)
    return crew.kills


def _until(crew: "Crew", condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        crew.check()
        if time.monotonic() > end:
            raise TimeoutError("it goes on no more")
        time.sleep(0.02)


@dataclass
class Crew:
    """The processes by their roles."""

    roles: dict[str, Any]
    processes: dict[str, Any] = field(default_factory=dict)
    kills: dict[str, int] = field(default_factory=dict)

    def start(self, role: str) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([__name__])
        target, arguments = self.roles[role]
        self.processes[role] = context.Process(target=target, args=arguments, daemon=True)
        self.processes[role].start()

    def kill(self, role: str) -> None:
        """And start another in its place."""
        self.processes[role].kill()
        self.processes[role].join()
        self.kills[role] = self.kills.get(role, 0) + 1
        self.start(role)

    def ended(self, kind: str) -> bool:
        return all(not each.is_alive() for role, each in self.processes.items() if role.startswith(kind))

    def check(self) -> None:
        """Raise where one has failed by itself. Those that were killed are not here any more."""
        failed = [role for role, each in self.processes.items() if each.exitcode]
        if failed:
            raise RuntimeError(f"{', '.join(failed)} failed")


@contextmanager
def running(roles: dict[str, Any]) -> Iterator[Crew]:
    crew = Crew(roles)
    try:
        for role in roles:
            crew.start(role)
        yield crew
    finally:
        for process in crew.processes.values():
            process.kill()
            process.join()


class Progress:
    """How far all have come."""

    def __init__(self, engine: Engine, notes: Path) -> None:
        self._engine = engine
        self._notes = notes

    def has_written(self, changes: float) -> bool:
        with self._engine.connect() as connection:
            return head(connection) >= changes

    @property
    def all_done(self) -> bool:
        """Whether all that is written was read and delivered."""
        owed = "SELECT count(*) FROM webhook_deliveries WHERE status = 'pending'"
        with self._engine.connect() as connection:
            if connection.scalar(text("SELECT seq FROM webhook_fanout")) < head(connection):
                return False
            return connection.scalar(text(owed)) == 0 and Notes(self._notes).cursor() == head(connection)


# What the processes do


def _write(url: str, enough: Path, pause: float) -> None:
    """Until the file `enough` is there."""
    chance = random.Random(os.getpid())
    engine = make_engine(url, pool_size=1)
    while not enough.exists():
        with engine.connect() as connection:
            _write_some(connection, chance)
        time.sleep(pause * 2 * chance.random())


def _write_some(connection: Connection, chance: random.Random) -> None:
    """Change some records in one transaction. It may sleep before or after taking the numbers, or be undone."""
    subjects = sorted(chance.sample(SUBJECTS, chance.randint(1, 12)))
    count = text("UPDATE counted SET changes = changes + 1 WHERE subject = :subject RETURNING changes")
    counts = {subject: connection.scalar(count, {"subject": subject}) for subject in subjects}
    _sleep_now_and_then(chance)
    append_changes(
        connection,
        [draft(subject=each, data={"id": each, "revision": counts[each]}) for each in subjects],
    )
    _sleep_now_and_then(chance)
    if chance.random() < 0.1:
        connection.rollback()
    else:
        connection.commit()


def _sleep_now_and_then(chance: random.Random) -> None:
    time.sleep(0.3 if chance.random() < 0.01 else chance.random() / 500)


def _fan_out(url: str) -> None:
    chance = random.Random(os.getpid())
    engine = make_engine(url, pool_size=1)
    while True:
        with engine.begin() as connection:
            fan_out(connection)
            time.sleep(chance.random() / 100)
        time.sleep(chance.random() / 50)


def deliver(url: str) -> None:
    """Until it is killed."""
    settings = ApiSettings(database_url=url, webhook_allow_loopback=True, webhook_deadline_seconds=DEADLINE)
    configure_logs(settings, service="deliver")
    deliver_until_stopped(settings, url)


def _read(address: str, notes: Path) -> None:
    """As the documentation says: follow `page.next`, come back with `dataset.cursor`."""
    chance = random.Random(os.getpid())
    book = Notes(notes)
    cursor = book.begin()
    with httpx.Client(base_url=address, timeout=30) as client:
        while True:
            asked = {"after": cursor, "limit": chance.randint(1, 100), "wait": chance.choice((0, 1))}
            page = client.get("/v1/changes", params=asked).raise_for_status().json()
            events = page["data"]
            cursor = events[-1]["seq"] if page["page"]["next"] else page["dataset"]["cursor"]
            book.note(
                [(each["seq"], each["id"], each["subject"]["id"], each["data"]["revision"]) for each in events], cursor
            )


class Notes:
    """The file of a reader: a line for each event and, after those of a page, one with the cursor to go on from."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def begin(self) -> int:
        """Where to go on. What was written of a page after the last whole one is dropped."""
        lines = self._whole_lines()
        self._file.touch()
        os.truncate(self._file, sum(map(len, lines)))
        return self._cursor_of(lines)

    def note(self, events: list[Event], cursor: int) -> None:
        with self._file.open("a") as stream:
            stream.write("".join(f"{json.dumps(each)}\n" for each in (*events, cursor)))

    def cursor(self) -> int:
        return self._cursor_of(self._whole_lines())

    def events(self) -> list[Event]:
        told = map(json.loads, self._whole_lines())
        return [(each[0], each[1], each[2], each[3]) for each in told if isinstance(each, list)]

    def _whole_lines(self) -> list[str]:
        lines = self._file.read_text().splitlines(keepends=True) if self._file.exists() else []
        while lines and not (lines[-1].endswith("\n") and lines[-1].strip().isdigit()):
            lines.pop()
        return lines

    def _cursor_of(self, lines: list[str]) -> int:
        return int(lines[-1]) if lines else 0


def verified(receiver: Receiver, secret: str) -> Iterator[tuple[str, str]]:
    """The `webhook-id` and the body of each whole request. Kills broke some off."""
    for request in receiver.requests:
        head_of_it, _, body = request.partition(b"\r\n\r\n")
        lines = (line.split(": ", 1) for line in head_of_it.decode().split("\r\n")[1:])
        headers = {name.lower(): value for name, value in lines}
        if len(body) == int(headers.get("content-length", "-1")):
            sent_at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
            yield check_signature(headers, body, secret=secret, now=sent_at), body.decode()
