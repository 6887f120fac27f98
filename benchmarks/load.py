"""A mixed load on real data: searches 60 %, lists 30 %, records 10 %.

    python -m benchmarks.load --store FOLDER [--seconds N] [--clients N] [--processes N ...]

Against `upr up` with one process of API and search each, as anybody starts it, then with two of each
(UPR_API_PROCESSES, UPR_SEARCH_PROCESSES). FOLDER is a data folder of `upr up` with something loaded; it is used in
place. Prints throughput, p50, p95 and p99 of each kind, errors, what memory and processor the processes of each part
took, and what the clients took, who run on the same machine. The exit status is 1 where a request failed.

Memory is PSS: what several processes share is divided among them, so that sums are true.
"""

import argparse
import os
import statistics
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from benchmarks.feed import Process
from benchmarks.platform import Met, asking
from benchmarks.serving import free_port
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
_KINDS = {"search": "/v1/search", "list": "/v1/recommendations?", "record": "/v1/recommendations/"}


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--store", type=Path, required=True)
    options.add_argument("--seconds", type=float, default=120)
    options.add_argument("--clients", type=int, default=8)
    options.add_argument("--processes", type=int, nargs="+", default=[1, 2])
    given = options.parse_args()
    failed = 0
    for processes in given.processes:
        print(f"`upr up`, API and search with {processes} process{'es' if processes > 1 else ''} each", flush=True)
        with _up(given.store, processes) as (addresses, parts):
            failed += _load(addresses, parts, given)
    return 1 if failed else 0


Running = tuple[Mapping[str, str], Callable[[], Mapping[str, list[int]]]]
"""The addresses of API and search, and what tells the processes of each part."""


@contextmanager
def _up(store: Path, processes: int) -> Iterator[Running]:
    ports = {name: free_port() for name in ("API", "SEARCH", "INGEST")}
    settings = {f"UPR_{name}_PORT": str(port) for name, port in ports.items()}
    settings |= {f"UPR_{name}_PROCESSES": str(processes) for name in ("API", "SEARCH")}
    settings |= {"UPR_DATA_DIR": str(store.resolve()), "UPR_RATE_LIMIT": "0", "UPR_LOG_LEVEL": "warning"}
    with running(["services.cli", "up"], settings, uuid.uuid4().hex) as program:
        program.wait_for("Ctrl-C stops everything.", 600)
        addresses = {"api": f"http://127.0.0.1:{ports['API']}", "search": f"http://127.0.0.1:{ports['SEARCH']}"}

        def parts() -> Mapping[str, list[int]]:
            found: dict[str, list[int]] = {}
            for pid in program.relatives():
                found.setdefault(_part(pid), []).append(pid)
            return found | {"postgres": _postgres(store)}

        yield addresses, parts


def _part(pid: int) -> str:
    """Of what a process is part, by its command line."""
    command = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").replace("\0", " ")
    return command.partition("--stop-with-stdin ")[2].strip() or "other"


def _postgres(store: Path) -> list[int]:
    """The server and its children."""
    (pid_file,) = (store / "postgres").rglob("postmaster.pid")
    server = int(pid_file.read_text().split()[0])
    children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
    return [server, *map(int, children)]


def _load(addresses: Mapping[str, str], parts: Callable[[], Mapping[str, list[int]]], given: argparse.Namespace) -> int:
    listed = httpx.get(f"{addresses['api']}/v1/recommendations?limit={_MOST_IDS}&fields=id", timeout=60).json()["data"]
    records = [f"/v1/recommendations/{each['id']}" for each in listed]

    def address_of(at: int) -> tuple[str, str]:
        kind = at % 10
        if kind < 6:
            return addresses["search"], _SEARCHES[at % len(_SEARCHES)]
        paths = _LISTS if kind < 9 else records
        return addresses["api"], paths[at // 10 % len(paths)]

    for address, paths in ((addresses["search"], _SEARCHES), (addresses["api"], _LISTS)):
        for path in paths:
            httpx.get(f"{address}{path}", timeout=60)
    began = {pid: _cpu(pid) for pids in parts().values() for pid in pids}
    with asking(address_of, given.clients) as met:
        own, moment = time.process_time(), time.monotonic()
        time.sleep(given.seconds)
        seconds, own = time.monotonic() - moment, time.process_time() - own
        ended = parts()
        spent = {pid: _cpu(pid) - began.get(pid, 0.0) for pids in ended.values() for pid in pids}
    _tell(met, seconds)
    print(f"  clients: {own / seconds:.2f} cores")
    searches = sum(path.startswith(_KINDS["search"]) for path in met.paths)
    answered = {"search serve": searches, "api serve": len(met.paths) - searches, "postgres": len(met.paths)}
    for name, pids in sorted(ended.items()):
        memory, cpu = sum(map(_memory, pids)), sum(spent[pid] for pid in pids)
        each = f", {cpu / answered[name] * 1000:.1f} ms of CPU a request" if answered.get(name) else ""
        print(f"  {name:<14} {len(pids):2} processes, {memory:6.0f} MiB, {cpu / seconds:5.2f} cores{each}")
    return met.failed


def _cpu(pid: int) -> float:
    """Seconds of processor that it has used; 0 of one that has ended."""
    try:
        return Process(pid).cpu()
    except OSError:
        return 0.0


def _memory(pid: int) -> float:
    """Its share of memory in MiB; 0 of one that has ended."""
    try:
        told = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    return int(told.partition("Pss:")[2].split()[0]) / 1024


def _tell(met: Met, seconds: float) -> None:
    print(f"  {len(met.seconds) / seconds:.0f} requests/s on {os.cpu_count()} cores, {met.failed} failed")
    for kind, beginning in ({"all": "/"} | _KINDS).items():
        taken = [each for each, path in zip(met.seconds, met.paths, strict=True) if path.startswith(beginning)]
        print(f"  {kind:<7} {_percentiles(taken)}")
    for fault, count in Counter(met.failures).most_common(5):
        print(f"  {count} times: {fault}")
    for status, body in met.told.items():
        print(f"  {status}: {body[:300]!r}")


def _percentiles(seconds: Sequence[float]) -> str:
    if len(seconds) < 100:
        return f"{len(seconds)} answers: too few"
    cuts = statistics.quantiles(seconds, n=100)
    p50, p95, p99 = (cuts[at - 1] * 1000 for at in (50, 95, 99))
    return f"p50 {p50:6.1f}, p95 {p95:6.1f}, p99 {p99:6.1f}, longest {max(seconds) * 1000:6.0f} ms"


if __name__ == "__main__":
    sys.exit(main())
