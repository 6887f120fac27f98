"""Replays: a range of the feed is delivered to an endpoint once more. What can be asked for, is stored, is shown.

Nothing is delivered here: `replaying` goes through the range in the background, block by block.
"""

import datetime
import secrets
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError
from sqlalchemy import Connection, Row, RowMapping, func, insert, select, update

from services.api.feed import refuse_gone
from services.api.parameters import MAX_SEQ
from services.api.webhooks.endpoints import ENABLED, get_endpoint
from services.api.webhooks.pages import LogPage, number_in_cursor, page_of
from services.core.domain.errors import InvalidBodyError, NotFoundError, UprError
from services.core.runtime.keys import Key
from services.core.schemas.models import Public
from services.core.schemas.shapes import moment_text
from services.core.store.changes import Kept, changes_table, kept_changes
from services.core.store.paging import binding_of
from services.core.store.webhooks import replays_table

ALL, UNDELIVERED = "all", "undelivered"
Extent = Literal["all", "undelivered"]
RUNNING, WAITING, DONE, EXPIRED, CANCELLED = "running", "waiting", "done", "expired", "cancelled"
ReplayStatus = Literal["running", "waiting", "done", "expired", "cancelled"]
REQUESTED, AFTER_ENABLING = "requested", "enabled"


class ReplayUnderWayError(UprError):
    """Another replay to the endpoint is not done yet. `replay` is its id."""

    code, status, title = "replay_under_way", 409, "Another replay is under way"


class EndpointNotEnabledError(UprError):
    """A webhook endpoint that is paused or disabled, and so gets nothing."""

    code, status, title = "endpoint_not_enabled", 409, "The endpoint is not enabled"


def _moment(value: object) -> datetime.datetime:
    try:
        moment = datetime.datetime.fromisoformat(value if isinstance(value, str) else "")
        if moment.tzinfo is None:
            raise ValueError(value)
        return moment.astimezone(datetime.UTC)
    except (ValueError, OverflowError):
        raise PydanticCustomError(
            "no_moment", "Expected a moment with its offset, such as 2026-11-21T09:00:00Z"
        ) from None


Moment = Annotated[
    datetime.datetime, BeforeValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time"})
]
Seq = Annotated[int, Field(ge=0, le=MAX_SEQ)]


class NewReplay(BaseModel):
    """Which changes are to be delivered again. It begins with `since`, `from_seq` or `from`: one of them is needed."""

    model_config = ConfigDict(extra="forbid", strict=True)

    since: Seq | None = Field(
        default=None,
        description="A `dataset.cursor`, or the `seq` of the last event that you have: what came after it.",
        examples=[4711],
    )
    from_seq: Seq | None = Field(default=None, description="Number of the first change.", examples=[4712])
    from_: Moment | None = Field(
        default=None,
        alias="from",
        description="What was recorded at this moment or later.",
        examples=["2026-11-17T00:00:00Z"],
    )
    to_seq: Seq | None = Field(default=None, description="Number of the last change. Not given: the newest there is.")
    until: Moment | None = Field(
        default=None, description="What was recorded before this moment.", examples=["2026-11-21T00:00:00Z"]
    )
    deliveries: Extent = Field(
        default="all",
        description="`all`: also what was delivered before. `undelivered`: only what was not: given up, never owed, or "
        "still to be tried (which is then due at once).",
    )


class Replay(Public):
    """A range of the feed that is delivered to an endpoint again."""

    id: str = Field(examples=["rpl_3f2a9c1b5d7e8f0a1b2c3d4e"])
    endpoint: str = Field(examples=["ep_3f2a9c1b5d7e8f0a1b2c3d4e"])
    reason: Literal["requested", "enabled"] = Field(
        description="`requested` by you; `enabled`: made because the endpoint was enabled again."
    )
    deliveries: Extent
    after: int = Field(description="It covers changes with a greater `seq`,", examples=[4711])
    to_seq: int = Field(description="up to this one.", examples=[4800])
    seq: int = Field(description="How far it has come.", examples=[4760])
    owed: int = Field(description="Deliveries that it has made due so far; the log shows what comes of them.")
    status: ReplayStatus = Field(
        description="`waiting`: the endpoint is not enabled. `expired`: changes of the range are no longer kept."
    )
    created_at: datetime.datetime
    finished_at: datetime.datetime | None


