"""Each hostile file gives its code, and leaves nothing but an Issue and, where it does harm, its quarantine."""

import hashlib
import resource
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from services.core.store.archive import Archive
from services.core.store.engine import make_engine
from services.core.store.metadata import metadata
from services.ingest.quarantine import HARM, Quarantine
from services.ingest.runs import issues_of, run_files
from services.ingest.sandbox import Sandbox, SandboxLimits
from tests.effort import examples
from tests.ingest.hostile import HOSTILE

KEPT = {"ingest_runs", "ingest_issues", "quarantine"}
MIB = 2**20


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = make_engine(database_url, pool_size=2)
    yield engine
    engine.dispose()


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    folder = tmp_path / "hostile"
    folder.mkdir()
    for name, (_, make) in HOSTILE.items():
        (folder / name).write_bytes(make())
    return [folder / name for name in HOSTILE]


def rows(engine: Engine) -> dict[str, int]:
    with engine.connect() as connection:
        return {
            name: connection.scalar(select(func.count()).select_from(table)) or 0
            for name, table in metadata.tables.items()
            if name not in KEPT
        }


def outcomes(engine: Engine, files: list[Path], sandbox: Sandbox, folder: Path) -> dict[str, str]:
    steps = run_files(engine, files, sandbox, Archive(folder), source="hostile", backfill_after=timedelta(days=180))
    done = [step for step in steps if step.share is None]
    assert [step.path for step in done] == files
    return {step.path.name: step.error.code if step.error else "loaded" for step in done}


def test_there_are_enough() -> None:
    assert len(HOSTILE) >= 40


def test_each_gives_its_code_and_reaches_nothing(engine: Engine, files: list[Path], tmp_path: Path) -> None:
    before = rows(engine)
    with Sandbox(2, limits=SandboxLimits(deadline_seconds=20)) as sandbox:
        first = outcomes(engine, files, sandbox, tmp_path / "kept")
        assert first == {name: code for name, (code, _) in HOSTILE.items()}
        harmful = [path for path in files if first[path.name] in HARM]
        again = outcomes(engine, harmful, sandbox, tmp_path / "kept")
    assert again == {path.name: "quarantined" for path in harmful}
    assert rows(engine) == before
    assert not (tmp_path / "kept").exists()
    apart = {row["sha256"]: row["code"] for row in Quarantine(engine).listed()}
    assert apart == {hashlib.sha256(path.read_bytes()).hexdigest(): first[path.name] for path in harmful}
    assert len(issues_of(engine, limit=1000)) == len(files) + len(harmful)


@pytest.mark.soak
def test_the_memory_of_the_parent_stays_flat(
    engine: Engine, files: list[Path], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Again and again, without quarantine: what a file does to its reader costs the parent nothing that stays."""

    def held() -> int:
        fields = Path("/proc/self/statm").read_text().split()
        return int(fields[1]) * resource.getpagesize()

    held_after = []
    with Sandbox(2, limits=SandboxLimits(deadline_seconds=20)) as sandbox:
        for _ in range(examples(2)):
            for row in Quarantine(engine).listed():
                Quarantine(engine).release(row["sha256"])
            outcomes(engine, files, sandbox, tmp_path / "kept")
            held_after.append(held())
    with capfd.disabled():
        told = ", ".join(f"{held / MIB:.1f}" for held in held_after)
        sys.stdout.write(f"\nparent's memory after each round of {len(files)} hostile files: {told} MiB\n")
    assert held_after[-1] - held_after[0] < 30 * MIB, held_after
