"""Receivers of webhooks that do all they can to be a burden, as a process: `python -m benchmarks.hostile_receivers`.

It takes the deadline of deliveries in seconds, and prints a line of JSON: address by behaviour. It ends with its input.
"""

import contextlib
import json
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.api.webhooks.receivers import CERTIFICATE, OK, Behaviour, answering, answering_ok, receiving


def drip(connection: socket.socket) -> None:
    """A byte a second, of a head that never ends."""
    for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"a" * 10_000:
        connection.sendall(bytes([byte]))
        time.sleep(1)


def drip_body(connection: socket.socket) -> None:
    """The status at once, and then a byte a second."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n")
    for _ in range(10_000):
        connection.sendall(b"a")
        time.sleep(1)


def gigabyte(connection: socket.socket) -> None:
    """As much as is taken, up to a thousand million bytes."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
    for _ in range(1_000):
        connection.sendall(b"x" * 1_000_000)


def hang(connection: socket.socket) -> None:
    """Until the other side goes."""
    connection.recv(1)


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def late(deadline: float) -> Behaviour:
    def behave(connection: socket.socket) -> None:
        time.sleep(deadline + 0.5)
        connection.sendall(OK)

    return behave


def main(deadline: float) -> None:
    trap = "http://10.0.0.1/latest/meta-data"
    redirect = answering(f"HTTP/1.1 307 Moved\r\nLocation: {trap}\r\nContent-Length: 0\r\n\r\n".encode())
    behaviours: dict[str, Behaviour] = {
        "drips its head": drip,
        "drips its body": drip_body,
        "sends 1 GB": gigabyte,
        "hangs": hang,
        "resets": reset,
        "answers late": late(deadline),
        "redirects": redirect,
        "bad certificate": answering_ok,
    }
    addresses = {}
    with contextlib.ExitStack() as stack:
        for name, behaviour in behaviours.items():
            certificate = CERTIFICATE if name == "bad certificate" else None
            receiver = stack.enter_context(receiving(behaviour, certificate=certificate))
            addresses[name] = receiver.url.replace("http:", "https:") if certificate else receiver.url
        sys.stdout.write(json.dumps(addresses) + "\n")
        sys.stdout.flush()
        sys.stdin.read()


@contextmanager
def hostile_receivers(deadline: float) -> Iterator[dict[str, str]]:
    """Such a process, for as long as the context: the addresses by behaviour."""
    command = [sys.executable, "-m", "benchmarks.hostile_receivers", str(deadline)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.kill()


if __name__ == "__main__":
    main(float(sys.argv[1]))
