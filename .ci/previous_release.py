"""Run the tests of the release before on the schema of this version: the schema is upgraded before the machines are.

The newest tag below this commit (or the one given) is laid out in a folder of its own with the migrations of this tree
in place of its own, and its tests are run there; arguments beyond go to pytest. Left out are the tests that compare its
own migrations with its own tables. Where there is no release yet, it says so.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
OF_ITS_OWN_SCHEMA = ("tests/core/store/test_migrations.py", "tests/test_migration_rules.py", "tests/deploy")
"""Tests of the older version that are about its own files and not about how it works on a schema."""
PINS = "requirements/dev.txt"


def newest_release() -> str | None:
    """The tag of the release before this tree; None where there is none."""
    command = ["git", "describe", "--tags", "--abbrev=0", "--match", "v[0-9]*", "HEAD^"]
    done = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip() or None


def lay_out(tag: str, folder: Path) -> None:
    """The files of a release, with the migrations of this tree."""
    packed = subprocess.run(["git", "archive", tag], check=True, cwd=ROOT, capture_output=True).stdout
    subprocess.run(["tar", "--extract", "--directory", str(folder)], check=True, input=packed)
    shutil.rmtree(folder / "migrations")
    shutil.copytree(ROOT / "migrations", folder / "migrations", ignore=shutil.ignore_patterns("__pycache__"))


def python_for(folder: Path) -> str:
    """A Python with what the release was tested with: this one, where both pin the same."""
    if (folder / PINS).read_bytes() == (ROOT / PINS).read_bytes():
        return sys.executable
    subprocess.run([sys.executable, "-m", "venv", str(folder / ".venv")], check=True)
    python = str(folder / ".venv/bin/python")
    install = [python, "-m", "pip", "install", "--quiet", "--require-hashes", "--requirement", str(folder / PINS)]
    subprocess.run(install, check=True)
    return python


def main(tag: str | None, arguments: list[str]) -> int:
    """Run them; pytest's exit status, 0 where there is no release."""
    tag = tag or newest_release()
    if tag is None:
        sys.stdout.write("previous release on this schema: not run: no release yet\n")
        return 0
    with tempfile.TemporaryDirectory(prefix="upr-previous-") as name:
        folder = Path(name) / "main"
        folder.mkdir()
        lay_out(tag, folder)
        if (ROOT.parent / "shared").is_dir():  # real documents, which some tests read
            (folder.parent / "shared").symlink_to(ROOT.parent / "shared")
        sys.stdout.write(f"previous release on this schema: {tag}\n")
        sys.stdout.flush()
        command = [python_for(folder), "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        command += [f"--ignore={path}" for path in OF_ITS_OWN_SCHEMA]
        environment = os.environ | {"PYTHONPATH": str(folder)}
        return subprocess.run([*command, *arguments], check=False, cwd=folder, env=environment).returncode


if __name__ == "__main__":
    given = sys.argv[1:]
    sys.exit(main(given.pop(0) if given and given[0].startswith("v") else None, given))
