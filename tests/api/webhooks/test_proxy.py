"""Webhooks that leave through a proxy: a real one on this machine, which keeps to what it is told."""

import base64
import contextlib
import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import pytest
from sqlalchemy import Engine

from services.api.settings import ApiSettings
from services.api.webhooks.sender import AttemptOutcome, AttemptResult, WebhookSender
from services.core.domain.errors import SettingsError
from services.core.runtime.egress import EgressProxy
from services.core.runtime.guard import AddressRules, IPAddress, Resolve
from tests.api.webhooks.conftest import Publish, Subscribe, rows
from tests.api.webhooks.receivers import CERTIFICATE, NAME, Receiver, receiving, trusting
from tests.api.webhooks.test_deliver import FakeClock, MakeDeliverer, clock, make_deliverer, work_off

__all__ = ["clock", "make_deliverer"]

PUBLIC = "93.184.215.14"
DEADLINE = 2.0
Answer = Callable[[socket.socket], None]


@dataclass
class Proxy:
    """Where it listens, and what it was told."""

    listener: Receiver
    told: list[dict[str, str]] = field(default_factory=list)

    @property
    def setting(self) -> EgressProxy:
        return EgressProxy.from_url(f"http://us%40er:pa%3Ass@127.0.0.1:{self.listener.port}", "UPR_WEBHOOK_PROXY")


@contextlib.contextmanager
def proxying(to: Receiver | None = None, answer: bytes = b"") -> Iterator[Proxy]:
    """A proxy that opens tunnels to one receiver, whatever address it is asked for, or answers something else."""
    proxy = Proxy(Receiver("", 0))

    def serve(connection: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(1)
        asked, *lines = head.decode().strip().split("\r\n")
        proxy.told.append({"asked": asked, **dict(line.split(": ", 1) for line in lines)})
        if to is None:
            connection.sendall(answer)
            return
        with socket.create_connection((to.host, to.port)) as onwards:
            connection.sendall(b"HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n")
            back = threading.Thread(target=_pump, args=(onwards, connection))
            back.start()
            _pump(connection, onwards)
            back.join()

    with receiving(serve, reads=False) as listener:
        proxy.listener = listener
        yield proxy


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while part := source.recv(65536):
            sink.sendall(part)
        sink.shutdown(socket.SHUT_WR)


def resolving_to(*addresses: str) -> Resolve:
    def resolve(_host: str, _port: int) -> Sequence[IPAddress]:
        return [ipaddress.ip_address(each) for each in addresses]

    return resolve


def send(proxy: EgressProxy, url: str, *addresses: str, rules: AddressRules | None = None) -> AttemptResult:
    sender = WebhookSender(
        rules or AddressRules(),
        deadline_seconds=DEADLINE,
        resolve=resolving_to(*(addresses or (PUBLIC,))),
        ssl_context=trusting(),
        proxy=proxy,
    )
    return sender.send(url, b"{}", {"webhook-id": "evt_1"})


def test_the_proxy_is_told_the_checked_address_and_the_receiver_the_name() -> None:
    with receiving(certificate=CERTIFICATE) as receiver, proxying(receiver) as proxy:
        result = send(proxy.setting, f"https://{NAME}/hook")
    assert (result.outcome, result.status, result.error) == (AttemptOutcome.SUCCESS, 200, None)
    (told,) = proxy.told
    assert (told["asked"], told["Host"]) == (f"CONNECT {PUBLIC}:443 HTTP/1.1", f"{PUBLIC}:443")
    assert base64.b64decode(told["Proxy-Authorization"].removeprefix("Basic ")) == b"us@er:pa:ss"
    assert receiver.names == [NAME]
    assert f"Host: {NAME}\r\n".encode() in receiver.requests[0]
    assert b"Proxy-Authorization" not in receiver.requests[0]


def test_an_ipv6_address_stands_in_brackets() -> None:
    with receiving(certificate=CERTIFICATE) as receiver, proxying(receiver) as proxy:
        assert send(proxy.setting, f"https://{NAME}:8443/", "2606:4700::1111").succeeded
    assert proxy.told[0]["asked"] == "CONNECT [2606:4700::1111]:8443 HTTP/1.1"


@pytest.mark.parametrize("addresses", [("10.0.0.7",), (PUBLIC, "169.254.169.254"), ("127.0.0.1",), ("::1",)])
def test_what_is_not_public_never_reaches_the_proxy(addresses: tuple[str, ...]) -> None:
    with receiving() as receiver, proxying(receiver) as proxy:
        assert send(proxy.setting, f"https://{NAME}/", *addresses).outcome is AttemptOutcome.REFUSED_ADDRESS
        assert send(proxy.setting, "https://10.0.0.7/").outcome is AttemptOutcome.REFUSED_ADDRESS
    assert (proxy.told, receiver.connections) == ([], 0)


def test_this_machine_is_called_directly_where_that_is_allowed() -> None:
    """127.0.0.1 would be the proxy's own there."""
    with receiving() as receiver, proxying(receiver) as proxy:
        assert send(proxy.setting, receiver.url, rules=AddressRules(allow_loopback=True)).succeeded
    assert proxy.told == []


def test_a_certificate_for_another_name_is_refused_through_the_tunnel() -> None:
    with receiving(certificate=CERTIFICATE) as receiver, proxying(receiver) as proxy:
        assert send(proxy.setting, "https://other.example.net/").outcome is AttemptOutcome.TLS_FAILED
    assert receiver.requests == []


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (b"HTTP/1.1 407 Who are you\r\n\r\n", AttemptOutcome.PROXY_FAILED),
        (b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n", AttemptOutcome.PROXY_FAILED),
        (b"HTTP/1.1 502 Bad gateway\r\n\r\n", AttemptOutcome.CONNECTION_FAILED),
        (b"HTTP/1.1 200 OK\r\n\r\nand more", AttemptOutcome.PROXY_FAILED),
        (b"nonsense\r\n\r\n", AttemptOutcome.PROXY_FAILED),
        (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 40_000, AttemptOutcome.PROXY_FAILED),
        (b"", AttemptOutcome.PROXY_FAILED),
    ],
    ids=["unknown", "forbidden", "no-receiver", "more", "nonsense", "endless", "nothing"],
)
def test_a_proxy_that_opens_no_tunnel(answer: bytes, outcome: AttemptOutcome) -> None:
    with proxying(answer=answer) as proxy:
        result = send(proxy.setting, f"https://{NAME}/")
    assert result.outcome is outcome, result
    assert result.error
    assert not any(told in result.error for told in ("pa:ss", "us@er", "127.0.0.1"))


