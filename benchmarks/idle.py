"""How long each service takes from its start until it is ready, and what memory it takes when nobody asks anything.

    python -m benchmarks.idle [--store FOLDER]

Each alone, on an embedded PostgreSQL that runs already: an empty one, or that of a data folder. The exit status is 1
where a service takes longer than 3 s or more than 150 MB.
"""

import argparse
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from benchmarks.feed import Process
from benchmarks.platform import Instance
from benchmarks.serving import free_port
from benchmarks.webhooks import missed, must
from services.core.runtime.postgres import embedded_postgres
from services.core.store import migrate

MOST_SECONDS, MOST_MEGABYTES = 3.0, 150
IDLE_SECONDS = 5.0
_SERVICES = {
    "api": ("api", "serve"),
    "search": ("search", "serve"),
    "ingest": ("ingest", "serve"),
    "deliver": ("api", "deliver"),
}


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--store", type=Path)
    given = options.parse_args()
    with ExitStack() as stack:
        store = given.store or Path(stack.enter_context(tempfile.TemporaryDirectory(dir="/tmp")))
        url = stack.enter_context(embedded_postgres(store / "postgres"))
        migrate.upgrade(url)
        for name, command in _SERVICES.items():
            _measure(name, command, url, store)
    return 1 if missed else 0


def _measure(name: str, command: tuple[str, ...], url: str, store: Path) -> None:
    """Twice: an index is built, and files are read from the disk, at the first start alone."""
    port = free_port()
    settings = {f"UPR_{service}_PORT": str(port) for service in ("API", "SEARCH", "INGEST")}
    settings |= {"UPR_DATABASE_URL": url, "UPR_DATA_DIR": str(store), "UPR_LOG_LEVEL": "warning"}
    instance = Instance(name, command, settings, None if name == "deliver" else port)
    for _ in range(2):
        instance.start()
        time.sleep(IDLE_SECONDS)
        process = Process(instance.pid)
        megabytes, cpu = process.status("VmRSS") * 1024 / 1e6, process.cpu()
        instance.stop()
    ready = f"ready in {instance.started_in:.1f} s" if instance.address else "has no port"
    print(f"{name:<8} {ready}, {megabytes:.0f} MB idle, {cpu:.1f} s of CPU")
    must(f"{name} is ready within {MOST_SECONDS:.0f} s", held=instance.started_in < MOST_SECONDS)
    must(f"{name} takes less than {MOST_MEGABYTES} MB", held=megabytes < MOST_MEGABYTES)


if __name__ == "__main__":
    sys.exit(main())
