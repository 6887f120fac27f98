"""Which addresses we call when others name them, so that nobody can use us to reach networks that are not public.

Webhooks go where their owners say, and fetching goes where pages and redirects lead: both ask here.

Two checks, and both must pass. `read_address` looks at a URL before anything is done with it, and before every try.
`GuardedNetwork` looks at the IP address at the moment of connecting, and connects to exactly the address that it looked
at: what the name resolves to at any other time does not matter, so there is no gap between check and use.

A name with one refused address is refused whole, though the connection could go to another of its addresses. A public
server has no private addresses; where they are mixed, somebody is trying us or made a mistake, and a refusal that
comes every time can be understood, one that depends on the order of the answer cannot.
"""

import ipaddress
import re
import socket
import ssl
import threading
import time
import tomllib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpcore
import idna

from services.core.domain.errors import RefusedAddressError
from services.core.runtime.egress import EgressProxy

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], Sequence[IPAddress]]
"""Gives the addresses of a host name for a port, best first. Raises `OSError` where there are none."""

LONGEST_URL = 2_000
HTTPS_PORTS = (443, 8443)
HTTP_PORTS = (80,)
MOST_LOOKUPS = 64
"""Name look-ups under way at once. One cannot be broken off: a server that does not answer holds its thread."""
RECEIVED_AT_ONCE = 64 * 1024
"""Bytes that the system takes from a server before we read them: little of an endless answer crosses the network."""
MOST_ADDRESSES = 4
"""Addresses of one name that are tried before giving up."""

_FILE = Path(__file__).with_name("refused_networks.toml")
_AUTHORITY = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\[\]:@]+)(?::(?P<port>[0-9]{0,5}))?")
_NAME_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+")
_KEPT_IN_TARGET = "/%:@!$&'()*+,;=~-._?[]"


@dataclass(frozen=True, slots=True)
class RefusedNetwork:
    """A network that we do not call: what it is for and which registry says so."""

    block: IPNetwork
    kind: str
    loopback: bool


@dataclass(frozen=True, slots=True)
class RefusedName:
    """A domain that we do not call, with everything below it."""

    name: str
    kind: str
    loopback: bool


