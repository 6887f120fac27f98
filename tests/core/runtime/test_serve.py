"""How answers are sent."""

import asyncio
from typing import Any

from services.core.runtime.serve import HeadWithBody

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n"


class Sent:
    """What a transport was told, in order."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def write(self, data: bytes) -> None:
        assert "eof" not in self.told, "asyncio refuses to write after the end"
        self.told.append(data)

    def write_eof(self) -> None:
        self.told.append("eof")

    def close(self) -> None:
        self.told.append("closed")

    def is_closing(self) -> bool:
        return "closed" in self.told


def test_a_head_goes_with_the_body_that_comes_at_once() -> None:
    async def told() -> list[Any]:
        sent = Sent()
        transport = HeadWithBody(sent, asyncio.get_running_loop())  # type: ignore[arg-type]
        for _ in range(2):
            transport.write(HEAD)
            transport.write(b"body")
            transport.write(b"")
        await asyncio.sleep(0)
        transport.write(b"more")
        return sent.told

    assert asyncio.run(told()) == [HEAD + b"body", HEAD + b"body", b"more"]


def test_a_head_does_not_wait_for_a_body_that_comes_later() -> None:
    async def told() -> list[Any]:
        sent = Sent()
        transport = HeadWithBody(sent, asyncio.get_running_loop())  # type: ignore[arg-type]
        transport.write(HEAD)
        await asyncio.sleep(0)
        alone = list(sent.told)
        transport.write(b"an event")
        return [alone, sent.told]

    assert asyncio.run(told()) == [[HEAD], [HEAD, b"an event"]]


def test_what_was_kept_is_sent_before_the_end() -> None:
    async def told() -> list[Any]:
        sent = Sent()
        transport = HeadWithBody(sent, asyncio.get_running_loop())  # type: ignore[arg-type]
        transport.write(HEAD)
        transport.write_eof()
        transport.close()
        await asyncio.sleep(0)
        assert transport.is_closing()
        return sent.told

    assert asyncio.run(told()) == [HEAD, "eof", "closed"]


def test_two_heads_stay_in_order() -> None:
    """`100 Continue`, then the answer."""

    async def told() -> list[Any]:
        sent = Sent()
        transport = HeadWithBody(sent, asyncio.get_running_loop())  # type: ignore[arg-type]
        transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        transport.write(HEAD)
        await asyncio.sleep(0)
        return sent.told

    assert b"".join(asyncio.run(told())) == b"HTTP/1.1 100 Continue\r\n\r\n" + HEAD
