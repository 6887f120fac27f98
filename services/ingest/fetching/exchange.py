"""One request and its answer: an HTTP exchange that cannot hang, flood or wander off.

It goes straight to httpcore, as webhooks do: the guard replaces httpcore's network, and of what a full client adds
(redirects, cookies, proxies from the environment, unpacking without bounds) fetching wants nothing. Each request has a
connection of its own, so that every one is checked anew, and bytes that a server sends beyond what it announced never
become the answer to the next.
"""

import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpcore

from services.core.domain.errors import RefusedAddressError
from services.core.runtime.egress import EgressProxy
from services.core.runtime.guard import AddressRules, CheckedAddress, Deadline, GuardedNetwork, Resolve
from services.ingest.fetching.codes import FetchError
from services.ingest.fetching.encodings import ACCEPTED, decoded

CONNECT_SECONDS = 20.0
"""Longest time for the name look-up and the connection. A host that does not answer at all is given up soon."""
LONGEST_HEADER = 4_000
"""Characters of one header that are looked at and kept."""

_EXPIRED, _WRONG_HOST, _WRONG_ADDRESS = 10, 62, 64  # X509_V_ERR_* of OpenSSL (x509_vfy.h)
_OWN_HEADERS = frozenset({"host", "user-agent", "accept-encoding", "connection"})


@dataclass(frozen=True)
class Answer:
    """An answer whose body is still to come. `headers` have lower-case names; repeated ones are joined by commas."""

    status: int
    headers: Mapping[str, str]
    parts: Iterator[bytes]
    """The body, unpacked, in small parts. Raises `FetchError`."""
    came: Callable[[], int]
    """How many bytes of the body came so far, as they were packed."""


