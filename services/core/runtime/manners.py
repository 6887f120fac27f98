"""What every request meets before and after the routes, in all services alike.

One ASGI middleware, outside everything else: it names the request, refuses what is malformed, too large or too often
from one caller, lets any web page read, answers HEAD like GET without the body, turns whatever escapes the routes into
a problem document, says who may keep the answer, and leaves one log line and one measurement a request.
"""

import asyncio
import re
import time
import uuid
from collections.abc import Mapping, MutableMapping
from typing import Any
from urllib.parse import unquote_to_bytes

import structlog
from fastapi import Response
from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.core.domain.errors import UprError
from services.core.runtime.conditional import CHOOSING_HEADERS, with_coding
from services.core.runtime.problems import (
    BodyTooLargeError,
    HeadersTooLargeError,
    MalformedRequestError,
    MethodNotAllowedError,
    RateLimitedError,
    RequestTimeoutError,
    UriTooLongError,
    problem_response,
    response_to_exception,
)
from services.core.runtime.rate_limits import Allowance, RateLimits

log = structlog.get_logger(__name__)

LARGEST_BODY = 1_000_000
"""Bytes of a request body. The largest that any route takes, a webhook endpoint with a list of ids, is far below."""
LONGEST_ADDRESS = 8_192
"""Bytes of path and query: some 600 ids in one filter."""
LARGEST_HEADERS = 16_384
"""Bytes of all headers together."""
MOST_HEADERS = 100
BODY_DEADLINE = 30.0
"""Seconds in which the body of a request must have arrived; of one that is streamed, the next piece of it."""
STREAM_DEADLINE = 900.0
"""Seconds in which the whole of a body that is streamed must have arrived."""
DRAIN_DEADLINE = 1.0
DRAIN_BYTES = 8_000_000

READING_METHODS = ("GET", "HEAD", "OPTIONS")
_MEASURED_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
_QUIET_PATHS = frozenset({"/healthz", "/readyz", "/metrics"})
_SANE_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")

_CAREFUL_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    # What a browser shows by mistake runs nothing, loads nothing and stands in nobody's frame. Pages say otherwise.
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}.*")
"""W3C Trace Context; the group is the id of the trace."""

_CORS_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": (
        "Content-Disposition, ETag, Link, OpenUPR-Dataset, OpenUPR-Found, OpenUPR-Rows, RateLimit, RateLimit-Policy, "
        "Retry-After, X-Request-Id"
    ),
}
_PREFLIGHT_HEADERS = {
    **_CORS_HEADERS,
    "Access-Control-Allow-Methods": ", ".join(READING_METHODS),
    "Access-Control-Allow-Headers": (
        "Accept, Accept-Language, Authorization, Content-Type, If-Modified-Since, If-None-Match, Last-Event-ID, "
        "X-Request-Id"
    ),
    "Access-Control-Max-Age": "86400",
}


class RequestMetrics:
    """Counts and durations of requests, by the route's template and never by the path that was asked for."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Counter(
            "upr_http_requests", "Requests answered.", ["method", "route", "status"], registry=registry
        )
        self.seconds = Histogram(
            "upr_http_request_seconds",
            "Seconds until the answer was sent.",
            ["method", "route"],
            registry=registry,
        )

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Record one request."""
        method = method if method in _MEASURED_METHODS else "other"
        self.requests.labels(method, route, str(status)).inc()
        self.seconds.labels(method, route).observe(seconds)


class RequestManners:
    """The middleware. `metrics` is where requests are counted, `limits` how many one caller may make."""

    def __init__(self, app: ASGIApp, metrics: RequestMetrics, limits: RateLimits) -> None:
        self._app = app
        self._metrics = metrics
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(scope, receive, send)
        with structlog.contextvars.bound_contextvars(request_id=exchange.request_id):
            try:
                await self._serve(exchange)
            finally:
                self._record(exchange)

    async def _serve(self, exchange: "_Exchange") -> None:
        try:
            refuse_malformed(exchange.scope, exchange.headers)
            if exchange.is_preflight:
                await exchange.answer(_preflight_response(exchange))
                return
            self._count(exchange)
            await exchange.read_body()
        except UprError as error:
            await exchange.refuse(error)
            return
        if exchange.disconnected:
            return
        try:
            await self._app(exchange.scope, exchange.receive, exchange.send)
        except Exception as exception:
            if exchange.status is not None:
                log.exception("answer broke off", method=exchange.method, path=exchange.scope["path"])
                raise  # the server closes the connection, so that the reader knows
            await exchange.answer(response_to_exception(exchange.scope, exception))

    def _count(self, exchange: "_Exchange") -> None:
        """Take the request off its caller's allowance. Raises `RateLimitedError` where nothing of it is left."""
        if exchange.scope["path"] in _QUIET_PATHS:
            return
        client = exchange.scope.get("client")
        allowance = self._limits.take(client[0] if client else None, exchange.headers.get("authorization"))
        if allowance is None:
            return
        exchange.allowance = allowance
        if allowance.wait:
            raise RateLimitedError(f"{allowance.limit} requests a minute are answered; go on after Retry-After.")

    def _record(self, exchange: "_Exchange") -> None:
        status = exchange.status or 499  # gone before there was an answer
        seconds = time.perf_counter() - exchange.started_at
        path = exchange.scope["path"]
        self._metrics.observe(exchange.method, exchange.route_template, status, seconds)
        write = log.debug if path in _QUIET_PATHS else log.info
        milliseconds = round(seconds * 1000, 1)
        write("request", method=exchange.method, path=path, status=status, ms=milliseconds, bytes=exchange.bytes_sent)


