"""Requests to stop: Ctrl-C, SIGTERM, and the terminal that was closed."""

import signal
import time
from types import FrameType, TracebackType
from typing import Any, Self

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SECONDS_BETWEEN_REQUESTS = 1.0
"""A second signal within this time is the same request: `make` passes on what its child has received already."""


class Stopped(BaseException):
    """Somebody asked us to stop. Not an `Exception`: nothing on the way may take it for a fault."""


class StopRequests:
    """Listens for the signals as long as its block lasts.

    At first a signal raises `Stopped` wherever the program is, so that it ends even the wait for a database. Once
    there are processes to stop in good order, call `only_note`: from then on a signal is noted, and `check` raises.
    """

    def __init__(self) -> None:
        self._raising = True
        self._first: float | None = None
        self._again = False
        self._earlier: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        """Take over the signals. One that is ignored stays so: that is what `nohup` asks for."""
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._earlier[number] = signal.signal(number, self._receive)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give them back."""
        for number, handler in self._earlier.items():
            signal.signal(number, handler)

    def only_note(self) -> None:
        """From now on raise nothing but from `check`."""
        self._raising = False

    def check(self) -> None:
        """Raise `Stopped` if a signal came."""
        if self._first is not None:
            raise Stopped

    @property
    def urgent(self) -> bool:
        """Whether somebody asked again, later than a second after the first time: no more patience."""
        return self._again

    def _receive(self, _number: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        if self._first is None:
            self._first = now
        elif now - self._first > SECONDS_BETWEEN_REQUESTS:
            self._again = True
        if self._raising:
            self._raising = False
            raise Stopped
