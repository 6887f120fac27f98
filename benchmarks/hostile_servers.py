"""A hundred hostile answers in a row, again and again: what each comes to, and what it costs the process that asks.

    python -m benchmarks.hostile_servers [--rounds 3] [--threads 4]

The servers are a process of their own, so that the memory told is the fetcher's alone. Bounds are wider than in the
tests: 20 MB a file, and two tries. Says so (exit status 1) where an outcome is another than expected, where memory,
threads or open files grow from round to round, or where anything but the log of requests reaches the database.
"""

import argparse
import gc
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy import Engine, func, select, text

from services.core.runtime.guard import AddressRules
from services.core.runtime.postgres import embedded_postgres
from services.core.store import migrate
from services.core.store.archive import Archive
from services.core.store.engine import make_engine
from services.core.store.tables import metadata
from services.ingest.fetching.exchange import Exchange
from services.ingest.fetching.fetcher import Fetcher, Limits
from services.ingest.fetching.outcomes import NotFetchedError
from services.ingest.fetching.pace import Pace, Patience
from tests.ingest.fetching.behaviours import BEHAVIOURS, FETCHED
from tests.ingest.fetching.hostile_server import serving

LIMITS = Limits(most_bytes=20_000_000, deadline=3.0, tries=2, first_pause=0.01, pause_when_too_many=0.05)
WITH_THESE_BOUNDS = {"a gzip bomb": "inflates_too_far"}
"""Outcomes that come sooner than with the tests' bounds."""
MOST_GROWTH = 8.0
"""MB that the process may grow after the first two rounds, in which pools and caches fill."""
OWN_TABLES = frozenset({"fetch_hosts", "resources", "responses"})


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.serve:
        serve()
        return 0
    with tempfile.TemporaryDirectory(prefix="upr-hostile-") as folder, embedded_postgres(Path(folder, "pg")) as url:
        migrate.upgrade(url)
        engine = make_engine(url, pool_size=told.threads + 2)
        try:
            return measure(engine, Path(folder), told.rounds, told.threads)
        finally:
            engine.dispose()


def serve() -> None:
    """A server for each behaviour, until the input ends. Prints their addresses."""
    with ExitStack() as servers:
        addresses = {}
        for name, expected in BEHAVIOURS.items():
            server = servers.enter_context(serving())
            server.paths["/"] = expected.behaviour
            addresses[name] = server.url("/")
        sys.stdout.write(json.dumps(addresses) + "\n")
        sys.stdout.flush()
        sys.stdin.read()


@contextmanager
def served() -> Iterator[Mapping[str, str]]:
    """Addresses by behaviour, of a fresh process: some behave in another way the second time."""
    command = [sys.executable, "-m", "benchmarks.hostile_servers", "--serve"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.stdin.close()


def measure(engine: Engine, folder: Path, rounds: int, threads: int) -> int:
    before, faults, memory = sizes(engine), [], []
    print(f"{len(BEHAVIOURS)} behaviours, {threads} threads, at most {LIMITS.most_bytes / 1e6:.0f} MB a file\n")
    print("round  seconds  CPU s  as expected  memory MB  highest MB  threads  open files  requests")
    for number in range(1, rounds + 1):
        with engine.begin() as connection:
            connection.execute(text("TRUNCATE fetch_hosts, resources, responses"))
        started, processor = time.perf_counter(), time.process_time()
        with served() as addresses:
            outcomes = all_outcomes(engine, folder / f"round-{number}", addresses, threads)
        wrong = {name: told for name, told in outcomes.items() if told != expected_outcome(name)}
        faults += [f"round {number}: {name}: {told}, not {expected_outcome(name)}" for name, told in wrong.items()]
        gc.collect()
        memory.append(status("VmRSS"))
        print(
            f"{number:5}  {time.perf_counter() - started:7.1f}  {time.process_time() - processor:5.1f}"
            f"  {len(outcomes) - len(wrong):11}  {memory[-1]:9.1f}  {status('VmHWM'):10.1f}"
            f"  {threading.active_count():7}  {len(list(Path('/proc/self/fd').iterdir())):10}  {requests(engine):8}"
        )
    print("\n" + ", ".join(f"{code} {count}" for code, count in Counter(outcomes.values()).most_common()))
    if memory[-1] - memory[min(1, rounds - 1)] > MOST_GROWTH:
        faults.append(f"memory grew from {memory[1]:.1f} to {memory[-1]:.1f} MB")
    if sizes(engine) != before:
        faults.append("something reached the database")
    print("\n".join(faults) or "\nNothing but the log of requests reached the database.")
    return 1 if faults else 0


def all_outcomes(engine: Engine, folder: Path, addresses: Mapping[str, str], threads: int) -> dict[str, str]:
    exchange = Exchange(AddressRules(allow_http=True, allow_loopback=True), "OpenUPR/benchmark")
    pace = Pace(engine, 1_000.0, 4, patience=Patience(for_a_turn=2.0))
    fetcher = Fetcher(engine, Archive(folder), exchange, pace, limits=LIMITS)
    with ThreadPoolExecutor(threads) as pool:
        told = pool.map(lambda name: outcome(fetcher, name, addresses[name]), addresses)
        return dict(zip(addresses, told, strict=True))


def outcome(fetcher: Fetcher, name: str, address: str) -> str:
    try:
        fetcher(address, kinds=frozenset({"pdf"}), may_be_missing=BEHAVIOURS[name].may_be_missing)
    except NotFetchedError as refused:
        return refused.code
    return FETCHED


def expected_outcome(name: str) -> str:
    return WITH_THESE_BOUNDS.get(name, BEHAVIOURS[name].outcome)


def sizes(engine: Engine) -> dict[str, int]:
    tables = [table for table in metadata.sorted_tables if table.name not in OWN_TABLES]
    with engine.connect() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one() for table in tables
        }


def requests(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text("SELECT count(*) FROM responses")).scalar_one())


def status(field: str) -> float:
    """A figure of this process, in MB."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    sys.exit(main())
