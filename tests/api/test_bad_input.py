"""Whatever is sent: never a fault of ours, always a problem that names the parameter, and never much memory."""

import re
import signal
import socket
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from services.api.app import create_app
from services.api.settings import ApiSettings
from tests.api.site import Site, open_site
from tests.effort import examples
from tests.records import fill
from tests.up.programs import Program, running

NASTY = (
    "", "\0", "\x7f\n", "' OR 1=1 --", "9" * 30, "-1", "%s%n{0}", "é\u202e\u0301\U0001f1f5", "../../etc/passwd",
    "x" * 3_000,
)  # fmt: skip
FAULTS_OF_THE_ADDRESS = {"malformed_request", "uri_too_long"}
PLENTY = 40_000
"""kB that the process may grow by; each of these floods alone is more, were it kept or copied."""


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    parameters: tuple[dict[str, Any], ...]

    def address(self, given: dict[str, list[str]]) -> str:
        """With these values; what it cannot do without and is not given is something plain."""
        path, query = self.path, []
        for each in self.parameters:
            values = given.get(each["name"], ["recommendations"] if each["in"] == "path" else [])
            if each["in"] == "path":
                path = path.replace(f"{{{each['name']}}}", quote(values[0], safe=""))
            else:
                needed = [_plain_value(each["schema"])] if each.get("required") else []
                query += [(each["name"], value) for value in values or needed]
        return path + (f"?{urlencode(query)}" if query else "")


def _plain_value(schema: dict[str, Any]) -> str:
    """Something that a parameter takes."""
    if schema.get("format") == "uri":
        return "https://tracker.example.org/"
    value: str = schema["items"]["enum"][0]
    return value


def operations() -> list[Operation]:
    document = create_app(ApiSettings(), "postgresql://nobody@127.0.0.1/none").openapi()
    return [
        Operation(method.upper(), path, tuple(operation.get("parameters", ())))
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]


OPERATIONS = operations()


@pytest.fixture
def site(engine: Engine, database_url: str) -> Iterator[Site]:
    with engine.begin() as connection:
        fill(connection, seed=11, each=4)
    with open_site(database_url) as site:
        yield site


def check(site: Site, operation: Operation, given: dict[str, list[str]]) -> None:
    address = operation.address(given)
    answer = site.client.request(operation.method, address)
    assert answer.status_code < 500, (address, answer.text)
    if answer.status_code < 400:
        return
    assert answer.headers["content-type"] == "application/problem+json", address
    told = answer.json()
    assert told["status"] == answer.status_code
    assert told["instance"] == answer.headers["x-request-id"]
    if answer.status_code == 400 and told["code"] not in FAULTS_OF_THE_ADDRESS:
        named = {told.get("parameter"), *(each.get("parameter") for each in told.get("errors", ()))} - {None}
        assert named, (address, told)
        filled = {each["name"] for each in operation.parameters if each["in"] == "path"}
        assert named <= given.keys() | filled, (address, told)


def test_a_nasty_value_for_every_parameter_of_every_route(site: Site) -> None:
    turn = 0
    for operation in OPERATIONS:
        for parameter in operation.parameters:
            check(site, operation, {parameter["name"]: [NASTY[turn % len(NASTY)]]})
            turn += 1
    assert turn > 1_000


def _values_for(operation: Operation) -> st.SearchStrategy[dict[str, list[str]]]:
    names = st.sampled_from([each["name"] for each in operation.parameters])
    return st.dictionaries(names, st.lists(_TEXTS, min_size=1, max_size=3), max_size=3)


_TEXTS = st.text(st.characters(codec="utf-8"), max_size=30) | st.sampled_from(NASTY) | st.integers().map(str)
_REQUESTS = st.sampled_from([number for number, each in enumerate(OPERATIONS) if each.parameters]).flatmap(
    lambda number: st.tuples(st.just(OPERATIONS[number]), _values_for(OPERATIONS[number]))
)


@pytest.mark.soak
@settings(
    max_examples=examples(200),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(asked=_REQUESTS)
def test_any_values_for_any_parameters(site: Site, asked: tuple[Operation, dict[str, list[str]]]) -> None:
    check(site, *asked)


@pytest.fixture
def program(database_url: str) -> Iterator[Program]:
    environment = {"UPR_DATABASE_URL": database_url, "UPR_API_PORT": "0", "UPR_LOG_LEVEL": "warning"}
    with running(["services.cli", "api", "serve"], environment, uuid.uuid4().hex) as program:
        program.wait_for("listening on")
        yield program
        assert program.end(signal.SIGTERM) == 0


def memory(program: Program) -> int:
    """kB of memory that the process holds."""
    status = Path(f"/proc/{program.process.pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found
    return int(found[1])


def first_line(address: str, *pieces: bytes) -> bytes:
    """What a server answers first to a request that is sent as far as it takes it."""
    place = urlsplit(address)
    with socket.create_connection((place.hostname or "", place.port or 0), timeout=20) as connection:
        try:
            for piece in pieces:
                connection.sendall(piece)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it had answered before everything was sent
        return connection.recv(200).partition(b"\r\n")[0]


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_floods_are_refused_early_and_kept_nowhere(program: Program) -> None:
    address = program.output.partition("listening on ")[2].split()[0]
    host = b"Host: x\r\n"
    chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
    with httpx.Client(base_url=address, timeout=20) as client:
        assert client.get("/v1/states").status_code == 200
        many = urlencode([(f"a{number}", "1") for number in range(1_000)])
        same = urlencode([("id", f"a{number}") for number in range(800)])

        def flood() -> None:
            assert client.post("/v1/keys", content=b"x" * 10_000_000).json()["code"] == "body_too_large"
            head = b"POST /v1/keys HTTP/1.1\r\n" + host
            assert b" 413 " in first_line(address, head + b"Content-Length: 10000000\r\n\r\n")  # before any of it came
            chunked = (head + b"Transfer-Encoding: chunked\r\n\r\n", *[chunk] * 10)
            assert b" 413 " in first_line(address, *chunked)
            for query, code in ((many, {"unknown_parameter", "uri_too_long"}), (same, {"invalid_parameter"})):
                assert client.get(f"/v1/recommendations?{query}").json()["code"] in code
            long = b"GET /v1/states HTTP/1.1\r\n" + host + b"X-Long: " + b"x" * 65_536 + b"\r\n\r\n"
            assert b" 431 " in first_line(address, long)
            several = b"GET /v1/states HTTP/1.1\r\n" + b"".join(b"X-%d: y\r\n" % number for number in range(1_000))
            assert b" 431 " in first_line(address, several + host + b"\r\n")
            assert b" 414 " in first_line(
                address, b"GET /v1/states?id=" + b"x" * 9_000 + b" HTTP/1.1\r\n" + host + b"\r\n"
            )

        flood()
        before = memory(program)
        for _ in range(10):
            flood()
        assert memory(program) - before < PLENTY
        assert client.get("/healthz").status_code == 200
