"""Restoring a backup: all of it or nothing, into a database that is empty or may be emptied."""

import contextlib
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from services.core.domain.errors import SettingsError, UprError
from services.core.runtime.backup.contents import (
    BLOCK,
    Backup,
    BackupUnusableError,
    Manifest,
    opened_backup,
)
from services.core.runtime.backup.programs import (
    ProgramFailedError,
    Programs,
    connection_environment,
    fitting_programs,
    last_words,
)
from services.core.runtime.backup.writing import server_major, tables_of
from services.core.store import migrate
from services.core.store.archive import Archive
from services.core.store.changes import CHANNEL
from services.core.store.engine import make_engine

_SEEDED = frozenset(
    {
        "alembic_version",
        "change_head",
        "labels",
        "place_groups",
        "review_sessions",
        "schema_steps",
        "states",
        "webhook_fanout",
    }
)
"""Tables that have rows in a database to which nothing was loaded: the facts that every one begins with."""
_UNKNOWN_BEFORE_17 = b"SET transaction_timeout = 0;\n"
"""What programs of version 17 and newer write at the beginning, and older servers refuse."""


class DatabaseNotEmptyError(UprError):
    """A backup is to be restored into a database that holds something."""

    code, status, title = "database_not_empty", 409, "The database is not empty"


def restore(url: str, file: Path, *, archive: Path, may_replace: Callable[[str], bool]) -> Manifest:
    """Bring the database to what a backup holds, and its documents into the archive; the backup's manifest.

    `may_replace` is asked, with a word on what is there, if the database is not empty. The file is read and checked
    before anything else; the database then changes in one transaction, whose last step compares all counts.

    Raises `BackupUnusableError`, `DatabaseNotEmptyError`, `SettingsError` where programs are missing or the server is
    too old, and `ProgramFailedError`; the database is then as it was.
    """
    with opened_backup(file) as backup:
        backup.check()
        _refuse_unknown_schema(backup.manifest)
        engine = make_engine(url, pool_size=1, name="upr-admin")
        try:
            with engine.connect() as connection:
                programs = _programs(connection, backup.manifest)
                held = tables_of(connection)
                _refuse_filled(connection, held, may_replace)
            with _restored_documents(backup, archive):
                _restore_database(url, backup, programs, held)
            _tell(engine)
        finally:
            engine.dispose()
    migrate.upgrade(url)
    return backup.manifest


def _refuse_unknown_schema(manifest: Manifest) -> None:
    scripts = ScriptDirectory(str(migrate.MIGRATIONS))
    if manifest.schema not in {script.revision for script in scripts.walk_revisions()}:
        raise BackupUnusableError(
            f"The backup was made by OpenUPR {manifest.openupr} and has the schema {manifest.schema}, which this "
            "version does not know: restore it with that version or a newer one."
        )


def _programs(connection: Connection, manifest: Manifest) -> Programs:
    server = server_major(connection)
    if server < manifest.postgres:
        raise SettingsError(
            f"The backup is of PostgreSQL {manifest.postgres}, and this server is PostgreSQL {server}: restore it to "
            f"PostgreSQL {manifest.postgres} or newer."
        )
    return fitting_programs(manifest.programs)


def _refuse_filled(connection: Connection, tables: list[str], may_replace: Callable[[str], bool]) -> None:
    filled = [name for name in tables if name not in _SEEDED and _has_rows(connection, name)]
    if filled and not may_replace(f"{len(filled)} tables with rows, {', '.join(filled[:5])} among them"):
        raise DatabaseNotEmptyError(
            f"A backup is restored into an empty database, and this one has rows in {', '.join(filled[:5])}"
            f"{' …' if len(filled) > 5 else ''}: name another database, or say --replace to give up what is there."
        )


def _has_rows(connection: Connection, table: str) -> bool:
    quoted = connection.dialect.identifier_preparer.quote(table)
    return connection.scalar(text(f"SELECT 1 FROM {quoted} LIMIT 1")) is not None  # noqa: S608 - quoted


