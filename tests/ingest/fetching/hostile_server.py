"""A server on this machine that answers as told, byte for byte, and remembers who asked for what and when."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

Behaviour = Callable[["Connection"], None]
"""Answers one request in its own way."""


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody asked, and when (monotonic seconds)."""

    path: str
    headers: Mapping[str, str]
    at: float


@dataclass
class Connection:
    """One request with the socket that its answer goes to."""

    socket: socket.socket
    request: Request
    server: "HostileServer"

    def send(self, *parts: bytes, pause: float = 0.0) -> None:
        """Send bytes, with a pause before each part but the first."""
        for number, part in enumerate(parts):
            if number and pause:
                self.server.stopped.wait(pause)
            self.socket.sendall(part)

    def answer(self, status: int = 200, body: bytes = b"", **headers: str) -> None:
        """A well-formed answer. Header names are written with underscores; Content-Length is told unless given."""
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        told.setdefault("Content-Length", str(len(body)))
        lines = [f"HTTP/1.1 {status} Told", *(f"{name}: {value}" for name, value in told.items() if value), "", ""]
        self.send("\r\n".join(lines).encode("latin-1") + body)


@dataclass
class HostileServer:
    """Paths and how they are answered; what is not among them is 404. robots.txt allows all unless told otherwise."""

    port: int
    scheme: str = "http"
    paths: dict[str, Behaviour] = field(default_factory=dict)
    log: list[Request] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)
    at_once: int = 0
    most_at_once: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def url(self, path: str) -> str:
        """The address of a path."""
        return f"{self.scheme}://127.0.0.1:{self.port}{path}"

    def asked(self, path: str) -> list[Request]:
        """The requests for a path."""
        return [request for request in self.log if request.path == path]

    @property
    def paths_asked(self) -> list[str]:
        """What was asked for besides robots.txt, in order."""
        return [request.path for request in self.log if request.path != "/robots.txt"]

    def serve(self, connected: socket.socket) -> None:
        """One request on a connection."""
        with connected, suppress(OSError):
            connected.settimeout(10)
            request = _read(connected)
            if request is None:
                return
            with self._lock:
                self.log.append(request)
                self.at_once += 1
                self.most_at_once = max(self.most_at_once, self.at_once)
            try:
                behaviour = self.paths.get(request.path.partition("?")[0], lambda it: it.answer(404, b"not here"))
                behaviour(Connection(connected, request, self))
            finally:
                with self._lock:
                    self.at_once -= 1


def _read(connected: socket.socket) -> Request | None:
    head = b""
    while b"\r\n\r\n" not in head:
        part = connected.recv(65536)
        if not part or not (head + part)[:1].isalpha():  # TLS, say
            return None
        head += part
    first, *lines = head.decode("latin-1").split("\r\n\r\n")[0].split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Request(first.split(" ")[1], headers, time.monotonic())


@contextmanager
def serving(context: ssl.SSLContext | None = None) -> Iterator[HostileServer]:
    """A server until the end of the context; with a TLS context it speaks https."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        server = HostileServer(listener.getsockname()[1], "https" if context else "http")

        def serve(connected: socket.socket) -> None:
            with suppress(OSError):
                server.serve(context.wrap_socket(connected, server_side=True) if context else connected)
            connected.close()

        def accept() -> None:
            with suppress(OSError):
                while True:
                    connected, _ = listener.accept()
                    threading.Thread(target=serve, args=(connected,), daemon=True).start()

        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        try:
            yield server
        finally:
            server.stopped.set()
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            accepting.join(5)
