"""Runs a service with uvicorn: limits, a stop without broken answers, and every answer in our format."""

import asyncio
import contextlib
import gc
import socket
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import h11
import structlog
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from services.core.domain.errors import SettingsError, UprError
from services.core.runtime.manners import DRAIN_DEADLINE, LARGEST_HEADERS, LONGEST_ADDRESS
from services.core.runtime.problems import (
    PROBLEM_MEDIA_TYPE,
    HeadersTooLargeError,
    MalformedRequestError,
    problem_document,
)
from services.core.runtime.settings import CoreSettings
from services.core.runtime.web import Service
from services.core.runtime.worker import stop_signals_ignored

log = structlog.get_logger(__name__)

REQUEST_DEADLINE = 30.0
"""Seconds in which the head of a request must have arrived on a connection, also of the next one on a kept connection.
Proxies have to give up idle connections before, or a request could come while we close."""
_HEAD = b"HTTP/1.1 "
"""How the head of an answer begins."""
_LETTERS_IN_ADDRESS = (
    "The address holds letters beyond ASCII as they are. They have to be percent-encoded, ú as %C3%BA: "
    "curl does it with --get --data-urlencode 'q=Perú'."
)
STOP_DEADLINE = 20
"""Seconds that answers under way are given when the service stops."""


def serve(
    app: Any,
    *,
    host: str,
    port: int,
    settings: CoreSettings,
    announce: Callable[[str], None] | None = None,
) -> None:
    """Serve `app` until SIGTERM or SIGINT, then finish the answers under way and return (`stop_pause_seconds` later).

    With `port` 0 the system chooses one. When the service answers, `announce` is called with its address; by default
    the line `listening on http://…` goes to standard output, which is how a parent process learns the port.
    Raises `SettingsError` where the address cannot be listened on.
    """
    with contextlib.closing(listening(host, port)) as listener:
        address = address_of(listener)

        def ready() -> None:
            keep_what_is_there()
            (announce or print_address)(address)

        server = AnnouncingServer(uvicorn_config(app, settings), ready, pause=settings.stop_pause_seconds)
        # uvicorn raises the signal that stopped it once more at the end; by then everything is done.
        with stop_signals_ignored():
            server.run(sockets=[listener])


@contextlib.contextmanager
def served(app: Any, *, settings: CoreSettings, host: str = "127.0.0.1") -> Iterator[str]:
    """Serve `app` from a thread of this process, for tests and tools. Gives its address."""
    ready = threading.Event()
    with contextlib.closing(listening(host, 0)) as listener:
        server = AnnouncingServer(uvicorn_config(app, settings), ready.set)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="served")
        thread.start()
        try:
            while not ready.wait(0.02):
                if not thread.is_alive():
                    raise RuntimeError("the service did not start; its log says why")
            yield address_of(listener)
        finally:
            server.should_exit = True
            thread.join()


def keep_what_is_there() -> None:
    """Let no collection of garbage look again at the hundreds of thousands of objects of which a service is made.

    They live as long as the process, and an export of many rows spent a third of its time on looking at them.
    """
    gc.collect()
    gc.freeze()


