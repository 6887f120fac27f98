"""`upr ingest run`, `release` and `discard` as a user calls them: on a folder."""

import os
import shutil
import time
from datetime import timedelta
from pathlib import Path

import orjson
import pytest
from click.testing import Result
from typer.testing import CliRunner

from services.core.store.engine import make_engine
from services.ingest.commands import app
from services.ingest.pipeline import records
from services.ingest.pipeline.checks import Reason
from services.ingest.pipeline.records import Options, Status

SAMPLE = Path(__file__).parents[2] / "samples" / "documents" / "tierralta-report.pdf"


@pytest.fixture
def folder(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "incoming"
    folder.mkdir()
    monkeypatch.setenv("UPR_DATABASE_URL", database_url)
    monkeypatch.setenv("UPR_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("UPR_SOURCE_SITES", orjson.dumps({"folder": {"folder": folder.as_uri()}}).decode())
    return folder


def put(file: Path, data: bytes) -> None:
    file.write_bytes(data)
    an_hour_ago = time.time() - 3600
    os.utime(file, (an_hour_ago, an_hour_ago))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def test_a_run_tells_what_it_did_and_by_its_status_how_it_went(folder: Path) -> None:
    put(folder / SAMPLE.name, SAMPLE.read_bytes())
    first = run("run", "folder")
    assert first.exit_code == 0
    assert "folder: finished (run run_" in first.stdout
    assert "1 found: 1 fetched, 0 unchanged, 0 missing, 0 refused" in first.stdout
    put(folder / "cut.pdf", SAMPLE.read_bytes()[:3000] + b"%%EOF")
    second = run("run", "folder")
    assert second.exit_code == 1
    assert "2 found: 1 fetched, 1 unchanged" in second.stdout
    assert "reading: cut.pdf: " in second.stderr
    shutil.rmtree(folder)
    third = run("run", "folder")
    assert third.exit_code == 4
    assert "[folder_not_found]" in third.stdout


def test_what_is_held_is_discarded_or_released_once(folder: Path, database_url: str) -> None:
    engine = make_engine(database_url, pool_size=2)
    held = []
    for _ in range(2):
        begun = records.take_up_or_begin(engine, "folder", Options(), at_most=timedelta(hours=1))
        records.end(engine, begun, Status.HELD, {}, [Reason("files_gone", "all of them")], whole=True)
        held.append(begun.id)
    engine.dispose()
    assert run("discard", held[0]).stdout == f"{held[0]} is discarded.\n"
    assert run("release", held[1]).exit_code == 0
    assert "is not held" in str(run("release", held[0]).exception)
    assert "There is no run" in str(run("discard", "run_0").exception)
