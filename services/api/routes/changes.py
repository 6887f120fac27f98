"""The feed of changes: read at once, waited for, or heard as a stream."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import orjson
from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette_compress import remove_compress_type

from services.api.dependencies import Desk, desk_of
from services.api.documented import feed_responses
from services.api.feed import Portion, changes_after, refuse_gone, refuse_other_history
from services.api.feeds.formats import FEED_FORMS
from services.api.parameters import FeedQuery, feed_parameters, read_feed_query, read_seq
from services.api.routes.feeds import latest_changes
from services.api.saved_searches import FollowedSearch
from services.api.streams import EVENT_STREAM, EventStream, Watch, first_arrival
from services.core.domain.errors import UprError
from services.core.runtime.conditional import Version, unchanged, version_of
from services.core.runtime.negotiation import preferred_media_type
from services.core.runtime.parameters import invalid, parameters_of
from services.core.runtime.web import JsonAnswer, links
from services.core.schemas.dataset import dataset
from services.core.schemas.events import event
from services.core.schemas.models import EventList
from services.core.schemas.names import Names
from services.core.store.changes import Kept, kept_changes
from services.core.store.engine import snapshot
from services.core.store.reference import Reference

router = APIRouter()

_JSON = "application/json"
_BY_TYPE = {form.media_type: form for form in FEED_FORMS}
remove_compress_type(EVENT_STREAM)  # an event is sent at once, and thousands of compressors take much memory


@dataclass(frozen=True)
class _Page:
    """What the store has for a reader, and how it stood."""

    query: FeedQuery
    portion: Portion
    kept: Kept
    reference: Reference


@router.get(
    "/v1/changes",
    operation_id="list_changes",
    summary="Read the changes after a number",
    tags=["changes"],
    responses=feed_responses(EventList, EVENT_STREAM),
    openapi_extra={"parameters": feed_parameters()},
)
async def list_changes(request: Request) -> Response:
    """In commit order, dense, none missed: go on with `after` = the last `seq`, or with `page.next`.

    A change matches if its record met all that is asked for before it or after it; `match` says which. When
    `page.next` is null, everything up to `dataset.cursor` was seen: that is the `after` to come back with.
    `wait` holds the answer back until there is a change.

    With `Accept: text/event-stream` changes come as Server-Sent Events, from now on or after `after` or
    `Last-Event-ID`, until you go.
    """
    wanted = preferred_media_type(request.headers.get("accept"), (_JSON, *_BY_TYPE, EVENT_STREAM))
    if form := _BY_TYPE.get(wanted or _JSON):
        return await run_in_threadpool(latest_changes, request, form)
    if wanted == EVENT_STREAM:
        return await run_in_threadpool(_stream, request)
    found = await run_in_threadpool(_read, request)
    if isinstance(found, Response):
        return found
    if found.query.wait and not found.portion.changes and found.portion.following is None:
        return await _wait(request, found)
    return await run_in_threadpool(_answer, request, found)


def _read(request: Request) -> Response | _Page:
    """The changes after a number, or that the reader has them. Who is ready to wait does not ask for what it has."""
    desk = desk_of(request)
    with snapshot(desk.engine) as connection:
        kept, reference, query = _asked(request, desk, connection)
        if not query.wait:
            version = _version(request, kept, reference)
            if (held := unchanged(request, version)) is not None:
                return held
        portion = changes_after(connection, query.interest, reference, after=query.after or 0, limit=query.limit)
    return _Page(query, portion, kept, reference)


def _asked(request: Request, desk: Desk, connection: Connection) -> tuple[Kept, Reference, FeedQuery]:
    """What is asked for. Raises `ChangesGoneError`, `FeedRestoredError`, and what is wrong with parameters."""
    kept = kept_changes(connection)
    reference = desk.reference.as_of(connection, kept.newest)
    query = read_feed_query(
        parameters_of(request), reference.vocabulary, FollowedSearch(connection, reference.vocabulary)
    )
    if query.after is not None:
        _refuse_unknown(query.after, query.epoch, kept, desk)
    return kept, reference, query


def _refuse_unknown(after: int, epoch: str | None, kept: Kept, desk: Desk) -> None:
    refuse_other_history(after, epoch, kept, desk.settings.public_url)
    refuse_gone(after, kept, desk.settings.public_url)


def _answer(request: Request, found: _Page) -> Response:
    url, names = desk_of(request).settings.public_url, Names(found.reference, found.query.language)
    told = [names.localise(event(change, url, match)) for change, match in found.portion.changes]
    headers = {}
    if not found.query.wait:
        headers = _version(request, found.kept, found.reference).headers()
    following = _following(request, url, found.portion.following, found.kept.epoch)
    state = dataset(found.kept.newest, found.kept.as_of, found.reference)
    return JsonAnswer(_body(told, following, state, found.kept.epoch), headers=headers | links(next=following))


def _version(request: Request, kept: Kept, reference: Reference) -> Version:
    return version_of(request, kept.newest, kept.epoch, kept.oldest, reference.names_hash, modified=kept.as_of)


def _body(told: list[Any], following: str | None, state: dict[str, Any], epoch: str) -> dict[str, Any]:
    return {"data": told, "page": {"next": following}, "dataset": {**state, "epoch": epoch}}


def _following(request: Request, url: str, after: int | None, epoch: str) -> str | None:
    if after is None:
        return None
    rest = [(name, value) for name, value in request.query_params.multi_items() if name not in ("after", "epoch")]
    return f"{url.rstrip('/')}/v1/changes?{urlencode([*rest, ('after', after), ('epoch', epoch)])}"


async def _wait(request: Request, found: _Page) -> Response:
    """The answer when something came, or when the time is over."""
    desk, query = desk_of(request), found.query
    arrived = await first_arrival(request, _watch(desk, query, found.kept.newest), _reading_on(desk, query), query.wait)
    if arrived is None:
        return Response(status_code=204)  # nobody is there to read it
    shown = arrived.events[: query.limit]
    as_of, reference, epoch = _state_of(desk, found)
    more_after = shown[-1][0] if len(arrived.events) > len(shown) else None
    following = _following(request, desk.settings.public_url, more_after, epoch)
    told = [orjson.Fragment(encoded) for _, encoded in shown]
    state = dataset(arrived.seen, as_of, reference)
    return JsonAnswer(_body(told, following, state, epoch), headers=links(next=following))


def _state_of(desk: Desk, found: _Page) -> tuple[datetime, Reference, str]:
    news, kept = desk.live.newest(), found.kept
    return (kept.as_of, found.reference, kept.epoch) if news is None else (news.as_of, news.reference, news.epoch)


def _stream(request: Request) -> Response:
    desk = desk_of(request)
    last = request.headers.get("last-event-id")
    with snapshot(desk.engine) as connection:
        kept, _, query = _asked(request, desk, connection)
    after = query.after if last is None else _last_event(last)
    if after is None:
        after = kept.newest
    _refuse_unknown(after, query.epoch, kept, desk)
    return EventStream(_watch(desk, query, after), _reading_on(desk, query))


def _last_event(text: str) -> int | None:
    """Browsers say nothing, or an empty text, before the first event."""
    if not text.strip():
        return None
    try:
        return read_seq(text.strip())
    except UprError:
        raise invalid("Last-Event-ID", text, "the id of an event of this stream") from None


def _watch(desk: Desk, query: FeedQuery, after: int) -> Watch:
    return Watch(desk.live, query.interest, query.language, desk.settings.public_url, after)


def _reading_on(desk: Desk, query: FeedQuery) -> Any:
    """Reads the store for somebody who waits."""

    def read_on(after: int) -> tuple[Portion, int, Reference]:
        with snapshot(desk.engine) as connection:
            kept = kept_changes(connection)
            reference = desk.reference.as_of(connection, kept.newest)
            portion = changes_after(connection, query.interest, reference, after=after, limit=query.limit)
        return portion, kept.newest, reference

    return read_on