class AnnouncingServer(uvicorn.Server):
    """A server that says when it answers: after the start of the app, with its port open.

    Told to stop, it answers on for `pause` seconds, in which the app says of itself that it is `stopping`.
    """

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None], *, pause: float = 0.0) -> None:
        super().__init__(config)
        self._announce = announce
        self._pause = pause
        self._stop_at: float | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal begins the pause, another one ends it."""
        if self._pause and self._stop_at is None:
            self._captured_signals.append(sig)
            self._stop_at = time.monotonic() + self._pause
            self._say_stopping()
        else:
            super().handle_exit(sig, frame)

    async def on_tick(self, counter: int) -> bool:
        """What uvicorn does ten times a second; when the pause is over, stop."""
        if self._stop_at is not None and time.monotonic() >= self._stop_at:
            self.should_exit = True
        return await super().on_tick(counter)

    def _say_stopping(self) -> None:
        if isinstance(self.config.app, Service):
            self.config.app.stopping = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open the app and the port, and say so."""
        await super().startup(sockets=sockets)
        if self.started:
            self._announce()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop, once the app knows: what it answers without end is to end."""
        self._say_stopping()
        getattr(self.config.app, "when_stopping", lambda: None)()
        await super().shutdown(sockets=sockets)


def uvicorn_config(app: Any, settings: CoreSettings, *, accepted_at_once: int = 2048) -> uvicorn.Config:
    """How uvicorn serves `app`, which takes so many new connections in one round of its loop, if as many wait."""

    class Protocol(ProblemProtocol):
        public_url = settings.public_url

    return uvicorn.Config(
        app,
        http=Protocol,
        ws="none",
        lifespan="on",
        log_config=None,  # ours: see core.runtime.logs
        access_log=False,
        server_header=False,
        proxy_headers=True,
        forwarded_allow_ips=settings.trusted_proxies,
        h11_max_incomplete_event_size=LARGEST_HEADERS + LONGEST_ADDRESS,
        backlog=accepted_at_once,
        timeout_keep_alive=int(REQUEST_DEADLINE),
        timeout_graceful_shutdown=STOP_DEADLINE,
    )


class HeadWithBody:
    """A transport that keeps the head of an answer until the body comes, which it does at once: to send takes longer
    than most else, and who reads is woken once.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._head = b""

    def write(self, data: bytes) -> None:
        """Send what was kept and this, unless it is a head: that waits for what else there is to do now."""
        if data.startswith(_HEAD) and not self._head:
            self._head = data
            self._loop.call_soon(self._send_head)
        elif data:
            self._send_head(data)

    def _send_head(self, body: bytes = b"") -> None:
        head, self._head = self._head, b""
        if head or body:
            self._transport.write(head + body)

    def write_eof(self) -> None:
        """Send what was kept, and no more."""
        self._send_head()
        self._transport.write_eof()

    def close(self) -> None:
        """Close, when all is sent."""
        self._send_head()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class ProblemProtocol(H11Protocol):
    """HTTP/1.1 that answers what is no HTTP with a problem document, and does not wait for ever for a request."""

    public_url: str
    _deadline: asyncio.TimerHandle | None = None
    _refused = False
    _received = b""
    """What is being read."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock for the first request."""
        super().connection_made(HeadWithBody(transport, self.loop))  # type: ignore[arg-type]
        self._await_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        if self._deadline is not None:
            self._deadline.cancel()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Start the clock for the next request."""
        self._await_request()
        super().on_response_complete()

    def _await_request(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = self.loop.call_later(REQUEST_DEADLINE, self._close_without_request)

    def _close_without_request(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """Answer a request that h11 could not read."""
        # uvicorn calls this while it handles h11's error, which alone knows whether the head was too long.
        fault = sys.exception()
        too_long = isinstance(fault, h11.RemoteProtocolError) and fault.error_status_hint == 431
        error: UprError = (
            HeadersTooLargeError(msg) if too_long else MalformedRequestError(_said_of(self._received) or msg)
        )
        request_id = uuid.uuid4().hex
        content = problem_document(error, public_url=self.public_url, request_id=request_id)
        headers = [
            (b"content-type", PROBLEM_MEDIA_TYPE.encode()),
            (b"content-length", str(len(content)).encode()),
            (b"x-request-id", request_id.encode()),
            (b"connection", b"close"),
        ]
        log.info("request refused", status=error.status, fault=str(fault), request_id=request_id)
        with contextlib.suppress(h11.LocalProtocolError):  # an answer was already under way
            for event in (h11.Response(status_code=error.status, headers=headers), h11.Data(data=content)):
                self.transport.write(self.conn.send(event) or b"")
            self.transport.write(self.conn.send(h11.EndOfMessage()) or b"")
        self._close_gently()

    def data_received(self, data: bytes) -> None:
        """Read on, unless the request was refused: what still comes is dropped."""
        if not self._refused:
            self._received = data
            super().data_received(data)
            self._received = b""

    def _close_gently(self) -> None:
        """Closing while the other side still sends would destroy the answer on its way."""
        self._refused = True
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(DRAIN_DEADLINE, self.transport.close)


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens there. Raises `SettingsError` where that cannot be."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        # Named as TCP, which socket.create_server leaves open: only then does asyncio switch off Nagle's algorithm
        # on its connections, and without that every answer on a kept connection waits 40 ms.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
        except OSError:
            listener.close()
            raise
        listener.listen(2048)
        return listener
    except OSError as fault:
        raise SettingsError(f"cannot listen on {host} port {port}: {fault.strerror or fault}") from fault


def address_of(listener: socket.socket) -> str:
    """The address under which a listening socket is reached."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def print_address(address: str) -> None:
    """Say where a service listens: whoever started it reads that."""
    sys.stdout.write(f"listening on {address}\n")
    sys.stdout.flush()


def _said_of(received: bytes) -> str | None:
    """What to say of a request that is no HTTP because somebody typed an address as people write it."""
    line = received.partition(b"\r\n")[0]
    return _LETTERS_IN_ADDRESS if b" HTTP/1." in line and line[:1].isupper() and not line.isascii() else None
