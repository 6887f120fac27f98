"""Files that do harm are read once, and again only when there is a reason."""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine, update

from services.core.domain.errors import NotFoundError, UnreadableDocumentError
from services.core.runtime.serve import served
from services.core.store.archive import Archive
from services.core.store.engine import make_engine
from services.core.store.quarantine import quarantine_table
from services.ingest import readers
from services.ingest.app import create_app
from services.ingest.parsers import read_document
from services.ingest.parsers.base import Content
from services.ingest.quarantine import Quarantine
from services.ingest.reading import Reading
from services.ingest.runs import issues_of, run_files
from services.ingest.sandbox import Sandbox, SandboxLimits
from services.ingest.settings import IngestSettings

SAMPLE = Path(__file__).parents[2] / "samples" / "documents" / "costamar-report.pdf"


def crash_on_demand(content: Content) -> Reading:
    """Read documents, but for those that end whoever reads them."""
    if content.data.startswith(b"crash"):
        os._exit(3)
    return read_document(content)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(1, limits=SandboxLimits(deadline_seconds=20), read=crash_on_demand) as pool:
        yield pool


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = make_engine(database_url, pool_size=2)
    yield engine
    engine.dispose()


def codes(engine: Engine, sandbox: Sandbox, files: list[Path], folder: Path) -> list[str | None]:
    archive = Archive(folder / "kept")
    steps = run_files(engine, files, sandbox, archive, source="test", backfill_after=timedelta(days=180))
    return [step.error.code if step.error else None for step in list(steps)]


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    file = tmp_path / "bad.bin"
    file.write_bytes(b"crash it")
    return file


def test_what_did_harm_is_not_read_again_under_any_name(
    engine: Engine, sandbox: Sandbox, bad: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.bin"
    other.write_bytes(bad.read_bytes())
    assert codes(engine, sandbox, [bad, SAMPLE], tmp_path) == ["parse_crashed", None]
    assert codes(engine, sandbox, [bad, SAMPLE, other, tmp_path / "no", bad], tmp_path) == [
        "quarantined", None, "quarantined", "file_not_found", "quarantined",
    ]  # fmt: skip
    [kept] = Quarantine(engine).listed()
    assert (kept["name"], kept["code"], kept["tries"]) == ("bad.bin", "parse_crashed", 1)
    assert {"ijson", "uhri"} <= kept["readers"].keys()
    [issue] = issues_of(engine, code="quarantined", limit=1)
    assert "parse_crashed, the process that read the file ended with 3" in issue["detail"]


def test_a_newer_reader_tries_again(
    engine: Engine, sandbox: Sandbox, bad: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes(engine, sandbox, [bad], tmp_path)
    monkeypatch.setattr("services.ingest.quarantine.readers_of", lambda head: readers.readers_of(head) | {"new": "1"})
    assert codes(engine, sandbox, [bad], tmp_path) == ["parse_crashed"]
    assert codes(engine, sandbox, [bad], tmp_path) == ["quarantined"]
    assert [row["tries"] for row in Quarantine(engine).listed()] == [2]


def test_a_person_can_let_it_be_read_again(engine: Engine, sandbox: Sandbox, bad: Path, tmp_path: Path) -> None:
    codes(engine, sandbox, [bad], tmp_path)
    quarantine = Quarantine(engine)
    [kept] = quarantine.listed()
    with pytest.raises(NotFoundError, match="no file"):
        quarantine.release("0123abcd" * 8)
    assert quarantine.release(kept["sha256"][:10].upper())["name"] == "bad.bin"
    assert codes(engine, sandbox, [bad], tmp_path) == ["parse_crashed"]


def test_what_is_read_well_at_last_is_kept_apart_no_longer(
    engine: Engine, sandbox: Sandbox, bad: Path, tmp_path: Path
) -> None:
    codes(engine, sandbox, [bad, SAMPLE], tmp_path)
    quarantine = Quarantine(engine)
    quarantine.note(SAMPLE, "f" * 64, UnreadableDocumentError("parse_timeout", "slow"))
    quarantine.note(SAMPLE, "f" * 64, UnreadableDocumentError("no_text", "only pictures"))
    assert [row["name"] for row in quarantine.listed()] == ["bad.bin"]


def test_the_readers_are_those_of_the_format() -> None:
    assert {"pypdfium2", "working_group_report"} <= readers.readers_of(b"%PDF-1.7").keys()
    assert {"lxml", "working_group_report", "uhri"} <= readers.readers_of(b"PK\x03\x04").keys()
    assert "uhri" not in readers.readers_of(b"%PDF-1.7")


def test_quarantine_over_http(engine: Engine, database_url: str, tmp_path: Path) -> None:
    quarantine = Quarantine(engine)
    for digit in "abc":
        quarantine.note(tmp_path / f"{digit}.pdf", digit * 64, UnreadableDocumentError("parse_timeout", "slow"))
    with engine.begin() as connection:
        connection.execute(update(quarantine_table).values(tries=2))
    settings = IngestSettings(database_url=database_url, data_dir=tmp_path)
    with served(create_app(settings, database_url), settings=settings) as address:
        first = httpx.get(f"{address}/v1/ingest/quarantine", params={"limit": 2}).json()["data"]
        rest = httpx.get(f"{address}/v1/ingest/quarantine", params={"after": first[-1]["sha256"]}).json()["data"]
        wrong = httpx.get(f"{address}/v1/ingest/quarantine", params={"after": "x"})
    assert [(row["name"], row["code"], row["tries"]) for row in (*first, *rest)] == [
        (f"{digit}.pdf", "parse_timeout", 2) for digit in "abc"
    ]
    assert wrong.status_code == 400
