"""The platform as it is deployed, for benchmarks of operations: each service a process, several of some, behind Caddy.

With it those who use it: clients that ask one request after the other, one that follows the feed, and one that writes.
"""

import http.client
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import orjson
from sqlalchemy import Engine

from benchmarks.serving import free_port
from services.core.store.changes import ChangeDraft, append_changes

CADDY = "caddy"
READY_SECONDS = 120.0
_SITE = """
{{
    admin off
    auto_https off
}}
http://127.0.0.1:{port} {{
    @search path /v1/search* /v1/suggest* /v1/similar* /v1/facets*
    handle @search {{
        {search}
    }}
    handle {{
        {api}
    }}
}}
"""
_UPSTREAMS = """reverse_proxy {addresses} {{
            lb_policy round_robin
            lb_try_duration 10s
            lb_try_interval 100ms
            health_uri /readyz
            health_interval 300ms
            health_timeout 2s
            flush_interval -1
            transport http {{
                keepalive 20s
            }}
        }}"""


class Instance:
    """One process of a service, which can be stopped and started again on its port."""

    def __init__(self, name: str, command: Sequence[str], environment: dict[str, str], port: int | None = None) -> None:
        self.name = name
        self.address = f"http://127.0.0.1:{port}" if port else None
        self.started_in = 0.0
        self._command = [sys.executable, "-m", "services.cli", *command]
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it, and wait until it is ready."""
        began = time.monotonic()
        self._process = subprocess.Popen(
            self._command, env={**os.environ, **self._environment}, stdout=subprocess.DEVNULL
        )
        while self.address and not is_ready(self.address):
            if time.monotonic() - began > READY_SECONDS or self._process.poll() is not None:
                raise TimeoutError(f"{self.name} is not ready")
            time.sleep(0.02)
        self.started_in = time.monotonic() - began

    def stop(self) -> int:
        """Stop it as an operator does; its exit status."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        return self._process.wait(90)


