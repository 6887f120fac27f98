"""Reads an export in a process of its own, which may crash, hang or eat memory: the parent lives.

The child tells the rows as they come, each with the name of the shelf it belongs on, in JSON: the parent looks at
nothing but the name until it takes a shelf down. Last it tells what became of all rows.
"""

import dataclasses
import os
import signal
import stat
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from types import TracebackType
from typing import Self

import orjson

from services.core.domain.errors import UnreadableDocumentError
from services.ingest.confinement import (
    CANNOT_START,
    PIPE_BYTES,
    Bounds,
    confine,
    enlarge,
    forkserver,
    storable_json,
    where,
    why_it_ended,
)
from services.ingest.datasets.base import DataSet, KeptOut, Notes, ReadObservation, ReviewRow, Row, Tally
from services.ingest.reading import ReadIssue

REVIEW, DOCUMENT = "review", "document"
"""What the names of shelves begin with."""

ShelvedRow = tuple[str, bytes]
"""The name of a shelf, and a row as JSON."""


@dataclass(frozen=True)
class ExportLimits:
    """What an export may cost. UHRI's has 270,000 rows and 400 MB; a review has at most some 1,000 rows in one.

    `stall_seconds` is wall time without a batch of rows, `cpu_seconds` processor time for all, `memory_bytes` address
    space beyond what a warm process has (a workbook's texts are held while it is read). Rows beyond `row_bytes`, or of
    a share (a review, a document of another mechanism) that has `share_rows` or `share_bytes` already, are kept out;
    beyond the others nothing of the export is read.
    """

    file_bytes: int = 4 * 2**30
    stall_seconds: float = 60.0
    cpu_seconds: int = 1800
    memory_bytes: int = 2**30
    told_bytes: int = 8 * 2**30
    shares: int = 200_000
    row_bytes: int = 2**18
    share_rows: int = 5_000
    share_bytes: int = 32 * 2**20


@dataclass(frozen=True)
class Told:
    """What is known of an export when all rows are told. `newest`: by shelf, the day on which a row last changed."""

    tally: Tally
    issues: tuple[ReadIssue, ...]
    as_of: str | None
    newest: Mapping[str, str]


class ExportReader:
    """A child process that reads one export. A context manager: leaving it ends the child."""

    def __init__(self, data_set: DataSet, path: Path, limits: ExportLimits | None = None) -> None:
        """Raises `UnreadableDocumentError` for a file that is not even opened: `file_not_found`, `not_a_file`,
        `file_not_readable`, `file_too_large`.
        """
        self._limits = limits or ExportLimits()
        _refuse(path, self._limits)
        context = forkserver(__name__)
        self._told, child_told = context.Pipe(duplex=False)
        enlarge(child_told)
        self._process = context.Process(
            target=_tell, args=(child_told, data_set, path.absolute(), self._limits), daemon=True
        )
        self._process.start()
        child_told.close()
        self._buffer = bytearray()
        self._ready = False
        self.end: Told | None = None

    def __enter__(self) -> Self:
        """The child reads already."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the child, whatever it does."""
        self._process.kill()
        self._process.join()
        self._process.close()
        self._told.close()

    def rows(self) -> Iterator[ShelvedRow]:
        """The rows, as they come; then `end` is set.

        Raises `UnreadableDocumentError`: what the reader raises, `export_too_large`, `parse_memory`, `parse_timeout`,
        `parse_crashed`.
        """
        taken = 0
        for kind, content in self._messages():
            taken += len(content)
            if taken > self._limits.told_bytes:
                raise UnreadableDocumentError("export_too_large", f"its rows take more than {taken:,} bytes")
            if kind == _READY:
                self._ready = True
            elif kind == _ROWS:
                yield from map(_shelved, content.split(b"\n"))
            else:
                self.end = _end(kind, content)
                return

    def _messages(self) -> Iterator[tuple[int, bytes]]:
        while True:
            while (message := self._cut_message()) is not None:
                yield message
            if not wait([self._told], timeout=self._limits.stall_seconds + _GRACE_SECONDS):
                raise self._reason(overdue=True)
            piece = os.read(self._told.fileno(), PIPE_BYTES)
            if not piece:
                raise self._reason(overdue=False)
            self._buffer += piece

    def _cut_message(self) -> tuple[int, bytes] | None:
        size = int.from_bytes(self._buffer[1:_HEADER_BYTES], "big")
        if size > _MOST_OF_A_MESSAGE:
            raise UnreadableDocumentError("parse_crashed", "the process that read the file tells nonsense")
        if len(self._buffer) < _HEADER_BYTES + size:
            return None
        kind, content = self._buffer[0], bytes(self._buffer[_HEADER_BYTES : _HEADER_BYTES + size])
        del self._buffer[: _HEADER_BYTES + size]
        return kind, content

    def _reason(self, *, overdue: bool) -> Exception:
        self._process.join(_GRACE_SECONDS)
        if not self._ready:
            return RuntimeError(f"{CANNOT_START} (exit status {self._process.exitcode})")
        return why_it_ended(self._process.exitcode, overdue, self._limits.stall_seconds)


