"""A mixed load on real data: searches 60 %, lists 30 %, records 10 %.

    python -m benchmarks.load --store FOLDER [--seconds N] [--clients N]

First against `upr up` as anybody starts it, then against two processes of each service behind Caddy, where that is
installed. FOLDER is a data folder of `upr up` with something loaded; it is used in place. Prints throughput, p50, p95
and p99, errors, and the memory of each process at the end. The exit status is 1 where a request failed.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

from benchmarks.feed import Process
from benchmarks.platform import Met, asking, caddy_is_here, platform
from benchmarks.serving import free_port
from services.core.runtime.postgres import embedded_postgres
from tests.up.programs import running

_WORDS = (
    "torture", "women+rights", "death+penalty", "indigenous+peoples", "education", "discrimin", "%22national+plan%22",
    "freedom+-press", "ratify+convention", "prision", "enfants", "climate+change", "trafficking", "independence",
)  # fmt: skip
_SEARCHES = tuple(f"/v1/search?q={word}&facets=topic,sdg" for word in _WORDS)
_LISTS = tuple(
    f"/v1/recommendations?{filters}&limit=50"
    for filters in (
        "state_under_review=PER",
        "recommending_state=ESP&position=noted",
        "topic=torture-prevention",
        "region=grulac&cycle=3",
        "sort=-updated_at",
    )
)
_MOST_IDS = 200


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--store", type=Path, required=True)
    options.add_argument("--seconds", type=float, default=120)
    options.add_argument("--clients", type=int, default=8)
    given = options.parse_args()
    failed = 0
    with _up(given.store) as (addresses, processes):
        print("`upr up`, one process each")
        failed += _load(addresses, processes, given)
    if caddy_is_here():
        with _two_of_each(given.store) as (addresses, processes):
            print("two processes each, behind Caddy")
            failed += _load(addresses, processes, given)
    else:
        print("two processes each: not run, Caddy is not installed (apt-get install caddy)")
    return 1 if failed else 0


Running = tuple[Mapping[str, str], Callable[[], Mapping[str, int]]]
"""The addresses of API and search, and what tells the processes by name."""


@contextmanager
def _up(store: Path) -> Iterator[Running]:
    ports = {name: free_port() for name in ("API", "SEARCH", "INGEST")}
    settings = {f"UPR_{name}_PORT": str(port) for name, port in ports.items()}
    settings |= {"UPR_DATA_DIR": str(store.resolve()), "UPR_RATE_LIMIT": "0", "UPR_LOG_LEVEL": "warning"}
    with running(["services.cli", "up"], settings, uuid.uuid4().hex) as program:
        program.wait_for("Ctrl-C stops everything.", 600)
        addresses = {"api": f"http://127.0.0.1:{ports['API']}", "search": f"http://127.0.0.1:{ports['SEARCH']}"}

        def processes() -> Mapping[str, int]:
            named = {" ".join(_command(pid)): pid for pid in program.relatives()}
            return {name.partition("--stop-with-stdin ")[2]: pid for name, pid in named.items() if "stop-with" in name}

        yield addresses, processes


@contextmanager
def _two_of_each(store: Path) -> Iterator[Running]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(embedded_postgres(store / "postgres"))
        site = stack.enter_context(platform(url, folder))
        yield (
            {"api": site.address, "search": site.address},
            lambda: {name: instance.pid for name, instance in site.instances.items()},
        )


def _command(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")


def _load(addresses: Mapping[str, str], processes: Callable[[], Mapping[str, int]], given: argparse.Namespace) -> int:
    listed = httpx.get(f"{addresses['api']}/v1/recommendations?limit={_MOST_IDS}&fields=id", timeout=60).json()["data"]
    records = [f"/v1/recommendations/{each['id']}" for each in listed]

    def address_of(at: int) -> tuple[str, str]:
        kind = at % 10
        if kind < 6:
            return addresses["search"], _SEARCHES[at % len(_SEARCHES)]
        paths = _LISTS if kind < 9 else records
        return addresses["api"], paths[at // 10 % len(paths)]

    began = {name: Process(pid).cpu() for name, pid in processes().items()}
    with asking(address_of, given.clients) as met:
        time.sleep(given.seconds)
        ended = dict(processes())
    _tell(met, given.seconds)
    for name, pid in sorted(ended.items()):
        process = Process(pid)
        cpu = process.cpu() - began.get(name, 0.0)
        print(f"  {name:<16} {process.status('VmRSS') / 1024:6.0f} MiB, {cpu / given.seconds:5.2f} cores")
    return met.failed


def _tell(met: Met, seconds: float) -> None:
    cuts = statistics.quantiles(met.seconds, n=100)
    p50, p95, p99 = (cuts[at - 1] * 1000 for at in (50, 95, 99))
    rate = len(met.seconds) / seconds
    print(f"  {rate:.0f} requests/s on {os.cpu_count()} cores, {met.failed} failed of {len(met.seconds)}")
    print(f"  p50 {p50:.1f} ms, p95 {p95:.1f} ms, p99 {p99:.1f} ms, longest {max(met.seconds) * 1000:.0f} ms")
    for fault in [*met.failures[:5], *met.told.items()]:
        print(f"  {fault}")


if __name__ == "__main__":
    sys.exit(main())