def is_ready(address: str) -> bool:
    """Whether a service answers and is ready."""
    try:
        return httpx.get(f"{address}/readyz", timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


@dataclass(frozen=True)
class Platform:
    """Its processes, and the address that people know."""

    instances: dict[str, Instance]
    address: str

    def of(self, service: str) -> list[Instance]:
        """The instances of one service."""
        return [each for name, each in self.instances.items() if name.startswith(service)]


@contextmanager
def platform(url: str, folder: Path, *, each: int = 2, **settings: str) -> Iterator[Platform]:
    """So many instances of the API, of search, of the deliverer; with Caddy in front where there are several."""
    usual = {
        "UPR_DATABASE_URL": url,
        "UPR_DATA_DIR": str(folder),
        "UPR_WEBHOOK_ALLOW_LOOPBACK": "true",
        "UPR_RATE_LIMIT": "0",
        "UPR_LOG_LEVEL": "warning",
        **settings,
    }
    with ExitStack() as stack:
        instances: dict[str, Instance] = {}
        for number in range(1, each + 1):
            for service, command in (
                ("api", ("api", "serve")),
                ("search", ("search", "serve")),
                ("deliver", ("api", "deliver")),
            ):
                name = f"{service}-{number}"
                port = free_port()
                own = {"UPR_API_PORT": str(port), "UPR_SEARCH_PORT": str(port)}
                if service == "search":  # each machine has an index of its own
                    own["UPR_DATA_DIR"] = str(folder / name)
                instances[name] = Instance(name, command, {**usual, **own}, None if service == "deliver" else port)
                stack.callback(instances[name].stop)
                instances[name].start()
        if each == 1:
            yield Platform(instances, instances["api-1"].address or "")
            return
        yield Platform(instances, stack.enter_context(_proxy(instances, folder)))


@contextmanager
def _proxy(instances: dict[str, Instance], folder: Path) -> Iterator[str]:
    """Caddy with health checks and retries, as in `deploy`."""
    port = free_port()
    upstreams = {
        service: _UPSTREAMS.format(
            addresses=" ".join((each.address or "")[7:] for name, each in instances.items() if name.startswith(service))
        )
        for service in ("api", "search")
    }
    config = folder / "Caddyfile"
    config.write_text(_SITE.format(port=port, **upstreams))
    environment = {**os.environ, "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    command = [CADDY, "run", "--config", str(config), "--adapter", "caddyfile"]
    with subprocess.Popen(command, env=environment, stderr=(folder / "caddy.log").open("wb")) as process:
        try:
            address = f"http://127.0.0.1:{port}"
            until = time.monotonic() + 20
            while not is_ready(address) and time.monotonic() < until:
                time.sleep(0.05)
            yield address
        finally:
            process.terminate()


def caddy_is_here() -> bool:
    """Whether Caddy is installed."""
    return shutil.which(CADDY) is not None


@dataclass
class Met:
    """What clients met: answers by status, what was no answer at all; what was asked, and how long it took."""

    statuses: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    told: dict[int, bytes] = field(default_factory=dict)
    without_retry_after: int = 0
    good_at: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def failed(self) -> int:
        """Requests without a good answer."""
        return len(self.failures) + sum(count for status, count in self.statuses.items() if status != 200)


@contextmanager
def asking(address_of: Callable[[int], tuple[str, str]], clients: int, pause: float = 0.0) -> Iterator[Met]:
    """Clients that ask one request after the other as long as the block lasts. `address_of`: address and path."""
    met, over = Met(), threading.Event()

    def ask(number: int) -> None:
        connections: dict[str, http.client.HTTPConnection] = {}
        at = number * 1_000_003
        while not over.is_set():
            address, path = address_of(at)
            at += 1
            _ask_once(connections, address, path, met)
            over.wait(pause)
        for connection in connections.values():
            connection.close()

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield met
    finally:
        over.set()
        for thread in threads:
            thread.join()


def _ask_once(connections: dict[str, http.client.HTTPConnection], address: str, path: str, met: Met) -> None:
    began = time.monotonic()
    connection = connections.get(address)
    if connection is None:
        connection = connections[address] = http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        if answer.getheader("connection") == "close":
            connection.close()
    except (OSError, http.client.HTTPException) as fault:
        connection.close()
        met.failures.append(f"{path}: {type(fault).__name__} {fault}")
    else:
        met.statuses[answer.status] += 1
        with met.lock:
            met.seconds.append(time.monotonic() - began)
            met.paths.append(path)
        if answer.status == 200:
            met.good_at.append(time.monotonic())
        else:
            met.told.setdefault(answer.status, body[:500])
            met.without_retry_after += "retry-after" not in {name.lower() for name, _ in answer.getheaders()}


@dataclass
class Followed:
    """What a reader of the feed has heard: numbers in the order in which they came."""

    seqs: list[int] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


@contextmanager
def following(address: str, after: int) -> Iterator[Followed]:
    """Follow the feed by `wait`, as an integrator does, as long as the block lasts."""
    heard, over = Followed(), threading.Event()

    def follow() -> None:
        seen = after
        while not over.is_set():
            try:
                answer = httpx.get(f"{address}/v1/changes", params={"after": seen, "wait": 2, "limit": 200}, timeout=30)
            except httpx.HTTPError as fault:
                heard.failures.append(f"{type(fault).__name__} {fault}")
                over.wait(0.2)
                continue
            if answer.status_code != 200:
                heard.failures.append(f"{answer.status_code} {answer.text[:300]}")
                over.wait(0.2)
                continue
            page = orjson.loads(answer.content)
            heard.seqs += [event["seq"] for event in page["data"]]
            seen = heard.seqs[-1] if page["page"]["next"] else page["dataset"]["cursor"]

    thread = threading.Thread(target=follow)
    thread.start()
    try:
        yield heard
    finally:
        over.set()
        thread.join()


@contextmanager
def writing(engine: Engine, changes: Sequence[ChangeDraft], pause: float) -> Iterator[list[int]]:
    """Write a few changes every `pause` seconds as long as the block lasts, and try again what failed."""
    written: list[int] = []
    over = threading.Event()

    def write() -> None:
        at = 0
        while not over.is_set() and at < len(changes):
            try:
                with engine.begin() as connection:
                    last = append_changes(connection, changes[at : at + 3])
                written.append(last)
                at += 3
            except Exception as fault:  # noqa: BLE001 - whatever it was, what was not committed is written again
                print(f"  a writer met {type(fault).__name__}", file=sys.stderr)
            over.wait(pause)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield written
    finally:
        over.set()
        thread.join()


def until(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait for something; whether it came."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True
