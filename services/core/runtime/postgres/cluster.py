"""One PostgreSQL cluster in one folder: made, started, stopped, and cleared of what a crash left over.

Used by the guardian alone, which holds the folder's lock and is single-threaded.

On Linux PostgreSQL is given its folders as `/proc/self/fd/N`. That works below folders which its account may not
enter (a clone in `/root`, whose mode is 0700 and stays so), and never exceeds the 107 bytes of a socket's address.
"""

import contextlib
import ctypes
import errno
import locale
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from services.core.domain.errors import SettingsError, UnavailableError
from services.core.runtime.postgres import binaries
from services.core.runtime.postgres.account import Account, account_for

ROLE = "openupr"
"""The cluster's superuser, the only role that initdb makes."""
DATABASE = "openupr"

START_LIMIT = 300.0
"""Seconds until the server must accept connections; recovery after a crash is part of it."""
FAST_STOP_LIMIT = 30.0
"""Seconds for a fast shutdown (sessions are cut, a checkpoint is written) before an immediate one."""
LEFTOVER_STOP_LIMIT = 10.0
"""The same for a server without a guardian."""
IMMEDIATE_STOP_LIMIT = 5.0
"""Seconds for an immediate shutdown before the process is killed."""

_POLL = 0.01
_LINUX = sys.platform == "linux"
_LIBC = ctypes.CDLL(None, use_errno=True) if _LINUX else None
_PR_SET_PDEATHSIG = 1
_SOCKET_NAME = ".s.PGSQL.5432"

_SETTINGS = {
    "listen_addresses": "",  # the socket alone
    "port": "5432",  # only names the socket
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "64MB",  # the system caches files as well, and one machine runs all services beside it
    "idle_in_transaction_session_timeout": "60s",  # such a session would hold up every writer (ADR on changes)
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "cluster_name": "openupr",
}
_DISPOSABLE_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "2GB",
}


