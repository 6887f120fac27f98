"""The bytes of every document that was loaded, kept by their SHA-256, so that re-reading never fetches again.

The ingest service writes them; the API answers with them where both see the same data folder.
"""

import os
import shutil
import tempfile
from pathlib import Path

FOLDER = "documents"
"""The archive's place in the data folder."""


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
                Path(unfinished).replace(kept)
            except BaseException:
                Path(unfinished).unlink(missing_ok=True)
                raise
        return kept
