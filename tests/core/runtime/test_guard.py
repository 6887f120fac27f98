import ipaddress
import random
import re
import socket
import threading
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path

import httpcore
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.core.domain.errors import RefusedAddressError
from services.core.runtime import guard
from services.core.runtime.guard import (
    AddressRules,
    Deadline,
    GuardedNetwork,
    IPAddress,
    refused_network,
    resolve_by_system,
)
from tests.api.webhooks.receivers import receiving

STRICT = AddressRules()
LOOPBACK = AddressRules(allow_loopback=True)

REFUSED = [
    (host, entry["by"])
    for entry in tomllib.loads(Path(__file__).with_name("hosts_not_public.toml").read_text())["refused"]
    for host in entry["hosts"]
]
"""Hosts, and what refuses them: a network, or a reason."""
FACTS = tomllib.loads(Path(guard.__file__).with_name("refused_networks.toml").read_text())
IN_NETWORKS = [(host, by) for host, by in REFUSED if "/" in by]
TOO_LONG = ["a" * 64 + ".com", ".".join(["a" * 60] * 5), "1" * 1900, "0x" + "f" * 1900]


def _refusal_of(host: str, rules: AddressRules = STRICT) -> str:
    with pytest.raises(RefusedAddressError) as refusal:
        rules.read_address(f"https://{host}/hook")
    assert refusal.value.status == 422
    told = refusal.value.extensions
    assert (told["reason"] == "network") == ("network" in told)
    return str(told.get("network", told["reason"]))


@pytest.mark.parametrize(("host", "by"), REFUSED)
def test_hosts_that_are_not_public_are_refused(host: str, by: str) -> None:
    assert _refusal_of(host) == by


@pytest.mark.parametrize("host", [*(host for host, by in REFUSED if by in {"url", "credentials"}), *TOO_LONG])
def test_hosts_that_are_none_are_refused_whatever_is_allowed(host: str) -> None:
    assert _refusal_of(host, AddressRules(allow_http=True, allow_loopback=True)) in {"host", "url", "credentials"}


def test_the_table_is_long_enough_to_mean_something() -> None:
    assert len(REFUSED) > 190
    assert {by for _, by in IN_NETWORKS} <= {entry["block"] for entry in FACTS["networks"]}


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://example.com/", "scheme"),
        ("ftp://example.com/", "scheme"),
        ("file:///etc/passwd", "scheme"),
        ("gopher://example.com/", "scheme"),
        ("unix:///run/x.sock", "scheme"),
        ("//example.com/", "scheme"),
        ("example.com", "scheme"),
        ("", "scheme"),
        ("https:example.com", "host"),
        ("https:///example.com", "host"),
        ("https://", "host"),
        ("https://:443/", "host"),
        ("https://user@example.com/", "credentials"),
        ("https://user:password@example.com/", "credentials"),
        ("https://example.com@127.0.0.1/", "credentials"),
        ("https://@example.com/", "credentials"),
        ("https://example.com/#", "fragment"),
        ("https://example.com/#a", "fragment"),
        ("https://example.com#@127.0.0.1/", "fragment"),
        ("https://example.com:22/", "port"),
        ("https://example.com:80/", "port"),
        ("https://example.com:0/", "port"),
        ("https://example.com:8080/", "port"),
        ("https://example.com:99999/", "port"),
        ("https://example.com:999999/", "host"),
        ("https://example.com:４４３/", "host"),
        ("https://example.com:-1/", "host"),
        ("https://example.com\\@127.0.0.1/", "url"),
        ("https:\\\\127.0.0.1/", "url"),
        ("https://127.0.0.1\\.example.com/", "url"),
        (" https://example.com/", "url"),
        ("https://example.com/a b", "url"),
        ("https://exa\tmple.com/", "url"),
        ("https://example.com/\r\nX: 1", "url"),
        ("https://example.com/\0", "url"),
        ("https://exa\u00admple.com/", "url"),
        ("https://example.com/\ud800", "url"),
        ("https://[::1", "url"),
        ("https://example.com/" + "a" * 2000, "url"),
    ],
)
def test_urls_that_break_a_rule_are_refused_with_the_reason(url: str, reason: str) -> None:
    with pytest.raises(RefusedAddressError) as refusal:
        STRICT.read_address(url)
    assert refusal.value.extensions["reason"] == reason


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("https://example.com", "https://example.com/"),
        ("HTTPS://EXAMPLE.com.:443/Hook?A=b", "https://example.com/Hook?A=b"),
        ("https://example.com:8443/a//b/../c?x=1&y=%20", "https://example.com:8443/a//b/../c?x=1&y=%20"),
        ("https://bücher.example.com/ä?ö=ü", "https://xn--bcher-kva.example.com/%C3%A4?%C3%B6=%C3%BC"),
        ("https://faß.example.com/", "https://xn--fa-hia.example.com/"),
        ("https://hooks.example.com?x", "https://hooks.example.com/?x"),
        ("https://8.8.8.8/", "https://8.8.8.8/"),
        ("https://134744072/", "https://8.8.8.8/"),
        ("https://[2606:4700:4700:0::1111]:8443/", "https://[2606:4700:4700::1111]:8443/"),
        ("https://192.0.3.1/", "https://192.0.3.1/"),
        ("https://172.32.0.1/", "https://172.32.0.1/"),
        ("https://1e100.net/", "https://1e100.net/"),
        ("https://127.0.0.1.nip.io/", "https://127.0.0.1.nip.io/"),  # a name: refused when it resolves
    ],
)
def test_public_addresses_take_one_normal_form(url: str, normal: str) -> None:
    address = STRICT.read_address(url)
    assert address.url == normal
    assert STRICT.read_address(address.url) == address


