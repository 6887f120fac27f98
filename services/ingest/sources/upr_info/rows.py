"""Rows as they come from pages, each once, and the file that is made of them.

The file is the same byte for byte as long as the rows say the same, in whatever order and on whatever pages they came:
an unchanged database makes no change.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson

_KEPT = ("sharedId", "template", "language", "title", "creationDate", "editDate")
_KEPT_OF_VALUES = ("value", "label")
_CACHE_KIB = 8192


class Rows:
    """Rows on disk, by their ids. A context manager: leaving it removes what it used."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "rows.sqlite"
        self._path.unlink(missing_ok=True)
        self._database = sqlite3.connect(self._path, isolation_level=None)
        self._database.executescript(
            f"PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-{_CACHE_KIB};"
            "CREATE TABLE rows (id TEXT PRIMARY KEY, edited REAL NOT NULL, content BLOB NOT NULL) WITHOUT ROWID"
        )

    def __enter__(self) -> Self:
        """The rows are on disk."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove them."""
        self._database.close()
        self._path.unlink(missing_ok=True)

    def __len__(self) -> int:
        count: int = self._database.execute("SELECT count(*) FROM rows").fetchone()[0]
        return count

    def add(self, rows: Iterable[Mapping[str, Any]]) -> set[str]:
        """Take rows in, the one edited last where one comes twice; the ids of all that have one."""
        told = [(row["sharedId"], _edited(row), _content(row)) for row in rows if isinstance(row.get("sharedId"), str)]
        self._database.execute("BEGIN")
        self._database.executemany(
            "INSERT INTO rows VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET edited = excluded.edited, "
            "content = excluded.content WHERE excluded.edited > edited",
            told,
        )
        self._database.execute("COMMIT")
        return {shared for shared, _, _ in told}

    def write(self, path: Path) -> None:
        """One JSON array, a row a line, in the order of the ids."""
        unfinished = path.with_suffix(".unfinished")
        with unfinished.open("wb") as file:
            for place, content in enumerate(self._contents()):
                file.write((b",\n" if place else b"[\n") + content)
            file.write(b"\n]\n")
        unfinished.replace(path)

    def _contents(self) -> Iterator[bytes]:
        with closing(self._database.execute("SELECT content FROM rows ORDER BY id")) as found:
            for (content,) in found:
                yield content


def _edited(row: Mapping[str, Any]) -> float:
    edited = row.get("editDate")
    return float(edited) if isinstance(edited, int | float) else 0.0


def _content(row: Mapping[str, Any]) -> bytes:
    """What a row says, without what its search adds (scores, snippets) and what it repeats of others."""
    told = {name: row[name] for name in _KEPT if name in row}
    metadata = row.get("metadata")
    fields = metadata.items() if isinstance(metadata, dict) else ()
    told["metadata"] = {name: _values(entries) for name, entries in fields if "__" not in name}
    return orjson.dumps(told, option=orjson.OPT_SORT_KEYS)


def _values(entries: object) -> list[dict[str, Any]]:
    values = entries if isinstance(entries, list) else []
    return [{name: each[name] for name in _KEPT_OF_VALUES if name in each} for each in values if isinstance(each, dict)]