@dataclass(frozen=True, slots=True)
class CheckedAddress:
    """A URL taken apart and normalised. The same parts are checked, connected to and sent: nothing reads it twice.

    `host` is a name in ASCII or an IP address without brackets; `target` is path and query.
    """

    scheme: str
    host: str
    port: int
    target: str
    ip: IPAddress | None = None

    @property
    def authority(self) -> str:
        """What the Host header says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == {"https": 443, "http": 80}[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"{self.scheme}://{self.authority}"

    @property
    def url(self) -> str:
        """The address in its one normal form."""
        return f"{self.origin}{self.target}"


@dataclass(frozen=True, slots=True)
class AddressRules:
    """What an operator allows beyond `https` to public addresses.

    `allow_loopback` is for development: it lets this machine itself be called, by http and on any port too, since
    nothing leaves the machine. It opens no other private network.
    """

    allow_http: bool = False
    allow_loopback: bool = False
    ports: tuple[int, ...] | None = None

    def read_address(self, url: str) -> CheckedAddress:
        """Take a URL apart and check all that can be checked without the network.

        Raises `RefusedAddressError`, whose `reason` is `url`, `scheme`, `credentials`, `fragment`, `host`, `port` or
        `network`.
        """
        scheme, authority, target = _parts(url)
        match = _AUTHORITY.fullmatch(authority)
        if match is None:
            raise _refused("host", "The host of the address cannot be read.")
        host, ip = _normal_host(match["host"])
        port = int(match["port"] or {"https": 443, "http": 80}[scheme])
        address = CheckedAddress(scheme, host, port, target, ip)
        on_this_machine = self._check_host(address)
        self._check_scheme_and_port(address, on_this_machine=on_this_machine)
        return address

    def check_ip(self, ip: IPAddress) -> None:
        """Raise `RefusedAddressError` where we do not call this IP address."""
        network = refused_network(ip)
        if network is not None and not (network.loopback and self.allow_loopback):
            detail = f"{ip} is not a public address ({network.kind}, {network.block})."
            raise _refused("network", detail, network=str(network.block))

    def _check_host(self, address: CheckedAddress) -> bool:
        """Whether the address is this machine by its very name; raises where the host is refused."""
        if address.ip is not None:
            self.check_ip(address.ip)
            network = refused_network(address.ip)
            return network is not None and network.loopback
        name = refused_name(address.host)
        if name is not None and not (name.loopback and self.allow_loopback):
            raise _refused("host", f"{address.host} is not a public name ({name.kind}).")
        if name is None and "." not in address.host:
            raise _refused("host", f"{address.host} is a name of a local network.")
        return name is not None and name.loopback

    def _check_scheme_and_port(self, address: CheckedAddress, *, on_this_machine: bool) -> None:
        if address.scheme == "http" and not (self.allow_http or on_this_machine):
            raise _refused("scheme", "The address must start with https://.")
        allowed = self.ports
        if allowed is None:
            if on_this_machine:
                return
            allowed = HTTPS_PORTS if address.scheme == "https" else HTTP_PORTS
        if address.port not in allowed:
            ports = ", ".join(map(str, allowed))
            raise _refused("port", f"Port {address.port} is not allowed; allowed are {ports}.")


class Deadline:
    """The moment, by the monotonic clock, at which a try must be over."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self, passed: type[Exception] = TimeoutError) -> float:
        """Seconds until then. Raises `passed` when there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise passed("the deadline has passed")
        return left

    def shorten(self, seconds: float) -> None:
        """Bring the end forward to `seconds` from now, if that is earlier."""
        self._end = min(self._end, time.monotonic() + seconds)

    def restart(self, seconds: float) -> None:
        """Set the end to `seconds` from now: another part of the work begins."""
        self._end = time.monotonic() + seconds


class GuardedNetwork(httpcore.NetworkBackend):
    """Connections of one try: only to checked addresses, and none of its waits outlasts the deadline.

    Raises `RefusedAddressError` from `connect_tcp`; everything else is an httpcore exception.
    """

    def __init__(
        self,
        rules: AddressRules,
        deadline: Deadline,
        resolve: Resolve | None = None,
        proxy: EgressProxy | None = None,
    ) -> None:
        self._rules = rules
        self._deadline = deadline
        self._resolve = resolve or resolve_by_system
        self._proxy = proxy

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - the deadline of the whole try takes its place
        local_address: str | None = None,  # noqa: ARG002
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        """Connect to the host as it resolves now. TLS and the Host header go on using its name."""
        addresses = self._addresses(host, port, self._resolve)
        for ip in addresses:
            self._rules.check_ip(ip)
        fault: Exception = httpcore.ConnectError(f"{host} has no address")
        candidates = addresses[:MOST_ADDRESSES]
        for position, ip in enumerate(candidates):
            try:
                # What is left is shared, so that one dead address leaves time for the others.
                patience = self._deadline.left(httpcore.ConnectTimeout) / (len(candidates) - position)
                return DeadlineStream(self._connect(ip, port, patience), self._deadline)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as refusal:
                fault = refusal
        raise fault

    def _connect(self, ip: IPAddress, port: int, patience: float) -> socket.socket:
        """To a checked address: through the proxy, but for this machine itself, which would be the proxy's there."""
        network = refused_network(ip)
        if self._proxy is None or (network is not None and network.loopback):
            return _connect(ip, port, patience)
        until = Deadline(patience)
        connection = self._connect_to_proxy(self._proxy, until)
        try:
            host = f"[{ip}]" if ip.version == 6 else str(ip)
            self._proxy.open_tunnel(DeadlineStream(connection, until), f"{host}:{port}")
        except BaseException:
            connection.close()
            raise
        return connection

    def _connect_to_proxy(self, proxy: EgressProxy, until: Deadline) -> socket.socket:
        """The operator says where it is: it may well be on a private network."""
        try:
            first, *_ = self._addresses(proxy.host, proxy.port, resolve_by_system)
            return _connect(first, proxy.port, until.left(httpcore.ConnectTimeout))
        except (httpcore.ConnectError, httpcore.ConnectTimeout) as fault:
            raise httpcore.ProxyError("the egress proxy cannot be reached") from fault

    def _addresses(self, host: str, port: int, resolve: Resolve) -> Sequence[IPAddress]:
        try:
            return [ipaddress.ip_address(host)]
        except ValueError:
            pass
        try:
            return _within(self._deadline, lambda: resolve(host, port))
        except TimeoutError:
            raise httpcore.ConnectTimeout(f"{host} could not be resolved in time") from None
        except OSError as fault:
            raise httpcore.ConnectError(f"{host} does not resolve: {fault.strerror or fault}") from fault


