"""What benchmarks of services share: a filled store, services in processes of their own, and clients that ask them."""

import argparse
import http.client
import os
import socket
import statistics
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from sqlalchemy import Engine, text

from services.core.store import migrate
from services.core.store.archive import Archive
from services.core.store.engine import make_engine
from services.ingest.runs import run_files
from services.ingest.sandbox import Sandbox

DATASETTE = Path(".venv-datasette/bin/datasette")


@dataclass(frozen=True)
class Figures:
    """What a client met: requests a second over all clients, p50 and p95 in milliseconds."""

    rate: float
    p50: float
    p95: float

    def __str__(self) -> str:
        return f"{self.rate:7.0f} req/s  p50 {self.p50:6.1f} ms  p95 {self.p95:6.1f} ms"


# The store


def filled(url: str, files: list[Path], folder: Path) -> Engine:
    migrate.upgrade(url)
    engine = make_engine(url, pool_size=4)
    with Sandbox() as sandbox:
        archive = Archive(folder / "documents")
        for _ in run_files(engine, files, sandbox, archive, source="bench", backfill_after=timedelta(days=180)):
            pass
    analyse(engine)
    return engine


def analyse(engine: Engine) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


# Services


@dataclass(frozen=True)
class Running:
    address: str
    pid: int


@contextmanager
def datasette(path: Path, *settings: tuple[str, str]) -> Iterator[Running]:
    """Datasette on one SQLite file, without suggestions of facets and without a cache, with further `settings`."""
    port = free_port()
    options = ["--immutable", str(path)]
    for name, value in (("suggest_facets", "off"), ("default_cache_ttl", "0"), *settings):
        options += ["--setting", name, value]
    command = [str(DATASETTE), "serve", "--port", str(port), *options]
    with started(command, f"http://127.0.0.1:{port}", "/-/versions.json", {}) as running:
        yield running


@contextmanager
def started(command: list[str], address: str, probe: str, environment: dict[str, str]) -> Iterator[Running]:
    process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL)
    try:
        for _ in range(400):
            with suppress(httpx.HTTPError):
                if httpx.get(address + probe).status_code == 200:
                    break
            time.sleep(0.05)
        yield Running(address, process.pid)
    finally:
        process.terminate()
        process.wait(timeout=30)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


# Clients


@contextmanager
def connected(address: str) -> Iterator[http.client.HTTPConnection]:
    """The plainest client there is: httpx takes 0.7 ms a request for itself."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=120)
    try:
        yield connection
    finally:
        connection.close()


def answered(connection: http.client.HTTPConnection, path: str) -> bytes:
    """The body of a good answer. A connection that the server has closed for being idle is opened again."""
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
    except http.client.RemoteDisconnected:
        connection.close()
        connection.request("GET", path)
        answer = connection.getresponse()
    body = answer.read()
    assert answer.status == 200, (path, body[:500])
    return body


def measured(address: str, paths: Sequence[str], given: argparse.Namespace) -> Figures:
    """Clients that ask one after the other, each over its own connection, uncompressed, for so many seconds."""
    times: list[float] = []
    until = time.perf_counter() + given.seconds

    def ask(number: int) -> None:
        own: list[float] = []
        with connected(address) as connection:
            for path in _again_and_again(paths, number):
                start = time.perf_counter()
                if start > until:
                    break
                answered(connection, path)
                own.append(time.perf_counter() - start)
        times.extend(own)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(given.clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    cuts = statistics.quantiles(times, n=20)
    return Figures(len(times) / given.seconds, cuts[9] * 1000, cuts[18] * 1000)


def _again_and_again(paths: Sequence[str], start: int) -> Iterator[str]:
    place = start * 37
    while True:
        yield paths[place % len(paths)]
        place += 1
