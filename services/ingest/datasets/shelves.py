"""Sorts rows by review on disk, so that memory does not grow with the file.

The rows of one review stand all over an export of 270,000 rows. They go into a temporary SQLite file as they come, and
leave it review by review: one pass, one index, a few MB of memory whatever the size.
"""

import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import orjson

from services.ingest.datasets.base import Json

_BATCH = 2000
_CACHE_KIB = 8192


class Shelves:
    """Rows of JSON by the name of their shelf. A context manager: leaving it removes the file."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="upr-rows-")
        self._database = sqlite3.connect(Path(self._folder.name) / "rows.sqlite", isolation_level=None)
        # Nothing in the file outlives the process: no journal, no syncing.
        self._database.executescript(
            f"PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-{_CACHE_KIB};"
            "CREATE TABLE rows (place INTEGER PRIMARY KEY, shelf TEXT NOT NULL, content BLOB NOT NULL)"
        )
        self._waiting: list[tuple[str, bytes]] = []

    def __enter__(self) -> Self:
        """Nothing to do: the file is there."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the file."""
        self.close()

    def close(self) -> None:
        """Remove the file."""
        self._database.close()
        self._folder.cleanup()

    def put(self, shelf: str, row: bytes) -> None:
        """Lay a row, which is JSON, on a shelf."""
        self._waiting.append((shelf, row))
        if len(self._waiting) >= _BATCH:
            self._write()

    def sort(self) -> list[str]:
        """The names of all shelves, in their order. No row is put after that."""
        self._write()
        self._database.execute("CREATE INDEX IF NOT EXISTS by_shelf ON rows (shelf)")
        return [name for (name,) in self._database.execute("SELECT DISTINCT shelf FROM rows ORDER BY shelf")]

    def rows(self, shelf: str) -> Iterator[Json]:
        """The rows of a shelf, in the order in which they came."""
        found = self._database.execute("SELECT content FROM rows WHERE shelf = ? ORDER BY place", (shelf,))
        for (content,) in found:
            yield orjson.loads(content)

    def _write(self) -> None:
        self._database.execute("BEGIN")
        self._database.executemany("INSERT INTO rows (shelf, content) VALUES (?, ?)", self._waiting)
        self._database.execute("COMMIT")
        self._waiting.clear()
