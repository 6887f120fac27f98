import gzip
import ipaddress
import logging
import resource
import socket
import ssl
import struct
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook

from services.api.webhooks import sender
from services.api.webhooks.sender import ANSWER_BYTES, AttemptOutcome, AttemptResult, WebhookSender
from services.api.webhooks.signature import new_secret, signed_headers
from services.core.runtime import guard
from services.core.runtime.guard import AddressRules, IPAddress
from tests.api.webhooks.receivers import CERTIFICATE, NAME, Behaviour, answering, receiving, trusting

DEADLINE = 0.6
BODY = b'{"type": "test"}'
DEVELOPMENT = AddressRules(allow_loopback=True)


@pytest.fixture(autouse=True)
def short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "ANSWER_SECONDS", 0.3)


def send(url: str, body: bytes = BODY, headers: dict[str, str] | None = None, **options: object) -> AttemptResult:
    options = {"rules": DEVELOPMENT, "deadline_seconds": DEADLINE, **options}
    return WebhookSender(**options).send(url, body, headers or {})  # type: ignore[arg-type]


def send_to(behaviour: Behaviour, body: bytes = BODY, **options: bool) -> AttemptResult:
    with receiving(behaviour, **options) as receiver:  # type: ignore[arg-type]
        return send(receiver.url, body)


def resolving_to(*answers: str) -> guard.Resolve:
    """A resolver stub: each look-up gives the next answer, the last one for ever."""
    left = list(answers)

    def resolve(_host: str, _port: int) -> Sequence[IPAddress]:
        answer = left.pop(0) if len(left) > 1 else left[0]
        return [ipaddress.ip_address(answer)]

    return resolve


def test_a_signed_event_arrives_as_it_was_sent() -> None:
    secret = new_secret()
    body = '{"type": "recommendation.created", "data": {"text": "Garantizar…"}}'.encode()
    headers = signed_headers(message_id="evt_1", signed_at=datetime.now(UTC), body=body, secrets_in_force=[secret])
    with receiving() as receiver:
        result = send(receiver.url, body, headers)
    assert (result.status, result.outcome, result.succeeded) == (200, AttemptOutcome.SUCCESS, True)
    assert (result.error, result.answer_start) == (None, b"OK")
    assert 0 <= result.milliseconds < 600
    head, _, arrived = receiver.requests[0].partition(b"\r\n\r\n")
    request_line, *lines = head.decode().split("\r\n")
    assert request_line == "POST /hook?x=1 HTTP/1.1"
    assert arrived == body
    received = dict(line.split(": ", 1) for line in lines)
    assert received["Host"] == f"127.0.0.1:{receiver.port}"
    assert received["User-Agent"] == "OpenUPR-Webhooks/1"
    assert received["Content-Type"] == "application/json"
    assert set(received) - {*headers} == {"Host", "User-Agent", "Content-Type", "Content-Length", "Connection"}
    Webhook(secret).verify(arrived, received)