@contextlib.contextmanager
def _restored_documents(backup: Backup, archive: Path) -> Iterator[None]:
    """Bring the documents into the archive; those that were not there before go again if the block fails."""
    kept, added = Archive(archive), []
    try:
        for sha256 in backup.documents():
            if not kept.path(sha256).exists():
                with backup.document(sha256) as document, tempfile.NamedTemporaryFile() as copy:
                    while block := document.read(BLOCK):
                        copy.write(block)
                    copy.flush()
                    added.append(kept.keep(Path(copy.name), sha256))
        yield
    except BaseException:
        for path in added:
            path.unlink(missing_ok=True)
        raise


def _restore_database(url: str, backup: Backup, programs: Programs, held: list[str]) -> None:
    """Write everything in one transaction. It is committed by our own last word: who dies before it changes nothing."""
    reading = programs.command("pg_restore", "--file=-", "--no-owner", "--no-privileges")
    writing = programs.command("psql", "--no-psqlrc", "--quiet", "--output=/dev/null", "--set=ON_ERROR_STOP=1")
    with (
        backup.dump() as dump,
        tempfile.TemporaryFile() as said,
        subprocess.Popen(reading, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said) as reader,  # noqa: S603
        subprocess.Popen(  # noqa: S603
            writing, stdin=subprocess.PIPE, stdout=said, stderr=said, env=connection_environment(url)
        ) as writer,
    ):
        assert reader.stdin is not None
        assert reader.stdout is not None
        assert writer.stdin is not None
        feeder = threading.Thread(target=_feed, args=(dump, reader.stdin), name="dump")
        feeder.start()
        whole = False
        with contextlib.suppress(BrokenPipeError):
            writer.stdin.write(_before(held))
            _pass_script(reader.stdout, writer.stdin)
            whole = reader.wait() == 0
            writer.stdin.write(_after(backup.manifest) if whole else b"")
        reader.stdout.close()
        feeder.join()
        with contextlib.suppress(BrokenPipeError):
            writer.stdin.close()
        if writer.wait() != 0 or not whole:
            said.seek(0)
            raise ProgramFailedError(
                f"The backup could not be restored; nothing was changed: {last_words(said.read())}"
            )


def _feed(dump: IO[bytes], into: IO[bytes]) -> None:
    with contextlib.suppress(BrokenPipeError), into:
        while block := dump.read(BLOCK):
            into.write(block)


def _pass_script(script: IO[bytes], into: IO[bytes]) -> None:
    for line in script:
        if line != _UNKNOWN_BEFORE_17:
            into.write(line)
        if line.startswith(b"CREATE "):  # the settings are behind us; from here on rows may look like anything
            break
    while block := script.read(BLOCK):
        into.write(block)


def _before(held: list[str]) -> bytes:
    dropped = "".join(f"DROP TABLE public.{_quoted(name)} CASCADE;\n" for name in held)
    return f"BEGIN;\n{dropped}".encode()


def _after(manifest: Manifest) -> bytes:
    """Compare the rows, let the feed's next change begin another epoch, and commit."""
    counts = "\n".join(_comparison(name, number) for name, number in manifest.counts.items())
    restored = "UPDATE public.change_head SET restored = true;"
    return f"DO $check$ BEGIN\n{counts}\nEND $check$;\n{restored}\nCOMMIT;\nANALYZE;\n".encode()


def _comparison(table: str, rows: int) -> str:
    different = f"(SELECT count(*) FROM public.{_quoted(table)}) <> {int(rows)}"  # noqa: S608 - quoted
    return f"IF {different} THEN RAISE EXCEPTION 'not {int(rows)} rows in %', {_literal(table)}; END IF;"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(name: str) -> str:
    return "'" + name.replace("'", "''") + "'"


def _tell(engine: Engine) -> None:
    """Wake up whoever follows the changes."""
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_notify(:channel, '0')"), {"channel": CHANNEL})
