"""The loop of every background worker: one step after the other, until it is told to stop."""

import select
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

import structlog

log = structlog.get_logger(__name__)

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def stop_signals_ignored() -> Iterator[None]:
    """Let nobody interrupt what is being finished: who asked us to stop may ask once more. In the main thread only."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    earlier = {number: signal.signal(number, lambda *_: None) for number in STOP_SIGNALS}
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)


class BackgroundWorker:
    """Runs `step` again and again: at once while there is work, after a wait while there is none.

    `step` does a small piece of work and says whether there was any. It is never interrupted, so it must be
    short, and whatever it began is finished when the worker stops. A step that raises is logged and tried
    again after a pause, which doubles with every failure in a row. All times are in seconds.
    """

    def __init__(
        self,
        name: str,
        step: Callable[[], bool],
        *,
        idle_wait: float = 1.0,
        first_pause: float = 1.0,
        longest_pause: float = 60.0,
    ) -> None:
        self.name = name
        self.failures_in_a_row = 0
        self._step = step
        self._idle_wait = idle_wait
        self._first_pause = first_pause
        self._longest_pause = longest_pause
        self._stopping = False
        self._woken = False
        self._waker: socket.socket | None = None
        self._last_beat = time.monotonic()

    def run(self) -> None:
        """Work until `stop` is called or, in the main thread, SIGTERM or SIGINT arrives."""
        log.info("worker started", worker=self.name)
        # A socket pair and not a threading.Event: a signal handler that sets an Event can run while this very
        # thread holds the Event's lock, and would wait for itself for ever. Sending a byte is safe there.
        sleeper, waker = socket.socketpair()
        with sleeper, waker, self._stopped_by_signals():
            sleeper.setblocking(False)
            waker.setblocking(False)
            self._waker = waker
            while not self._stopping:
                self._wait(sleeper, self._one_step())
        log.info("worker stopped", worker=self.name)

    def wake(self) -> None:
        """End the present wait now, because there may be work. May be called from any thread."""
        self._woken = True
        if self._waker is not None:
            with suppress(OSError):  # full: it is awake already; closed: it has stopped
                self._waker.send(b"!")

    def stop(self) -> None:
        """Ask the worker to stop after the step it is in. May be called from any thread, more than once."""
        self._stopping = True
        self.wake()

    @property
    def stopping(self) -> bool:
        """Whether the worker was asked to stop. A step with several parts may look at it between them."""
        return self._stopping

    def beat(self) -> None:
        """Say "I am alive": the loop does so around every step; a long step may do so itself."""
        self._last_beat = time.monotonic()

    def seconds_since_beat(self) -> float:
        """How long ago the worker last showed that it lives. Far above the longest wait: it hangs or died."""
        return time.monotonic() - self._last_beat

    def _one_step(self) -> float:
        """Do one step; the seconds to wait before the next."""
        self.beat()
        self._woken = False  # before the step: a wake-up during it may be about work that it no longer saw
        try:
            worked = self._step()
        except Exception:
            pause = min(self._first_pause * 2.0 ** min(self.failures_in_a_row, 30), self._longest_pause)
            self.failures_in_a_row += 1
            log.exception("worker step failed", worker=self.name, failures=self.failures_in_a_row, pause=pause)
            return pause
        finally:
            self.beat()
        self.failures_in_a_row = 0
        return 0.0 if worked else self._idle_wait

    def _wait(self, sleeper: socket.socket, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not self._stopping:
            # After a failure only time ends the pause: wake-ups must not turn it into a busy loop.
            if self._woken and not self.failures_in_a_row:
                return
            select.select([sleeper], [], [], left)
            with suppress(BlockingIOError):
                sleeper.recv(4096)

    @contextmanager
    def _stopped_by_signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def stop(_number: int, _frame: FrameType | None) -> None:
            self.stop()

        earlier: dict[signal.Signals, Any] = {number: signal.signal(number, stop) for number in STOP_SIGNALS}
        try:
            yield
        finally:
            for number, handler in earlier.items():
                signal.signal(number, handler)
