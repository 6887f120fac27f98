"""The check of requirements/*.txt (`.ci/pins.py`), on copies with faults."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "pins.py", tmp_path / ".ci")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    return tmp_path


def check(copy: Path) -> tuple[int, str]:
    done = subprocess.run([sys.executable, copy / ".ci" / "pins.py"], check=False, capture_output=True, text=True)
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_ours_are_in_order() -> None:
    assert check(ROOT) == (0, "requirements: 6 files agree with pyproject.toml\n")


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("-i https://packages.example.org/simple", "an address or an option"),
        ("somewhere @ https://packages.example.org/somewhere.whl", "an address or an option"),
        ("somewhere==1.0", "not pinned with hashes"),
        ("somewhere>=1.0 --hash=sha256:00", "not pinned with hashes"),
        ("somewhere==1.0 --hash=sha256:00", "nothing needs somewhere"),
    ],
)
def test_a_line_that_must_not_be_there(copy: Path, line: str, fault: str) -> None:
    with (copy / "requirements" / "api.txt").open("a") as file:
        file.write(f"{line}\n")
    status, output = check(copy)
    assert status == 1
    assert f"requirements/api.txt: {fault}" in output


def test_what_pyproject_needs_must_be_pinned(copy: Path) -> None:
    project = copy / "pyproject.toml"
    project.write_text(project.read_text().replace('"tantivy>=0.27"', '"tantivy>=99", "reportlab"'))
    status, output = check(copy)
    assert status == 1
    assert "requirements/search.txt: reportlab is missing" in output
    assert "does not satisfy tantivy>=99" in output


def test_all_files_pin_the_same_versions(copy: Path) -> None:
    pins = copy / "requirements" / "search.txt"
    pins.write_text(pins.read_text().replace("\ntyper==", "\ntyper==99."))
    status, output = check(copy)
    assert status == 1
    assert "requirements/search.txt: typer==99." in output
    assert ", but dev.txt has " in output
