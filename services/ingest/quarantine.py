"""Files that loop, crash or eat memory are kept apart: nobody reads them again before there is a reason.

A reason is a newer version of something that reads files of the kind, or a person who says so. A file is known by its
bytes, so that another name changes nothing.
"""

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from services.core.domain.errors import NotFoundError, UnreadableDocumentError
from services.core.store.quarantine import quarantine_table
from services.ingest.readers import HEAD_BYTES, Readers, readers_of
from services.ingest.sandbox import ReadFile, Sandbox

HARM = frozenset({"parse_timeout", "parse_memory", "parse_crashed", "parse_answer_too_large"})
"""The codes of files that are kept apart."""

REFUSAL = "quarantined"
"""The code of a file that was not even opened, because it is kept apart."""

_c = quarantine_table.c


class Quarantine:
    """What is kept apart, in one store. May be used from several threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def read_all(self, sandbox: Sandbox, paths: Iterable[Path]) -> Iterator[ReadFile]:
        """`sandbox.read_all`, but for what is kept apart; what does harm is kept apart from now on."""
        refused: deque[ReadFile | None] = deque()  # one a path that was taken, None for what the sandbox reads

        def allowed() -> Iterator[Path]:
            for path in paths:
                refused.append(self.refusal(path))
                if refused[-1] is None:
                    yield path

        for outcome in sandbox.read_all(allowed()):
            yield from _first_refusals(refused)
            refused.popleft()
            fault = outcome.result if isinstance(outcome.result, UnreadableDocumentError) else None
            self.note(outcome.path, outcome.sha256, fault)
            yield outcome
        yield from _first_refusals(refused)

    def refusal(self, path: Path) -> ReadFile | None:
        """The outcome of a file that is kept apart; None for any other."""
        if not self._holds_any() or (known := _known(path)) is None:
            return None
        sha256, readers = known
        with self._engine.connect() as connection:
            row = connection.execute(select(quarantine_table).where(_c.sha256 == sha256)).one_or_none()
        if row is None or row.readers != readers:
            return None
        detail = f"not read again since {row.since:%Y-%m-%d}: {row.code}, {row.detail}"
        return ReadFile(path, sha256, UnreadableDocumentError(REFUSAL, detail))

    def note(self, path: Path, sha256: str | None, fault: UnreadableDocumentError | None) -> None:
        """Keep apart what did harm, and no longer what does none."""
        if sha256 is None:
            return
        if fault is not None and fault.code in HARM:
            self._keep(path, sha256, fault)
        elif self._holds_any():
            with self._engine.begin() as connection:
                connection.execute(delete(quarantine_table).where(_c.sha256 == sha256))

    def _keep(self, path: Path, sha256: str, why: UnreadableDocumentError) -> None:
        told: dict[str, Any] = {"name": path.name, "code": why.code, "detail": why.detail}
        told["readers"] = readers_of(_head(path) or b"")
        again = {**told, "tries": _c.tries + 1, "last_tried_at": func.now()}
        kept = insert(quarantine_table).values(sha256=sha256, **told)
        with self._engine.begin() as connection:
            connection.execute(kept.on_conflict_do_update(index_elements=[_c.sha256], set_=again))

    def _holds_any(self) -> bool:
        with self._engine.connect() as connection:
            return connection.scalar(select(_c.sha256).limit(1)) is not None

    def listed(self, *, after: str = "", limit: int | None = None) -> list[dict[str, Any]]:
        """What is kept apart, by hash, after the hash `after`."""
        query = select(quarantine_table).where(_c.sha256 > after).order_by(_c.sha256).limit(limit)
        with self._engine.connect() as connection:
            return [dict(row._mapping) for row in connection.execute(query)]

    def release(self, beginning: str) -> dict[str, Any]:
        """Let the file whose hash begins so be read again, and tell of it.

        Raises `NotFoundError` where there is none, or more than one.
        """
        found = [row for row in self.listed() if row["sha256"].startswith(beginning.lower())]
        if len(found) != 1:
            several = f"{len(found)} files" if found else "no file"
            raise NotFoundError(f"There is {several} in quarantine whose SHA-256 begins with {beginning!r}.")
        with self._engine.begin() as connection:
            connection.execute(delete(quarantine_table).where(_c.sha256 == found[0]["sha256"]))
        return found[0]


def _first_refusals(refused: deque[ReadFile | None]) -> Iterator[ReadFile]:
    while refused and (first := refused[0]) is not None:
        refused.popleft()
        yield first


def _known(path: Path) -> tuple[str, Readers] | None:
    """The hash of a file, and who could read it; None where it is no file that can be read."""
    try:
        if not path.is_file():
            return None
        with path.open("rb") as stream:
            head = stream.read(HEAD_BYTES)
            stream.seek(0)
            return hashlib.file_digest(stream, "sha256").hexdigest(), readers_of(head)
    except (OSError, ValueError):
        return None


def _head(path: Path) -> bytes | None:
    try:
        with path.open("rb") as stream:
            return stream.read(HEAD_BYTES)
    except OSError:
        return None