@dataclass(frozen=True, slots=True)
class Range:
    """Changes after one number up to another."""

    after: int
    to_seq: int


def create_replay(
    connection: Connection, key: Key, endpoint_id: str, wanted: NewReplay, *, public_url: str
) -> dict[str, Any]:
    """Store what is asked for, or answer the one that is under way and was asked for in the same words.

    Raises `NotFoundError`, `EndpointNotEnabledError`, `ReplayUnderWayError`, `InvalidBodyError` and, where changes of
    the range are no longer kept, `ChangesGoneError`.
    """
    endpoint = get_endpoint(connection, key, endpoint_id, to_change=True)
    if endpoint["status"] != ENABLED:
        raise EndpointNotEnabledError(f"The endpoint is {endpoint['status']}: enable it first.")
    asked = wanted.model_dump(mode="json", by_alias=True, exclude_none=True)
    if (under_way := _under_way(connection, endpoint_id)) is not None:
        if under_way.asked == asked:
            return replay_shape(under_way._mapping, endpoint["status"])
        detail = f"{under_way.id} is at {under_way.seq} of {under_way.to_seq}. Wait for it, or cancel it."
        raise ReplayUnderWayError(detail, replay=under_way.id)
    kept = kept_changes(connection)
    covered = _range(connection, wanted, kept, public_url)
    row = store_replay(connection, endpoint_id, covered, deliveries=wanted.deliveries, reason=REQUESTED, asked=asked)
    return replay_shape(row, endpoint["status"])


def store_replay(
    connection: Connection, endpoint_id: str, covered: Range, *, deliveries: str, reason: str, asked: dict[str, Any]
) -> RowMapping:
    """A replay that begins as soon as those before it have ended."""
    values = {
        "id": f"rpl_{secrets.token_hex(12)}",
        "endpoint": endpoint_id,
        "reason": reason,
        "asked": asked,
        "deliveries": deliveries,
        "after": covered.after,
        "to_seq": covered.to_seq,
        "seq": covered.after,
    }
    return connection.execute(insert(replays_table).values(values).returning(replays_table)).one()._mapping


def list_replays(
    connection: Connection, key: Key, endpoint_id: str, *, cursor: str | None, limit: int
) -> LogPage[dict[str, Any]]:
    """A page of those of an endpoint, the newest first. Raises `NotFoundError` and `InvalidCursorError`."""
    endpoint, columns = get_endpoint(connection, key, endpoint_id), replays_table.c
    binding = binding_of("replays", endpoint_id)
    wanted = select(replays_table).where(columns.endpoint == endpoint_id)
    if cursor is not None:
        wanted = wanted.where(columns.number < number_in_cursor(cursor, binding))
    rows = connection.execute(wanted.order_by(columns.number.desc()).limit(limit + 1)).mappings().all()
    page = page_of(rows, limit, binding, by="number")
    return LogPage([replay_shape(row, endpoint["status"]) for row in page.rows], page.next_cursor)


def get_replay(connection: Connection, key: Key, endpoint_id: str, replay_id: str) -> dict[str, Any]:
    """One replay. Raises `NotFoundError`, also for an endpoint of another key."""
    endpoint, columns = get_endpoint(connection, key, endpoint_id), replays_table.c
    wanted = select(replays_table).where(columns.endpoint == endpoint_id, columns.id == replay_id)
    row = connection.execute(wanted).one_or_none()
    if row is None:
        raise _no_replay(replay_id)
    return replay_shape(row._mapping, endpoint["status"])