class Exchange:
    """Sends requests to checked addresses. It holds no connections; threads may share it."""

    def __init__(
        self,
        rules: AddressRules,
        user_agent: str,
        *,
        resolve: Resolve | None = None,
        ssl_context: ssl.SSLContext | None = None,
        proxy: EgressProxy | None = None,
    ) -> None:
        """`resolve` replaces the system's name look-up; `ssl_context` the usual certificate authorities."""
        self.rules = rules
        self._user_agent = user_agent
        self._resolve = resolve
        self._ssl_context = ssl_context or httpcore.default_ssl_context()
        self._proxy = proxy

    @contextmanager
    def asked(self, address: CheckedAddress, headers: Mapping[str, str], seconds: float) -> Iterator[Answer]:
        """GET an address. All of it, the body read within included, takes `seconds` at most. Raises `FetchError`."""
        deadline = Deadline(min(seconds, CONNECT_SECONDS))
        network = _Network(self.rules, deadline, self._resolve, self._proxy, seconds)
        url = httpcore.URL(
            scheme=address.scheme.encode(),
            host=address.host.encode(),
            port=address.port,
            target=address.target.encode(),
        )
        connection = httpcore.HTTPConnection(
            origin=url.origin, ssl_context=self._ssl_context, network_backend=network, http2=False
        )
        sent = self._sent(address, headers)
        with _told_as_faults(), connection, connection.stream("GET", url, headers=sent) as response:
            received = _headers(response)
            parts = decoded(_body(response, network, received), received.get("content-encoding", ""))
            yield Answer(response.status, received, parts, network.behind_head)

    def _sent(self, address: CheckedAddress, headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
        """What a server told us (an ETag, say) goes back byte for byte."""
        own = [
            ("Host", address.authority),
            ("User-Agent", self._user_agent),
            ("Accept-Encoding", ACCEPTED),
            ("Connection", "close"),
        ]
        own += [(name, value) for name, value in headers.items() if name.lower() not in _OWN_HEADERS]
        return [(name.encode("ascii"), value.encode("latin-1")) for name, value in own]


class _Network(GuardedNetwork):
    """Connects as the guard allows, then leaves the rest of the time to the answer, and counts what comes."""

    def __init__(
        self,
        rules: AddressRules,
        deadline: Deadline,
        resolve: Resolve | None,
        proxy: EgressProxy | None,
        seconds: float,
    ) -> None:
        super().__init__(rules, deadline, resolve, proxy)
        self._until_connected = deadline
        self._seconds = seconds
        self.stream: _CountedStream | None = None

    def behind_head(self) -> int:
        """Bytes that came behind the head of the answer."""
        return 0 if self.stream is None else self.stream.behind_head

    def connect_tcp(self, *args: Any, **options: Any) -> httpcore.NetworkStream:
        """As the guard connects; httpcore asks once, as each connection serves one request."""
        connected = super().connect_tcp(*args, **options)
        self._until_connected.restart(self._seconds)
        return _CountedStream(connected, self)


class _CountedStream(httpcore.NetworkStream):
    """Counts the bytes that came behind the head of the answer, to be held against what the server announced."""

    def __init__(self, stream: httpcore.NetworkStream, network: _Network) -> None:
        self._stream = stream
        self._network = network
        self._head: bytes | None = b""
        self.behind_head = 0
        network.stream = self

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """What has arrived."""
        part = self._stream.read(max_bytes, timeout)
        if self._head is None:
            self.behind_head += len(part)
        else:
            self._look_for_end_of_head(part)
        return part

    def _look_for_end_of_head(self, part: bytes) -> None:
        """The head is bounded by h11, which gives up on one of more than 100 kB."""
        head = (self._head or b"") + part
        while head.startswith(b"HTTP/1.1 1") and b"\r\n\r\n" in head:  # 1xx: the real answer follows
            head = head.partition(b"\r\n\r\n")[2]
        _, end, body = head.partition(b"\r\n\r\n")
        self._head = None if end else head
        self.behind_head = len(body)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send all of `buffer`."""
        self._stream.write(buffer, timeout)

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Encrypt the connection."""
        return _CountedStream(self._stream.start_tls(ssl_context, server_hostname, timeout), self._network)

    def get_extra_info(self, info: str) -> Any:
        """What httpcore asks for."""
        return self._stream.get_extra_info(info)


def _headers(response: httpcore.Response) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in response.headers:
        key = name.decode("latin-1").lower()
        told = value.decode("latin-1")
        joined[key] = (f"{joined[key]}, {told}" if key in joined else told)[:LONGEST_HEADER]
    return joined


def _body(response: httpcore.Response, network: _Network, headers: Mapping[str, str]) -> Iterator[bytes]:
    """The body as it comes. More than was announced is as bad as less: one of the two is not the file."""
    yield from response.iter_stream()
    announced = headers.get("content-length", "")
    counts = announced.isdigit() and "transfer-encoding" not in headers and response.status not in {204, 304}
    if counts and network.behind_head() > int(announced):
        raise FetchError("incomplete", f"The server announced {announced} bytes and sent more.")


@contextmanager
def _told_as_faults() -> Iterator[None]:
    """What went wrong, in our codes."""
    try:
        yield
    except RefusedAddressError as fault:
        raise FetchError("refused_address", fault.detail) from fault
    except httpcore.TimeoutException as fault:
        raise FetchError("timeout", plain(fault)) from fault
    except httpcore.ProxyError as fault:
        raise FetchError("proxy_failed", plain(fault)) from fault
    except httpcore.NetworkError as fault:
        raise _network_fault(fault) from fault
    except httpcore.ProtocolError as fault:
        cut = "without sending complete message body" in str(fault) or "incomplete chunked read" in str(fault)
        raise FetchError("incomplete" if cut else "bad_answer", plain(fault)) from fault


def _network_fault(fault: httpcore.NetworkError) -> FetchError:
    cause = fault.__cause__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return FetchError(_certificate_code(cause), plain(fault))
    if isinstance(cause, ssl.SSLError):
        return FetchError("tls_failed", plain(fault))
    if "does not resolve" in str(fault):
        return FetchError("unknown_host", plain(fault))
    return FetchError("connection_failed", plain(fault))


def _certificate_code(fault: ssl.SSLCertVerificationError) -> str:
    if fault.verify_code == _EXPIRED:
        return "tls_expired"
    return "tls_wrong_host" if fault.verify_code in {_WRONG_HOST, _WRONG_ADDRESS} else "tls_untrusted"


def plain(told: object) -> str:
    """In one line of printable characters: some of it may be the server's own words."""
    line = "".join(character if character.isprintable() else " " for character in str(told))
    return (line or type(told).__name__)[:500]
