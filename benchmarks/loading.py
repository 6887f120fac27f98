"""How long it takes, and how much memory, to load all shared reports into an empty store.

    python -m benchmarks.loading [FOLDER]

The database is an embedded one with its normal durability, started for this run. Memory is the proportional set size
(proc(5), smaps_rollup) of this process, of those that parse, and of PostgreSQL's, at the moment when it was greatest.
"""

import os
import sys
import tempfile
import threading
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine, text

from services.core.runtime.postgres import embedded_postgres
from services.core.store import migrate
from services.core.store.archive import Archive
from services.core.store.engine import make_engine
from services.ingest.runs import run_files
from services.ingest.sandbox import Sandbox

REPORTS = Path(__file__).parents[2] / "shared/data/wg_reports"


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else REPORTS
    files = sorted(folder.glob("*.pdf"))
    if not files:
        print(f"not run: there are no reports in {folder}")
        return
    with tempfile.TemporaryDirectory() as temporary, embedded_postgres(Path(temporary) / "postgres") as url:
        migrate.upgrade(url)
        for turn in ("empty store", "again, unchanged"):
            _load(turn, url, files, Path(temporary))


def _load(turn: str, url: str, files: list[Path], temporary: Path) -> None:
    engine = make_engine(url, pool_size=2)
    changes: Counter[str] = Counter()
    watch = Memory([os.getpid(), guardian(engine)])
    started = time.perf_counter()
    with watch, Sandbox() as sandbox:
        steps = run_files(
            engine, files, sandbox, Archive(temporary / "documents"), source="bench", backfill_after=timedelta(days=180)
        )
        for step in steps:
            changes = step.summary.changes
    seconds = time.perf_counter() - started
    engine.dispose()
    print(f"{turn}: {len(files)} reports in {seconds:.2f} s, {sum(changes.values())} changes")
    ours, database = watch.peak
    print(f"  memory at the peak: {ours + database:.0f} MB: {ours:.0f} for loading, {database:.0f} for PostgreSQL")


def guardian(engine: Engine) -> int:
    """The parent of PostgreSQL's first process, which is the parent of all its others."""
    with engine.connect() as connection:
        backend = int(connection.scalar(text("SELECT pg_backend_pid()")) or 0)
    return _parent(_parent(backend))


class Memory:
    """Watches the memory of families of processes, in MB; ten looks a second."""

    def __init__(self, heads: list[int]) -> None:
        self.peak = [0.0] * len(heads)
        self._heads = heads
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> "Memory":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.1):
            now = [sum(map(_memory, _family(head))) / 1e6 for head in self._heads]
            self.peak = max(self.peak, now, key=sum)


def _family(head: int) -> list[int]:
    """A process and its descendants."""
    parents = {int(path.name): _parent(int(path.name)) for path in Path("/proc").iterdir() if path.name.isdigit()}
    family = [head]
    for pid in family:
        family += [child for child, parent in parents.items() if parent == pid]
    return family


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def processor_of(head: int) -> float:
    """Seconds of processor that a process and its descendants have taken, those that ended included."""
    ticks = 0
    for pid in _family(head):
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += sum(map(int, fields[11:15]))  # its own, and its children's that it has waited for (proc(5))
    return ticks / os.sysconf("SC_CLK_TCK")


def _memory(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


if __name__ == "__main__":
    main()
