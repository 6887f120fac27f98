"""A few processes that live and end together."""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from services.core.domain.errors import UnavailableError, UprError
from services.up.stopping import StopRequests

READY_LIMIT = 180.0
"""Seconds until a service must be ready; the first build of a search index is part of it."""
STOP_LIMIT = 25.0
"""Seconds from SIGTERM to SIGKILL. A service gives the answers under way 20."""
SECONDS_BETWEEN_WORDS = 5.0
"""While we wait for a service, we say so this often."""
ANSWER_LIMIT = 3.0
"""Seconds that a service may take to say whether it is ready."""
LAST_LINES = 15
"""How much of its log is shown of a service that died."""

_POLL = 0.1

Say = Callable[[str], None]


class ServiceEndedError(UprError):
    """A service ended though nobody had asked it to."""

    code, status, title = "service_ended", 500, "A service ended"


@dataclass(frozen=True, slots=True)
class Service:
    """One process. `address` is where it answers `/readyz`; without one it counts as ready while it runs."""

    name: str
    command: Sequence[str]
    address: str | None = None


class Child:
    """A running process in a session of its own, out of reach of the terminal's Ctrl-C.

    Its standard input is a pipe that ends when we do (see `lifeline`). What it says goes to `log`, or where ours does.
    """

    def __init__(self, service: Service, environment: Mapping[str, str], log: Path | None = None) -> None:
        self.service = service
        self.log = log
        with contextlib.ExitStack() as ours:
            output = ours.enter_context(log.open("wb")) if log else None
            self._process = subprocess.Popen(  # noqa: S603 - the command is our own
                service.command,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                env=environment,
                start_new_session=True,
            )

    def status(self) -> int | None:
        """Its exit status once it has ended, below zero the signal that ended it. What it left behind is killed."""
        ended_before = self._process.returncode is not None
        status = self._process.poll()
        if status is not None and not ended_before:
            self.kill()
            assert self._process.stdin is not None
            self._process.stdin.close()
        return status

    def terminate(self) -> None:
        """Ask it to end."""
        self._process.terminate()

    def kill(self) -> None:
        """End it and all that it started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):  # nothing is left of its group
            os.killpg(self._process.pid, signal.SIGKILL)

    def end(self) -> str:
        """How it ended, in words."""
        status = self._process.returncode
        return f"was ended by {_signal_name(-status)}" if status < 0 else f"ended with status {status}"

    def last_lines(self) -> list[str]:
        """The end of its log."""
        if self.log is None:
            return []
        with self.log.open("rb") as file:
            file.seek(max(self.log.stat().st_size - 16_384, 0))
            return file.read().decode(errors="replace").splitlines()[-LAST_LINES:]


class Supervisor:
    """Runs services as long as its block lasts. Whatever ends the block, all of them are stopped.

    `database_lives`, where given, is asked now and then; when it says no, everything ends.
    """

    def __init__(
        self,
        logs: Path,
        environment: Mapping[str, str],
        requests: StopRequests,
        say: Say,
        database_lives: Callable[[], bool] | None = None,
    ) -> None:
        self._logs = logs
        self._environment = environment
        self._requests = requests
        self._say = say
        self._database_lives = database_lives
        self._database_seen = time.monotonic()
        self._services: list[Child] = []
        self._tasks: list[Child] = []

    def __enter__(self) -> Self:
        """Start nothing yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop all of them: at first with SIGTERM, in the end with SIGKILL."""
        alive = self._alive()
        if alive:
            self._say(f"stopping {', '.join(child.service.name for child in alive)}")
        for child in alive:
            child.terminate()
        deadline = time.monotonic() + STOP_LIMIT
        while alive and time.monotonic() < deadline and not self._requests.urgent:
            time.sleep(_POLL / 2)
            alive = self._alive()
        for child in alive:
            self._say(f"{child.service.name} does not stop, and is killed")
            child.kill()
        while self._alive():
            time.sleep(_POLL / 10)

    def start(self, services: Sequence[Service]) -> None:
        """Start the services, each with a log of its own in `{logs}/{name}.log` (the one before is kept as `.1`)."""
        self._logs.mkdir(parents=True, exist_ok=True)
        for service in services:
            log = self._logs / f"{service.name}.log"
            with contextlib.suppress(FileNotFoundError):
                log.replace(log.with_name(f"{log.name}.1"))
            self._services.append(Child(service, self._environment, log))

    def wait_until_ready(self) -> None:
        """Return when all services are ready, saying of each that it is.

        Raises `UnavailableError` with what a service said, if it is not ready in `READY_LIMIT` seconds.
        """
        started = last_word = time.monotonic()
        waiting = {child.service.name: child for child in self._services if child.service.address}
        while waiting:
            self._pause()
            faults = {name: _fault(child.service.address or "") for name, child in waiting.items()}
            for name in [name for name, fault in faults.items() if fault is None]:
                self._say(f"{name} is ready at {waiting.pop(name).service.address}")
            if waiting and time.monotonic() - last_word > SECONDS_BETWEEN_WORDS:
                last_word = time.monotonic()
                self._say("waiting for " + "; ".join(f"{name} ({faults[name]})" for name in waiting))
            if waiting and time.monotonic() - started > READY_LIMIT:
                name, child = next(iter(waiting.items()))
                self._show_last_lines(child)
                raise UnavailableError(f"{name} is not ready after {READY_LIMIT:.0f} s: {faults[name]}.")

    def run(self, task: Service) -> int:
        """Run something that ends by itself, on our own terminal; its exit status."""
        child = Child(task, self._environment)
        self._tasks.append(child)
        while (status := child.status()) is None:
            self._pause()
        return status

    def watch(self) -> None:
        """Watch over the services. Never returns: raises `Stopped`, or `ServiceEndedError`."""
        while True:
            self._pause()

    def _pause(self) -> None:
        """Wait a moment; raise what has happened in the meantime."""
        time.sleep(_POLL)
        self._requests.check()
        for child in self._services:
            if child.status() is not None:
                self._show_last_lines(child)
                raise ServiceEndedError(f"{child.service.name} {child.end()}; its log is {child.log}.")
        if time.monotonic() - self._database_seen > SECONDS_BETWEEN_WORDS:
            self._database_seen = time.monotonic()
            if self._database_lives is not None and not self._database_lives():
                raise ServiceEndedError("PostgreSQL ended; its log is server.log in the folder of the database.")

    def _show_last_lines(self, child: Child) -> None:
        for line in child.last_lines():
            self._say(f"{child.service.name} | {line}")

    def _alive(self) -> list[Child]:
        return [child for child in (*self._tasks, *self._services) if child.status() is None]


def _fault(address: str) -> str | None:
    """What keeps the service at `address` from being ready; None if nothing does."""
    place = urlsplit(address)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=ANSWER_LIMIT)
    try:
        with contextlib.closing(connection):
            connection.request("GET", "/readyz")
            answer = connection.getresponse()
            return None if answer.status == http.client.OK else _detail(answer.read(65_536), answer.status)
    except ConnectionRefusedError:
        return "it is starting"
    except (OSError, http.client.HTTPException) as fault:
        return str(fault) or type(fault).__name__


def _detail(body: bytes, status: int) -> str:
    """What a problem document says, or the bare status of an answer that is none."""
    try:
        return str(json.loads(body)["detail"])
    except (ValueError, KeyError, TypeError):
        return f"it answers with status {status}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
