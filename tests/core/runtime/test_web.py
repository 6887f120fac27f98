import io
import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import httpx
import psycopg
import pytest
import sqlalchemy.exc
from fastapi import APIRouter, Body, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from services.core.domain.errors import GoneError, SettingsError, UnauthorizedError
from services.core.runtime import manners
from services.core.runtime import serve as serving
from services.core.runtime.serve import serve, served
from services.core.runtime.settings import CoreSettings
from services.core.runtime.web import JsonAnswer, Service, create_service
from tests.core.runtime.configured import configured_logs

faults: dict[str, str | None] = {"database": None}


class Thing(BaseModel):
    name: str
    size: int


def routes() -> APIRouter:
    things = APIRouter(prefix="/v1")
    nested = APIRouter(prefix="/things")

    @nested.get("", openapi_extra={"parameters": [{"name": "colour", "in": "query", "schema": {"type": "string"}}]})
    def list_things(limit: Annotated[int, Query(le=200)] = 20) -> Response:
        return JsonAnswer({"data": [], "limit": limit}, headers={"ETag": '"1"'})

    @nested.get("/{name}")
    def get_thing(name: str) -> Response:
        raise {
            "gone": GoneError("It was removed.", reason="not_in_final"),
            "no-key": UnauthorizedError("No key."),
            "broken": ValueError("postgresql://user:hunter2@host/db"),
            "away": sqlalchemy.exc.OperationalError("SELECT 1", {}, psycopg.OperationalError("refused")),
            "huge": psycopg.DataError("integer out of range"),
            "unset": SettingsError("UPR_SECRET is missing"),
        }[name]

    @nested.post("")
    def create_thing(thing: Annotated[Thing, Body()]) -> Response:
        return JsonAnswer({"name": thing.name}, status_code=201)

    @things.get("/endless")
    def endless() -> StreamingResponse:
        def lines() -> Iterator[bytes]:
            while True:
                yield b"line\n" * 1000
                time.sleep(0.01)

        return StreamingResponse(lines(), media_type="text/plain")

    @things.get("/breaks-off")
    def breaks_off() -> StreamingResponse:
        def lines() -> Iterator[bytes]:
            yield b"first\n"
            raise ValueError("no more")

        return StreamingResponse(lines(), media_type="text/plain")

    @things.get("/slow")
    def slow() -> Response:
        time.sleep(0.6)
        return JsonAnswer({"done": True})

    things.include_router(nested)
    return things


def make_service(settings: CoreSettings, **options: Any) -> Service:
    service = create_service(
        name="test", version="1", settings=settings, readiness=lambda: faults, description="Things.", **options
    )
    service.include_router(routes())
    return service


SETTINGS = CoreSettings(public_url="https://openupr.example/")


@pytest.fixture(scope="module")
def written() -> Iterator[io.StringIO]:
    """What the service logs."""
    stream = io.StringIO()
    with configured_logs(SETTINGS, stream):
        yield stream


@pytest.fixture(scope="module")
def address(written: io.StringIO) -> Iterator[str]:
    with served(make_service(SETTINGS), settings=SETTINGS) as address:
        yield address


@pytest.fixture
def client(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, trust_env=False) as client:
        yield client


def assert_problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["type"] == f"https://openupr.example/problems/{code}"
    assert problem["title"]
    assert problem["detail"]
    assert problem["instance"] == response.headers["x-request-id"]
    return problem


def exchange(address: str, request: bytes, *, wait: float = 5) -> bytes:
    """Send bytes as they are, and read until the server closes."""
    url = httpx.URL(address)
    with socket.create_connection((url.host, url.port or 80), timeout=wait) as connection:
        connection.sendall(request)
        answer = b""
        while part := connection.recv(65536):
            answer += part
    return answer