def test_a_proxy_that_says_nothing_is_cut_at_the_deadline() -> None:
    started = time.monotonic()
    with receiving(lambda _: time.sleep(DEADLINE + 1), reads=False) as silent:
        proxy = EgressProxy("127.0.0.1", silent.port)
        assert send(proxy, f"https://{NAME}/").outcome is AttemptOutcome.TIMEOUT
    assert time.monotonic() - started < 15


def test_a_proxy_that_is_not_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    result = send(EgressProxy("127.0.0.1", port), f"https://{NAME}/")
    assert (result.outcome, result.error) == (AttemptOutcome.PROXY_FAILED, "the egress proxy cannot be reached")


def test_an_outage_of_the_proxy_is_no_fault_of_the_receiver(
    engine: Engine, subscribe: Subscribe, publish: Publish, make_deliverer: MakeDeliverer, clock: FakeClock
) -> None:
    subscribe(f"https://{NAME}/")
    publish()
    deliverer = make_deliverer()
    deliverer._sender = WebhookSender(AddressRules(), resolve=resolving_to(PUBLIC), proxy=EgressProxy("127.0.0.1", 1))
    work_off(deliverer)
    assert rows(engine, "SELECT outcome FROM webhook_attempts")[0].outcome == "proxy_failed"
    assert rows(engine, "SELECT failing_since FROM webhook_endpoints")[0].failing_since is None
    due = rows(engine, "SELECT status, due_at FROM webhook_deliveries")[0]
    assert (due.status, due.due_at > clock.now) == ("pending", True)


BAD = [
    "proxy:3128",
    "http://proxy",
    "https://proxy:3128",
    "socks5://proxy:1",
    "http://:3128",
    "http://a:99999",
    "http://a:1/x",
]


@pytest.mark.parametrize("url", BAD)
def test_what_is_no_proxy_is_told_without_repeating_it(url: str) -> None:
    with pytest.raises(SettingsError) as told:
        WebhookSender.from_settings(ApiSettings(webhook_proxy=url))
    assert url not in told.value.detail


def test_the_password_is_not_shown() -> None:
    settings = ApiSettings(webhook_proxy="http://user:secret-word@proxy.internal:3128")
    assert "secret-word" not in repr(settings)
    proxy = EgressProxy.from_url("http://user:secret-word@proxy.internal:3128/", "UPR_WEBHOOK_PROXY")
    assert (proxy.host, proxy.port) == ("proxy.internal", 3128)
    assert "secret" not in repr(proxy)
    assert EgressProxy.from_url("http://[::1]:3128", "UPR_WEBHOOK_PROXY") == EgressProxy("::1", 3128)
