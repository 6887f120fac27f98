"""Making a backup: everything as of one moment, while the services run on."""

import contextlib
import hashlib
import os
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, text

from services import __version__
from services.core.domain.errors import SettingsError, UnavailableError
from services.core.runtime.backup.contents import (
    BLOCK,
    DUMP,
    MANIFEST,
    Manifest,
    document_member,
    is_sha256,
    opened_backup,
)
from services.core.runtime.backup.programs import (
    ProgramFailedError,
    Programs,
    connection_environment,
    fitting_programs,
    last_words,
)
from services.core.schemas.dataset import dataset
from services.core.store.changes import head_and_time
from services.core.store.engine import make_engine, snapshot
from services.core.store.migrate import schema_status
from services.core.store.reference import reference_seen_by


def back_up(url: str, target: Path, *, archive: Path | None) -> Manifest:
    """Write a backup of the database to a file, with the documents of `archive` if it is given; what it holds.

    The file gets its name when it is whole and was read once more. It holds secrets of webhooks and hashes of keys, so
    its owner alone may read it. Raises `SettingsError` for a place that cannot be used and where programs are missing,
    and `ProgramFailedError`.
    """
    if target.exists():
        raise SettingsError(f"{target} exists already: name another file, or remove it.")
    with _unfinished(target) as unfinished:
        with unfinished.open("wb") as raw, zipfile.ZipFile(raw, "w", zipfile.ZIP_STORED) as file:
            manifest = _write(url, file, archive)
            file.writestr(MANIFEST, manifest.to_json())
            file.close()
            raw.flush()
            os.fsync(raw.fileno())
        with opened_backup(unfinished) as backup:
            backup.check()
        unfinished.rename(target)
    return manifest


@contextlib.contextmanager
def _unfinished(target: Path) -> Iterator[Path]:
    """A new file beside the target, of mode 0600, which is removed if it does not become the target."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".unfinished", dir=target.parent)
        os.close(handle)
    except OSError as fault:
        raise SettingsError(f"{target} cannot be written: {fault.strerror or fault}.") from fault
    try:
        yield Path(name)
    except OSError as fault:
        raise UnavailableError(f"{target} could not be written: {fault.strerror or fault}.") from fault
    finally:
        Path(name).unlink(missing_ok=True)


def _write(url: str, file: zipfile.ZipFile, archive: Path | None) -> Manifest:
    engine = make_engine(url, pool_size=1, name="upr-admin")
    try:
        with snapshot(engine) as connection:
            connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
            tables = tables_of(connection)
            status = schema_status(connection)
            if status.current is None:
                raise SettingsError("There is nothing to back up: the database has no schema of OpenUPR.")
            server = server_major(connection)
            programs = fitting_programs(server)
            seen = str(connection.scalar(text("SELECT pg_export_snapshot()")))
            sha256, size = _dump(url, programs, seen, file)
            return Manifest(
                made_at=datetime.now(UTC).isoformat(timespec="seconds"),
                openupr=__version__,
                schema=status.current,
                dataset=_dataset_version(connection) if status.up_to_date else None,
                counts={name: _count(connection, name) for name in tables},
                postgres=server,
                programs=programs.major,
                dump_sha256=sha256,
                dump_bytes=size,
                documents=None if archive is None else _add_documents(file, archive),
            )
    finally:
        engine.dispose()


def tables_of(connection: Connection) -> list[str]:
    """The tables of the database, by name. Raises `SettingsError` where they would not be in the usual schema."""
    if (schema := connection.scalar(text("SELECT current_schema()"))) != "public":
        raise SettingsError(f"The tables are looked for in the schema public, and this role works in {schema}.")
    return list(connection.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")))


def server_major(connection: Connection) -> int:
    """The server's major version."""
    return int(connection.scalar(text("SHOW server_version_num")) or 0) // 10_000


def _count(connection: Connection, table: str) -> int:
    quoted = connection.dialect.identifier_preparer.quote(table)
    return int(connection.scalar(text(f"SELECT count(*) FROM {quoted}")) or 0)  # noqa: S608 - quoted


def _dataset_version(connection: Connection) -> str:
    seq, as_of = head_and_time(connection)
    return str(dataset(seq, as_of, reference_seen_by(connection))["version"])


def _dump(url: str, programs: Programs, snapshot_name: str, file: zipfile.ZipFile) -> tuple[str, int]:
    """Stream a dump into the file; its SHA-256 and its bytes."""
    # The tables and what belongs to them, and not the schema itself: the one that they come back to has its own owner.
    command = programs.command(
        "pg_dump", "--format=custom", "--no-owner", "--no-privileges", "--table=public.*", f"--snapshot={snapshot_name}"
    )
    told, size = hashlib.sha256(), 0
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, env=connection_environment(url)) as process,  # noqa: S603
        file.open(DUMP, "w", force_zip64=True) as member,
    ):
        assert process.stdout is not None
        while block := process.stdout.read(BLOCK):
            told.update(block)
            size += len(block)
            member.write(block)
        if process.wait() != 0:
            said.seek(0)
            raise ProgramFailedError(f"pg_dump failed: {last_words(said.read())}")
    return told.hexdigest(), size


def _add_documents(file: zipfile.ZipFile, archive: Path) -> int:
    """Add what lies in the archive: at least all that the snapshot tells of, because nothing is ever removed."""
    number = 0
    for path in sorted(archive.glob("??/*")):
        if is_sha256(path.name):
            file.write(path, document_member(path.name))
            number += 1
    return number
