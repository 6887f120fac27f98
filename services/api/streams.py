"""Answers that wait for changes: held back until there is one (`wait`), or going on and on (Server-Sent Events)."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import orjson
from fastapi import Request, Response
from starlette.types import Receive, Scope, Send

from services.api.feed import Portion
from services.api.live import LiveFeed, News
from services.api.matching import Interest
from services.core.domain.changes import Match
from services.core.schemas.events import event
from services.core.schemas.names import Names
from services.core.store.changes import ChangeRecord
from services.core.store.reference import Reference

EVENT_STREAM = "text/event-stream"
HEARTBEAT_SECONDS = 15.0
"""A reader hears something at least so often: proxies close connections on which nothing comes."""
STREAM_SECONDS = 1800.0
"""How long one stream lasts. Readers come back by themselves, where they were; so none goes on for ever."""
SEND_SECONDS = 60.0
"""How long a reader may take no bytes before it is given up."""
RETRY = b"retry: 3000\n\n"
COME_BACK = b": this service stops\nretry: 500\n\n"
"""Said at the end by a service that stops: another one may answer, and there is no reason to wait."""


@dataclass(frozen=True)
class Watch:
    """What one reader waits for: the changes that meet an interest, in a language, after a number."""

    live: LiveFeed
    interest: Interest
    language: str
    public_url: str
    after: int

    def told(self, change: ChangeRecord, match: Match, reference: Reference) -> dict[str, Any]:
        """The event as the reader sees it."""
        shape: dict[str, Any] = Names(reference, self.language).localise(event(change, self.public_url, match))
        return shape

    def encoded(self, news: News, change: ChangeRecord, match: Match) -> bytes:
        """The event as JSON: made once for all who read it in the same language."""
        key = (change.seq, self.language, match)
        if key not in news.encoded:
            news.encoded[key] = orjson.dumps(self.told(change, match, news.reference))
        return news.encoded[key]


@dataclass(frozen=True)
class Arrived:
    """What came for a reader: events as JSON with their numbers, and the number up to which everything is known."""

    events: Sequence[tuple[int, bytes]]
    seen: int
    news: News | None = None


ReadOn = Callable[[int], tuple[Portion, int, Reference]]
"""Reads the store after a number: a portion, the number of the newest change, and the reference."""


async def arrivals(watch: Watch, read_on: ReadOn, seconds: float) -> AsyncIterator[Arrived]:
    """What comes for a reader who has its place, for so long; `Arrived` without events after every heartbeat's time."""
    loop = asyncio.get_running_loop()
    until, seen = loop.time() + seconds, watch.after
    heard, restores = loop.time(), watch.live.restores
    while not watch.live.stopped and watch.live.restores == restores:
        news = watch.live.after(watch.interest, seen)
        if news is None:
            portion, newest, reference = await watch.live.read(read_on, seen)
            seen = newest if portion.following is None else portion.following
            told = [(change, orjson.dumps(watch.told(change, match, reference))) for change, match in portion.changes]
            yield Arrived([(change.seq, encoded) for change, encoded in told], seen)
            heard = loop.time()
            continue
        for each in news:
            found = [
                (change.seq, watch.encoded(each, change, match)) for change, match in each.of(watch.interest, seen)
            ]
            seen = each.end
            if found:
                yield Arrived(found, seen, each)
                heard = loop.time()
        now = loop.time()
        if now >= until:
            yield Arrived([], seen)
            return
        if now - heard >= HEARTBEAT_SECONDS:
            yield Arrived([], seen)
            heard = now
        await watch.live.wait(min(until, heard + HEARTBEAT_SECONDS) - now)


class EventStream(Response):
    """Changes as Server-Sent Events: each with its number as id, so that `Last-Event-ID` says where to go on."""

    media_type = EVENT_STREAM

    def __init__(self, watch: Watch, read_on: ReadOn) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._watch = watch
        self._read_on = read_on

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - as ASGI has it
        """Send events until the reader goes, the service stops, or the stream has lasted long enough."""
        async with self._watch.live.reader(self._watch.interest), until_gone(receive) as gone:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            with contextlib.suppress(TimeoutError):
                async for chunk in _while_there(gone, self._chunks()):
                    async with asyncio.timeout(SEND_SECONDS):
                        await send({"type": "http.response.body", "body": chunk, "more_body": True})
            if not gone.done():
                await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _chunks(self) -> AsyncIterator[bytes]:
        yield RETRY
        async for arrived in arrivals(self._watch, self._read_on, STREAM_SECONDS):
            told = b"".join(b"id: %d\ndata: %b\n\n" % each for each in arrived.events)
            # An id alone is no event, but moves `Last-Event-ID`: nothing is looked through twice.
            yield told + (b"" if told and arrived.events[-1][0] == arrived.seen else b"id: %d\n\n" % arrived.seen)
        if self._watch.live.stopped:
            yield COME_BACK


@asynccontextmanager
async def until_gone(receive: Receive) -> AsyncIterator[asyncio.Task[None]]:
    """A task that is done when the reader has gone."""

    async def wait() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    task = asyncio.create_task(wait())
    try:
        yield task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _while_there(gone: asyncio.Task[None], chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """What comes, until the reader has gone."""
    while True:
        following = asyncio.ensure_future(anext(chunks, None))
        await asyncio.wait({following, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not following.done():
            following.cancel()
            return
        chunk = following.result()
        if chunk is None:
            return
        yield chunk


async def first_arrival(request: Request, watch: Watch, read_on: ReadOn, seconds: float) -> Arrived | None:
    """What comes first for a reader, or where it stands when the time is over; None where the reader has gone."""
    async with watch.live.reader(watch.interest), until_gone(request.receive) as gone:
        waiting = asyncio.ensure_future(_first(watch, read_on, seconds))
        await asyncio.wait({waiting, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            waiting.cancel()
            return None
        return waiting.result()


async def _first(watch: Watch, read_on: ReadOn, seconds: float) -> Arrived:
    last = Arrived([], watch.after)
    async for arrived in arrivals(watch, read_on, seconds):
        last = arrived
        if arrived.events:
            break
    return last
