"""`upr ingest quarantine`, `reparse` and `sandbox` as a user calls them."""

from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from services.core.domain.errors import UnreadableDocumentError
from services.core.store.engine import make_engine
from services.ingest.commands import app
from services.ingest.quarantine import Quarantine


@pytest.fixture(autouse=True)
def store(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPR_DATABASE_URL", database_url)
    monkeypatch.setenv("UPR_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def test_quarantine_is_listed_and_left(database_url: str, tmp_path: Path) -> None:
    assert "No file is in quarantine." in run("quarantine").stdout
    engine = make_engine(database_url, pool_size=1)
    Quarantine(engine).note(tmp_path / "slow.pdf", "ab" * 32, UnreadableDocumentError("parse_timeout", "slow"))
    engine.dispose()
    assert "slow.pdf" in run("quarantine").stdout
    assert run("quarantine", "--retry", "cd").exit_code == 1
    assert "slow.pdf" in run("quarantine", "--retry", "abab").stdout
    assert "No file is in quarantine." in run("quarantine").stdout


def test_reparse_says_what_it_would_do_and_does_it() -> None:
    assert "0 files would be read again" in run("reparse", "--dry-run").stdout
    done = run("reparse", "--parser", "addendum")
    assert (done.exit_code, done.stdout) == (0, "0 read again, 0 not\n")
    assert run("reparse", "--parser", "nobody").exit_code == 2


def test_the_barriers_are_told() -> None:
    told = run("sandbox")
    assert {line.split(":")[0] for line in told.stdout.splitlines()} == {
        "network", "system_calls", "files", "capabilities",
    }  # fmt: skip
    assert (told.exit_code == 1) == ("MISSING" in told.stdout)
