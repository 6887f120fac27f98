import io
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from services.core.store.archive import Archive
from services.core.store.engine import make_engine
from services.core.store.recommendations import RECOMMENDATIONS
from services.ingest.runs import RunSummary, Step, issues_of, recent_runs, run_files
from services.ingest.sandbox import Sandbox

SAMPLES = Path(__file__).parents[2] / "samples" / "documents"


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = make_engine(database_url, pool_size=2)
    yield engine
    engine.dispose()


def run(engine: Engine, tmp_path: Path, files: list[Path]) -> list[Step]:
    with Sandbox(1, deadline_seconds=20) as sandbox:
        steps = run_files(
            engine, files, sandbox, Archive(tmp_path / "kept"), source="test", backfill_after=timedelta(days=180)
        )
        return list(steps)


def summary(steps: list[Step]) -> RunSummary:
    return steps[-1].summary


def test_samples_are_loaded_kept_and_said_to_be_samples(engine: Engine, tmp_path: Path) -> None:
    files = sorted(SAMPLES.iterdir())
    done = summary(run(engine, tmp_path, files))
    assert (done.loaded, done.failed, done.samples) == (len(files), 0, True)
    with engine.connect() as connection:
        records = RECOMMENDATIONS.where(connection)
    assert records
    assert all(record.sample for record in records)
    kept = {path.name: path.read_bytes() for path in (tmp_path / "kept").rglob("*") if path.is_file()}
    assert sorted(kept.values()) == sorted(file.read_bytes() for file in files)
    assert summary(run(engine, tmp_path, files)).unchanged == len(files)


def _zip_bomb() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", b"\0" * 500_000_000)
    return packed.getvalue()


def test_each_bad_file_is_one_clear_line_and_an_issue_and_the_rest_loads(engine: Engine, tmp_path: Path) -> None:
    report = next(SAMPLES.glob("*report.pdf"))
    bad = {
        "text.pdf": b"this is no PDF",
        "truncated.pdf": report.read_bytes()[:2000],
        "empty.pdf": b"",
        "bomb.docx": _zip_bomb(),
        "shell.pdf": b"<!DOCTYPE html><html><body>not found</body></html>",
    }
    files = [report]
    for name, data in bad.items():
        (tmp_path / name).write_bytes(data)
        files.append(tmp_path / name)
    files += [tmp_path / "missing.pdf", *sorted(set(SAMPLES.iterdir()) - {report})]
    steps = run(engine, tmp_path, files)
    done = summary(steps)
    assert done.failed == len(bad) + 1
    assert done.loaded == len(list(SAMPLES.iterdir()))
    codes = {step.path.name: step.error.code for step in steps if step.error}
    assert codes == {
        "text.pdf": "not_a_document",
        "truncated.pdf": "truncated_pdf",
        "empty.pdf": "empty_file",
        "bomb.docx": "zip_bomb",
        "shell.pdf": "html_instead_of_document",
        "missing.pdf": "file_not_found",
    }
    assert all("\n" not in step.error.detail for step in steps if step.error)
    issues = {issue["file"]: (issue["severity"], issue["code"]) for issue in issues_of(engine, run=done.run)}
    assert {name: issues[name] for name in codes} == {name: ("error", code) for name, code in codes.items()}


def test_a_run_is_kept_with_what_it_did(engine: Engine, tmp_path: Path) -> None:
    done = summary(run(engine, tmp_path, [tmp_path / "missing.pdf"]))
    kept = recent_runs(engine)[0]
    assert (kept["id"], kept["status"], kept["source"]) == (done.run, "finished", "test")
    assert kept["counts"] == done.counts()
    assert kept["counts"]["failed"] == 1