_READY, _ROWS, _DONE, _REFUSED = b"HRDX"
_HEADER_BYTES = 8
_GRACE_SECONDS = 2.0
_BATCH_BYTES = 2**18
_MOST_OF_A_MESSAGE = 2**26
_LONGEST_NAME = 500
_NO_DAY = "9999-12-31"
"""A row that names no day may be new at any time."""


def _refuse(path: Path, limits: ExportLimits) -> None:
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UnreadableDocumentError("file_not_found", "there is no such file") from error
    except (OSError, ValueError) as error:
        raise UnreadableDocumentError("file_not_readable", getattr(error, "strerror", None) or str(error)) from error
    if not stat.S_ISREG(status.st_mode):
        raise UnreadableDocumentError("not_a_file", "this is not a regular file")
    if status.st_size > limits.file_bytes:
        raise UnreadableDocumentError(
            "file_too_large", f"the file has {status.st_size:,} bytes; at most {limits.file_bytes:,} are read"
        )


def _shelved(line: bytes) -> ShelvedRow:
    shelf, _, row = line.partition(b"\t")
    return shelf.decode(), row


def _end(kind: int, content: bytes) -> Told:
    try:
        said = orjson.loads(content)
        if kind == _REFUSED:
            raise UnreadableDocumentError(str(said["code"]), str(said["detail"]))
        tally = Tally(**{**said["tally"], "kept_out": Counter(said["tally"]["kept_out"])})
        return Told(tally, tuple(ReadIssue(**issue) for issue in said["issues"]), said["as_of"], said["newest"])
    except (ValueError, KeyError, TypeError) as error:
        raise UnreadableDocumentError("parse_crashed", f"the answer cannot be understood: {error}") from error


# What follows runs in the child.


def _tell(told: Connection, data_set: DataSet, path: Path, limits: ExportLimits) -> None:
    """Tell all rows, then the end of it."""
    bounds = Bounds(limits.memory_bytes, limits.cpu_seconds, readable=(path,), any_owner=True)
    confine(bounds, keep=[told.fileno()])
    _send(told, _READY, b"")
    signal.setitimer(signal.ITIMER_REAL, limits.stall_seconds)
    try:
        _tell_rows(told, data_set, path, limits)
    except UnreadableDocumentError as error:
        _refused(told, error.code, error.detail)
    except MemoryError:
        _refused(told, "parse_memory", f"reading takes more than {limits.memory_bytes:,} bytes of memory")
    except OSError as error:
        _refused(told, "file_not_readable", error.strerror or str(error))
    except Exception as error:  # noqa: BLE001 - whatever an export does to its reader, the batch goes on
        _refused(told, "parse_crashed", where(error))


