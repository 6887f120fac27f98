"""The guardian: one detached process per cluster, which runs PostgreSQL as long as anybody holds a lease.

A lease is a connection to the guardian's socket (the starter's is a socket pair, so that it counts from the first
moment). Nothing is sent over it but the greeting, one line of JSON, when PostgreSQL is ready. The holder gives it
back by closing his side; one who dies, be it by kill -9, does the same. With the last lease the guardian stops
PostgreSQL and ends. It closes its own side when the holder may go: at once, or for the last one when all is stopped.

Its life is the lock on `{folder}/lock`, which it inherits from its starter: two guardians are impossible, and there
is no moment between starter and guardian in which the folder is free.
"""

import contextlib
import fcntl
import json
import os
import selectors
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from services.core.domain.errors import SettingsError, UnavailableError, UprError
from services.core.runtime.postgres.cluster import Cluster, is_disk_full, write_private

SOCKET_PATH_LIMIT = 103
"""Longest address of a Unix socket that works on every platform (Linux 107 bytes, macOS 103)."""

_LONGEST_SOCKET = "socket/.s.PGSQL.5432"


@dataclass(frozen=True, slots=True)
class Orders:
    """What a starter tells its guardian: the folder, the wheel, and the descriptors it hands over."""

    folder: str
    package: str
    durable: bool
    lock: int
    lease: int

    def to_json(self) -> str:
        """The form in which it is an argument of the guardian's command line."""
        return json.dumps(asdict(self))


class Guardian:
    """Holds the leases and the server. `run` is its whole life."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._folder = Path(orders.folder)
        self._selector = selectors.DefaultSelector()
        self._leases = {socket.socket(fileno=orders.lease)}
        self._last_lease: socket.socket | None = None
        self._told_to_stop = False
        self._greeting = b""

    def run(self) -> None:
        """Start PostgreSQL, serve leases, stop PostgreSQL; errors go to those who wait for the greeting."""
        with contextlib.ExitStack() as at_the_end:
            at_the_end.callback(self._dismiss_last)
            at_the_end.callback(fcntl.flock, self._orders.lock, fcntl.LOCK_UN)
            try:
                self._guard(at_the_end)
            except UprError as error:
                self._greet({"error": error.code, "detail": error.detail})
            except OSError as error:
                self._greet({"error": _code(error), "detail": f"{self._folder}: {error}"})

    def _guard(self, at_the_end: contextlib.ExitStack) -> None:
        signals = at_the_end.enter_context(self._signals())
        cluster = Cluster(
            self._folder, Path(self._orders.package), durable=self._orders.durable, log=sys.stderr.fileno()
        )
        cluster.prepare()
        place = at_the_end.enter_context(_meeting_place(self._folder, cluster))
        at_the_end.callback(cluster.stop)
        cluster.start(place / "socket")
        # Opened when the server is ready, closed before it is stopped: who gets through has a running server.
        listener = at_the_end.enter_context(_listening(place, cluster, self._folder))
        self._selector.register(listener, selectors.EVENT_READ)
        self._selector.register(signals, selectors.EVENT_READ)
        self._greet({"socket_folder": str(place / "socket"), "durable": self._orders.durable})
        while self._leases and not self._told_to_stop and not cluster.has_ended():
            self._next_events(listener, signals)

    def _next_events(self, listener: socket.socket, signals: socket.socket) -> None:
        for key, _ in self._selector.select():
            if key.fileobj is listener:
                self._grant(listener)
            elif key.fileobj is signals:
                signals.recv(4096)  # only to wake us: the loop looks at what happened
            elif isinstance(key.fileobj, socket.socket):
                self._hear(key.fileobj)

    def _grant(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            lease, _ = listener.accept()
            self._leases.add(lease)
            self._dismiss_last()
            self._welcome(lease)

    def _greet(self, greeting: dict[str, Any]) -> None:
        self._greeting = json.dumps(greeting).encode() + b"\n"
        for lease in list(self._leases):
            self._welcome(lease)

    def _welcome(self, lease: socket.socket) -> None:
        """Say that the server is ready, or what is wrong; the line is short enough for any socket's buffer."""
        self._selector.register(lease, selectors.EVENT_READ)
        try:
            lease.sendall(self._greeting)
        except OSError:
            self._drop(lease)

    def _hear(self, lease: socket.socket) -> None:
        try:
            still_there = lease.recv(4096) != b""
        except OSError:
            still_there = False
        if not still_there:
            self._drop(lease)

    def _drop(self, lease: socket.socket) -> None:
        self._leases.discard(lease)
        self._selector.unregister(lease)
        if self._leases:
            lease.close()
        else:
            self._last_lease = lease

    def _dismiss_last(self) -> None:
        if self._last_lease is not None:
            self._last_lease.close()
            self._last_lease = None

    @contextlib.contextmanager
    def _signals(self) -> Iterator[socket.socket]:
        """Become readable at signals. SIGTERM, a shutdown of the machine, ends us in good order."""
        reading, writing = socket.socketpair()
        with reading, writing:
            writing.setblocking(False)
            signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, self._stop_soon)
            for number in (signal.SIGHUP, signal.SIGCHLD):  # handled, not ignored: children would inherit that
                signal.signal(number, lambda *_: None)
            yield reading
            signal.set_wakeup_fd(-1)

    def _stop_soon(self, *_: object) -> None:
        self._told_to_stop = True


