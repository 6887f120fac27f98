"""Golden files: what a reader said of a document when a person last looked at it."""

from collections.abc import Callable
from pathlib import Path

import pytest


def pytest_addoption(parser):
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="Rewrite the golden files, and fail the run so that somebody reads the difference.",
    )


@pytest.fixture
def matches_golden(request) -> Callable[[Path, bytes], None]:
    """Compares what was produced with a golden file, or writes it under `--update-golden`."""

    def compare(golden: Path, produced: bytes) -> None:
        if request.config.getoption("--update-golden"):
            golden.parent.mkdir(parents=True, exist_ok=True)
            golden.write_bytes(produced)
        else:
            assert golden.exists(), f"{golden.name} is missing: run pytest with --update-golden and read what it writes"
            assert produced.decode() == golden.read_text(encoding="utf-8")

    return compare


def pytest_sessionfinish(session):
    if session.config.getoption("--update-golden"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter, config):
    if config.getoption("--update-golden"):
        terminalreporter.write_line(
            "Golden files were rewritten. Read the difference, then run without --update-golden."
        )