def test_http_only_where_it_is_allowed() -> None:
    allowing = AddressRules(allow_http=True)
    assert allowing.read_address("http://example.com/").port == 80
    for url in ("http://example.com:443/", "http://example.com:8080/", "http://127.0.0.1/"):
        with pytest.raises(RefusedAddressError):
            allowing.read_address(url)


def test_ports_can_be_set() -> None:
    rules = AddressRules(ports=(9000,))
    assert rules.read_address("https://example.com:9000/").port == 9000
    with pytest.raises(RefusedAddressError):
        rules.read_address("https://example.com/")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "0x7f.1", "[::1]", "localhost", "hooks.localhost"])
def test_loopback_may_be_allowed_with_http_and_any_port(host: str) -> None:
    for url in (f"http://{host}:4321/", f"https://{host}/"):
        assert LOOPBACK.read_address(url).host


@pytest.mark.parametrize("host", [host for host, _ in REFUSED])
def test_allowing_loopback_opens_nothing_else(host: str) -> None:
    try:
        address = LOOPBACK.read_address(f"https://{host}/")
    except RefusedAddressError:
        return
    assert address.host.endswith("localhost") or (address.ip is not None and address.ip.is_loopback)
    assert address.ip is None or address.ip.version == 4 or address.ip == ipaddress.ip_address("::1")


