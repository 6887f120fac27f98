"""Whether webhooks lose nothing, and how fast they are: each part prints its figures, and what missed its mark.

    python -m benchmarks.webhooks [PART …]

Parts: throughput, backlog, fan-out, hostile, no-loss. Each has an embedded PostgreSQL of its own, which writes to disk
as in production; deliverers are processes (`upr api deliver`), and so is the receiver. The exit status is 1 where a
figure misses what is asked of it.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, insert, text

from benchmarks.feed import Process, drafts
from benchmarks.hostile_receivers import hostile_receivers
from benchmarks.webhook_receiver import Receiver, receiving
from services.api.webhooks.fanout import fan_out
from services.api.webhooks.signature import new_secret
from services.core.runtime.keys import Scope, create_key
from services.core.runtime.logs import configure_logs
from services.core.runtime.postgres import embedded_postgres
from services.core.runtime.settings import CoreSettings
from services.core.store import migrate
from services.core.store.changes import ChangeDraft, append_changes, head
from services.core.store.engine import make_engine
from services.core.store.webhooks import endpoints_table
from tests.api.webhooks import receivers
from tests.api.webhooks.upheaval import Plan, go_through

LEAST_RATE = 300
"""Deliveries a second of one deliverer."""
BACKLOG = 100_000
MOST_GROWTH = 1.1
"""What the memory of a deliverer may grow by from the middle of a backlog to its end, as a ratio."""
ENDPOINTS = 1_000
DEADLINE, TURN_SECONDS, TURNS, GOOD = 5, 10, 8, 10
"""Of a try beside hostile receivers; how long each turn lasts, how many there are, and for how many good endpoints."""
MOST_DELAY = 1.2
"""What hostile receivers may add to the p95 of the others, as a ratio."""
missed: list[str] = []
"""What was not as it should be."""


def must(what: str, *, held: bool) -> None:
    """Say and remember what is not as it should be."""
    if not held:
        missed.append(what)
        print(f"  MISSED: {what}")


@dataclass(frozen=True)
class Site:
    """A store with an owner of endpoints."""

    url: str
    engine: Engine
    owner: str

    def number(self, query: str, **values: object) -> int:
        """The one number that a query answers."""
        return int(self.rows(query, **values)[0][0])

    def rows(self, query: str, **values: object) -> Sequence[Any]:
        with self.engine.connect() as connection:
            return connection.execute(text(query), values).all()

    def events(self, first: int) -> dict[str, int]:
        """The numbers of events by their ids, from one on."""
        return {row.id: row.seq for row in self.rows("SELECT id, seq FROM changes WHERE seq >= :first", first=first)}

    def turn(self, endpoints: Sequence[str], *, on: bool) -> None:
        """Enable or pause endpoints."""
        values = {"ids": list(endpoints), "status": "enabled" if on else "paused"}
        with self.engine.begin() as connection:
            connection.execute(text("UPDATE webhook_endpoints SET status = :status WHERE id = ANY(:ids)"), values)

    def publish(self, changes: Sequence[ChangeDraft]) -> None:
        with self.engine.begin() as connection:
            append_changes(connection, changes)

    def subscribe(self, urls: Sequence[str], **members: Any) -> list[str]:
        """Endpoints of these addresses, which hear of all that comes from now on; answers their ids."""
        with self.engine.begin() as connection:
            usual = {"owner": self.owner, "event_types": [], "causes": ["publication"], "filters": {}}
            first, seq = self.number("SELECT count(*) FROM webhook_endpoints"), head(connection)
            rows = [
                {**usual, "id": f"ep_{first + at}", "url": url, "secret": new_secret(), "from_seq": seq, **members}
                for at, url in enumerate(urls)
            ]
            connection.execute(insert(endpoints_table), rows)
        return [row["id"] for row in rows]

    def fan_out(self) -> int:
        """Fan out all that there is; how many deliveries are owed since."""
        made = 0
        while True:
            with self.engine.begin() as connection:
                block = fan_out(connection)
            if block is None:
                return made
            made += block.deliveries

    def secret(self, endpoint: str) -> str:
        return str(self.rows("SELECT secret FROM webhook_endpoints WHERE id = :id", id=endpoint)[0].secret)

    def pending(self) -> int:
        return self.number("SELECT count(*) FROM webhook_deliveries WHERE status = 'pending'")

    def wait_until_pending(self, most: int, seconds: float = 1_200) -> None:
        """Until no more than so many deliveries are pending."""
        end = time.monotonic() + seconds
        while self.pending() > most:
            if time.monotonic() > end:
                raise TimeoutError("it did not happen in time")
            time.sleep(0.05)


@contextmanager
def site() -> Iterator[Site]:
    with tempfile.TemporaryDirectory() as name, embedded_postgres(Path(name) / "postgres") as url:
        migrate.upgrade(url)
        engine = make_engine(url, pool_size=4)
        with engine.begin() as connection:
            owner, _ = create_key(connection, name="bench", scopes=[Scope.WEBHOOKS_WRITE])
        yield Site(url, engine, owner.id)
        engine.dispose()


@contextmanager
def delivering(site: Site, **settings: str) -> Iterator[Process]:
    environment = {
        **os.environ,
        "UPR_DATABASE_URL": site.url,
        "UPR_WEBHOOK_ALLOW_LOOPBACK": "true",
        "UPR_LOG_LEVEL": "error",
        **settings,
    }
    command = [sys.executable, "-m", "services.cli", "api", "deliver"]
    with subprocess.Popen(command, env=environment) as process:
        try:
            yield Process(process.pid)
        finally:
            process.terminate()
            process.wait(60)


def throughput() -> None:
    """A few thousand deliveries that are owed when the deliverer starts, to one endpoint or to many."""
    for endpoints, changes in ((1, 4_000), (20, 300), (ENDPOINTS, 20)):
        with site() as store, receiving() as receiver:
            store.subscribe([f"{receiver.address}/{at}" for at in range(endpoints)])
            store.publish(drafts(store.engine, changes))
            owed = store.fan_out()
            with delivering(store) as process:
                began, cpu = _begun(store, owed), process.cpu()
                left = store.pending()
                store.wait_until_pending(0)
                took, cpu = time.perf_counter() - began, process.cpu() - cpu
            came = len(receiver.arrived())
        rate, each = left / took, f"{1000 * cpu / left:.2f} ms of the deliverer's CPU each"
        print(f"  {endpoints:4} endpoints: {rate:5.0f} deliveries/s, {each}; {came} of {owed} came")
        must(f"{LEAST_RATE} deliveries/s with {endpoints} endpoints", held=rate >= LEAST_RATE)
        must("each delivery comes once", held=came == owed)


def _begun(store: Site, owed: int) -> float:
    """When the first deliveries were settled: what it takes to start a process is not measured."""
    store.wait_until_pending(owed - 1)
    return time.perf_counter()


def backlog() -> None:
    """So many deliveries are owed: how fast they go, and what memory that takes."""
    with site() as store, receiving() as receiver:
        endpoints = 5
        store.subscribe([f"{receiver.address}/{at}" for at in range(endpoints)])
        store.publish(drafts(store.engine, BACKLOG // endpoints))
        started = time.perf_counter()
        owed = store.fan_out()
        print(f"  fanned out {owed} deliveries in {time.perf_counter() - started:.1f} s")
        with delivering(store) as process:
            began, memory = _begun(store, owed), []
            for left in range(owed - owed // 20, -1, -owed // 20):
                store.wait_until_pending(left)
                memory.append(process.status("VmRSS") / 1024)
            took = time.perf_counter() - began
        came = len(receiver.arrived())
    told = " / ".join(f"{each:.0f}" for each in (memory[0], memory[len(memory) // 2], memory[-1]))
    print(f"  {owed / took:.0f} deliveries/s over {took:.0f} s; {told} MiB at the beginning, middle and end")
    must("a backlog takes no more memory as it lasts", held=memory[-1] <= memory[len(memory) // 2] * MOST_GROWTH)
    must("all of a backlog comes once", held=came == owed)


def no_loss() -> None:
    """Eight writers, a reader of the feed, a fan-out and two deliverers, each killed twenty times."""
    plan = Plan(changes=20_000, kills=20, pause=0.25)
    with site() as store, receivers.receiving() as receiver, tempfile.TemporaryDirectory() as folder:
        (endpoint,) = store.subscribe([receiver.url])
        secret = store.secret(endpoint)
        told = go_through(store.url, Path(folder), receiver, secret, plan)
    kills = ", ".join(f"{role} {count}" for role, count in sorted(told.kills.items()))
    print(f"  {len(told.stored)} changes in {told.seconds:.0f} s; killed: {kills} ({sum(told.kills.values())} in all)")
    print(f"  the feed told {len(told.read)}; {len(told.received)} requests came, {told.twice} of them once more")
    for fault in told.faults():
        must(fault, held=False)
    must("each process is killed so often", held=min(told.kills.values()) >= plan.kills and len(told.kills) == 12)


def fan_out_one() -> None:
    """One change that a thousand endpoints want to hear of, by a filter or by words; and how long until all have it."""
    for kind, members in (("a filter", {"filters": {}}), ("words", {"q": "torture OR law OR women OR rights"})):
        with site() as store, receiving() as receiver:
            several = drafts(store.engine, 200)
            store.subscribe([f"{receiver.address}/{at}" for at in range(ENDPOINTS)], **members)
            took, cpu, owed = [], [], 0
            while owed < 3 * ENDPOINTS // 2:
                store.publish([several.pop()])
                started, used = time.perf_counter(), time.process_time()
                owed += store.fan_out()
                took.append(time.perf_counter() - started)
                cpu.append(time.process_time() - used)
            with delivering(store):
                began, left = _begun(store, owed), store.pending()
                store.wait_until_pending(0)
                seconds = time.perf_counter() - began
            came = len(receiver.arrived())
        told = f"at most {1000 * max(took):.0f} ms a change, {1000 * max(cpu):.0f} of them CPU"
        print(f"  {ENDPOINTS} endpoints with {kind}: {told}; {owed} deliveries, {left / seconds:.0f} a second")
        must("a fan-out to 1,000 endpoints within a second", held=max(took) < 1)
        must("all that is fanned out comes once", held=came == owed)


def hostile() -> None:
    """How long good endpoints wait for an event after its commit: alone, and beside those that misbehave.

    In many turns, of which the median counts: on a machine with other work each turn is more or less disturbed.
    """
    with site() as store, receiving() as receiver, hostile_receivers(DEADLINE) as addresses:
        changes = iter(drafts(store.engine, 2_000))
        store.subscribe([f"{receiver.address}/{at}" for at in range(GOOD)])
        bad = {name: store.subscribe([f"{url}&n={at}" for at in range(2)]) for name, url in addresses.items()}
        ids = [each for several in bad.values() for each in several]
        store.turn(ids, on=False)
        with delivering(store, UPR_WEBHOOK_DEADLINE_SECONDS=str(DEADLINE)):
            _waits(store, receiver, changes)  # until the deliverer is there
            alone, beside = [], []
            for _ in range(TURNS):
                alone.append(_p95(_waits(store, receiver, changes)))
                store.turn(ids, on=True)
                beside.append(_p95(_waits(store, receiver, changes)))
                store.turn(ids, on=False)
                time.sleep(DEADLINE + 2)  # until none of theirs runs any more
        _tell_of_hostile(store, bad)
    print(
        f"  p95 from commit to arrival at {GOOD} good endpoints, and beside {len(ids)} hostile ones, in {TURNS} turns:"
    )
    print("  " + ", ".join(f"{1000 * one:.0f} / {1000 * two:.0f} ms" for one, two in zip(alone, beside, strict=True)))
    usual, disturbed = statistics.median(alone), statistics.median(beside)
    print(f"  in the median {1000 * usual:.0f} ms alone, {1000 * disturbed:.0f} ms beside them")
    must(f"a p95 that grows by less than {MOST_DELAY - 1:.0%}", held=disturbed < usual * MOST_DELAY)


def _waits(store: Site, receiver: Receiver, changes: Iterator[ChangeDraft]) -> list[float]:
    """Publish some changes a second for a while; how long each took to each of the good endpoints."""
    receiver.arrived()
    committed: dict[int, float] = {}
    end = time.monotonic() + TURN_SECONDS
    while time.monotonic() < end:
        store.publish([next(changes)])
        committed[store.number("SELECT seq FROM change_head")] = time.time()
        time.sleep(0.2)
    time.sleep(3)
    arrivals = receiver.arrived()
    events = store.events(min(committed))
    must("all comes to the good endpoints in time", held=len(arrivals) == GOOD * len(committed))
    return [each.at - committed[events[each.event]] for each in arrivals if each.event in events]


def _p95(waits: Sequence[float]) -> float:
    return statistics.quantiles(waits, n=20)[18]


def _tell_of_hostile(store: Site, bad: dict[str, list[str]]) -> None:
    found = """
        SELECT outcome, count(*) AS tries, max(milliseconds) AS longest FROM webhook_attempts a
        JOIN webhook_deliveries d ON d.id = a.delivery WHERE d.endpoint = ANY(:endpoints) GROUP BY outcome
    """
    for name, endpoints in bad.items():
        rows = store.rows(found, endpoints=endpoints)
        told = ", ".join(f"{row.tries} times {row.outcome}" for row in rows)
        longest = max((row.longest for row in rows), default=0)
        print(f"  {name:16} {told}; at most {longest} ms")
        must(f"who {name} is cut at the deadline", held=bool(rows) and longest <= (DEADLINE + 1) * 1000)


PARTS: dict[str, Callable[[], None]] = {
    "throughput": throughput,
    "backlog": backlog,
    "fan-out": fan_out_one,
    "hostile": hostile,
    "no-loss": no_loss,
}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("parts", nargs="*", choices=[*PARTS, []], metavar="PART")
    os.environ["UPR_LOG_LEVEL"] = "error"
    configure_logs(CoreSettings(), service="bench")
    for name in arguments.parse_args().parts or PARTS:
        print(f"{name} (load average {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores):")
        PARTS[name]()
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
