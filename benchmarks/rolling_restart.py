"""Each process restarted in turn, as an update does it, under load: nothing fails, nothing is lost.

    python -m benchmarks.rolling_restart [--rounds N]

Two instances each of API, search and deliverer behind Caddy, on an embedded PostgreSQL of their own. Clients ask all
the time, a reader follows the feed, a writer writes, webhooks go to a receiver. The exit status is 1 where a request
failed, an event was lost, or the feed told one twice.
"""

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

import httpx

from benchmarks.feed import drafts
from benchmarks.platform import Met, Platform, asking, caddy_is_here, following, platform, until, writing
from benchmarks.webhook_receiver import receiving
from benchmarks.webhooks import Site, missed, must, site

PAUSE = "1.5"
"""Seconds between SIGTERM and the closing of the port: Caddy asks three times as often."""
_PATHS = (
    "/v1/search?q=torture&facets=topic",
    "/v1/recommendations?limit=10",
    "/v1/search?q=women+rights",
    "/v1/states/PER",
    "/v1/changes?after=0&limit=5",
)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=1)
    given = options.parse_args()
    if not caddy_is_here():
        print("not run: Caddy is not installed (apt-get install caddy)")
        return 0
    with tempfile.TemporaryDirectory() as name, site() as store, receiving() as receiver:
        store.publish(drafts(store.engine, 500))
        store.subscribe([receiver.address])
        first = store.number("SELECT seq FROM change_head")
        with platform(store.url, Path(name), UPR_STOP_PAUSE_SECONDS=PAUSE) as running:
            heard, met = _restart_all(store, running, first, given.rounds)
            events = store.events(first + 1)
            arrived: Counter[str] = Counter()

            def all_arrived() -> bool:
                arrived.update(each.event for each in receiver.arrived())
                return set(arrived) >= set(events)

            until(all_arrived, 60)
            newest = max(events.values())
            indexed = until(lambda: _indexed(running) == [newest, newest], 60)
        _tell(met)
        again = sum(arrived.values()) - len(arrived)
        print(
            f"events: {len(events)} written, {len(heard)} heard by the feed, {len(arrived)} posted, "
            f"{again} of them again"
        )
        must("every request is answered well", held=met.failed == 0)
        must("the feed tells each change once and in order", held=heard == list(range(first + 1, newest + 1)))
        must("no event is lost", held=set(arrived) == set(events))
        must("both indexes have everything", held=indexed)
    return 1 if missed else 0


def _restart_all(store: Site, running: Platform, first: int, rounds: int) -> tuple[list[int], Met]:
    with (
        writing(store.engine, drafts(store.engine, 30_000), 0.05),
        following(running.address, first) as heard,
        asking(lambda at: (running.address, _PATHS[at % len(_PATHS)]), 6, pause=0.02) as met,
    ):
        for _ in range(rounds):
            for name, instance in running.instances.items():
                status = instance.stop()
                instance.start()
                print(f"{name}: stopped with status {status}, ready again in {instance.started_in:.1f} s")
                must(f"{name} stops well", held=status == 0)
    last = store.number("SELECT seq FROM change_head")
    with following(running.address, heard.seqs[-1] if heard.seqs else first) as rest:
        until(lambda: bool(rest.seqs and rest.seqs[-1] == last) or (heard.seqs or [0])[-1] == last, 30)
    met.failures += heard.failures
    return heard.seqs + rest.seqs, met


def _indexed(running: Platform) -> list[int]:
    answers = [httpx.get(f"{each.address}/v1/search?q=x", timeout=10) for each in running.of("search")]
    return [answer.json()["dataset"]["cursor"] for answer in answers]


def _tell(met: Met) -> None:
    print(f"requests: {sum(met.statuses.values())}, {met.failed} failed; longest {max(met.seconds) * 1000:.0f} ms")
    for fault in [*met.failures[:5], *met.told.items()]:
        print(f"  {fault}")


if __name__ == "__main__":
    sys.exit(main())