class _Exchange:
    """One request and its answer, as far as it has got."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.started_at = time.perf_counter()
        self.headers = Headers(scope=scope)
        self.method: str = scope["method"]
        self.request_id = _request_id(self.headers)
        # Routes declare GET; HEAD is the same without the body.
        state: MutableMapping[str, Any] = {
            **scope.get("state", {}),
            "request_id": self.request_id,
            "method": self.method,
        }
        self.scope = {**scope, "method": "GET" if self.method == "HEAD" else self.method, "state": state}
        self.status: int | None = None
        self.bytes_sent = 0
        self.disconnected = False
        self.allowance: Allowance | None = None
        self._receive = receive
        self._send = send
        self._body: bytes | None = b""
        self._stream: _StreamedBody | None = None
        self._head_answered = False

    @property
    def is_preflight(self) -> bool:
        return self.method == "OPTIONS" and "access-control-request-method" in self.headers

    @property
    def route_template(self) -> str:
        """`/v1/recommendations/{id}`, with the prefixes of the routers that the route is in."""
        context = self.scope.get("fastapi", {}).get("effective_route_context")
        route = self.scope.get("route")
        return getattr(context, "path_format", None) or getattr(route, "path", None) or "none"

    async def read_body(self) -> None:
        """Take in the whole body, within limits, before a route or a thread is given to the request."""
        length = self.headers.get("content-length")
        if length is None and "transfer-encoding" not in self.headers:
            return
        streamed: Mapping[tuple[str, str], int] = getattr(self.scope["app"], "streamed_bodies", {})
        most = streamed.get((self.method, self.scope["path"]))
        if length is not None and int(length) > (most or LARGEST_BODY):
            raise _too_large(most or LARGEST_BODY)
        if most is not None:
            self._body, self._stream = None, _StreamedBody(self._receive, most)
            return
        try:
            async with asyncio.timeout(BODY_DEADLINE):
                self._body = await self._collect_body()
        except TimeoutError:
            raise RequestTimeoutError(f"The body did not arrive within {BODY_DEADLINE:.0f} seconds.") from None

    async def _collect_body(self) -> bytes:
        body = bytearray()
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self.disconnected = True
                return b""
            body += message.get("body", b"")
            if len(body) > LARGEST_BODY:
                raise _too_large(LARGEST_BODY)
            if not message.get("more_body", False):
                return bytes(body)

    async def receive(self) -> Message:
        """The body once, then whatever the server says."""
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        if self._stream is not None and not self._stream.ended:
            return await self._stream.receive()
        if self._head_answered:
            # Stops an answer that streams: nobody is going to read it.
            return {"type": "http.disconnect"}
        return await self._receive()

    async def send(self, message: Message) -> None:
        """Pass the answer on, with the headers that every answer has."""
        if message["type"] == "http.response.start":
            self._complete_headers(message)
            self.status = message["status"]
            await self._send(message)
            if self.method == "HEAD":
                self._head_answered = True
                await self._send({"type": "http.response.body", "body": b"", "more_body": False})
        elif not self._head_answered:
            self.bytes_sent += len(message.get("body", b""))
            if self._stream is None or self._stream.ended or message.get("more_body", False):
                await self._send(message)
            else:
                await self._send_before_the_end(message)

    async def _send_before_the_end(self, message: Message) -> None:
        """Answer while the other side still sends."""
        await self._send({**message, "more_body": True})
        await self._drain()
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    def _complete_headers(self, message: Message) -> None:
        headers = MutableHeaders(scope=message)
        headers["X-Request-Id"] = self.request_id
        for name, value in _CAREFUL_HEADERS.items():
            headers.setdefault(name, value)
        if getattr(self.scope["app"], "stopping", False):
            headers["Connection"] = "close"
        if self.allowance is not None:
            headers.update(self.allowance.headers())
        if self._stream is not None and not self._stream.ended:
            headers["Connection"] = "close"
        self._complete_caching(headers, message["status"])
        if self.method in READING_METHODS:
            for name, value in _CORS_HEADERS.items():
                headers.setdefault(name, value)

    def _complete_caching(self, headers: MutableHeaders, status: int) -> None:
        """Nobody keeps an answer that does not say that it may be kept, nor one to somebody's key."""
        if "etag" not in headers or status >= 400:
            headers.setdefault("Cache-Control", "no-store")
        elif "authorization" in self.headers:
            headers["Cache-Control"] = "private, no-cache"
        if "etag" in headers:
            headers.add_vary_header(", ".join(CHOOSING_HEADERS))
            if coding := headers.get("content-encoding"):
                headers["ETag"] = with_coding(headers["etag"], coding)

    async def answer(self, response: Response) -> None:
        """Send a response that no route made."""
        await response(self.scope, self.receive, self.send)

    async def refuse(self, error: UprError) -> None:
        """Answer `error` and close the connection, once the reader had a chance to see the answer.

        Closing while the other side is still sending destroys the answer on its way, so up to a limit what still
        comes is read and dropped first.
        """
        response = problem_response(self.scope, error, {"Connection": "close"})
        headers = response.raw_headers
        await self.send({"type": "http.response.start", "status": response.status_code, "headers": headers})
        await self.send({"type": "http.response.body", "body": response.body, "more_body": True})
        if error.status in (BodyTooLargeError.status, RequestTimeoutError.status):
            await self._drain()
        await self.send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _drain(self) -> None:
        drained = 0
        try:
            async with asyncio.timeout(DRAIN_DEADLINE):
                while drained < DRAIN_BYTES:
                    message = await self._receive()
                    drained += len(message.get("body", b""))
                    if not message.get("more_body", False):
                        return
        except TimeoutError:
            return


