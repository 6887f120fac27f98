"""Reads documents in child processes that may crash, hang, eat memory or answer nonsense: the parent lives.

Workers are forked from a server process that has the parsers imported, no threads and an empty environment
(multiprocessing's `forkserver`), so a new one costs milliseconds. A worker reads one file after another: the parent
opens each and hands over the descriptor, for the worker itself can open none. The kernel holds its limits: interval
timers end it at the deadline even inside native code, resource limits bound its memory and let it write no byte to a
file, and it has no network, no other processes and no files (`confinement.py`, `isolation.py`). What it answers is JSON
of bounded size, never a pickle, so a document that takes a worker over gains nothing in the parent.
"""

import gc
import hashlib
import os
import socket
import stat
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import orjson

from services.core.domain.errors import UnreadableDocumentError
from services.core.runtime.cores import usable_cores
from services.ingest.confinement import (
    CANNOT_START,
    PIPE_BYTES,
    Bounds,
    confine,
    enlarge,
    forkserver,
    storable_json,
    time_out_after,
    where,
    why_it_ended,
)
from services.ingest.parsers import read_document
from services.ingest.parsers.base import Content
from services.ingest.reading import Reading, reading_from

Reader = Callable[[Content], Reading]


class ReadFile(NamedTuple):
    """One file's outcome. `sha256` is of the bytes that were read; None where the file could not be read at
    all."""

    path: Path
    sha256: str | None
    result: Reading | UnreadableDocumentError


@dataclass(frozen=True)
class SandboxLimits:
    """What one document may cost.

    `deadline_seconds` is wall time. `memory_bytes` is address space beyond what a warm worker has; 60
    reports, four drafts, three matrices and a Council report were read with 32 MiB of it. `file_bytes` and
    `answer_bytes` bound what goes in and what comes out. No review has had 500 `recommendations`; merging takes time
    that grows with their square, and happens outside. `readable` and `programs`: what else a reader may read and start,
    such as a program that recognises letters.
    """

    deadline_seconds: float = 60.0
    memory_bytes: int = 512 * 2**20
    file_bytes: int = 100 * 2**20
    answer_bytes: int = 64 * 2**20
    recommendations: int = 5_000
    readable: tuple[Path, ...] = ()
    programs: tuple[Path, ...] = ()

    @property
    def bounds(self) -> Bounds:
        """What a worker may have for as long as it lives."""
        return Bounds(self.memory_bytes, readable=self.readable, programs=self.programs)