def test_what_python_calls_not_global_is_refused() -> None:
    """Python's own table, of other hands and another year, as a second opinion on ours."""
    chance = random.Random(6)
    for _ in range(20_000):
        bits = chance.choice((32, 128))
        ip = (ipaddress.IPv4Address if bits == 32 else ipaddress.IPv6Address)(chance.getrandbits(bits))
        if not ip.is_global or ip.is_multicast or ip.is_reserved:
            assert refused_network(ip), ip
    for ip in map(ipaddress.ip_address, ("8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "2a00:1450:4001::1")):
        assert refused_network(ip) is None


def test_every_refused_network_names_its_source() -> None:
    for entry in FACTS["networks"] + FACTS["names"]:
        assert entry["kind"]
        assert re.search(r"RFC|Microsoft|ICANN", entry["source"])
    assert {entry["block"] for entry in FACTS["networks"] if entry.get("loopback")} == {"127.0.0.0/8", "::1/128"}
    blocks = [ipaddress.IPv6Network(entry["block"]) for entry in FACTS["networks"] if ":" in entry["block"]]
    rest = [ipaddress.IPv6Network("::/0")]
    for block in [ipaddress.IPv6Network("2000::/3"), *blocks]:
        rest = [part for piece in rest for part in _without(piece, block)]
    assert rest == []  # every IPv6 address outside 2000::/3 is refused


def _without(piece: ipaddress.IPv6Network, block: ipaddress.IPv6Network) -> Sequence[ipaddress.IPv6Network]:
    if piece.subnet_of(block):
        return []
    return list(piece.address_exclude(block)) if block.subnet_of(piece) else [piece]


@given(st.text(max_size=60))
@example("0x")
@example("[")
def test_any_text_is_read_or_refused_and_never_fails(text: str) -> None:
    for url in (text, f"https://{text}", f"https://example.com{text}"):
        try:
            address = STRICT.read_address(url)
        except RefusedAddressError:
            continue
        assert address.url.isascii()
        assert STRICT.read_address(address.url) == address


@given(st.ip_addresses(v=4), st.data())
def test_every_form_of_an_ipv4_address_is_judged_like_it(ip: ipaddress.IPv4Address, data: st.DataObject) -> None:
    numbers = list(ip.packed)
    kept = data.draw(st.integers(0, 3))
    parts = [*numbers[:kept], int.from_bytes(bytes(numbers[kept:]), "big")]
    forms = [data.draw(st.sampled_from([str(part), hex(part), f"0{part:o}"])) for part in parts]
    host = ".".join(forms) + data.draw(st.sampled_from(["", "."]))
    assert socket.inet_aton(host.removesuffix(".")) == ip.packed  # what the C library makes of it
    if refused_network(ip):
        with pytest.raises(RefusedAddressError):
            STRICT.read_address(f"https://{host}/")
    else:
        assert STRICT.read_address(f"https://{host}/").ip == ip


# ── At the connection ──


def connect(rules: AddressRules, host: str, port: int, *answers: str, seconds: float = 2) -> httpcore.NetworkStream:
    def resolve(_host: str, _port: int) -> Sequence[IPAddress]:
        return [ipaddress.ip_address(answer) for answer in answers]

    return GuardedNetwork(rules, Deadline(seconds), resolve).connect_tcp(host, port)


def _edges(block: str) -> list[str]:
    network = ipaddress.ip_network(block)
    return list(dict.fromkeys((str(network[0]), str(network[-1]))))


@pytest.mark.parametrize("ip", [ip for entry in FACTS["networks"] for ip in _edges(entry["block"])])
def test_whatever_a_name_resolves_to_is_refused_from_the_first_to_the_last_address(ip: str) -> None:
    STRICT.read_address("https://hooks.example.org/")  # when it is created, nothing speaks against it
    with pytest.raises(RefusedAddressError):
        connect(STRICT, "hooks.example.org", 443, ip)
    with pytest.raises(RefusedAddressError):
        connect(STRICT, ip, 443)


def _is_numeric(host: str) -> bool:
    """Whether the system takes it for an address, without asking a name server."""
    try:
        socket.getaddrinfo(host, 443, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return False
    return True


NUMERIC = [(host.strip("[]"), by) for host, by in IN_NETWORKS if _is_numeric(host.strip("[]"))]


def test_what_the_system_makes_of_an_address_is_refused_at_the_connection() -> None:
    """Had `read_address` let a form through, the system would read it, and the guard look at what it read."""
    assert len(NUMERIC) > 80
    for host, _ in NUMERIC:
        with pytest.raises(RefusedAddressError):
            GuardedNetwork(STRICT, Deadline(5)).connect_tcp(host, 443)


@pytest.mark.parametrize("answers", [("8.8.8.8", "127.0.0.1"), ("127.0.0.1", "8.8.8.8"), ("8.8.8.8", "fd00::1")])
def test_one_refused_address_refuses_the_name(answers: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "_connect", lambda *_: pytest.fail("it connected"))
    with pytest.raises(RefusedAddressError):
        connect(STRICT, "hooks.example.org", 443, *answers)


def test_it_connects_to_the_very_address_that_it_checked() -> None:
    with receiving() as receiver:
        stream = connect(LOOPBACK, "hooks.example.org", receiver.port, "127.0.0.1")
        assert stream.get_extra_info("server_addr") == ("127.0.0.1", receiver.port)
        stream.close()


def test_a_dead_address_leaves_the_others_their_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        stream = connect(LOOPBACK, "hooks.example.org", port, "::1", "127.0.0.1")
        assert stream.get_extra_info("server_addr") == ("127.0.0.1", port)
        stream.close()


def test_no_address_at_all() -> None:
    with pytest.raises(httpcore.ConnectError, match="no address"):
        connect(STRICT, "hooks.example.org", 443)


def test_a_name_server_that_hangs_is_left_behind() -> None:
    release = threading.Event()

    def resolve(_host: str, _port: int) -> Sequence[IPAddress]:
        release.wait(10)
        return []

    started = time.monotonic()
    with pytest.raises(httpcore.ConnectTimeout):
        GuardedNetwork(STRICT, Deadline(0.2), resolve).connect_tcp("hooks.example.org", 443)
    assert time.monotonic() - started < 5
    release.set()


@pytest.mark.parametrize("fault", [socket.gaierror(-2, "Name or service not known"), UnicodeError("label too long")])
def test_a_name_that_does_not_resolve(fault: Exception) -> None:
    def resolve(_host: str, _port: int) -> Sequence[IPAddress]:
        raise fault

    with pytest.raises(httpcore.ConnectError, match="does not resolve"):
        GuardedNetwork(STRICT, Deadline(1), resolve).connect_tcp("hooks.example.org", 443)


def test_the_system_resolves_names() -> None:
    assert ipaddress.ip_address("127.0.0.1") in resolve_by_system("localhost", 80)
