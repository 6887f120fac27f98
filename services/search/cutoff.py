"""No search takes longer than the cutoff: who asks is told so then, whatever the engine is still doing."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

from services.core.domain.errors import UnavailableError

THREADS = 40
"""As many as requests are answered at a time (Starlette's). Where all still work for nobody, searches wait, and are
told the same."""

Found = TypeVar("Found")


class CutoffError(UnavailableError):
    """A search took longer than it may."""

    title = "The search took too long"


class Cutoff:
    """Runs searches in threads of its own, and stops waiting for them after so many seconds.

    Nothing can stop an engine in the middle of a search; it ends by itself, and its answer is dropped.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._threads = ThreadPoolExecutor(THREADS, "search")

    def within(self, search: Callable[[], Found]) -> Found:
        """What `search` finds or raises. Raises `CutoffError` where it does not do so in time."""
        running = self._threads.submit(search)
        try:
            return running.result(self._seconds)
        except TimeoutError:
            self._given_up(running)
            raise

    async def awaited(self, search: Callable[[], Found]) -> Found:
        """The same for who runs in the event loop: one change of threads less, which takes as long as many a search."""
        running = self._threads.submit(copy_context().run, search)
        try:
            async with asyncio.timeout(self._seconds):
                return await asyncio.wrap_future(running)
        except TimeoutError:
            self._given_up(running)
            raise

    def _given_up(self, running: Future[Found]) -> None:
        """Raise `CutoffError`, unless the search itself ran into a limit of time."""
        if running.done() and not running.cancelled():
            return
        running.cancel()
        raise CutoffError(
            f"The search was given up after {self._seconds:g} seconds. Ask for less: fewer words or facets, a type or a"
            " filter."
        ) from None

    def close(self) -> None:
        """Begin no more searches, and wait for none."""
        self._threads.shutdown(wait=False, cancel_futures=True)
