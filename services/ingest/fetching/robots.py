"""robots.txt by RFC 9309: what a host lets us ask for.

No such file (4xx) allows everything; one that cannot be had (5xx, no answer) forbids everything for now. What was
fetched holds for a day at most, and is known again after a restart.
"""

import datetime
import threading
from collections.abc import Callable
from dataclasses import dataclass

from protego import Protego

NAME = "OpenUPR"
"""The product token that robots.txt may name us by."""
MOST_BYTES = 500 * 1024
"""What is read of a file at most; RFC 9309, 2.5, asks for as much at least."""
MOST_REDIRECTS = 5
"""RFC 9309, 2.3.1.2."""
KEPT_FOR = datetime.timedelta(hours=24)
"""RFC 9309, 2.4."""
UNREACHABLE_FOR = datetime.timedelta(minutes=10)
"""How long a file that could not be had is not asked for again."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What a host says, and until when we take its word. `text` is None where it could not be asked; `code` and `why`
    then say what came of asking.
    """

    text: str | None
    read_at: datetime.datetime
    code: str = ""
    why: str = ""

    @property
    def until(self) -> datetime.datetime:
        """When to ask again."""
        return self.read_at + (UNREACHABLE_FOR if self.text is None else KEPT_FOR)


class Robots:
    """The rules of all hosts, each asked for once. Threads share it."""

    def __init__(self, ask: Callable[[str], Rules]) -> None:
        """`ask`: the rules that stand at an address."""
        self._ask = ask
        self._lock = threading.Lock()
        self._known: dict[str, tuple[Rules, Protego]] = {}
        self._asking: dict[str, threading.Lock] = {}

    def of(self, origin: str) -> tuple[Rules, Protego]:
        """What the host of an origin (`https://docs.example.org`) says."""
        with self._lock:
            asking = self._asking.setdefault(origin, threading.Lock())
        with asking:
            known = self._known.get(origin)
            if known is None or known[0].until <= datetime.datetime.now(datetime.UTC):
                rules = self._ask(f"{origin}/robots.txt")
                known = self._known[origin] = (rules, Protego.parse(rules.text or ""))
            return known
