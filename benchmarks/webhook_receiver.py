"""A receiver of webhooks that takes everything, as a process of its own: `python -m benchmarks.webhook_receiver`.

It prints its port. Whatever is posted to it gets 200; `GET /arrived` answers what has come since that was last asked:
a line for each event, of the path, the `webhook-id` and the moment (seconds since 1970) when all of it was there.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nOK"
_arrived: list[str] = []


class Connection(asyncio.Protocol):
    """One request, and its answer. Cheap, since it shares the machine with what is measured."""

    def __init__(self) -> None:
        self._request = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._request += data
        head, ended, body = self._request.partition(b"\r\n\r\n")
        if not ended:
            return
        if head.startswith(b"GET"):
            self._tell()
        elif len(body) >= int(_header(head, b"content-length")):
            path = head.split(b" ", 2)[1].decode()
            _arrived.append(f"{path} {_header(head, b'webhook-id').decode()} {time.time():.6f}")
            self._transport.write(_OK)
            self._transport.close()

    def _tell(self) -> None:
        body = "\n".join(_arrived).encode()
        _arrived.clear()
        self._transport.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        self._transport.close()


def _header(head: bytes, name: bytes) -> bytes:
    lower = head.lower()
    start = lower.index(b"\r\n" + name + b":") + len(name) + 3
    end = head.find(b"\r\n", start)
    return head[start : end if end >= 0 else None].strip()


@dataclass(frozen=True)
class Arrival:
    """An event that has come."""

    path: str
    event: str
    at: float


@dataclass(frozen=True)
class Receiver:
    """Where the process listens."""

    address: str

    def arrived(self) -> list[Arrival]:
        """What has come since this was last asked."""
        lines = httpx.get(f"{self.address}/arrived", timeout=60).text.splitlines()
        parts = (line.split(" ") for line in lines)
        return [Arrival(path, event, float(at)) for path, event, at in parts]


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Such a process, for as long as the context."""
    command = [sys.executable, "-m", "benchmarks.webhook_receiver"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        try:
            yield Receiver(f"http://127.0.0.1:{port}")
        finally:
            process.terminate()


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", 0, backlog=1024)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve())