def raw(answer: bytes) -> httpx.Response:
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    return httpx.Response(
        int(lines[0].split()[1]), headers=dict(line.split(": ", 1) for line in lines[1:]), content=body
    )


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "not_found"),
        ("GET", "/v1/things/", 404, "not_found"),
        ("DELETE", "/v1/things", 405, "method_not_allowed"),
        ("GET", "/v1/things/gone", 410, "gone"),
        ("GET", "/v1/things/no-key", 401, "unauthorized"),
        ("GET", "/v1/things/broken", 500, "internal_error"),
        ("GET", "/v1/things/unset", 500, "internal_error"),
        ("GET", "/v1/things/away", 503, "unavailable"),
        ("GET", "/v1/things/huge", 400, "invalid_parameter"),
        ("GET", "/v1/things?limit=x", 400, "invalid_parameter"),
        ("GET", "/v1/things?limit=9223372036854775808", 400, "invalid_parameter"),
        ("GET", "/v1/things?color=red", 400, "unknown_parameter"),
        ("GET", "/v1/things?colour=%00", 400, "malformed_request"),
        ("GET", "/v1/things?%ff=1", 400, "malformed_request"),
        ("GET", "/v1/%00", 400, "malformed_request"),
        ("GET", "/v1/%ed%a0%80", 400, "malformed_request"),
        ("GET", "/v1/things?colour=" + "a" * 9000, 414, "uri_too_long"),
        ("POST", "/v1/things", 422, "invalid_body"),
    ],
)
def test_every_fault_is_a_problem_document(
    client: httpx.Client, method: str, path: str, status: int, code: str
) -> None:
    assert_problem(client.request(method, path), status, code)


def test_extensions_and_headers_of_errors_arrive(client: httpx.Client) -> None:
    assert client.get("/v1/things/gone").json()["reason"] == "not_in_final"
    assert client.get("/v1/things/no-key").headers["www-authenticate"] == "Bearer"
    assert client.get("/v1/things/away").headers["retry-after"] == "5"
    assert client.get("/v1/things/away").json()["dependency"] == "database"
    assert set(client.delete("/v1/things").headers["allow"].split(", ")) >= {"GET", "HEAD"}


def test_an_internal_error_tells_nothing_and_logs_the_request_id(client: httpx.Client, written: io.StringIO) -> None:
    response = client.get("/v1/things/broken")
    assert_problem(response, 500, "internal_error")
    assert "ValueError" not in response.text
    log = written.getvalue()
    assert "hunter2" not in log + response.text
    assert re.search(f"request failed .*request_id={response.headers['x-request-id']}", log)
    assert "ValueError: postgresql://user:[redacted]@host/db" in log


def test_validation_names_the_place_and_never_repeats_the_value(client: httpx.Client) -> None:
    response = client.post("/v1/things", json={"name": "whsec_secret", "size": "whsec_other"})
    problem = assert_problem(response, 422, "invalid_body")
    assert [fault["pointer"] for fault in problem["errors"]] == ["#/size"]
    assert "whsec_" not in response.text
    problem = assert_problem(client.get("/v1/things?limit=201"), 400, "invalid_parameter")
    assert [fault["parameter"] for fault in problem["errors"]] == ["limit"]
    broken = client.post("/v1/things", content=b"{", headers={"Content-Type": "application/json"})
    assert_problem(broken, 422, "invalid_body")


def test_unknown_parameters_are_named_with_the_nearest_known_one(client: httpx.Client) -> None:
    problem = assert_problem(client.get("/v1/things?color=red&colour=red&limit=1"), 400, "unknown_parameter")
    assert "'color'" in problem["detail"]
    assert "'colour'" in problem["detail"]
    assert [fault["parameter"] for fault in problem["errors"]] == ["color"]
    assert client.get("/v1/things?colour=red&limit=1").status_code == 200
    assert client.get("/healthz?probe=1").status_code == 200


def test_request_ids_are_taken_when_sane(client: httpx.Client) -> None:
    assert client.get("/healthz", headers={"X-Request-Id": "abc-1.2_3"}).headers["x-request-id"] == "abc-1.2_3"
    for odd in (b"", b"a b", b"<x>", b"\xe9", b"x" * 129):
        made = client.get("/healthz", headers={b"X-Request-Id": odd}).headers["x-request-id"]
        assert re.fullmatch(r"[0-9a-f]{32}", made)


def test_any_origin_may_read_and_none_may_write(client: httpx.Client) -> None:
    page = {"Origin": "https://a.example"}
    for response in (client.get("/v1/things", headers=page), client.get("/nothing", headers=page)):
        assert response.headers["access-control-allow-origin"] == "*"
        exposed = response.headers["access-control-expose-headers"].split(", ")
        assert {"Link", "ETag", "X-Request-Id"} <= set(exposed)
    preflight = client.options("/v1/things", headers={**page, "Access-Control-Request-Method": "GET"})
    assert preflight.status_code == 204
    assert "GET" in preflight.headers["access-control-allow-methods"]
    refused = client.options("/v1/things", headers={**page, "Access-Control-Request-Method": "POST"})
    assert_problem(refused, 405, "method_not_allowed")
    assert "POST" not in refused.headers.get("access-control-allow-methods", "")
    assert "access-control-allow-origin" not in client.post("/v1/things", json={}, headers=page).headers


