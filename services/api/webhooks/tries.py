"""Runs tries in threads: fairly among endpoints, and only so many at once of each."""

import threading
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from services.api.webhooks.queue import Claim


class TryPool:
    """Tries wait here until one of the threads is free and their endpoint has fewer than `an_endpoint` running.

    In place of those that hang others run, up to `spare_threads`: receivers that stop to answer all at once do not hold
    up the rest until their deadline. `run` does one try and must not raise. Any thread may call any method.
    """

    def __init__(self, run: Callable[[Claim], None], *, threads: int, spare_threads: int, an_endpoint: int) -> None:
        self._run = run
        self._threads = threads
        self._spare_threads = spare_threads
        self._hanging = 0
        self._an_endpoint = an_endpoint
        self._pool = ThreadPoolExecutor(threads + spare_threads, thread_name_prefix="webhook")
        self._lock = threading.Lock()
        self._waiting: dict[str, deque[Claim]] = {}
        self._running: Counter[str] = Counter()

    def add(self, claim: Claim) -> None:
        """Run the try of a claim as soon as there is a place."""
        with self._lock:
            self._waiting.setdefault(claim.endpoint, deque()).append(claim)
            self._fill()

    def note_hanging(self, tries: int) -> None:
        """So many of the tries that run take long."""
        with self._lock:
            self._hanging = tries
            self._fill()

    def withdraw(self, endpoint: str | None = None) -> list[Claim]:
        """Take back the tries that have not begun, of one endpoint or of all."""
        with self._lock:
            if endpoint is not None:
                return list(self._waiting.pop(endpoint, ()))
            waiting = [claim for claims in self._waiting.values() for claim in claims]
            self._waiting.clear()
            return waiting

    def close(self) -> None:
        """Wait for the tries that run. Those that wait must have been withdrawn."""
        self._pool.shutdown(wait=True)

    def _fill(self) -> None:
        """Start what can start. The endpoint that was served goes to the end of the line."""
        most = self._threads + min(self._hanging, self._spare_threads)
        started = True
        while started and self._running.total() < most:
            started = False
            for endpoint in list(self._waiting):
                if self._running[endpoint] < self._an_endpoint and self._running.total() < most:
                    self._start(endpoint)
                    started = True

    def _start(self, endpoint: str) -> None:
        claims = self._waiting.pop(endpoint)
        claim = claims.popleft()
        if claims:
            self._waiting[endpoint] = claims
        self._running[endpoint] += 1
        self._pool.submit(self._run_and_go_on, claim)

    def _run_and_go_on(self, claim: Claim) -> None:
        try:
            self._run(claim)
        finally:
            with self._lock:
                self._running[claim.endpoint] -= 1
                if not self._running[claim.endpoint]:
                    del self._running[claim.endpoint]
                self._fill()