class DeadlineStream(httpcore.NetworkStream):
    """A connection on which every wait ends at one deadline, however slowly the other side drips."""

    def __init__(self, connected: socket.socket, deadline: Deadline) -> None:
        self._socket = connected
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        """What has arrived, up to `max_bytes`; empty at the end."""
        try:
            self._socket.settimeout(self._deadline.left(httpcore.ReadTimeout))
            return self._socket.recv(max_bytes)
        except TimeoutError as fault:
            raise httpcore.ReadTimeout("no answer before the deadline") from fault
        except OSError as fault:
            raise httpcore.ReadError(_told(fault)) from fault

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        """Send all of `buffer`."""
        rest = memoryview(buffer)
        try:
            while rest:
                self._socket.settimeout(self._deadline.left(httpcore.WriteTimeout))
                rest = rest[self._socket.send(rest) :]
        except TimeoutError as fault:
            raise httpcore.WriteTimeout("the request was not taken before the deadline") from fault
        except OSError as fault:
            raise httpcore.WriteError(_told(fault)) from fault

    def close(self) -> None:
        """Close the connection, whatever is still on its way."""
        self._socket.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        """Encrypt the connection, and check that the certificate is for the name."""
        try:
            self._socket.settimeout(self._deadline.left(httpcore.ConnectTimeout))
            encrypted = ssl_context.wrap_socket(self._socket, server_hostname=server_hostname)
        except TimeoutError as fault:
            self.close()
            raise httpcore.ConnectTimeout("no encrypted connection before the deadline") from fault
        except OSError as fault:
            self.close()
            raise httpcore.ConnectError(_told(fault)) from fault
        return DeadlineStream(encrypted, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        """What httpcore asks for."""
        if info == "ssl_object" and isinstance(self._socket, ssl.SSLSocket):
            return self._socket
        return self._socket.getpeername() if info == "server_addr" else None


def refused_network(ip: IPAddress) -> RefusedNetwork | None:
    """The first listed network that holds the address."""
    networks, _ = _refusals()
    return next((network for network in networks if ip in network.block), None)


def refused_name(host: str) -> RefusedName | None:
    """The listed domain that a host name is, or lies in."""
    _, names = _refusals()
    return next((name for name in names if f".{host}".endswith(f".{name.name}")), None)


def resolve_by_system(host: str, port: int) -> Sequence[IPAddress]:
    """The addresses of a host name as the operating system gives them."""
    answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    texts = dict.fromkeys(str(answer[4][0]).partition("%")[0] for answer in answers)
    return [ipaddress.ip_address(text) for text in texts]


@cache
def _refusals() -> tuple[tuple[RefusedNetwork, ...], tuple[RefusedName, ...]]:
    facts = tomllib.loads(_FILE.read_text())
    networks = tuple(
        RefusedNetwork(ipaddress.ip_network(entry["block"]), entry["kind"], entry.get("loopback", False))
        for entry in facts["networks"]
    )
    names = tuple(RefusedName(entry["name"], entry["kind"], entry.get("loopback", False)) for entry in facts["names"])
    return networks, names


def _refused(reason: str, detail: str, **extensions: object) -> RefusedAddressError:
    return RefusedAddressError(detail, reason=reason, **extensions)


def _parts(url: str) -> tuple[str, str, str]:
    """Scheme, host with port, and path with query. What parsers read differently from each other is refused."""
    if len(url) > LONGEST_URL:
        raise _refused("url", f"An address has at most {LONGEST_URL} characters.")
    if not url.isprintable() or any(character in ' \\"<>^`{|}' for character in url):
        raise _refused("url", "The address holds blanks, control characters or others that do not belong in one.")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise _refused("url", "The address cannot be read.") from None
    if parts.scheme not in {"http", "https"}:
        raise _refused("scheme", "The address must start with https://.")
    if "@" in parts.netloc:
        raise _refused("credentials", "The address must not hold a user name or password.")
    if "#" in url:
        raise _refused("fragment", "The address must not have a fragment (#).")
    target = quote(parts.path or "/", safe=_KEPT_IN_TARGET)
    if parts.query:
        target += "?" + quote(parts.query, safe=_KEPT_IN_TARGET)
    return parts.scheme, parts.netloc, target


def _normal_host(written: str) -> tuple[str, IPAddress | None]:
    """The host in its one normal form, and its IP address if it is one."""
    if written.startswith("["):
        try:
            ip = ipaddress.IPv6Address(written[1:-1])
        except ValueError:
            raise _refused("host", "The host is not an IPv6 address.") from None
        return str(ip), ip
    name = _ascii_name(written)
    labels = name.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        ipv4 = _read_ipv4(labels)
        return str(ipv4), ipv4
    if len(name) > 253 or not all(_NAME_LABEL.fullmatch(label) for label in labels):
        raise _refused("host", "The host is not a host name.")
    return name, None


def _ascii_name(written: str) -> str:
    """UTS 46: capitals, full-width digits and other full stops become what a resolver would make of them."""
    try:
        name = idna.encode(written, uts46=True, transitional=False).decode() if not written.isascii() else written
    except (idna.IDNAError, UnicodeError):
        raise _refused("host", "The host is not an internationalised name.") from None
    return name.lower().removesuffix(".")


def _read_ipv4(labels: Sequence[str]) -> ipaddress.IPv4Address:
    """Every form that the C library takes for an IPv4 address: `127.1`, `2130706433`, `0x7f.1`, `0177.0.0.1`.

    By the rules of the WHATWG URL standard: a name whose last label is a number is an IPv4 address or wrong.
    """
    try:
        numbers = [_read_number(label) for label in labels]
        *leading, last = numbers
        if len(numbers) > 4 or any(number > 255 for number in leading):
            raise ValueError
        value = sum(number << (8 * (3 - position)) for position, number in enumerate(leading))
        if last >= 1 << (8 * (4 - len(leading))):
            raise ValueError
        return ipaddress.IPv4Address(value + last)
    except ValueError:
        raise _refused("host", "The host is not an IPv4 address.") from None


def _read_number(label: str) -> int:
    if not _NUMBER.fullmatch(label) or len(label) > 20:
        raise ValueError(label)
    if label.startswith("0x"):
        return int(label[2:] or "0", 16)
    return int(label, 8) if label.startswith("0") else int(label)


def _connect(ip: IPAddress, port: int, patience: float) -> socket.socket:
    family = socket.AF_INET if ip.version == 4 else socket.AF_INET6
    connection = socket.socket(family, socket.SOCK_STREAM)
    try:
        connection.settimeout(patience)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVED_AT_ONCE)
        connection.connect((str(ip), port))
    except TimeoutError as fault:
        connection.close()
        raise httpcore.ConnectTimeout("no connection before the deadline") from fault
    except OSError as fault:
        connection.close()
        raise httpcore.ConnectError(_told(fault)) from fault
    return connection