@pytest.mark.parametrize(
    ("status", "succeeds"),
    [(200, True), (202, True), (204, True), (299, True), (304, False), (400, False), (503, False)],
)
def test_only_2xx_is_success(status: int, succeeds: bool) -> None:
    result = send_to(answering(f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\nRetry-After: 7\r\n\r\n".encode()))
    assert (result.status, result.succeeded, result.retry_after) == (status, succeeds, "7")
    assert (result.error is None) is succeeds


def test_the_start_of_an_answer_is_kept_as_it_came() -> None:
    page = bytes(range(256)) * 40
    result = send_to(answering(b"HTTP/1.1 500 X\r\nContent-Length: 10240\r\n\r\n" + page))
    assert result.answer_start == page[:ANSWER_BYTES]
    squeezed = gzip.compress(b"\0" * 10_000_000)
    head = f"HTTP/1.1 200 X\r\nContent-Encoding: gzip\r\nContent-Length: {len(squeezed)}\r\n\r\n"
    result = send_to(answering(head.encode() + squeezed))
    assert result.answer_start == squeezed[:ANSWER_BYTES]  # never unpacked


def hang(connection: socket.socket) -> None:
    connection.recv(1)


def take_nothing(_connection: socket.socket) -> None:
    time.sleep(DEADLINE + 0.5)


def drip(prefix: bytes, drop: bytes) -> Behaviour:
    def behave(connection: socket.socket) -> None:
        connection.sendall(prefix)
        for _ in range(200):
            connection.sendall(drop)
            time.sleep(0.05)

    return behave


@pytest.mark.parametrize(
    "behaviour",
    [
        hang,
        drip(b"HTTP/1.1 2", b"0"),
        drip(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"a"),
        drip(b"HTTP/1.1 200 OK\r\n", b"X-Again: 1\r\n"),
        drip(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    ],
    ids=["hang", "drip-status", "drip-header", "drip-headers", "drip-early-hints"],
)
def test_who_does_not_answer_in_time_is_cut(behaviour: Behaviour) -> None:
    result = send_to(behaviour)
    assert (result.status, result.outcome) == (None, AttemptOutcome.TIMEOUT)
    assert 500 <= result.milliseconds < 1200
    assert result.error
    assert "0.6 s" in result.error


def test_an_answer_after_the_deadline_is_no_success() -> None:
    def late(connection: socket.socket) -> None:
        time.sleep(DEADLINE + 0.2)
        answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")(connection)

    assert send_to(late).outcome is AttemptOutcome.TIMEOUT


def test_a_body_that_drips_does_not_hold_us_nor_undo_the_status() -> None:
    result = send_to(drip(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"a"))
    assert (result.status, result.succeeded) == (200, True)
    assert result.milliseconds < 900
    assert set(result.answer_start) == set(b"a")


def test_who_does_not_take_the_event_is_cut() -> None:
    result = send_to(take_nothing, b"x" * 30_000_000, reads=False)
    assert result.outcome is AttemptOutcome.TIMEOUT
    assert result.milliseconds < 1500


@pytest.mark.parametrize("framing", [b"Content-Length: 1000000000", b"Transfer-Encoding: chunked", b"X: until close"])
def test_a_gigabyte_is_not_read(framing: bytes) -> None:
    sent = 0

    def flood(connection: socket.socket) -> None:
        nonlocal sent
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n\r\n")
        part = b"10000\r\n" + b"x" * 65536 + b"\r\n"
        while sent < 1_000_000_000:
            sent += connection.send(part)

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result = send_to(flood)
    assert result.succeeded
    assert len(result.answer_start) == ANSWER_BYTES
    assert sent < 10_000_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # kilobytes


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


@pytest.mark.parametrize(
    ("behaviour", "outcome"),
    [
        (reset, AttemptOutcome.CONNECTION_FAILED),
        (answering(b""), AttemptOutcome.BAD_ANSWER),
        (answering(b"SSH-2.0-OpenSSH_9\r\n"), AttemptOutcome.BAD_ANSWER),
        (answering(b"\0\xff" * 1000 + b"\r\n\r\n"), AttemptOutcome.BAD_ANSWER),
        (answering(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200_000), AttemptOutcome.BAD_ANSWER),
        (answering(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n"), AttemptOutcome.BAD_ANSWER),
        (answering(b"HTTP/1.1 999999 X\r\n\r\n"), AttemptOutcome.BAD_ANSWER),
    ],
    ids=["reset", "close", "ssh", "bytes", "endless-header", "negative-length", "status"],
)
def test_faults_are_results(behaviour: Behaviour, outcome: AttemptOutcome) -> None:
    result = send_to(behaviour)
    assert (result.status, result.outcome) == (None, outcome)
    assert result.error
    assert result.error.isprintable()


def test_an_answer_that_breaks_off_keeps_its_status() -> None:
    result = send_to(answering(b"HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\nhalf"))
    assert (result.status, result.succeeded, result.answer_start) == (201, True, b"half")


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    result = send(f"http://127.0.0.1:{port}/")
    assert (result.outcome, result.error) == (AttemptOutcome.CONNECTION_FAILED, "Connection refused")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(status: int) -> None:
    with receiving() as inner:
        answer = f"HTTP/1.1 {status} X\r\nLocation: {inner.url}\r\nContent-Length: 0\r\n\r\n"
        result = send_to(answering(answer.encode()))
        assert inner.connections == 0
    assert (result.status, result.outcome) == (status, AttemptOutcome.BAD_STATUS)
    assert result.error
    assert "redirects are not followed" in result.error


def test_cookies_and_connections_are_not_kept() -> None:
    answer = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n"
    with receiving(answering(answer)) as receiver:
        webhooks = WebhookSender(DEVELOPMENT)
        for _ in range(3):
            assert webhooks.send(receiver.url, BODY, {}).succeeded
    assert receiver.connections == 3
    assert all(b"cookie" not in request.lower() for request in receiver.requests)


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with receiving() as receiver:
        assert send(receiver.url).succeeded


def test_a_literal_that_is_not_public_is_refused_without_a_connection() -> None:
    with receiving() as receiver:
        result = send(receiver.url, rules=AddressRules(allow_http=True, ports=(receiver.port,)))
    assert (result.status, result.outcome, receiver.connections) == (None, AttemptOutcome.REFUSED_ADDRESS, 0)
    assert result.error
    assert "loopback" in result.error


def test_rebinding_is_refused_and_each_try_looks_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name is public when the endpoint is made and on the first try; then it points into this machine."""
    with receiving() as receiver:
        rules = AddressRules(allow_http=True, ports=(receiver.port,))
        url = f"http://rebound.example.org:{receiver.port}/"
        rules.read_address(url)
        connected = []

        def connect(ip: IPAddress, port: int, patience: float) -> socket.socket:
            connected.append(str(ip))
            return socket.create_connection(("127.0.0.1", port), patience)  # stands in for the public receiver

        monkeypatch.setattr(guard, "_connect", connect)
        webhooks = WebhookSender(rules, resolve=resolving_to("8.8.8.8", "127.0.0.1"))
        assert webhooks.send(url, BODY, {}).succeeded
        assert connected == ["8.8.8.8"]  # exactly what was checked, though the next look-up says otherwise
        result = webhooks.send(url, BODY, {})
        assert result.outcome is AttemptOutcome.REFUSED_ADDRESS
        assert connected == ["8.8.8.8"]
        assert receiver.connections == 1


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6 loopback")
def test_ipv6() -> None:
    with receiving(host="::1") as receiver:
        result = send(receiver.url)
        assert result.succeeded
        assert f"Host: [::1]:{receiver.port}".encode() in receiver.requests[0]
        named = f"http://hooks.localhost:{receiver.port}/"
        assert send(named, resolve=resolving_to("::1")).succeeded
        assert send(receiver.url, rules=AddressRules()).outcome is AttemptOutcome.REFUSED_ADDRESS


def send_https(url: str, port: int, ssl_context: ssl.SSLContext | None = None) -> AttemptResult:
    rules = AddressRules(allow_loopback=True, ports=(port,))
    options = {"rules": rules, "resolve": resolving_to("127.0.0.1"), "deadline_seconds": 5, "ssl_context": ssl_context}
    return send(url, **options)  # type: ignore[arg-type]


def test_tls_goes_by_name_to_the_checked_address() -> None:
    with receiving(certificate=CERTIFICATE) as receiver:
        url = f"https://{NAME}:{receiver.port}/hook"
        result = send_https(url, receiver.port, ssl_context=trusting())
        assert result.succeeded, result.error
        assert receiver.names == [NAME]
        assert f"Host: {NAME}:{receiver.port}".encode() in receiver.requests[0]


def test_certificates_that_do_not_hold_are_refused() -> None:
    with receiving(certificate=CERTIFICATE) as receiver:
        unknown_authority = send_https(f"https://{NAME}:{receiver.port}/", receiver.port)
        other_name = send_https(f"https://other.example.org:{receiver.port}/", receiver.port, ssl_context=trusting())
        assert receiver.requests == []
    for result in (unknown_authority, other_name):
        assert (result.status, result.outcome) == (None, AttemptOutcome.TLS_FAILED)
        assert result.error
        assert result.error.startswith("certificate not accepted: ")


def test_what_is_no_tls_is_told_and_a_handshake_that_hangs_is_cut() -> None:
    with receiving(answering(b"HTTP/1.1 400 plain\r\n\r\n"), reads=False) as plain:
        result = send_https(f"https://{NAME}:{plain.port}/", plain.port)
        assert result.outcome is AttemptOutcome.TLS_FAILED
    for slow in (take_nothing, drip(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc", b"\x03")):  # a ServerHello of 16 kB
        with receiving(slow, reads=False) as receiver:
            rules = AddressRules(allow_loopback=True, ports=(receiver.port,))
            url = f"https://{NAME}:{receiver.port}/"
            result = send(url, rules=rules, resolve=resolving_to("127.0.0.1"))
            assert (result.outcome, result.milliseconds < 1200) == (AttemptOutcome.TIMEOUT, True)


def test_slow_receivers_do_not_slow_others() -> None:
    with receiving(hang) as slow, receiving() as quick, ThreadPoolExecutor(9) as threads:
        webhooks = WebhookSender(DEVELOPMENT, deadline_seconds=2)
        hanging = [threads.submit(webhooks.send, slow.url, BODY, {}) for _ in range(8)]
        results = [threads.submit(webhooks.send, quick.url, BODY, {}).result() for _ in range(20)]
        assert all(result.succeeded and result.milliseconds < 500 for result in results)
        assert all(not task.done() for task in hanging)
        assert {task.result().outcome for task in hanging} == {AttemptOutcome.TIMEOUT}


def test_secrets_do_not_reach_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO), receiving() as receiver:
        send(receiver.url, headers={"webhook-signature": "v1,secret"})
    assert "v1,secret" not in caplog.text
