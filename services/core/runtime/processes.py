"""A service in several processes that share one address: a parent forks them, watches over them and stops them.

All of them take connections from one listening socket, so that a connection waits for whoever is free, and none is lost
with a process. The parent serves nothing. Signals are for it alone: it tells the others through a pipe each, which also
ends when the parent dies, however it dies. A process that ends unasked is started anew.

Forked, they share the memory of what the parent has loaded.
"""

import contextlib
import multiprocessing
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import NoReturn

import structlog

from services.core.domain.errors import SettingsError, UnavailableError, UprError
from services.core.runtime.process_metrics import ProcessMetrics
from services.core.runtime.serve import (
    STOP_DEADLINE,
    AnnouncingServer,
    address_of,
    keep_what_is_there,
    listening,
    print_address,
    serve,
    uvicorn_config,
)
from services.core.runtime.settings import CoreSettings
from services.core.runtime.web import Service
from services.core.runtime.worker import STOP_SIGNALS

log = structlog.get_logger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds before a process that ended is started anew: doubled with each that ended soon."""
SOON = 60.0
_GRACE = 5.0
"""Seconds beyond its own deadline that a process is given to end."""

MakeService = Callable[[int], Service]
"""Makes the service of one process, told which of them it is; 0 does what only one may do."""


def serve_in_processes(
    make: MakeService,
    *,
    processes: int,
    host: str,
    port: int,
    settings: CoreSettings,
    announce: Callable[[str], None] = print_address,
) -> None:
    """Serve in so many processes until SIGTERM or SIGINT, as `serve` does in this one, which it is for 1.

    Raises `SettingsError` where the address cannot be listened on or the platform cannot fork, and `UnavailableError`
    where a process ends before all have begun to answer.
    """
    if processes == 1:
        serve(make(0), host=host, port=port, settings=settings, announce=announce)
        return
    if not hasattr(os, "fork"):
        raise SettingsError("Here a service runs in one process alone: start several, each on a port of its own.")
    with (
        contextlib.closing(listening(host, port)) as listener,
        tempfile.TemporaryDirectory(prefix="upr-") as folder,
        _StopSignals() as asked,
    ):
        keep_what_is_there()
        members = _Members(make, processes, listener, settings, Path(folder))
        _Watch(members, settings.stop_pause_seconds + STOP_DEADLINE + _GRACE, asked).run(
            lambda: announce(address_of(listener))
        )


@dataclass
class _Member:
    """One process as its parent sees it. A byte in `orders` asks it to stop; `ready` tells that it answers."""

    process: BaseProcess
    orders: int
    ready: int
    started: float
    answers: bool = False


class _Members:
    """Forks processes: what they are made of, and what happens in them."""

    def __init__(
        self, make: MakeService, count: int, listener: socket.socket, settings: CoreSettings, folder: Path
    ) -> None:
        self.count = count
        self._make = make
        self._listener = listener
        self._settings = settings
        self._folder = folder

    def start(self, number: int, others: list[_Member]) -> _Member:
        """Fork one. `others` are those that run: their pipes are not for it to keep open."""
        orders, ordering = os.pipe()
        readiness, ready = os.pipe()
        ours = [ordering, readiness, *(end for each in others for end in (each.orders, each.ready))]
        process = multiprocessing.get_context("fork").Process(
            target=self._live, args=(number, orders, ready, ours), name=f"upr-{number}"
        )
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)  # until it no longer has our handlers
        try:
            process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
            os.close(orders)
            os.close(ready)
        return _Member(process, ordering, readiness, time.monotonic())

    def _live(self, number: int, orders: int, ready: int, ours: list[int]) -> NoReturn:
        """What a process does from its first moment to its last."""
        for end in ours:
            os.close(end)
        for each in STOP_SIGNALS:
            signal.signal(each, lambda *_: None)  # not ignored: programs that we start would inherit that
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
        structlog.contextvars.bind_contextvars(process=number)
        try:
            self._serve(number, orders, ready)
        except UprError as error:
            log.error("the process cannot serve", fault=error.detail, code=error.code)
        except Exception:
            log.exception("the process failed")
        else:
            sys.exit(0)
        sys.exit(1)

    def _serve(self, number: int, orders: int, ready: int) -> None:
        service = self._make(number)
        metrics = ProcessMetrics(service.metrics_registry, self._folder, number, self.count)
        service.tell_metrics = metrics.tell

        def announce() -> None:
            keep_what_is_there()
            os.write(ready, b"!")

        # One connection in a round of the loop: who is busy comes round later, so who is free takes the next.
        config = uvicorn_config(service, self._settings, accepted_at_once=1)
        server = _MemberServer(config, announce, pause=self._settings.stop_pause_seconds)
        threading.Thread(target=_obey, args=(orders, server), name="orders", daemon=True).start()
        with metrics.shown():
            server.run(sockets=[_SharedSocket(fileno=os.dup(self._listener.fileno()))])


class _MemberServer(AnnouncingServer):
    """A server that is stopped by its parent and not by signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take over none."""
        yield


class _SharedSocket(socket.socket):
    """The listening socket of all: none of them says how long its queue is."""

    def listen(self, _backlog: int = 0, /) -> None:
        """It listens already."""


def _obey(orders: int, server: AnnouncingServer) -> None:
    """Stop the server when the parent says so, at once when it says so again; and when the parent is gone."""
    while os.read(orders, 1):
        server.handle_exit(signal.SIGTERM, None)
    server.handle_exit(signal.SIGTERM, None)


class _Watch:
    """Watches over the processes from the start of the first to the end of the last."""

    def __init__(self, members: _Members, deadline: float, asked: "_StopSignals") -> None:
        self._members = members
        self._deadline = deadline
        self._asked = asked
        self._alive: dict[int, _Member] = {}
        self._due: dict[int, float] = {}
        self._ended_soon = 0
        self._all_answered = False
        self._kill_at: float | None = None
        self._fault: str | None = None

    def run(self, announce: Callable[[], None]) -> None:
        """Start them, call `announce` when all answer, and return when all have ended."""
        self._due = dict.fromkeys(range(self._members.count), 0.0)
        while self._alive or (self._due and self._kill_at is None):
            self._start_who_is_due()
            self._wait()
            if not self._all_answered and len(self._alive) == self._members.count and self._kill_at is None:
                self._all_answered = all(member.answers for member in self._alive.values())
                if self._all_answered:
                    announce()
        if self._fault is not None:
            raise UnavailableError(self._fault)

    def _start_who_is_due(self) -> None:
        if self._kill_at is not None:
            return
        now = time.monotonic()
        for number in [number for number, at in self._due.items() if at <= now]:
            del self._due[number]
            self._alive[number] = self._members.start(number, list(self._alive.values()))

    def _wait(self) -> None:
        """Until something happens, and see to it."""
        starting = {member.ready: member for member in self._alive.values() if not member.answers}
        ends = {member.process.sentinel: number for number, member in self._alive.items()}
        happened = wait([self._asked.socket, *starting, *ends], self._until_next())
        for each in happened:
            if each is self._asked.socket:
                self._asked.socket.recv(1)
                self._stop()
            elif each in starting:
                starting[each].answers = os.read(each, 1) == b"!"
        for end in happened:
            if end in ends:
                self._ended(ends[end])
        if self._kill_at is not None and time.monotonic() >= self._kill_at:
            for member in self._alive.values():
                member.process.kill()

    def _until_next(self) -> float | None:
        moments = [*self._due.values()] if self._kill_at is None else [self._kill_at]
        return max(min(moments) - time.monotonic(), 0.05) if moments else None

    def _stop(self) -> None:
        """Ask all of them to stop; asked again, they do so at once."""
        self._kill_at = self._kill_at or time.monotonic() + self._deadline
        for member in self._alive.values():
            with contextlib.suppress(BrokenPipeError):
                os.write(member.orders, b"!")

    def _ended(self, number: int) -> None:
        member = self._alive.pop(number)
        member.process.join()
        status = member.process.exitcode
        member.process.close()
        os.close(member.orders)
        os.close(member.ready)
        if self._kill_at is not None:
            return
        if not self._all_answered:
            self._fault = f"Process {number} of the service ended with status {status}; the log says why."
            self._stop()
            return
        self._ended_soon = self._ended_soon + 1 if time.monotonic() - member.started < SOON else 0
        pause = min(FIRST_PAUSE * 2.0 ** min(self._ended_soon, 10), LONGEST_PAUSE)
        log.error("a process ended", process=number, status=status, started_anew_in=pause)
        self._due[number] = time.monotonic() + pause


class _StopSignals:
    """Turns SIGTERM and SIGINT into bytes of a socket as long as its block lasts. In the main thread only."""

    def __enter__(self) -> "_StopSignals":
        """Take over the signals."""
        self.socket, self._waker = socket.socketpair()
        self._waker.setblocking(False)
        self._earlier = {number: signal.signal(number, self._receive) for number in STOP_SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        """Give them back."""
        for number, handler in self._earlier.items():
            signal.signal(number, handler)
        self.socket.close()
        self._waker.close()

    def _receive(self, *_: object) -> None:
        with contextlib.suppress(OSError):  # so often was it asked that the socket is full
            self._waker.send(b"!")