def _told(fault: OSError) -> str:
    """What happened, without the numbers of this machine."""
    if isinstance(fault, ssl.SSLCertVerificationError):
        return f"certificate not accepted: {fault.verify_message}"
    if isinstance(fault, ssl.SSLError):
        return f"TLS failed: {fault.reason or fault.strerror}"
    return fault.strerror or str(fault)


_lookups = threading.BoundedSemaphore(MOST_LOOKUPS)


def _within(deadline: Deadline, look_up: Callable[[], Sequence[IPAddress]]) -> Sequence[IPAddress]:
    """Run a look-up, which has no deadline of its own, in a thread that is left behind when it takes too long."""
    if not _lookups.acquire(timeout=deadline.left()):
        raise TimeoutError("too many name look-ups are under way")
    found: list[Sequence[IPAddress]] = []
    faults: list[OSError] = []
    ended = threading.Event()

    def look_up_and_tell() -> None:
        try:
            found.append(look_up())
        except (OSError, UnicodeError, ValueError) as fault:
            faults.append(fault if isinstance(fault, OSError) else OSError(str(fault)))
        finally:
            _lookups.release()
            ended.set()

    threading.Thread(target=look_up_and_tell, name="name look-up", daemon=True).start()
    if not ended.wait(deadline.left()):
        raise TimeoutError("the name could not be resolved in time")
    if not found:
        raise faults[0] if faults else OSError("the look-up failed")
    return found[0]