class Sandbox:
    """A pool of worker processes that read documents. A context manager: leaving it ends the workers."""

    def __init__(
        self,
        workers: int | None = None,
        deadline_seconds: float = SandboxLimits.deadline_seconds,
        memory_bytes: int = SandboxLimits.memory_bytes,
        *,
        limits: SandboxLimits | None = None,
        read: Reader = read_document,
    ) -> None:
        """`limits`, where given, replaces the two limits before it. `read` must be importable by name."""
        self._limits = limits or SandboxLimits(deadline_seconds, memory_bytes)
        self._read = read
        self._size = workers or usable_cores()
        self._workers: list[_Worker] = []

    def __enter__(self) -> Self:
        """Start nothing yet: the first file starts the first worker."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the workers."""
        self.close()

    def close(self) -> None:
        """End the workers, whatever they do. The sandbox can be used again afterwards."""
        while self._workers:
            self._workers.pop().kill()

    def read_all(self, files: Iterable[Path]) -> Iterator[ReadFile]:
        """Read `files`; the outcomes come in their order, each as soon as it and those before it are there.

        Never raises for what a file holds or does: that is an `UnreadableDocumentError` in the outcome, with
        the parsers' codes or `file_not_found`, `not_a_file`, `file_not_readable`, `file_too_large`,
        `parse_timeout`, `parse_memory`, `parse_crashed`, `parse_answer_too_large`. At most 16 files a worker
        are ahead of the reader.
        """
        run = _Run(iter(files), window=16 * self._size)
        try:
            while True:
                self._feed(run)
                if run.done:
                    return
                self._collect(run, block=not run.has_next)
                self._feed(run)
                if run.has_next:
                    yield run.take_next()
        finally:
            self._drop_busy_workers()

    def _feed(self, run: "_Run") -> None:
        """Give every worker one file to read and one to have ready, as long as there are files."""
        for depth in (1, 2):
            while (worker := self._worker_with_fewer_than(depth)) is not None:
                task = run.next_task(self._limits)
                if task is None:
                    return
                refusal = worker.assign(task)
                if refusal is not None:
                    run.finish(task, ReadFile(task.path, None, refusal))

    def _worker_with_fewer_than(self, tasks: int) -> "_Worker | None":
        for worker in self._workers:
            if len(worker.assigned) < tasks and not worker.retired:
                return worker
        if len(self._workers) < self._size:
            self._workers.append(_Worker(self._limits, self._read))
            return self._workers[-1]
        return None

    def _collect(self, run: "_Run", *, block: bool) -> None:
        """Take what workers have answered; deal with those that died or are over the deadline."""
        busy = [worker for worker in self._workers if worker.assigned]
        if not busy:
            return
        patience = min(worker.seconds_left for worker in busy) if block else 0
        wait([handle for worker in busy for handle in worker.handles], timeout=max(patience, 0))
        for worker in busy:
            for task, answer in worker.answers():
                outcome = _outcome_of(task.path, answer)
                run.finish(task, outcome)
                worker.exhausted = worker.exhausted or _is_out_of_memory(outcome)
            if worker.exhausted or (worker.retired and not worker.assigned):
                self._replace(worker, run)
            elif worker.ended or worker.seconds_left <= 0:
                self._bury(worker, run)

    def _bury(self, worker: "_Worker", run: "_Run") -> None:
        """Blame the death on the file that was being read; one that was only waiting goes to another worker."""
        reason = worker.kill()
        if not worker.ready:
            raise RuntimeError(f"{CANNOT_START} {reason.detail}")
        if worker.assigned:
            victim = worker.assigned.popleft()
            run.finish(victim, ReadFile(victim.path, _digest_of(victim.path), reason))
        self._replace(worker, run)

    def _replace(self, worker: "_Worker", run: "_Run") -> None:
        """End a worker, so that the next file starts a new one, and take back what it had not begun."""
        self._workers.remove(worker)
        worker.kill()
        run.give_back(worker.assigned)

    def _drop_busy_workers(self) -> None:
        for worker in [worker for worker in self._workers if worker.assigned]:
            self._workers.remove(worker)
            worker.kill()


class _Task(NamedTuple):
    place: int
    path: Path


class _Run:
    """The state of one `read_all`: what is still to do, and what is done but not yet handed out."""

    def __init__(self, files: Iterator[Path], window: int) -> None:
        self._files = enumerate(files)
        self._window = window
        self._returned: deque[_Task] = deque()
        self._finished: dict[int, ReadFile] = {}
        self._accepted = 0
        self._handed_out = 0
        self._exhausted = False

    @property
    def has_next(self) -> bool:
        """Whether the next outcome in the order of the files is there."""
        return self._handed_out in self._finished

    @property
    def done(self) -> bool:
        """Whether every file's outcome has been handed out."""
        return self._exhausted and self._handed_out == self._accepted

    def next_task(self, limits: SandboxLimits) -> _Task | None:
        """The next file that a worker must look at; those that cannot be opened are finished here."""
        if self._returned:
            return self._returned.popleft()
        while not self._exhausted and self._accepted - self._handed_out < self._window:
            task = next((_Task(place, Path(path)) for place, path in self._files), None)
            if task is None:
                self._exhausted = True
                break
            self._accepted += 1
            refusal = _refusal(task.path, limits)
            if refusal is None:
                return task
            self.finish(task, ReadFile(task.path, None, refusal))
        return None

    def finish(self, task: _Task, outcome: ReadFile) -> None:
        self._finished[task.place] = outcome

    def give_back(self, tasks: Iterable[_Task]) -> None:
        self._returned.extend(tasks)

    def take_next(self) -> ReadFile:
        outcome = self._finished.pop(self._handed_out)
        self._handed_out += 1
        return outcome


_HEADER_BYTES = 8
_NAME_BYTES = 4
_PARENT_GRACE_SECONDS = 2.0
_START_SECONDS = 60.0
_FILES_PER_WORKER = 200
"""A worker is replaced after so many files: what native libraries leak does not add up."""