def test_head_answers_like_get_without_the_body(client: httpx.Client) -> None:
    got, head = client.get("/v1/things"), client.head("/v1/things")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(got.content))
    assert head.headers["etag"] == '"1"'
    started = time.monotonic()
    assert client.head("/v1/endless").status_code == 200
    assert time.monotonic() - started < 10
    assert client.head("/healthz").status_code == 200  # the connection still serves


@contextmanager
def chunked(size: int) -> Iterator[Iterator[bytes]]:
    yield (b"x" * 10_000 for _ in range(size // 10_000))


def test_a_large_body_is_refused_with_and_without_its_length(client: httpx.Client) -> None:
    headers = {"Content-Type": "application/json"}
    assert_problem(client.post("/v1/things", content=b"x" * 1_000_001, headers=headers), 413, "body_too_large")
    with chunked(1_100_000) as parts:
        assert_problem(client.post("/v1/things", content=parts, headers=headers), 413, "body_too_large")
    whole = b'{"name": "a", "size": 1' + b" " * 900_000 + b"}"
    assert client.post("/v1/things", content=whole, headers=headers).status_code == 201
    with chunked(20_000) as parts:
        assert client.post("/v1/things", content=parts, headers=headers).status_code == 422


def test_an_announced_gigabyte_is_refused_before_it_is_sent(address: str) -> None:
    started = time.monotonic()
    request = b"POST /v1/things HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n{"
    assert_problem(raw(exchange(address, request)), 413, "body_too_large")
    assert time.monotonic() - started < 10


def test_a_dripping_body_is_cut(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manners, "BODY_DEADLINE", 0.3)
    request = b"POST /v1/things HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{"
    assert_problem(raw(exchange(address, request)), 408, "request_timeout")


def test_a_head_that_never_ends_is_cut(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "REQUEST_DEADLINE", 0.3)
    assert exchange(address, b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ") == b""


@pytest.mark.parametrize(
    ("request_bytes", "status", "code"),
    [
        (b"no http at all\r\n\r\n", 400, "malformed_request"),
        (b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n", 400, "malformed_request"),
        (b"GET / HTTP/1.1\r\n\r\n", 400, "malformed_request"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 400_000, 431, "headers_too_large"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 17_000 + b"\r\n\r\n", 431, "headers_too_large"),
        (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: 1\r\n" * 101 + b"\r\n", 431, "headers_too_large"),
    ],
)
def test_what_is_no_http_gets_a_problem_too(address: str, request_bytes: bytes, status: int, code: str) -> None:
    assert_problem(raw(exchange(address, request_bytes)), status, code)


def test_letters_in_an_address_are_told_how_to_come(address: str) -> None:
    request = "GET /v1/things?q=Perú HTTP/1.1\r\nHost: a\r\n\r\n".encode()
    problem = assert_problem(raw(exchange(address, request)), 400, "malformed_request")
    assert "%C3%BA" in problem["detail"]
    other = assert_problem(raw(exchange(address, b"GET / HTTP/1.1\r\n\r\n")), 400, "malformed_request")
    assert "%C3%BA" not in other["detail"]


def test_an_answer_that_fails_midway_is_cut_and_not_ended(client: httpx.Client) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        client.get("/v1/breaks-off")


def test_health_readiness_and_what_is_away(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ready", "dependencies": {"database": "ok"}}
    monkeypatch.setitem(faults, "database", "connection refused")
    problem = assert_problem(client.get("/readyz"), 503, "unavailable")
    assert problem["dependencies"] == {"database": "connection refused"}
    assert client.get("/healthz").status_code == 200


def test_metrics_count_by_template(client: httpx.Client) -> None:
    client.get("/v1/things/gone")
    client.get("/nowhere/at/all")
    text = client.get("/metrics").text
    assert 'upr_http_requests_total{method="GET",route="/v1/things/{name}",status="410"}' in text
    assert 'route="none",status="404"' in text
    assert "/nowhere" not in text
    assert re.search(r'upr_http_request_seconds_count{method="GET",route="/v1/things/{name}"} \d', text)
    assert 'upr_build_info{service="test",version="' in text


def test_a_trace_names_the_request(client: httpx.Client) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    for headers, wanted in (
        ({"traceparent": f"00-{trace}-b7ad6b7169203331-01"}, trace),
        ({"traceparent": f"00-{trace}-b7ad6b7169203331-01", "X-Request-Id": "mine"}, "mine"),
    ):
        assert client.get("/healthz", headers=headers).headers["x-request-id"] == wanted
    for wrong in (f"00-{'0' * 32}-b7ad6b7169203331-01", "00-x", trace):
        assert client.get("/healthz", headers={"traceparent": wrong}).headers["x-request-id"] not in wrong


def test_openapi_has_problems_and_no_operator_paths(client: httpx.Client) -> None:
    document = client.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    assert document["components"]["schemas"]["Problem"]["required"]
    assert "HTTPValidationError" not in str(document)
    assert "/healthz" not in document["paths"]
    operation = document["paths"]["/v1/things"]["get"]
    assert {parameter["name"] for parameter in operation["parameters"]} == {"limit", "colour"}
    default = operation["responses"]["default"]["content"]["application/problem+json"]
    assert default["schema"] == {"$ref": "#/components/schemas/Problem"}


def test_a_problem_type_can_be_opened(client: httpx.Client) -> None:
    explained = client.get("/problems/gone").json()
    assert (explained["status"], explained["code"]) == (410, "gone")
    assert_problem(client.get("/problems/unheard-of"), 404, "not_found")


def test_no_server_header_and_nothing_sniffed(client: httpx.Client) -> None:
    headers = client.get("/healthz").headers
    assert "server" not in headers
    assert headers["x-content-type-options"] == "nosniff"


def test_answers_on_a_kept_connection_do_not_wait(client: httpx.Client) -> None:
    """Nagle's algorithm and delayed acknowledgements together cost 40 ms an answer."""
    seconds = []
    for _ in range(30):
        started = time.perf_counter()
        client.get("/v1/things")
        seconds.append(time.perf_counter() - started)
    assert sorted(seconds)[15] < 0.03


def test_lifespan_opens_and_closes() -> None:
    events = []

    @contextmanager
    def lifespan(service: Service) -> Iterator[None]:
        events.append(f"open {service.title}")
        yield
        events.append("close")

    with served(make_service(SETTINGS, lifespan=lifespan), settings=SETTINGS) as address:
        assert httpx.get(f"{address}/healthz", trust_env=False).status_code == 200
    assert events == ["open OpenUPR test", "close"]


def test_a_port_that_is_taken_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(SettingsError, match="cannot listen"):
        serve(make_service(SETTINGS), host="127.0.0.1", port=taken.getsockname()[1], settings=SETTINGS)


SERVER = """
from tests.core.runtime.test_web import SETTINGS, make_service
from services.core.runtime.logs import configure_logs
from services.core.runtime.serve import serve

configure_logs(SETTINGS, service="test")
serve(make_service(SETTINGS), host="127.0.0.1", port=0, settings=SETTINGS)
print("ended")
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_finishes_the_answer_under_way(number: signal.Signals) -> None:
    command = [sys.executable, "-c", textwrap.dedent(SERVER)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": "."}
    ) as process:
        assert process.stdout
        address = process.stdout.readline().removeprefix("listening on ").strip()
        url = httpx.URL(address)
        with socket.create_connection((url.host, url.port or 80), timeout=10) as connection:
            connection.sendall(b"GET /v1/slow HTTP/1.1\r\nHost: a\r\n\r\n")
            time.sleep(0.2)
            process.send_signal(number)
            assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        output, errors = process.communicate(timeout=15)
    assert output == "ended\n"
    assert process.returncode == 0
    assert re.search(r"request .*path=/v1/slow.*status=200", errors)
    assert "request_id=" in errors


def test_a_pause_before_the_end_lets_proxies_turn_away() -> None:
    command = [sys.executable, "-c", textwrap.dedent(SERVER)]
    environment = {**os.environ, "PYTHONPATH": ".", "UPR_STOP_PAUSE_SECONDS": "60"}
    with (
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
        ) as process,
        httpx.Client(trust_env=False) as client,
    ):
        assert process.stdout
        client.base_url = process.stdout.readline().removeprefix("listening on ").strip()
        assert client.get("/readyz").status_code == 200
        process.send_signal(signal.SIGTERM)
        while (told := client.get("/readyz")).status_code == 200:
            time.sleep(0.01)
        assert (told.status_code, told.json()["detail"]) == (503, "The service is stopping.")
        assert "retry-after" in told.headers
        answer = client.get("/healthz")
        assert (answer.status_code, answer.headers["connection"]) == (200, "close"), "it answers on"
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0, "who asks again does not want to wait"
