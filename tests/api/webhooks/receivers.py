"""Receivers of webhooks on real sockets, the good ones and the others."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

AUTHORITY = Path(__file__).with_name("tls") / "authority.pem"
CERTIFICATE = Path(__file__).with_name("tls") / "receiver.pem"
NAME = "hooks.example.org"
"""What the certificate is for."""

Behaviour = Callable[[socket.socket], None]


@dataclass
class Receiver:
    """Where it listens, and the requests that it has read."""

    host: str
    port: int
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/hook?x=1"


def read_request(connection: socket.socket) -> bytes:
    """A whole request: head, and body by its Content-Length."""
    request = b""
    while b"\r\n\r\n" not in request:
        part = connection.recv(65536)
        if not part:
            return request
        request += part
    head, _, body = request.partition(b"\r\n\r\n")
    length = int(next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))[15:])
    while len(body) < length:
        part = connection.recv(65536)
        if not part:
            break
        body += part
    return head + b"\r\n\r\n" + body


def answering(answer: bytes) -> Behaviour:
    return lambda connection: connection.sendall(answer)


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"
answering_ok = answering(OK)


@contextlib.contextmanager
def receiving(
    behaviour: Behaviour = answering_ok,
    *,
    host: str = "127.0.0.1",
    certificate: Path | None = None,
    reads: bool = True,
) -> Iterator[Receiver]:
    """A receiver that reads each request and then behaves; with `reads` off it behaves at once."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, 0), family=family)
    receiver = Receiver(host, listener.getsockname()[1])
    context = _server_context(certificate, receiver) if certificate else None
    open_connections: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def serve(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            if context:
                connection = context.wrap_socket(connection, server_side=True)
                open_connections.append(connection)
            if reads:
                receiver.requests.append(read_request(connection))
            behaviour(connection)
        connection.close()

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            receiver.connections += 1
            open_connections.append(connection)
            threads.append(threading.Thread(target=serve, args=(connection,)))
            threads[-1].start()

    accepting = threading.Thread(target=accept)
    accepting.start()
    try:
        yield receiver
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join()
        for connection in open_connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join(5)
        for connection in open_connections:
            connection.close()


def _server_context(certificate: Path, receiver: Receiver) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def note(_connection: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
        receiver.names.append(name)

    context.sni_callback = note
    return context


def trusting() -> ssl.SSLContext:
    """What a sender uses that knows the tests' authority."""
    return ssl.create_default_context(cafile=str(AUTHORITY))
