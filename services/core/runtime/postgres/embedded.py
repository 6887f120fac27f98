"""Taking a lease on the cluster of a folder; the guardian behind it is started where none lives. POSIX only."""

import contextlib
import fcntl
import json
import os
import socket
import subprocess
import sys
import time
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from services.core.domain.errors import SettingsError, UnavailableError
from services.core.runtime.postgres import binaries, cluster
from services.core.runtime.postgres.guardian import Orders

WAIT_LIMIT = 2 * cluster.START_LIMIT
"""Seconds until we give up on a guardian that neither greets us nor ends."""
LOG_LIMIT = 10_000_000
"""Bytes of `server.log` beyond which the next start begins a new one, keeping one old one."""

_POLL = 0.02
_ROOT = Path(__file__).resolve().parents[4]
"""The folder that the package `services` lies in."""

_leases: "weakref.WeakSet[socket.socket]" = weakref.WeakSet()


@contextlib.contextmanager
def lease_cluster(folder: Path, *, durable: bool) -> Iterator[str]:
    """`embedded_postgres` without the look at the platform."""
    folder = folder.resolve()
    with _settings_error(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
    lease, greeting = _take_lease(folder, durable)
    try:
        if durable and not greeting["durable"]:
            raise SettingsError(f"The database in {folder} is in use by tests, without durability: end them first.")
        url = _url(folder, greeting["socket_folder"])
        _check(url)
        yield url
    finally:
        _release(lease)


def is_guarded(folder: Path) -> bool:
    """Whether a guardian lives for the cluster in `folder`: starting, running or stopping PostgreSQL."""
    try:
        lock = os.open(folder / "lock", os.O_RDWR | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    try:
        return not _locked(lock)
    finally:
        os.close(lock)


def _take_lease(folder: Path, durable: bool) -> tuple[socket.socket, dict[str, Any]]:
    """Start a guardian if the folder's lock is free, else join the one that holds it, waiting while it stops."""
    deadline = time.monotonic() + WAIT_LIMIT
    while time.monotonic() < deadline:
        started = _start_guardian(folder, durable)
        lease = started or _join(folder)
        if lease is not None:
            _leases.add(lease)
            try:
                if greeting := _greeting(lease, deadline):
                    return lease, greeting
            except BaseException:
                _release(lease)
                raise
            _release(lease)
            if started:
                said = cluster.last_words(cluster.text_from(folder / "server.log", -2000))
                raise UnavailableError(f"The guardian of PostgreSQL in {folder} ended at once: {said}")
            # otherwise it was just stopping
        time.sleep(_POLL)
    raise UnavailableError(f"PostgreSQL in {folder} neither starts nor stops; see {folder / 'server.log'}.")


def _start_guardian(folder: Path, durable: bool) -> socket.socket | None:
    """Start a guardian and return the first lease; None if there is one already."""
    with _settings_error(folder), contextlib.ExitStack() as ours:
        lock = _open_for_owner(folder / "lock", os.O_RDWR)
        ours.callback(os.close, lock)
        if not _locked(lock):
            return None
        log = _open_for_owner(_rotated(folder / "server.log"), os.O_WRONLY | os.O_APPEND)
        ours.callback(os.close, log)
        lease, theirs = socket.socketpair()
        ours.callback(theirs.close)
        orders = Orders(str(folder), str(binaries.installed_package()), durable, lock, theirs.fileno())
        try:
            _spawn(orders, log)
        except BaseException:
            lease.close()
            raise
        return lease


def _spawn(orders: Orders, log: int) -> None:
    """Run the guardian in a session of its own, out of reach of the terminal's Ctrl-C.

    `-S`: the standard library is all it needs, and it starts in a third of the time.
    """
    try:
        subprocess.run(  # noqa: S603 - our own module
            [sys.executable, "-S", "-s", "-P", "-m", "services.core.runtime.postgres.guardian", orders.to_json()],
            check=False,  # what is wrong with it shows in the greeting, or in its absence
            env={**os.environ, "PYTHONPATH": str(_ROOT)},
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[orders.lock, orders.lease],
            start_new_session=True,
        )
    except OSError as error:
        raise UnavailableError(f"The guardian of PostgreSQL could not be started: {error}") from error


def _join(folder: Path) -> socket.socket | None:
    """Connect to the living guardian; None if it does not take leases yet, or no longer."""
    lease = socket.socket(socket.AF_UNIX)
    try:
        notice = json.loads((folder / "guardian.json").read_text(encoding="utf-8"))
        lease.connect(notice["lease"])
    except (OSError, ValueError):
        lease.close()
        return None
    return lease


def _greeting(lease: socket.socket, deadline: float) -> dict[str, Any] | None:
    """What the guardian says when PostgreSQL is ready; None if it ended without a word.

    Raises SettingsError or UnavailableError if it says why PostgreSQL cannot be had.
    """
    lease.settimeout(max(deadline - time.monotonic(), 0.1))
    try:
        with lease.makefile("rb") as reader:
            line = reader.readline()
    except OSError:
        line = b""
    if not line.endswith(b"\n"):
        return None
    greeting: dict[str, Any] = json.loads(line)
    if "error" in greeting:
        kind = SettingsError if greeting["error"] == SettingsError.code else UnavailableError
        raise kind(greeting["detail"])
    return greeting


def _url(folder: Path, socket_folder: str) -> str:
    with _settings_error(folder):
        password = (folder / "password").read_text(encoding="utf-8").strip()
    place = quote(socket_folder, safe="/")
    return f"postgresql://{cluster.ROLE}:{quote(password)}@/{cluster.DATABASE}?host={place}&port=5432"


def _check(url: str) -> None:
    """SELECT 1, so that nobody gets an address that does not answer."""
    import psycopg  # noqa: PLC0415 - not where a database is given

    try:
        with psycopg.connect(url, connect_timeout=10) as connection:
            connection.execute("SELECT 1")
    except psycopg.Error as error:
        raise UnavailableError(f"PostgreSQL runs but does not answer: {error}") from error


def _release(lease: socket.socket) -> None:
    """Give the lease back, also where a forked child still has a copy of it; the last one waits for the end."""
    _leases.discard(lease)
    with lease, contextlib.suppress(OSError):
        lease.shutdown(socket.SHUT_WR)
        lease.settimeout(cluster.FAST_STOP_LIMIT + cluster.IMMEDIATE_STOP_LIMIT)
        while lease.recv(4096):
            pass


def _forget_leases() -> None:
    """In a forked child: the lease is its parent's. Held here, it would outlive a parent that is killed."""
    for lease in list(_leases):
        lease.close()
    _leases.clear()


os.register_at_fork(after_in_child=_forget_leases)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _open_for_owner(path: Path, flags: int) -> int:
    """Open or make a file that belongs to the folder's owner."""
    descriptor = os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    cluster.give_to_owner_of(path.parent, descriptor)
    return descriptor


def _rotated(log: Path) -> Path:
    with contextlib.suppress(FileNotFoundError):
        if log.stat().st_size > LOG_LIMIT:
            log.replace(log.with_name(f"{log.name}.1"))
    return log


@contextlib.contextmanager
def _settings_error(folder: Path) -> Iterator[None]:
    """Say of an error of the file system what it means here."""
    try:
        yield
    except OSError as error:
        if cluster.is_disk_full(error):
            raise UnavailableError(f"There is no room left for the database in {folder}.") from error
        raise SettingsError(
            f"The database's folder {folder} cannot be used ({error.strerror or error}): "
            "give yourself access to it, or choose another UPR_DATA_DIR, or set UPR_DATABASE_URL."
        ) from error
