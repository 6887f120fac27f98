"""What older versions of parsers read is read again, and nothing else."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select, text

from services.core.store.archive import Archive
from services.core.store.changes import changes_table
from services.core.store.engine import make_engine
from services.core.store.ingest import readings_table
from services.core.store.recommendations import RECOMMENDATIONS
from services.ingest.parsers import read_document
from services.ingest.parsers.base import Content
from services.ingest.reading import Reading
from services.ingest.reparse import Reparser, _alone, stale
from services.ingest.runs import Step, issues_of, recent_runs, run_files
from services.ingest.sandbox import Sandbox, SandboxLimits

DOCUMENTS = Path(__file__).parents[2] / "samples" / "documents"
FILES = [DOCUMENTS / "costamar-report.pdf", DOCUMENTS / "costamar-matrix.docx"]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(1, limits=SandboxLimits(deadline_seconds=30)) as pool:
        yield pool


@pytest.fixture(scope="module")
def old_sandbox() -> Iterator[Sandbox]:
    with Sandbox(1, limits=SandboxLimits(deadline_seconds=30), read=read_badly) as pool:
        yield pool


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = make_engine(database_url, pool_size=3)
    yield engine
    engine.dispose()


def read_badly(content: Content) -> Reading:
    """Read as an older version of the parser of reports did: one text wrong."""
    reading = read_document(content)
    if reading.parser != "working_group_report":
        return reading
    first, *rest = reading.recommendations
    wrong = (replace(first, text="Badly read."), *rest)
    return replace(reading, parser_version="0", recommendations=wrong)


@pytest.fixture
def archive(engine: Engine, old_sandbox: Sandbox, tmp_path: Path) -> Archive:
    """Of a store in which an older version read the report."""
    archive = Archive(tmp_path / "kept")
    steps = list(run_files(engine, FILES, old_sandbox, archive, source="test", backfill_after=timedelta(days=180)))
    assert not any(step.error for step in steps)
    return archive


def made_older(engine: Engine, parser: str) -> None:
    older = "jsonb_set(reading, '{parser_version}', '\"0\"')"
    with engine.begin() as connection:
        said = f"UPDATE readings SET parser_version = '0', reading = {older} WHERE parser = :parser"
        connection.execute(text(said), {"parser": parser})


def again(engine: Engine, sandbox: Sandbox, archive: Archive) -> list[Step]:
    return list(Reparser(engine, sandbox, archive, timedelta(days=180)).read_again())


def test_only_what_the_older_version_read_is_read_again(engine: Engine, sandbox: Sandbox, archive: Archive) -> None:
    [found] = stale(engine)
    assert (found.name, found.parser, found.parser_version) == ("costamar-report.pdf", "working_group_report", "0")
    assert stale(engine, ["ohchr_matrix"]) == []
    with engine.connect() as connection:
        before = connection.scalar(select(func.max(changes_table.c.seq))) or 0
        names = set(connection.execute(select(readings_table.c.file["name"].astext)).scalars())
    [step] = again(engine, sandbox, archive)
    assert (step.error, step.loaded and step.loaded.outcome) == (None, "loaded")
    with engine.connect() as connection:
        new = connection.execute(select(changes_table).where(changes_table.c.seq > before)).all()
        assert not any(record.text == "Badly read." for record in RECOMMENDATIONS.where(connection))
        assert set(connection.execute(select(readings_table.c.file["name"].astext)).scalars()) == names
    assert {(change.type, change.cause) for change in new} == {
        ("document.updated", "correction"),
        ("recommendation.updated", "correction"),
    }
    assert stale(engine) == []
    assert again(engine, sandbox, archive) == []
    assert [run["source"] for run in recent_runs(engine)] == ["reparse", "test"]


def test_what_cannot_be_read_any_more_keeps_its_reading_and_is_tried_once(
    engine: Engine, sandbox: Sandbox, archive: Archive
) -> None:
    [found] = stale(engine)
    archive.path(found.sha256).write_bytes(b"%PDF-1.7 no longer")
    [step] = again(engine, sandbox, archive)
    assert step.error is not None
    [issue] = issues_of(engine, code="not_read_again")
    assert issue["sha256"] == found.sha256
    assert "truncated_pdf" in issue["detail"]
    with engine.connect() as connection:
        query = select(readings_table.c.parser_version).where(readings_table.c.sha256 == found.sha256)
        assert connection.execute(query).scalars().all() == ["0"]
    assert again(engine, sandbox, archive) == []


def test_stopping_leaves_the_rest_for_the_next(engine: Engine, sandbox: Sandbox, archive: Archive) -> None:
    made_older(engine, "ohchr_matrix")
    reparser = Reparser(engine, sandbox, archive, timedelta(days=180))
    assert len(list(reparser.read_again(stopped=lambda: True))) == 1
    assert recent_runs(engine)[0]["status"] == "interrupted"
    assert len(again(engine, sandbox, archive)) == 1
    assert stale(engine) == []


def test_two_at_once_do_the_work_once(engine: Engine, sandbox: Sandbox, archive: Archive) -> None:
    with _alone(engine) as alone:
        assert alone
        assert again(engine, sandbox, archive) == []
    assert len(again(engine, sandbox, archive)) == 1


def test_bytes_that_are_gone_are_told(engine: Engine, sandbox: Sandbox, archive: Archive, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "kept")
    [step] = again(engine, sandbox, archive)
    assert step.error is not None
    assert step.error.code == "file_not_found"