@contextlib.contextmanager
def _meeting_place(folder: Path, cluster: Cluster) -> Iterator[Path]:
    """A folder for sockets: the cluster's own, or a new temporary one where the addresses would be too long."""
    if len(os.fsencode(folder / _LONGEST_SOCKET)) <= SOCKET_PATH_LIMIT:
        _make_socket_folder(folder, cluster)
        yield folder
        return
    place = Path(tempfile.mkdtemp(prefix="openupr-", dir=_short_temporary_folder()))
    try:
        if cluster.account.borrowed:
            place.chmod(0o711)  # the cluster's owner has to pass, should it be an ordinary user
        _make_socket_folder(place, cluster)
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _short_temporary_folder() -> str:
    chosen = tempfile.gettempdir()
    return chosen if len(os.fsencode(chosen)) < SOCKET_PATH_LIMIT - 50 else "/tmp"  # noqa: S108 - mkdtemp within


def _make_socket_folder(place: Path, cluster: Cluster) -> None:
    socket_folder = place / "socket"
    shutil.rmtree(socket_folder, ignore_errors=True)  # sockets of a server that was killed
    socket_folder.mkdir(mode=0o700)
    if cluster.account.borrowed:
        os.chown(socket_folder, cluster.account.uid, cluster.account.gid)


@contextlib.contextmanager
def _listening(place: Path, cluster: Cluster, folder: Path) -> Iterator[socket.socket]:
    """The socket where leases are taken, and the file that says where it is."""
    address, notice = place / "lease", folder / "guardian.json"
    with socket.socket(socket.AF_UNIX) as listener:
        address.unlink(missing_ok=True)
        listener.bind(os.fspath(address))
        if cluster.account.borrowed:
            os.chown(address, cluster.account.uid, cluster.account.gid)
        listener.listen(128)
        write_private(notice, json.dumps({"pid": os.getpid(), "lease": str(address)}), sync=False)
        try:
            yield listener
        finally:
            notice.unlink(missing_ok=True)
            address.unlink(missing_ok=True)


def _code(error: OSError) -> str:
    return UnavailableError.code if is_disk_full(error) else SettingsError.code


def main() -> None:
    """Detach from the starter, who waits for this only, and guard."""
    orders = Orders(**json.loads(sys.argv[1]))
    if os.fork():
        os._exit(0)
    os.umask(0o077)
    Guardian(orders).run()


if __name__ == "__main__":
    main()
