"""How often one caller may ask: so many requests a minute, all at once or evenly.

The generic cell rate algorithm: of each caller one number is kept, the moment at which its whole allowance would be
back. (The library `limits` starts a thread for each request that it counts in memory, which is no good in an event
loop.) Each process counts for itself: with several, a caller may ask as many times as often.
"""

import hashlib
import ipaddress
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

WINDOW = 60.0
DEFAULT_LIMIT = 1200
"""Requests a minute for an address, where nothing else is set."""
_FEWEST_TO_FORGET = 20_000
"""So many callers are remembered before those whose allowance is whole again are looked for, to be forgotten."""
_KEY_IS_KNOWN_FOR = 60.0
"""Seconds for which a key, once found valid, counts as a caller of its own."""


@dataclass(frozen=True)
class Allowance:
    """What a caller has left. `wait` is how long, in seconds, until the next request is answered; 0: this one is."""

    limit: int
    remaining: int
    whole_in: float
    wait: float = 0.0

    def headers(self) -> dict[str, str]:
        """`RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers), and `Retry-After` of a refusal."""
        headers = {
            "RateLimit-Policy": f'"requests";q={self.limit};w={WINDOW:.0f}',
            "RateLimit": f'"requests";r={self.remaining};t={math.ceil(self.whole_in)}',
        }
        return headers | ({"Retry-After": str(math.ceil(self.wait))} if self.wait else {})


class RateLimiter:
    """Counts the requests of all callers that have the same limit."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = per_minute
        self._interval = WINDOW / per_minute
        self._clock = clock
        self._whole_at: dict[str, float] = {}
        self._forget_at = _FEWEST_TO_FORGET

    def take(self, caller: str) -> Allowance:
        """Count one request, unless the caller has none left. A refused one costs nothing."""
        now = self._clock()
        whole_at = max(now, self._whole_at.get(caller, now))
        wait = whole_at + self._interval - now - WINDOW
        if wait > 1e-9:
            return Allowance(self._limit, 0, whole_at - now, wait)
        whole_at += self._interval
        self._whole_at[caller] = whole_at
        if len(self._whole_at) > self._forget_at:
            self._forget(now)
        remaining = math.floor((WINDOW - (whole_at - now)) / self._interval + 1e-9)
        return Allowance(self._limit, remaining, whole_at - now)

    def _forget(self, now: float) -> None:
        self._whole_at = {caller: moment for caller, moment in self._whole_at.items() if moment > now}
        self._forget_at = max(_FEWEST_TO_FORGET, 2 * len(self._whole_at))


class RateLimits:
    """The limits of one service: by address for everybody, by key for those whose key it found valid.

    `by_address` None: the default, from which this machine is free; 0: none at all.
    """

    def __init__(self, by_address: int | None, by_key: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._spares_this_machine = by_address is None
        limit = DEFAULT_LIMIT if by_address is None else by_address
        self._addresses = RateLimiter(limit, clock) if limit else None
        self._keys = RateLimiter(by_key, clock) if by_key else None
        self._clock = clock
        self._known: dict[bytes, tuple[str, float]] = {}

    def recognise(self, authorization: str, caller: str) -> None:
        """Count whoever sends this header as this caller, for a while: its key was found valid."""
        now = self._clock()
        self._known = {header: known for header, known in self._known.items() if known[1] > now}
        self._known[_digest(authorization)] = (caller, now + _KEY_IS_KNOWN_FOR)

    def take(self, address: str | None, authorization: str | None) -> Allowance | None:
        """Count one request; None where nothing is counted."""
        caller, until = self._known.get(_digest(authorization), ("", 0.0)) if authorization else ("", 0.0)
        if until > self._clock():
            return self._keys.take(caller) if self._keys else None
        if self._addresses is None or address is None or (self._spares_this_machine and is_this_machine(address)):
            return None
        return self._addresses.take(network_of(address))


def _digest(authorization: str) -> bytes:
    return hashlib.sha256(authorization.encode()).digest()


def network_of(address: str) -> str:
    """Whom an address belongs to: itself, or with IPv6 its network of 64 bits, which is one subscriber's."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False).network_address)
    return str(found)


def is_this_machine(address: str) -> bool:
    """Whether an address is a loopback one: a person at this machine, or a proxy that does not say for whom it asks."""
    try:
        return ipaddress.ip_address(network_of(address)).is_loopback or ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
