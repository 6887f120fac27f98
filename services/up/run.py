"""The life of `upr up`, from the first check to the last process that ends."""

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from services.core.domain.errors import SettingsError
from services.core.runtime.postgres import database_url
from services.core.runtime.settings import CoreSettings
from services.core.store import migrate
from services.up.plan import Listener, environment_of_services, planned_listeners, planned_services, upr_command
from services.up.stopping import Stopped, StopRequests
from services.up.supervisor import Service, Supervisor

EXAMPLES = (
    ("api", "/v1/recommendations?position=noted&limit=3"),
    ("search", "/v1/search?q=torture&facets=topic"),
    ("api", "/v1/changes?after=0&limit=3"),
)
"""Requests to begin with, each with its service."""


def run_everything(settings: CoreSettings, load: Path | None) -> None:
    """Run PostgreSQL (unless one is given) and all services until somebody asks us to stop.

    `load` is a file or folder to load once they are ready. Raises `SettingsError` for what cannot be used (a port, the
    data folder), `UnavailableError` for what does not start, `ServiceEndedError` for a service that dies; by then
    everything is stopped. Whoever asks us to stop while we stop, kills.
    """
    with StopRequests() as requests, contextlib.suppress(Stopped), _only_one(settings.data_dir):
        listeners = planned_listeners()
        say("starting PostgreSQL" if settings.database_url is None else "using the database of UPR_DATABASE_URL")
        with database_url(settings) as url:
            migrate.upgrade(url)
            requests.only_note()
            environment = environment_of_services(os.environ, settings, url, listeners)
            logs = settings.data_dir / "logs"
            lives = None if settings.database_url else partial(_database_lives, settings.data_dir / "postgres")
            with Supervisor(logs, environment, requests, say, lives) as supervisor:
                supervisor.start(planned_services(listeners))
                say(f"starting api, search, ingest and the delivery of webhooks; their logs are in {logs}")
                supervisor.wait_until_ready()
                if load is not None:
                    _load(supervisor, load)
                _show_examples(listeners)
                supervisor.watch()
    say("stopped")


def say(line: str) -> None:
    """One line for who watches. A terminal that is gone is no reason to leave processes behind."""
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


def _load(supervisor: Supervisor, path: Path) -> None:
    say(f"loading {path}")
    status = supervisor.run(Service("load", upr_command("ingest", "load", str(path))))
    if status != 0:
        say(f"loading {path} ended with status {status}: not everything is in; the services run on")


def _show_examples(listeners: Sequence[Listener]) -> None:
    addresses = {listener.name: listener.address for listener in listeners}
    say("")
    for name, address in addresses.items():
        say(f"  {name:<8}{address}")
    say(f"\nOpen {addresses['api']}/ in a browser, or try:")
    for name, path in EXAMPLES:
        say(f"  curl '{addresses[name]}{path}'")
    say("\nCtrl-C stops everything.")


@contextlib.contextmanager
def _only_one(data_dir: Path) -> Iterator[None]:
    """Hold the data folder's `up.lock`, which the system gives back when this process ends, however it ends.

    Raises `SettingsError` where another `upr up` has it.
    """
    if sys.platform == "win32":
        raise SettingsError("upr up runs on Linux and macOS; elsewhere start the services one by one.")
    import fcntl  # noqa: PLC0415 - not on every platform

    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        lock = os.open(data_dir / "up.lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as fault:
        raise SettingsError(f"UPR_DATA_DIR {data_dir} cannot be used: {fault.strerror or fault}.") from fault
    with os.fdopen(lock, "r+", encoding="ascii") as file:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = file.read().strip() or "unknown"
            raise SettingsError(
                f"upr up runs on the data folder {data_dir} already (process {owner}): stop it, or set UPR_DATA_DIR."
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def _database_lives(folder: Path) -> bool:
    """Whether the embedded PostgreSQL in `folder` still runs: its guardian ends with it."""
    if sys.platform == "win32":
        return True
    from services.core.runtime.postgres.embedded import is_guarded  # noqa: PLC0415 - POSIX only

    return is_guarded(folder)
