"""What a release needs to agree (`.ci/release.py`), on copies."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from services import __version__

ROOT = Path(__file__).parents[1]
CHANGELOG = """\
# Changelog

## 0.2.0 (unreleased)

- Soon.

## 0.1.0 (2026-12-01)

- First.

## 0.0.1 (2026-01-01)

- Old.
"""


def release(tmp_path: Path, tag: str, version: str) -> tuple[int, str, str]:
    (tmp_path / ".ci").mkdir()
    (tmp_path / ".ci/release.py").write_text((ROOT / ".ci/release.py").read_text())
    (tmp_path / "pyproject.toml").write_text(f'[project]\nversion = "{version}"\n')
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    command = [sys.executable, str(tmp_path / ".ci/release.py"), tag]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def test_the_notes_are_the_entry_of_the_version(tmp_path: Path) -> None:
    assert release(tmp_path, "v0.1.0", "0.1.0") == (0, "- First.\n", "")


@pytest.mark.parametrize(
    ("tag", "version", "fault"),
    [
        ("v0.1.1", "0.1.0", "the tag is v0.1.1, but pyproject.toml says 0.1.0"),
        ("v0.3.0", "0.3.0", "no entry for 0.3.0"),
        ("v0.2.0", "0.2.0", "put the day there"),
    ],
)
def test_what_does_not_agree_is_refused(tmp_path: Path, tag: str, version: str, fault: str) -> None:
    status, notes, told = release(tmp_path, tag, version)
    assert (status, notes) == (1, "")
    assert fault in told


def test_the_version_is_the_same_everywhere() -> None:
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == __version__
    defaults = re.findall(r"\$\{UPR_VERSION:-([^}]+)\}", (ROOT / "deploy/compose.yml").read_text())
    assert set(defaults) == {__version__}
    assert f"\n## {__version__} (" in (ROOT / "CHANGELOG.md").read_text()