class _Worker:
    """One child process, and the parent's ends of its pipes."""

    def __init__(self, limits: SandboxLimits, read: Reader) -> None:
        context = forkserver(__name__, read.__module__)
        child_tasks, self._tasks = socket.socketpair()
        self._answers, child_answers = context.Pipe(duplex=False)
        enlarge(child_answers)
        os.set_blocking(self._answers.fileno(), False)
        self._process: BaseProcess = context.Process(
            target=_work, args=(child_tasks, child_answers, limits, read), daemon=True
        )
        self._process.start()
        child_tasks.close()
        child_answers.close()
        self._limits = limits
        self._buffer = bytearray()
        self._head_since = time.monotonic()
        self._files = 0
        self._reason: UnreadableDocumentError | None = None
        self.assigned: deque[_Task] = deque()
        self.ready = False
        self.ended = False
        self.exhausted = False

    @property
    def handles(self) -> tuple[Connection, int]:
        """What becomes ready when the worker answers or dies."""
        return self._answers, self._process.sentinel

    @property
    def pid(self) -> int | None:
        """The process id."""
        return self._process.pid

    @property
    def retired(self) -> bool:
        """Whether the worker has read all the files it should."""
        return self._files >= _FILES_PER_WORKER

    @property
    def seconds_left(self) -> float:
        """Until the parent stops waiting for the file in hand; the worker's own timer should end it before."""
        limit = self._limits.deadline_seconds + _PARENT_GRACE_SECONDS if self.ready else _START_SECONDS
        return self._head_since + limit - time.monotonic()

    def assign(self, task: _Task) -> UnreadableDocumentError | None:
        """Give the worker a file; why it cannot even be opened, if so.

        A worker that has died meanwhile is noticed when its answers are collected.
        """
        try:
            opened = os.open(task.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            return UnreadableDocumentError("file_not_readable", error.strerror or str(error))
        if not self.assigned:
            self._head_since = time.monotonic()
        self.assigned.append(task)
        self._files += 1
        name = os.fsencode(task.path.name)
        with suppress(BrokenPipeError, ConnectionResetError):
            socket.send_fds(self._tasks, [len(name).to_bytes(_NAME_BYTES, "big")], [opened])
            self._tasks.sendall(name)
        os.close(opened)
        return None

    def answers(self) -> Iterator[tuple[_Task, bytes]]:
        """The complete answers that have arrived. Sets `ended` where the pipe is closed or the process gone."""
        gone = bool(wait([self._process.sentinel], timeout=0))
        self._receive()
        self.ended = self.ended or gone
        while self.assigned and (answer := self._cut_answer()) is not None:
            self._head_since = time.monotonic()
            if self.ready:
                yield self.assigned.popleft(), answer
            self.ready = True

    def kill(self) -> UnreadableDocumentError:
        """End the process and say why it had to end. Calling it again changes nothing."""
        if self._reason is not None:
            return self._reason
        overdue = self._process.exitcode is None and not self.ended
        self._process.kill()
        self._process.join()
        exit_code = self._process.exitcode
        self._process.close()
        self._tasks.close()
        self._answers.close()
        self._reason = why_it_ended(exit_code, overdue, self._limits.deadline_seconds)
        return self._reason

    def _receive(self) -> None:
        while len(self._buffer) <= self._limits.answer_bytes + _HEADER_BYTES:
            try:
                piece = os.read(self._answers.fileno(), PIPE_BYTES)
            except BlockingIOError:
                return
            if not piece:
                self.ended = True
                return
            self._buffer += piece
        self.ended = True  # more than any honest worker sends

    def _cut_answer(self) -> bytes | None:
        size = int.from_bytes(self._buffer[:_HEADER_BYTES], "big")
        if len(self._buffer) < _HEADER_BYTES + size:
            return None
        answer = bytes(self._buffer[_HEADER_BYTES : _HEADER_BYTES + size])
        del self._buffer[: _HEADER_BYTES + size]
        return answer


def _refusal(path: Path, limits: SandboxLimits) -> UnreadableDocumentError | None:
    """Why a file is not even opened, if so."""
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return UnreadableDocumentError("file_not_found", "there is no such file")
    except (OSError, ValueError) as error:
        return UnreadableDocumentError("file_not_readable", getattr(error, "strerror", None) or str(error))
    if not stat.S_ISREG(status.st_mode):
        return UnreadableDocumentError("not_a_file", "this is not a regular file")
    if status.st_size > limits.file_bytes:
        return UnreadableDocumentError(
            "file_too_large", f"the file has {status.st_size:,} bytes; at most {limits.file_bytes:,} are read"
        )
    return None


def _digest_of(path: Path) -> str | None:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return None


def _is_out_of_memory(outcome: ReadFile) -> bool:
    return isinstance(outcome.result, UnreadableDocumentError) and outcome.result.code == "parse_memory"


def _outcome_of(path: Path, answer: bytes) -> ReadFile:
    """What a worker's answer says. An answer that makes no sense is a crash."""
    try:
        told = orjson.loads(answer)
        if "error" in told:
            error = UnreadableDocumentError(str(told["error"]["code"]), str(told["error"]["detail"]))
            return ReadFile(path, told["sha256"], error)
        return ReadFile(path, told["sha256"], reading_from(told["reading"]))
    except (ValueError, KeyError, TypeError) as error:
        reason = UnreadableDocumentError("parse_crashed", f"the answer cannot be understood: {error}")
        return ReadFile(path, _digest_of(path), reason)


# What follows runs in the worker.


def _work(tasks: socket.socket, answers: Connection, limits: SandboxLimits, read: Reader) -> None:
    """Say that the worker is there, then answer one file after another until the parent closes the pipe."""
    confine(limits.bounds, keep=(tasks.fileno(), answers.fileno()))
    _send(answers, b"")
    while (task := _next_file(tasks)) is not None:
        time_out_after(limits.deadline_seconds)
        answer = _answer(*task, limits, read)
        time_out_after(0)
        _send(answers, answer)


def _next_file(tasks: socket.socket) -> tuple[str, int] | None:
    """The name of the file that is to be read, and its descriptor; None where no more come."""
    size, opened, _, _ = socket.recv_fds(tasks, _NAME_BYTES, 1)
    if not opened:
        return None
    name = tasks.recv(int.from_bytes(size, "big"), socket.MSG_WAITALL)
    return os.fsdecode(name), opened[0]


def _answer(name: str, opened: int, limits: SandboxLimits, read: Reader) -> bytes:
    digest: str | None = None
    try:
        with os.fdopen(opened, "rb") as stream:
            data = stream.read(limits.file_bytes + 1)
        if len(data) > limits.file_bytes:
            raise UnreadableDocumentError("file_too_large", f"more than {limits.file_bytes:,} bytes are not read")
        digest = hashlib.sha256(data).hexdigest()
        return _told(digest, read(Content(name, data)), limits)
    except UnreadableDocumentError as error:
        return _refused(digest, error.code, error.detail)
    except MemoryError:
        gc.collect()
        return _refused(digest, "parse_memory", f"reading takes more than {limits.memory_bytes:,} bytes of memory")
    except OSError as error:
        return _refused(digest, "file_not_readable", error.strerror or str(error))
    except Exception as error:  # noqa: BLE001 - whatever a parser does, the batch goes on
        return _refused(digest, "parse_crashed", where(error))


def _told(digest: str, reading: Reading, limits: SandboxLimits) -> bytes:
    found = len(reading.recommendations) + len(reading.positions)
    if found > limits.recommendations:
        raise UnreadableDocumentError("parse_answer_too_large", f"the reading has {found:,} recommendations")
    answer = storable_json({"sha256": digest, "reading": reading})
    if len(answer) > limits.answer_bytes:
        raise UnreadableDocumentError("parse_answer_too_large", f"the reading has {len(answer):,} bytes")
    return answer


def _refused(digest: str | None, code: str, detail: str) -> bytes:
    return storable_json({"sha256": digest, "error": {"code": code, "detail": detail}})


def _send(answers: Connection, answer: bytes) -> None:
    remaining = memoryview(len(answer).to_bytes(_HEADER_BYTES, "big") + answer)
    while remaining:
        remaining = remaining[os.write(answers.fileno(), remaining) :]
