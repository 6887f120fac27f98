"""What a backup is: one ZIP file with a dump of the database, the documents if wanted, and the manifest at its end.

A file without its manifest was never finished. The dump is `pg_dump`'s custom format; documents are named by their
SHA-256, as in the archive.
"""

import contextlib
import hashlib
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from services.core.domain.errors import UprError
from services.core.runtime.zip_damage import ZIP_DAMAGE

FORMAT = 1
MANIFEST, DUMP = "manifest.json", "database.dump"
DOCUMENTS = "documents/"
BLOCK = 1 << 20
_SHA256 = re.compile(r"[0-9a-f]{64}")


class BackupUnusableError(UprError):
    """A file that is no backup, was damaged, or is of a version that this one cannot restore."""

    code, status, title = "backup_unusable", 422, "The backup cannot be used"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds, as of the one moment that it shows.

    `dataset` is the dataset version (None: the database was of another schema), `counts` the rows of each table,
    `postgres` the server's major version and `programs` that of what dumped it.
    """

    made_at: str
    openupr: str
    schema: str
    dataset: str | None
    counts: Mapping[str, int]
    postgres: int
    programs: int
    dump_sha256: str
    dump_bytes: int
    documents: int | None
    format: int = FORMAT

    def to_json(self) -> bytes:
        """The form in which it stands in the file."""
        return json.dumps(asdict(self), indent=1).encode()


def document_member(sha256: str) -> str:
    """The name of a document in the file."""
    return f"{DOCUMENTS}{sha256}"


def is_sha256(name: str) -> bool:
    """Whether a name is that of a document: what else lies in an archive is no document."""
    return _SHA256.fullmatch(name) is not None


class Backup:
    """A backup that is open for reading. Raises `BackupUnusableError` for all that it cannot be trusted in."""

    def __init__(self, file: zipfile.ZipFile, path: Path) -> None:
        self._file = file
        self._path = path
        self.manifest = self._read_manifest()

    def dump(self) -> IO[bytes]:
        """The dump of the database."""
        return self._file.open(DUMP)

    def documents(self) -> list[str]:
        """The SHA-256 of each document."""
        names = [name for name in self._file.namelist() if name.startswith(DOCUMENTS)]
        return [name.removeprefix(DOCUMENTS) for name in names]

    def document(self, sha256: str) -> IO[bytes]:
        """The bytes of a document."""
        return self._file.open(document_member(sha256))

    def check(self) -> None:
        """Read all of it, and compare it with what the manifest says."""
        manifest = self.manifest
        with self._faults(), self.dump() as dump:
            if sha256_of(dump) != manifest.dump_sha256:
                raise self._damaged(DUMP)
        documents = self.documents()
        if len(documents) != (manifest.documents or 0) or not all(map(is_sha256, documents)):
            raise self._damaged("its documents")
        for sha256 in documents:
            with self._faults(), self.document(sha256) as document:
                if sha256_of(document) != sha256:
                    raise self._damaged(document_member(sha256))

    def _read_manifest(self) -> Manifest:
        with self._faults():
            try:
                told: dict[str, Any] = json.loads(self._file.read(MANIFEST))
                if told["format"] != FORMAT:
                    raise BackupUnusableError(
                        f"{self._path} was made by OpenUPR {told.get('openupr')}, in a format that this version does "
                        "not know: restore it with that version or a newer one."
                    )
                return Manifest(**told)
            except (KeyError, TypeError, ValueError) as fault:
                raise BackupUnusableError(f"{self._path} is no finished backup: it has no manifest.") from fault

    @contextlib.contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except ZIP_DAMAGE as fault:
            raise BackupUnusableError(f"{self._path} is damaged: {fault}") from fault

    def _damaged(self, what: str) -> BackupUnusableError:
        return BackupUnusableError(f"{self._path} is damaged: {what} is not what the manifest says.")


@contextlib.contextmanager
def opened_backup(path: Path) -> Iterator[Backup]:
    """A backup for reading. Raises `BackupUnusableError` where the file is none."""
    try:
        file = zipfile.ZipFile(path)
    except OSError as fault:
        raise BackupUnusableError(f"{path} cannot be read: {fault.strerror or fault}.") from fault
    except ZIP_DAMAGE as fault:
        raise BackupUnusableError(f"{path} is no backup, or was cut off: {fault}.") from fault
    with file:
        yield Backup(file, path)


def sha256_of(stream: IO[bytes]) -> str:
    """The SHA-256 of what is still to be read."""
    told = hashlib.sha256()
    while block := stream.read(BLOCK):
        told.update(block)
    return told.hexdigest()
