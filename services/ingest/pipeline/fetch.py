"""The second stage: every file that was found is asked for, and what came is kept."""

import datetime
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from services.ingest.fetching.outcomes import Fetched, NotFetchedError
from services.ingest.pipeline.held import Held, held_at, is_settled
from services.ingest.pipeline.pauses import rest_until
from services.ingest.pipeline.records import Stage
from services.ingest.pipeline.staging import Staged, State
from services.ingest.pipeline.task import RunFetch, Step, Task
from services.ingest.reading import ReadIssue

NOT_MODIFIED = 304
_LONGEST_WAIT = 0.5
"""Seconds between two looks at whether the run is to stop."""
_SETTLED_AT_ONCE = 50

Answer = Fetched | NotFetchedError


def fetch_all(task: Task, fetch: RunFetch) -> None:
    """Ask for each file, as many at once as the source's description allows; the outcomes are noted in order."""
    states = task.staging.states()
    total = sum(states.values())
    done = total - states.get(State.FOUND, 0)
    asked = _Asking(task, fetch)
    outcomes = _Outcomes(task)
    for file, answer in asked.in_order():
        done += 1
        outcomes.add(file, answer)
        fault = answer.detail if isinstance(answer, NotFetchedError) and not file.may_be_missing else None
        task.desk.tell(Step(Stage.FETCHING, done, total, file.name, fault))
    outcomes.write()


@dataclass
class _Asking:
    """The threads that ask."""

    task: Task
    fetch: RunFetch
    _refusing: dict[str, NotFetchedError] = field(default_factory=dict)
    _resting: dict[str, datetime.datetime] = field(default_factory=dict)

    def in_order(self) -> Iterator[tuple[Staged, Answer]]:
        at_once = self.task.source.description.rate.at_once
        waiting: deque[tuple[Staged, Future[Answer]]] = deque()
        with self._pool(at_once) as pool:
            for files in self.task.staging.groups(State.FOUND):
                self._look_up(files)
                for file in files:
                    waiting.append((file, pool.submit(self._ask, file)))
                    if len(waiting) > 2 * at_once:
                        yield self._next(waiting)
            while waiting:
                yield self._next(waiting)

    def _look_up(self, files: Sequence[Staged]) -> None:
        """What is known of files that are asked for next is looked up for all of them together."""
        by_rule = [file.address for file in files if file.may_be_missing]
        self._resting.update(rest_until(self.task.engine, by_rule))
        self.fetch.foresee([file.address for file in files if file.address not in self._resting])

    @contextmanager
    def _pool(self, at_once: int) -> Iterator[ThreadPoolExecutor]:
        pool = ThreadPoolExecutor(at_once, thread_name_prefix="fetch")
        try:
            yield pool
        finally:
            pool.shutdown(cancel_futures=True)

    def _ask(self, file: Staged) -> Answer:
        host = urlsplit(file.address).netloc
        if (refusal := self._refusing.get(host)) is not None:
            return refusal
        if (until := self._resting.pop(file.address, None)) is not None:
            detail = f"nothing was there; it is asked for again after {until:%Y-%m-%d %H:%M} UTC"
            return NotFetchedError("missing", detail, address=file.address, missing=True)
        try:
            return self.fetch(
                file.address, kinds=file.kinds, most_bytes=file.most_bytes, may_be_missing=file.may_be_missing
            )
        except NotFetchedError as error:
            if error.host_refuses:
                self._refusing[host] = error
            return error

    def _next(self, waiting: deque[tuple[Staged, Future[Answer]]]) -> tuple[Staged, Answer]:
        file, answer = waiting.popleft()
        while True:
            try:
                return file, answer.result(timeout=_LONGEST_WAIT)
            except TimeoutError:
                self.task.desk.tell(Step(Stage.FETCHING, file=file.name))


@dataclass
class _Outcomes:
    """What came of asking. New bytes are noted at once; that files are as they were, some at a time."""

    task: Task
    _waiting: list[tuple[Staged, Answer]] = field(default_factory=list)
    _since: float = field(default_factory=time.monotonic)

    def add(self, file: Staged, answer: Answer) -> None:
        self._waiting.append((file, answer))
        is_new = isinstance(answer, Fetched) and not answer.unchanged
        if is_new or len(self._waiting) >= _SETTLED_AT_ONCE or time.monotonic() - self._since > 1:
            self.write()

    def write(self) -> None:
        source = self.task.source.name
        with self.task.engine.begin() as connection:
            held = held_at(connection, source, [file.address for file, _ in self._waiting])
            noted = [_noted(file, answer, held.get(file.address)) for file, answer in self._waiting]
            self.task.staging.set_each(connection, noted)
            for file, answer in self._waiting:
                issues = _issues(file, answer, held.get(file.address))
                self.task.note(connection, issues, file=file.name)
        self._waiting.clear()
        self._since = time.monotonic()


def _noted(file: Staged, answer: Answer, held: Held | None) -> dict[str, object]:
    noted = dict.fromkeys(("code", "detail", "sha256", "kind", "bytes")) | {"place": file.place}
    if isinstance(answer, NotFetchedError):
        state = State.MISSING if answer.missing else State.REFUSED
        return {**noted, "state": state, "code": answer.code, "detail": answer.detail}
    state = State.UNCHANGED if is_settled(held, answer.sha256) else State.FETCHED
    sent = 0 if answer.status == NOT_MODIFIED else answer.size
    return {**noted, "state": state, "sha256": answer.sha256, "kind": answer.kind, "bytes": sent}


def _issues(file: Staged, answer: Answer, held: Held | None) -> list[ReadIssue]:
    """That nothing is at an address made by rule is no news, unless something was there before."""
    if isinstance(answer, Fetched) or (answer.missing and file.may_be_missing and held is None):
        return []
    return [ReadIssue("warning" if answer.missing else "error", answer.code, f"{file.address}: {answer.detail}")]
