"""The bytes of every document that was loaded, kept by their SHA-256, so that re-reading never fetches again.

The ingest service writes them; the API answers with them where both see the same data folder.
"""

import contextlib
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

FOLDER = "documents"
"""The archive's place in the data folder."""
_INCOMING = "incoming"
_MODE = 0o640
"""Of what is kept: the API, which may run as another user of the same group, answers with it."""
_ABANDONED_AFTER = 86_400.0
"""Seconds after which a file that is still coming in belongs to a process that was killed."""


class Archive:
    """A folder of files named by their hash, in 256 subfolders."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, sha256: str) -> Path:
        """Where the bytes with this hash are, or would be."""
        return self._folder / sha256[:2] / sha256

    def keep(self, file: Path, sha256: str) -> Path:
        """Copy a file in. The same bytes are kept once; a half-written copy is never seen under its name."""
        kept = self.path(sha256)
        if not kept.exists():
            kept.parent.mkdir(parents=True, exist_ok=True)
            handle, unfinished = tempfile.mkstemp(dir=kept.parent)
            os.close(handle)
            try:
                shutil.copyfile(file, unfinished)
                Path(unfinished).chmod(_MODE)
                Path(unfinished).replace(kept)
            except BaseException:
                Path(unfinished).unlink(missing_ok=True)
                raise
        return kept

    @contextlib.contextmanager
    def receiving(self) -> Iterator["Incoming"]:
        """Take in bytes whose hash nobody knows yet. What was not kept at the end is thrown away."""
        folder = self._folder / _INCOMING
        folder.mkdir(parents=True, exist_ok=True)
        handle, unfinished = tempfile.mkstemp(dir=folder)
        incoming = Incoming(self, handle, Path(unfinished))
        try:
            yield incoming
        finally:
            incoming.close()
            Path(unfinished).unlink(missing_ok=True)

    def forget_unfinished(self) -> None:
        """Remove what processes that were killed had half received."""
        for unfinished in (self._folder / _INCOMING).glob("*"):
            with contextlib.suppress(FileNotFoundError):
                if time.time() - unfinished.stat().st_mtime > _ABANDONED_AFTER:
                    unfinished.unlink()


class Incoming:
    """A file that comes in part by part, on its way into the archive. `path` is where it is until it is kept."""

    def __init__(self, archive: Archive, handle: int, path: Path) -> None:
        self._archive = archive
        self._file = os.fdopen(handle, "wb")
        self._digest = hashlib.sha256()
        self.path = path
        self.size = 0

    def write(self, part: bytes) -> None:
        """Take in one more part."""
        self._file.write(part)
        self._digest.update(part)
        self.size += len(part)

    @property
    def sha256(self) -> str:
        """The hash of all that came in so far."""
        return self._digest.hexdigest()

    def flush(self) -> None:
        """Let `path` hold all that came in so far."""
        self._file.flush()

    def keep(self) -> Path:
        """Put the whole file under its hash; where it is now. It outlasts a crash of the machine from here on."""
        kept = self._archive.path(self.sha256)
        if not kept.exists():
            self._file.flush()
            os.fsync(self._file.fileno())
            kept.parent.mkdir(parents=True, exist_ok=True)
            self.path.chmod(_MODE)
            self.path.replace(kept)
        return kept

    def close(self) -> None:
        """Take in no more."""
        self._file.close()