def _tell_rows(told: Connection, data_set: DataSet, path: Path, limits: ExportLimits) -> None:
    notes = Notes()
    sorting = _Sorting(limits, notes)
    batch: list[bytes] = []
    waiting = 0
    for row in data_set.rows(path, notes):
        line = sorting.line(row)
        if line is None:
            continue
        batch.append(line)
        waiting += len(line)
        if waiting > _BATCH_BYTES:
            _send(told, _ROWS, b"\n".join(batch))
            signal.setitimer(signal.ITIMER_REAL, limits.stall_seconds)
            batch, waiting = [], 0
    if batch:
        _send(told, _ROWS, b"\n".join(batch))
    tally = {**vars(sorting.tally), "kept_out": dict(sorting.tally.kept_out)}
    issues = list(map(dataclasses.asdict, notes.remarks.issues()))
    _send(
        told, _DONE, storable_json({"tally": tally, "issues": issues, "as_of": notes.as_of, "newest": sorting.newest})
    )


@dataclass
class _Sorting:
    """Says of each row where it belongs, and keeps out what goes beyond the limits."""

    limits: ExportLimits
    notes: Notes
    tally: Tally = field(default_factory=Tally)
    newest: dict[str, str] = field(default_factory=dict)
    _rows: Counter[str] = field(default_factory=Counter)
    _bytes: Counter[str] = field(default_factory=Counter)

    def line(self, row: Row) -> bytes | None:
        """The row as the parent gets it; None for one that is kept out."""
        self.tally.rows += 1
        if isinstance(row, KeptOut):
            self._keep_out(row.issue)
            return None
        shelf, content = _shelf(row), storable_json(row)
        fault = self._fault(row, shelf, content)
        if fault is not None:
            self._keep_out(fault)
            return None
        self.newest[shelf] = max(self.newest.get(shelf, ""), row.changed or _NO_DAY)
        if isinstance(row, ReadObservation):
            self.tally.observations += 1
        else:
            self.tally.pledges += row.is_pledge
            self.tally.recommendations += not row.is_pledge
        # In JSON neither the name's end nor the line's can stand unescaped.
        return storable_json(shelf)[1:-1] + b"\t" + content

    def _fault(self, row: ReviewRow | ReadObservation, shelf: str, content: bytes) -> ReadIssue | None:
        """Why a row goes beyond the limits, if it does."""
        if max(map(len, _names_in(row))) > _LONGEST_NAME:
            return ReadIssue("warning", "malformed_row", "a row has a name longer than any real one")
        if len(content) > self.limits.row_bytes:
            return ReadIssue("error", "row_too_large", "a row is longer than any real one")
        self._rows[shelf] += 1
        self._bytes[shelf] += len(content)
        if len(self._rows) > self.limits.shares:
            raise UnreadableDocumentError("export_too_large", f"it tells of more than {self.limits.shares:,} documents")
        if self._rows[shelf] > self.limits.share_rows or self._bytes[shelf] > self.limits.share_bytes:
            return ReadIssue("error", "share_too_large", f"there are more rows of {shelf} than of any real one")
        return None

    def _keep_out(self, issue: ReadIssue) -> None:
        self.tally.kept_out[issue.code] += 1
        self.notes.remarks.add(issue)


def _names_in(row: ReviewRow | ReadObservation) -> Iterator[str]:
    """What becomes a key in the store, or stands in an index."""
    yield row.external_id or ""
    yield from (label for _, label, _ in row.labels)
    if isinstance(row, ReadObservation):
        yield from (row.group, row.body, row.symbol or "")


def _shelf(row: ReviewRow | ReadObservation) -> str:
    if isinstance(row, ReadObservation):
        return f"{DOCUMENT} {row.group} {row.language}"
    return f"{REVIEW} {row.state} {row.cycle} {row.language}"


def _refused(told: Connection, code: str, detail: str) -> None:
    _send(told, _REFUSED, storable_json({"code": code, "detail": detail}))


def _send(told: Connection, kind: int, content: bytes) -> None:
    remaining = memoryview(bytes([kind]) + len(content).to_bytes(_HEADER_BYTES - 1, "big") + content)
    while remaining:
        remaining = remaining[os.write(told.fileno(), remaining) :]
