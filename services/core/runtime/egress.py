"""The egress proxy: where our requests leave through one, it opens a tunnel to an address that was checked before.

The guard resolves the name and checks what it means, as without a proxy, and the proxy is told the IP address and never
the name: were it to resolve the name itself, it could be led elsewhere after the check. Inside the tunnel TLS and the
Host header go on using the name, so that the certificate is checked against it.
"""

import base64
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

import httpcore

from services.core.domain.errors import SettingsError

LONGEST_ANSWER = 16_384
"""Bytes of the head with which a proxy answers."""
_NO_CONNECTION = frozenset({502, 503, 504})
"""With these a proxy says that it could not reach the server. Any other refusal is the proxy's own."""


@dataclass(frozen=True, slots=True)
class EgressProxy:
    """Where the proxy listens, and how we tell it who we are."""

    host: str
    port: int
    authorization: str | None = field(default=None, repr=False)

    @classmethod
    def from_url(cls, url: str, setting: str) -> "EgressProxy":
        """`http://user:password@host:port`. Raises `SettingsError`, which names the `setting` and never repeats it."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            host = port = None
        if not host or not port or parts.scheme != "http" or parts.path.strip("/") or parts.query or parts.fragment:
            raise SettingsError(f"{setting} reads http://host:port or http://user:password@host:port.")
        if parts.username is None:
            return cls(host, port)
        told = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
        return cls(host, port, f"Basic {base64.b64encode(told).decode()}")

    def open_tunnel(self, stream: httpcore.NetworkStream, authority: str) -> None:
        """Have the proxy connect a fresh connection to it with an IP address and port.

        Raises `httpcore.ConnectError` where the server cannot be reached, `httpcore.ProxyError` where the proxy is at
        fault or refuses, and `httpcore.ConnectTimeout`.
        """
        lines = [f"CONNECT {authority} HTTP/1.1", f"Host: {authority}"]
        if self.authorization is not None:
            lines.append(f"Proxy-Authorization: {self.authorization}")
        try:
            stream.write("\r\n".join([*lines, "", ""]).encode())
            status = _status(_head(stream))
        except httpcore.TimeoutException as fault:
            raise httpcore.ConnectTimeout("no connection through the egress proxy before the deadline") from fault
        except httpcore.NetworkError as fault:
            raise httpcore.ProxyError(f"the egress proxy broke off: {fault}") from fault
        if status in _NO_CONNECTION:
            raise httpcore.ConnectError(f"the egress proxy could not reach the server ({status})")
        if not 200 <= status < 300:
            raise httpcore.ProxyError(f"the egress proxy refused ({status})")


def _head(stream: httpcore.NetworkStream) -> bytes:
    """What the proxy says before the tunnel. Nothing may follow: in the tunnel we speak first."""
    head = b""
    while b"\r\n\r\n" not in head:
        part = stream.read(LONGEST_ANSWER)
        head += part
        if not part or len(head) > LONGEST_ANSWER:
            raise httpcore.ProxyError("the answer of the egress proxy cannot be read")
    if not head.endswith(b"\r\n\r\n") or head.count(b"\r\n\r\n") > 1:
        raise httpcore.ProxyError("the egress proxy said more than was asked")
    return head


def _status(head: bytes) -> int:
    version, _, rest = head.partition(b"\r\n")[0].partition(b" ")
    if not version.startswith(b"HTTP/1.") or not rest[:3].isdigit():
        raise httpcore.ProxyError("the answer of the egress proxy cannot be read")
    return int(rest[:3])