def cancel_replay(connection: Connection, key: Key, endpoint_id: str, replay_id: str) -> dict[str, Any]:
    """Go no further; what was made due stays so. One that has ended stays as it is. Raises `NotFoundError`."""
    get_endpoint(connection, key, endpoint_id)
    columns = replays_table.c
    running = (columns.endpoint == endpoint_id, columns.id == replay_id, columns.status == RUNNING)
    connection.execute(update(replays_table).where(*running).values(status=CANCELLED, finished_at=func.now()))
    return get_replay(connection, key, endpoint_id, replay_id)


def _no_replay(replay_id: str) -> NotFoundError:
    return NotFoundError(f"The endpoint has no replay {replay_id[:60]}.")


def _under_way(connection: Connection, endpoint_id: str) -> Row[Any] | None:
    """The newest that has not ended."""
    columns = replays_table.c
    running = select(replays_table).where(columns.endpoint == endpoint_id, columns.status == RUNNING)
    return connection.execute(running.order_by(columns.number.desc()).limit(1)).one_or_none()


def _range(connection: Connection, wanted: NewReplay, kept: Kept, public_url: str) -> Range:
    """The changes that are asked for. Raises `InvalidBodyError` and `ChangesGoneError`."""
    _refuse_unclear(wanted, kept)
    after = _after(connection, wanted, kept)
    refuse_gone(after, kept, public_url)
    to_seq = kept.newest if wanted.to_seq is None else wanted.to_seq
    if wanted.until is not None:
        columns = changes_table.c
        last = connection.scalar(select(func.max(columns.seq)).where(columns.occurred_at < wanted.until))
        to_seq = min(to_seq, last or 0)
    return Range(after, max(to_seq, after))


def _refuse_unclear(wanted: NewReplay, kept: Kept) -> None:
    begins = [name for name in ("since", "from_seq", "from") if name in _given(wanted)]
    faults = []
    if len(begins) != 1:
        detail = f"One of since, from_seq and from says where to begin; {len(begins)} of them are given."
        faults += [{"pointer": f"#/{name}", "detail": detail} for name in begins or ("since",)]
    for name in ("since", "from_seq", "to_seq"):
        seq = getattr(wanted, name)
        if seq is not None and seq > kept.newest + (name == "from_seq"):
            faults.append({"pointer": f"#/{name}", "detail": f"The newest change has the number {kept.newest}."})
    if faults:
        raise InvalidBodyError("; ".join(dict.fromkeys(each["detail"] for each in faults)), errors=faults)


def _given(wanted: NewReplay) -> set[str]:
    return set(wanted.model_dump(by_alias=True, exclude_none=True))


def _after(connection: Connection, wanted: NewReplay, kept: Kept) -> int:
    """The number of the change before the first. Of a moment: that all after it cover what was recorded since.

    Changes are numbered as they are committed and bear the time at which their transaction began, so that one of a
    long transaction may be older than those before it: what lies between is in the range, too.
    """
    if wanted.since is not None:
        return wanted.since
    if wanted.from_seq is not None:
        return max(wanted.from_seq - 1, 0)
    columns = changes_table.c
    recorded = columns.occurred_at >= wanted.from_
    first = connection.scalar(select(func.min(columns.seq)).where(recorded))
    oldest = connection.scalar(select(columns.occurred_at).where(columns.seq == kept.oldest))
    if kept.oldest > 1 and (oldest is None or wanted.from_ is None or wanted.from_ < oldest):
        return 0  # nobody knows what was recorded then
    return kept.newest if first is None else first - 1


def replay_shape(row: RowMapping, endpoint_status: str) -> dict[str, Any]:
    """The public shape of a row."""
    shape = {name: row[name] for name in Replay.model_fields}
    if row["status"] == RUNNING and endpoint_status != ENABLED:
        shape["status"] = WAITING
    shape["created_at"] = moment_text(row["created_at"])
    shape["finished_at"] = moment_text(row["finished_at"]) if row["finished_at"] else None
    return shape