def _request_id(headers: Headers) -> str:
    """What the sender calls the request, else the trace that it belongs to, else a new name."""
    given = headers.get("x-request-id", "")
    if _SANE_REQUEST_ID.fullmatch(given):
        return given
    traced = _TRACEPARENT.fullmatch(headers.get("traceparent", ""))
    return traced[1] if traced else uuid.uuid4().hex


def refuse_malformed(scope: Scope, headers: Headers) -> None:
    """Raise where the address or the headers are too long or are not text."""
    path, query = scope.get("raw_path") or scope["path"].encode(), scope["query_string"]
    if len(path) + len(query) > LONGEST_ADDRESS:
        raise UriTooLongError(f"Path and query may have {LONGEST_ADDRESS} bytes.")
    if len(headers.raw) > MOST_HEADERS or sum(len(name) + len(value) for name, value in headers.raw) > LARGEST_HEADERS:
        raise HeadersTooLargeError(f"At most {MOST_HEADERS} headers of {LARGEST_HEADERS} bytes in all are taken.")
    for where, encoded in (("path", path), ("query", query)):
        text = unquote_to_bytes(encoded)
        if b"\0" in text:
            raise MalformedRequestError(f"The {where} holds a NUL byte.")
        try:
            text.decode()
        except UnicodeDecodeError:
            raise MalformedRequestError(f"The {where} is not valid UTF-8.") from None


class _StreamedBody:
    """A body that its route takes piece by piece, within limits."""

    def __init__(self, receive: Receive, most: int) -> None:
        self.ended = False
        self._receive = receive
        self._most = most
        self._taken = 0
        self._deadline = time.monotonic() + STREAM_DEADLINE

    async def receive(self) -> Message:
        """The next piece. Raises `BodyTooLargeError`, `RequestTimeoutError`."""
        patience = min(BODY_DEADLINE, self._deadline - time.monotonic())
        try:
            async with asyncio.timeout(max(patience, 0)):
                message = await self._receive()
        except TimeoutError:
            raise RequestTimeoutError(f"Nothing of the body arrived for {BODY_DEADLINE:.0f} seconds.") from None
        self._taken += len(message.get("body", b""))
        if self._taken > self._most:
            raise _too_large(self._most)
        self.ended = message["type"] == "http.disconnect" or not message.get("more_body", False)
        return message


def _too_large(most: int) -> BodyTooLargeError:
    return BodyTooLargeError(f"A body may have {most} bytes.", limit=most)


def _preflight_response(exchange: _Exchange) -> Response:
    """Pages of any origin may read. To write needs a key, which does not belong into a page."""
    wanted = exchange.headers["access-control-request-method"]
    if wanted in READING_METHODS:
        return Response(status_code=204, headers=_PREFLIGHT_HEADERS)
    error = MethodNotAllowedError(f"Web pages of other origins may read only; {wanted} is refused.")
    return problem_response(exchange.scope, error, {"Allow": ", ".join(READING_METHODS)})