class Cluster:
    """The cluster of `folder`, with its server process while that runs.

    In the folder: `cluster/` (PGDATA, owned by the server's account), `password` (of the superuser, mode 0600),
    `server.log`. The server's socket is in `socket_folder`.
    """

    def __init__(self, folder: Path, package: Path, *, durable: bool, log: int) -> None:
        """`package` is the wheel's folder, `log` a descriptor for what the server says."""
        self.folder = folder
        self.data = folder / "cluster"
        self.durable = durable
        self.account: Account = account_for(folder, self.data)
        self.package = binaries.reachable_package(package, self.account)
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._leftover: int | None = None

    # --- making

    def prepare(self) -> None:
        """Make the cluster if there is none; make sure that PostgreSQL will take the one there is.

        A server that lost its guardian is stopped.

        Raises SettingsError for a folder of another major version or with something else in it, UnavailableError
        if initdb fails (a full disk).
        """
        if not self.data.exists():
            self._initialise()
        self._check_version()
        self._leftover = self._stop_leftover()
        if self.account.borrowed and self.data.stat().st_uid == 0:
            _hand_over(self.data, self.account)  # restored by root, say
        self.data.chmod(0o700)
        if not (self.folder / "password").exists():
            with _opened(self.data) as place:
                self._set_password(place)

    def _check_version(self) -> None:
        wanted = binaries.major_version(self.package)
        try:
            found = (self.data / "PG_VERSION").read_text(encoding="ascii").strip()
        except FileNotFoundError:
            raise SettingsError(
                f"{self.data} is no PostgreSQL cluster (it has no PG_VERSION): "
                "move it away, or choose another UPR_DATA_DIR."
            ) from None
        if found != wanted:
            raise SettingsError(
                f"The database in {self.data} was made by PostgreSQL {found}, and this is PostgreSQL {wanted}: "
                f"dump it with PostgreSQL {found}, move the folder away and restore, or set UPR_DATABASE_URL "
                f"to a server of version {found}."
            )

    def _initialise(self) -> None:
        """Run initdb beside the final place and move the result there: a half-made cluster is never found."""
        if self.account.name.isdigit():
            raise SettingsError(
                f"The user number {self.account.name} has no name (no line in /etc/passwd), and initdb needs one: "
                "give it a name, start as another user, or set UPR_DATABASE_URL."
            )
        unfinished = self.folder / "cluster.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        try:
            if self.account.borrowed:
                os.chown(unfinished, self.account.uid, self.account.gid)
            with _opened(unfinished) as place:
                self._run("initdb", "-D", place.path, *self._initdb_options(), place=place)
                place.write("pg_hba.conf", "local all all scram-sha-256\nhost all all 127.0.0.1/32 scram-sha-256\n")
                self._set_password(place, f"CREATE DATABASE {DATABASE};")
            unfinished.rename(self.data)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise

    def _initdb_options(self) -> list[str]:
        """C.UTF-8 sorts and folds alike on every platform; libc's part of it is missing on some (macOS)."""
        try:
            locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
            libc_locale = "C.UTF-8"
        except locale.Error:
            libc_locale = "C"
        # fmt: off
        options = ["--username", ROLE, "--auth", "reject", "--encoding", "UTF8", "--locale", libc_locale,
                   "--lc-messages", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8",
                   "--no-instructions"]
        # fmt: on
        return options if self.durable else [*options, "--no-sync"]

    def _set_password(self, place: "_Place", *more: str) -> None:
        """Give the superuser a new random password, by way of PostgreSQL's single-user mode."""
        password = secrets.token_urlsafe(24)
        commands = "\n".join([f"ALTER ROLE {ROLE} PASSWORD '{password}';", *more, ""])
        switches = [] if self.durable else ["-F"]
        self._run("postgres", "--single", *switches, "-D", place.path, "postgres", place=place, commands=commands)
        write_private(self.folder / "password", password, sync=self.durable)

    def _run(self, program: str, *arguments: str, place: "_Place", commands: str = "") -> None:
        """Run one of PostgreSQL's programs to its end. Raises UnavailableError with its last words."""
        done = subprocess.run(  # noqa: S603 - our own binaries
            [str(self._program(program)), *arguments],
            input=commands.encode(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            check=False,
            **self._process_arguments(place, signal.SIGKILL),
        )
        words = done.stderr.decode(errors="replace")
        # Single-user mode ends well whatever its commands did.
        if done.returncode != 0 or (commands and "ERROR:" in words):
            os.write(self._log, done.stderr)
            raise UnavailableError(f"{program} failed in {self.folder}: {last_words(words)}{self._disk_note()}")

    # --- running

    def start(self, socket_folder: Path) -> None:
        """Start the server, its socket in `socket_folder`, and wait until it accepts connections.

        Raises UnavailableError with the server's last words.
        """
        deadline = time.monotonic() + LEFTOVER_STOP_LIMIT
        while True:
            said_before = os.fstat(self._log).st_size
            self._spawn(socket_folder)
            if self._becomes_ready():
                return
            words = text_from(self.folder / "server.log", said_before)
            # Children of a killed server need a moment to notice; until then it is "still in use".
            if self._leftover is None or "still in use" not in words or time.monotonic() > deadline:
                raise UnavailableError(
                    f"PostgreSQL did not start in {self.folder}: {last_words(words)}{self._disk_note()}"
                )
            time.sleep(0.2)

    def _spawn(self, socket_folder: Path) -> None:
        with _opened(self.data) as place, _opened(socket_folder) as sockets:
            settings = {**_SETTINGS, **({} if self.durable else _DISPOSABLE_SETTINGS)}
            settings["unix_socket_directories"] = sockets.path
            switches = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
            self._process = subprocess.Popen(  # noqa: S603 - our own binaries
                [str(self._program("postgres")), "-D", place.path, *switches],
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
                **self._process_arguments(place, signal.SIGINT, sockets),
            )

    def _becomes_ready(self) -> bool:
        """Wait for the word `ready` in line 8 of postmaster.pid (it is what pg_ctl goes by)."""
        assert self._process is not None
        deadline = time.monotonic() + START_LIMIT
        while self._process.poll() is None:
            lines = self._pid_file()
            if len(lines) >= 8 and lines[0] == str(self._process.pid) and lines[7].startswith("ready"):
                return True
            if time.monotonic() > deadline:
                self.stop()
                return False
            time.sleep(_POLL)
        return False

    def has_ended(self) -> bool:
        """Whether the server process is gone."""
        return self._process is None or self._process.poll() is not None

    def stop(self) -> None:
        """Stop the server: sessions are cut and a checkpoint is written; if that takes too long, without one."""
        if self._process is None:
            return
        process = self._process
        _stop(process.pid, lambda: process.poll() is not None, FAST_STOP_LIMIT)
        process.wait()

    def _stop_leftover(self) -> int | None:
        """Stop a server that lost its guardian. Returns the number in postmaster.pid if there is such a file."""
        lines = self._pid_file()
        if not lines or not lines[0].isdigit():
            return None
        pid = int(lines[0])
        if self._is_our_server(pid):
            _stop(pid, lambda: not self._is_our_server(pid), LEFTOVER_STOP_LIMIT)
        return pid if self._pid_file() else None

    def _is_our_server(self, pid: int) -> bool:
        """Whether process `pid` is PostgreSQL at work in this cluster, and not a program that got the number since."""
        if not _LINUX:
            shown = subprocess.run(  # noqa: S603
                ["/bin/ps", "-o", "command=", "-p", str(pid)], check=False, capture_output=True, text=True
            )
            return "postgres" in shown.stdout and str(self.data) in shown.stdout
        try:
            program = Path(f"/proc/{pid}/exe").readlink().name
            return program.startswith("postgres") and Path(f"/proc/{pid}/cwd").samefile(self.data)
        except OSError:
            return False

    def _pid_file(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return []

    # --- how its programs are run

    def _program(self, name: str) -> Path:
        return self.package / "pginstall" / "bin" / name

    def _process_arguments(self, place: "_Place", at_our_death: signal.Signals, *more: "_Place") -> dict[str, Any]:
        # A bare environment: PGDATA, PGPORT and their like would change what PostgreSQL does.
        environment = {"PATH": os.defpath, "LC_ALL": "C"}
        if self._leftover is not None:
            # PostgreSQL takes a process with the number in postmaster.pid for a running server, unless it is its
            # own (grand)parent. We have made sure that it is another program.
            environment["PG_GRANDPARENT_PID"] = str(self._leftover)
        return {
            "env": environment,
            "cwd": "/",
            "umask": 0o077,
            "pass_fds": [each.descriptor for each in (place, *more)],
            "preexec_fn": _die_with_parent(at_our_death),
            **self.account.popen_arguments(),
        }

    def _disk_note(self) -> str:
        with contextlib.suppress(OSError):
            free = shutil.disk_usage(self.folder).free
            if free < 64 * 2**20:
                return f" (the disk has {free // 2**20} MB left)"
        return ""


class _Place:
    """An open folder, and the path by which PostgreSQL can reach it."""

    def __init__(self, folder: Path) -> None:
        self.descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        self.path = f"/proc/self/fd/{self.descriptor}" if _LINUX else str(folder)

    def write(self, name: str, text: str) -> None:
        """Overwrite a file in it, whose owner and mode stay."""
        descriptor = os.open(name, os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW, dir_fd=self.descriptor)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[_Place]:
    place = _Place(folder)
    try:
        yield place
    finally:
        os.close(place.descriptor)


def _die_with_parent(number: signal.Signals) -> Callable[[], None]:
    """For `preexec_fn`: the kernel sends the signal when we die, be it by kill -9 (Linux; elsewhere nothing).

    It is set in the child after its change of user, which would clear it.
    """
    guardian = os.getpid()

    def request() -> None:
        if _LIBC is not None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
            if os.getppid() != guardian:  # died just before
                os._exit(1)

    return request


def _stop(pid: int, gone: Callable[[], bool], limit: float) -> None:
    """Fast shutdown, immediate shutdown, kill: each when the one before was not enough."""
    for number, seconds in ((signal.SIGINT, limit), (signal.SIGQUIT, IMMEDIATE_STOP_LIMIT), (signal.SIGKILL, 5.0)):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if gone():
                return
            time.sleep(_POLL)


def _hand_over(top: Path, account: Account) -> None:
    """Give everything in the cluster's own folder to the account that has to work with it."""
    for _, folders, files, descriptor in os.fwalk(top):
        for name in (*folders, *files):
            os.chown(name, account.uid, account.gid, dir_fd=descriptor, follow_symlinks=False)
    os.chown(top, account.uid, account.gid, follow_symlinks=False)


def write_private(path: Path, text: str, *, sync: bool) -> None:
    """Write a file that the folder's owner alone can read; all of it or, after a crash, none."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    with contextlib.suppress(FileNotFoundError):
        unfinished.unlink()
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        give_to_owner_of(path.parent, descriptor)
        file.write(text)
        file.flush()
        if sync:
            os.fsync(descriptor)
    unfinished.replace(path)


def give_to_owner_of(folder: Path, descriptor: int) -> None:
    """Let a file in `folder` belong to whom the folder belongs (root may work in somebody's folder)."""
    if os.geteuid() == 0:
        owner = folder.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)


def text_from(path: Path, offset: int) -> str:
    """What a log says after `offset` bytes; a negative one counts from its end."""
    with path.open("rb") as file:
        file.seek(offset if offset >= 0 else max(path.stat().st_size + offset, 0))
        return file.read(65536).decode(errors="replace")


def last_words(text: str) -> str:
    """The lines of a log that say what was wrong, on one line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    marked = [line for line in lines if any(word in line for word in ("FATAL", "PANIC", "ERROR", "rror:", "HINT"))]
    return " / ".join((marked or lines)[-3:]) or "it said nothing"


def is_disk_full(error: OSError) -> bool:
    """Whether there was no room for what was to be written."""
    return error.errno in {errno.ENOSPC, errno.EDQUOT}
