"""How the feed serves readers who wait, and how fast words choose changes.

    python -m benchmarks.feed [--readers 2000] [--changes 20000] [--endpoints 1000]

The API runs as a process of its own on an embedded PostgreSQL; the readers are sockets of this process. Each round
commits one change; the figures are from the commit until readers have it. The last reader's includes what this process
takes to read 2,000 sockets on the same machine. CPU is the API's own.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
from sqlalchemy import Engine, insert, text

from services.api.webhooks.fanout import fan_out
from services.api.webhooks.signature import new_secret
from services.core.domain.changes import Cause
from services.core.runtime.keys import Scope, create_key
from services.core.runtime.postgres import embedded_postgres
from services.core.schemas.events import draft_change
from services.core.schemas.names import Names
from services.core.schemas.shapes import shape_of
from services.core.store import migrate
from services.core.store.changes import ChangeDraft, append_changes, head
from services.core.store.engine import make_engine
from services.core.store.reference import read_reference
from services.core.store.webhooks import endpoints_table
from tests.records import RecordMaker

ROUNDS = 8
WORDS = ("torture", "women", "penalty", "indigenous", '"death penalty"', "children -women", "detention OR law")
QUERIES = ("q=torture", "q=nothinglikeit", "q=torture&type=recommendations&state_under_review=PER", "region=grulac")


def drafts(engine: Engine, count: int) -> list[ChangeDraft]:
    """That so many recommendations were made."""
    reference = read_reference(engine)
    names, maker = Names(reference), RecordMaker(7)
    records = maker.records({"reviews": 700, "recommendations": count})["recommendations"]
    made = (
        draft_change(
            "recommendations",
            None,
            shape_of("recommendations", record, names),
            cause=Cause.PUBLICATION,
            effective_on=None,
            reference=reference,
        )
        for record in records
    )
    return [draft for draft in made if draft]


def publish(engine: Engine, changes: Sequence[ChangeDraft]) -> float:
    with engine.begin() as connection:
        append_changes(connection, changes)
    return time.perf_counter()


@dataclass(frozen=True)
class Process:
    """What the system knows of a process."""

    pid: int

    def cpu(self) -> float:
        """Seconds of CPU that it has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def status(self, name: str) -> int:
        """A number of its status: `Threads`, or `VmRSS` in kB."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith(name)))


@contextmanager
def serving(url: str, folder: Path, readers: int) -> Iterator[tuple[str, Process]]:
    environment = {
        **os.environ,
        "UPR_DATABASE_URL": url,
        "UPR_DATA_DIR": str(folder),
        "UPR_API_PORT": "0",
        "UPR_FEED_MOST_WAITING": str(readers + 10),
        "UPR_LOG_LEVEL": "error",
    }
    command = [sys.executable, "-m", "services.cli", "api", "serve"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = next(line.split()[-1] for line in process.stdout if line.startswith("listening"))
        try:
            yield address, Process(process.pid)
        finally:
            process.terminate()
            process.wait(30)


class Reader:
    """A socket that listens to the stream, or waits for one answer, and when it heard of each change."""

    def __init__(self, query: str, accept: str = "text/event-stream") -> None:
        self.heard: dict[int, float] = {}
        self._query = query
        self._accept = accept

    async def connect(self, address: str) -> None:
        url = urlsplit(address)
        self._in, self._out = await asyncio.open_connection(url.hostname, url.port)
        head = f"GET /v1/changes?{self._query} HTTP/1.1\r\nHost: {url.netloc}\r\nAccept: {self._accept}\r\n\r\n"
        self._out.write(head.encode())
        await self._out.drain()
        self.task = asyncio.create_task(self._listen())
        if self._accept == "text/event-stream":
            while not self._ready:
                await asyncio.sleep(0.02)

    _ready = False

    async def _listen(self) -> None:
        seq = 0
        if self._accept != "text/event-stream":
            await self._in.readuntil(b'"seq":')
            self.heard[int((await self._in.readuntil(b","))[:-1])] = time.perf_counter()
            return
        while line := await self._in.readline():
            self._ready = self._ready or line.startswith(b"retry")
            if line.startswith(b"id: "):
                seq = int(line[4:])
            elif line.startswith(b"data: "):
                self.heard[seq] = time.perf_counter()

    def close(self) -> None:
        self.task.cancel()
        self._out.close()


async def streams(address: str, process: Process, engine: Engine, changes: Sequence[ChangeDraft], readers: int) -> None:
    kinds: dict[str, Callable[[int], str]] = {
        "no filter": lambda _: "",
        f"{len(WORDS)} queries": lambda number: f"q={quote(WORDS[number % len(WORDS)])}",
        "a query each": lambda number: f"q={quote(f'torture OR law OR x{number}')}",
    }
    for name, query in kinds.items():
        several = [Reader(query(number)) for number in range(readers)]
        started = time.perf_counter()
        for at in range(0, readers, 100):
            await asyncio.gather(*(reader.connect(address) for reader in several[at : at + 100]))
        connected = time.perf_counter() - started
        await asyncio.sleep(2)
        cpu, rounds = process.cpu(), [await _round(engine, each, several) for each in changes[:ROUNDS]]
        cpu = process.cpu() - cpu
        _print_rounds(f"{name:12} {readers} connected in {connected:4.1f} s", [each for each in rounds if each])
        print(
            f"    CPU {1000 * cpu / ROUNDS:.0f} ms a change; {process.status('Threads')} threads, "
            f"{_connections(engine)} connections, {process.status('VmRSS') / 1024:.0f} MiB"
        )
        for reader in several:
            reader.close()
        await asyncio.sleep(1)


async def _round(engine: Engine, change: ChangeDraft, readers: Sequence[Reader]) -> list[float]:
    """The seconds after which those heard of a change who heard of it."""
    committed = await asyncio.to_thread(publish, engine, [change])
    seq = await asyncio.to_thread(_head, engine)
    told = -1
    while told != (told := sum(seq in reader.heard for reader in readers)) or time.perf_counter() < committed + 2:
        await asyncio.sleep(1)
    return sorted(reader.heard[seq] - committed for reader in readers if seq in reader.heard)


def _print_rounds(what: str, rounds: Sequence[Sequence[float]]) -> None:
    told = sum(map(len, rounds)) // max(len(rounds), 1)
    half = sorted(heard[len(heard) // 2] for heard in rounds)[len(rounds) // 2]
    every = max(heard[-1] for heard in rounds)
    print(f"  {what}; told {told}: half of them within {1000 * half:.0f} ms, all within {1000 * every:.0f} ms")


def _connections(engine: Engine) -> int:
    with engine.connect() as connection:
        asked = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'upr-api%'"
        return int(connection.scalar(text(asked)) or 0)


def _head(engine: Engine) -> int:
    with engine.connect() as connection:
        return head(connection)


async def long_polls(address: str, process: Process, engine: Engine, change: ChangeDraft, readers: int) -> None:
    query = f"wait=60&after={_head(engine)}"
    several = [Reader(query, accept="application/json") for _ in range(readers)]
    for at in range(0, readers, 100):
        await asyncio.gather(*(reader.connect(address) for reader in several[at : at + 100]))
    while await asyncio.to_thread(_waiting, address) < readers:
        await asyncio.sleep(0.5)
    cpu = process.cpu()
    heard = await _round(engine, change, several)
    cpu = process.cpu() - cpu
    _print_rounds(f"wait=60      {readers} waiting", [heard])
    print(f"    CPU {1000 * cpu:.0f} ms")
    for reader in several:
        reader.close()


def _waiting(address: str) -> int:
    lines = httpx.get(f"{address}/metrics", timeout=60).text.splitlines()
    return int(float(next(line.split()[1] for line in lines if line.startswith("upr_feed_waiting "))))


def words(address: str, changes: int) -> None:
    for query in QUERIES:
        pages, found, longest = 0, 0, 0.0
        following: str | None = f"{address}/v1/changes?limit=200&{query}"
        started = time.perf_counter()
        while following:
            asked = time.perf_counter()
            told = httpx.get(following, timeout=60).json()
            longest = max(longest, time.perf_counter() - asked)
            pages, found = pages + 1, found + len(told["data"])
            following = told["page"]["next"]
            following = following and address + "/v1/changes?" + urlsplit(following).query
        took = time.perf_counter() - started
        told_of = f"{found:6} of {changes} in {pages:4} pages, {took:5.2f} s"
        print(f"  {query:58} {told_of}; the longest {1000 * longest:.0f} ms")


def fan_outs(engine: Engine, changes: Sequence[ChangeDraft], endpoints: int) -> None:
    with engine.begin() as connection:
        owner, _ = create_key(connection, name="bench", scopes=[Scope.WEBHOOKS_WRITE])
        rows = [_endpoint(owner.id, number, head(connection)) for number in range(endpoints)]
        connection.execute(insert(endpoints_table), rows)
    _fan_out(engine)
    for number, change in enumerate(changes[:5]):
        publish(engine, [change])
        started, cpu = time.perf_counter(), time.process_time()
        made = _fan_out(engine)
        took, cpu = time.perf_counter() - started, time.process_time() - cpu
        print(
            f"  change {number + 1}: {made} of {endpoints} endpoints in {1000 * took:.0f} ms, CPU {1000 * cpu:.0f} ms"
        )


def _endpoint(owner: str, number: int, seq: int) -> dict[str, Any]:
    return {
        "id": f"ep_{number}",
        "owner": owner,
        "url": "https://tracker.example.org/",
        "event_types": [],
        "causes": ["publication"],
        "filters": {},
        "q": f"({WORDS[number % len(WORDS)]}) OR law OR torture OR x{number}",
        "secret": new_secret(),
        "from_seq": seq,
    }


def _fan_out(engine: Engine) -> int:
    made = 0
    while True:
        with engine.begin() as connection:
            block = fan_out(connection)
        if block is None:
            return made
        made += block.deliveries


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--readers", type=int, default=2_000)
    arguments.add_argument("--changes", type=int, default=20_000)
    arguments.add_argument("--endpoints", type=int, default=1_000)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name, embedded_postgres(Path(name) / "postgres", durable=False) as url:
        migrate.upgrade(url)
        engine = make_engine(url, pool_size=2)
        changes = drafts(engine, given.changes)
        publish(engine, changes)
        with serving(url, Path(name), given.readers) as (address, process):
            print("Words in the feed, all pages of it:")
            words(address, given.changes)
            print("Server-Sent Events:")
            asyncio.run(streams(address, process, engine, changes, given.readers))
            asyncio.run(long_polls(address, process, engine, changes[0], given.readers))
        print("Fan-out of one change to endpoints with a query each:")
        fan_outs(engine, changes, given.endpoints)
        engine.dispose()


if __name__ == "__main__":
    main()
