"""PostgreSQL killed under load, and back after a while: what is answered meanwhile, and how soon all goes on.

    python -m benchmarks.outage [--seconds N]

The server is killed (SIGKILL); N seconds later (30) it starts again and recovers. API, search and deliverer are
processes, asked by clients all the time. The exit status is 1 where an answer was neither good nor a 503 that says when
to come back, took too long, a service did not go on by itself within 10 s, or something was lost.
"""

import argparse
import os
import signal
import statistics
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks.feed import drafts
from benchmarks.platform import Met, Platform, asking, is_ready, platform, until, writing
from benchmarks.webhook_receiver import Receiver, receiving
from benchmarks.webhooks import Site, missed, must
from services.core.runtime.keys import Scope, create_key
from services.core.runtime.postgres import embedded_postgres
from services.core.store import migrate
from services.core.store.engine import make_engine

LONGEST_ANSWER = 12.0
"""Seconds that any answer may take: to connect, and to wait for one of the pool's connections."""
BACK_WITHIN = 10.0
_PATHS = {
    "api": ("/v1/recommendations?limit=10", "/v1/states/PER", "/v1/changes?after=0&limit=5", "/v1/recommendations.csv"),
    "search": ("/v1/search?q=torture&facets=topic", "/v1/suggest?q=per"),
}


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=30)
    given = options.parse_args()
    with tempfile.TemporaryDirectory(dir="/tmp") as name, ExitStack() as server, receiving() as receiver:
        folder = Path(name)
        url = server.enter_context(embedded_postgres(folder / "pg"))
        store = _store(url)
        store.publish(drafts(store.engine, 500))
        store.subscribe([receiver.address])
        with platform(url, folder, each=1, UPR_LOG_LEVEL="error") as running:
            outage = Outage(server, folder / "pg", given.seconds)
            _go_through(store, running, receiver, outage)
    return 1 if missed else 0


def _store(url: str) -> Site:
    migrate.upgrade(url)
    engine = make_engine(url, pool_size=2)
    with engine.begin() as connection:
        owner, _ = create_key(connection, name="bench", scopes=[Scope.WEBHOOKS_WRITE])
    return Site(url, engine, owner.id)


@dataclass(frozen=True)
class Outage:
    """PostgreSQL in a folder, to be killed and to come back after so many seconds."""

    server: ExitStack
    folder: Path
    seconds: float

    def begin(self) -> None:
        os.kill(int((self.folder / "cluster" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)

    def end(self) -> None:
        self.server.enter_context(embedded_postgres(self.folder))


def _go_through(store: Site, running: Platform, receiver: Receiver, outage: Outage) -> None:
    addresses = {service: running.of(service)[0].address or "" for service in _PATHS}
    asked = [(addresses[service], path) for service, paths in _PATHS.items() for path in paths]
    first = store.number("SELECT seq FROM change_head")
    with (
        writing(store.engine, drafts(store.engine, 30_000), 0.1),
        asking(lambda at: asked[at % len(asked)], 8, pause=0.05) as met,
    ):
        time.sleep(5)
        outage.begin()
        time.sleep(outage.seconds)
        ready_meanwhile = [is_ready(address) for address in addresses.values()]
        outage.end()
        back = time.monotonic()
        for service, address in addresses.items():
            went_on = until(lambda address=address: is_ready(address), 60)  # type: ignore[misc]
            print(f"{service}: ready {time.monotonic() - back:.1f} s after PostgreSQL")
            must(f"{service} goes on by itself in time", held=went_on and time.monotonic() - back < BACK_WITHIN)
        events_before = store.number("SELECT seq FROM change_head")
        until(lambda: store.number("SELECT seq FROM webhook_fanout") > events_before, 60)
        print(f"deliverer: fans out again {time.monotonic() - back:.1f} s after PostgreSQL")
        must("the deliverer goes on by itself in time", held=time.monotonic() - back < BACK_WITHIN + 2)
        time.sleep(3)
    must("/readyz tells of the outage", held=not any(ready_meanwhile))
    _tell(met)
    _compare(store, receiver, first)


def _tell(met: Met) -> None:
    quantiles = statistics.quantiles(met.seconds, n=100)
    print(f"answers: {dict(met.statuses)}, no answer {len(met.failures)}")
    print(f"p50 {quantiles[49] * 1000:.0f} ms, p99 {quantiles[98] * 1000:.0f} ms, longest {max(met.seconds):.1f} s")
    for fault in [*met.failures[:5], *met.told.items()]:
        print(f"  {fault}")
    must("every answer is good or a 503", held=set(met.statuses) <= {200, 503})
    must("every 503 says when to come back", held=met.without_retry_after == 0)
    # What was being sent when the server died cannot become a problem document any more.
    must("few answers broke off", held=len(met.failures) <= 8)
    must("no answer takes too long", held=max(met.seconds) < LONGEST_ANSWER)


def _compare(store: Site, receiver: Receiver, first: int) -> None:
    events, arrived = store.events(first + 1), Counter[str]()

    def all_arrived() -> bool:
        arrived.update(each.event for each in receiver.arrived())
        return set(arrived) >= set(events)

    until(all_arrived, 90)
    print(f"events: {len(events)} written, {len(arrived)} posted, {sum(arrived.values()) - len(arrived)} of them again")
    must("no event is lost", held=set(arrived) == set(events))


if __name__ == "__main__":
    sys.exit(main())
