"""The log of deliveries: what became of each event that was owed to an endpoint, and every try. Sending one again."""

import base64
import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field
from sqlalchemy import ColumnElement, Connection, Select, func, literal, select, update

from services.api.feed import refuse_gone
from services.api.webhooks.endpoints import get_endpoint
from services.api.webhooks.pages import LogPage, number_in_cursor, page_of
from services.api.webhooks.queue import PENDING
from services.api.webhooks.sender import ANSWER_BYTES, AttemptOutcome
from services.core.domain.changes import EVENT_TYPES
from services.core.domain.errors import NotFoundError
from services.core.runtime.keys import Key
from services.core.schemas.models import Public
from services.core.schemas.shapes import moment_text
from services.core.store.changes import changes_table, kept_changes
from services.core.store.paging import binding_of
from services.core.store.webhooks import attempts_table, deliveries_table

DeliveryStatus = Literal["pending", "delivered", "failed", "expired"]
DELIVERY_STATUSES: tuple[DeliveryStatus, ...] = ("pending", "delivered", "failed", "expired")


class AttemptSummary(Public):
    """How one try went."""

    number: int = Field(description="First, second … try of this delivery.", examples=[1])
    started_at: datetime.datetime
    milliseconds: int
    status: int | None = Field(description="HTTP status of the answer; null where none came.", examples=[503])
    outcome: AttemptOutcome = Field(description="How it ended.", examples=["bad_status"])
    error: str | None = Field(description="What went wrong.", examples=["The receiver answered 503."])


class Attempt(AttemptSummary):
    """One try, with the beginning of the answer."""

    id: str = Field(examples=["att_3f2a9c1b5d7e8f0a1b2c3d4e"])
    answer_start: str | None = Field(description="The first 2 kB of the answer's body; null where there was none.")
    answer_encoding: Literal["utf-8", "base64"] | None = Field(
        description="`base64`: it is no text in UTF-8, so `answer_start` is its bytes."
    )


class Delivery(Public):
    """One event that was owed to an endpoint, and what became of it."""

    id: str = Field(examples=["dlv_3f2a9c1b5d7e8f0a1b2c3d4e"])
    endpoint: str = Field(examples=["ep_3f2a9c1b5d7e8f0a1b2c3d4e"])
    event: str = Field(
        description="Id of the event: its `webhook-id` in every try.", examples=["evt_3f2a9c1b5d7e8f0a1b2c3d4e"]
    )
    seq: int = Field(description="Number of the change in the feed.", examples=[4711])
    type: str = Field(json_schema_extra={"enum": list(EVENT_TYPES)}, examples=["recommendation.position_changed"])
    match: Literal["entered", "stayed", "left"]
    status: DeliveryStatus = Field(
        description="`pending`: to be tried, or being tried. `failed`: given up after the last try. "
        "`expired`: given up, as the change is no longer kept."
    )
    attempts: int = Field(description="How often it was tried.", examples=[1])
    next_attempt_at: datetime.datetime | None = Field(
        description="When it is due, if its endpoint is enabled. Null: there will be no further try."
    )
    last_attempt: AttemptSummary | None
    created_at: datetime.datetime = Field(description="When it came to be owed.")
    settled_at: datetime.datetime | None


class DeliveryWithAttempts(Delivery):
    """A delivery with all its tries, the first one first."""

    tries: list[Attempt]


@dataclass(frozen=True, slots=True)
class DeliveryFilters:
    """What a list of deliveries is narrowed to. Moments are of when they came to be owed: from one, until another."""

    statuses: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    since: datetime.datetime | None = None
    until: datetime.datetime | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """In SQL."""
        columns = deliveries_table.c
        return [
            *([columns.status.in_(self.statuses)] if self.statuses else ()),
            *([columns.type.in_(self.types)] if self.types else ()),
            *([columns.created_at >= self.since] if self.since else ()),
            *([columns.created_at < self.until] if self.until else ()),
        ]

    def identity(self) -> list[Any]:
        """The same for filters that mean the same."""
        moments = [each.isoformat() if each else None for each in (self.since, self.until)]
        return [sorted(set(self.statuses)), sorted(set(self.types)), *moments]


def list_deliveries(
    connection: Connection, key: Key, endpoint_id: str, filters: DeliveryFilters, *, cursor: str | None, limit: int
) -> LogPage[dict[str, Any]]:
    """A page of those of an endpoint, the newest change first. Raises `NotFoundError` and `InvalidCursorError`."""
    get_endpoint(connection, key, endpoint_id)
    columns, binding = deliveries_table.c, binding_of("deliveries", endpoint_id, filters.identity())
    wanted = _with_last_attempt().where(columns.endpoint == endpoint_id, *filters.conditions())
    if cursor is not None:
        wanted = wanted.where(columns.seq < number_in_cursor(cursor, binding))
    rows = connection.execute(wanted.order_by(columns.seq.desc()).limit(limit + 1)).mappings().all()
    page = page_of(rows, limit, binding, by="seq")
    return LogPage([_shape(row) for row in page.rows], page.next_cursor)


def get_delivery(connection: Connection, key: Key, endpoint_id: str, delivery_id: str) -> dict[str, Any]:
    """One delivery with its tries. Raises `NotFoundError`, also for an endpoint of another key."""
    get_endpoint(connection, key, endpoint_id)
    columns, attempts = deliveries_table.c, attempts_table.c
    wanted = _with_last_attempt().where(columns.endpoint == endpoint_id, columns.id == delivery_id)
    row = connection.execute(wanted).mappings().one_or_none()
    if row is None:
        raise _no_delivery(delivery_id)
    tries = select(attempts_table).where(attempts.delivery == delivery_id).order_by(attempts.number)
    return {**_shape(row), "tries": [_attempt(each) for each in connection.execute(tries).mappings()]}


def redeliver(
    connection: Connection, key: Key, endpoint_id: str, delivery_id: str, *, public_url: str
) -> dict[str, Any]:
    """Have one tried at once, whatever became of it so far, and then by the schedule from its beginning.

    A try that is under way counts for it. Raises `NotFoundError`, and `ChangesGoneError` where the change is no longer
    kept.
    """
    get_endpoint(connection, key, endpoint_id, to_change=True)
    columns = deliveries_table.c
    own = (columns.endpoint == endpoint_id, columns.id == delivery_id)
    row = connection.execute(select(columns.seq).where(*own).with_for_update(key_share=True)).one_or_none()
    if row is None:
        raise _no_delivery(delivery_id)
    if connection.scalar(select(literal(1)).where(changes_table.c.seq == row.seq)) is None:
        refuse_gone(row.seq - 1, kept_changes(connection), public_url)
    settled = columns.status != PENDING
    values = {
        "status": PENDING,
        "attempts_before": columns.attempts,
        "due_at": func.now(),
        "settled_at": None,
        # Who holds a token of before must not settle what is owed anew.
        "token": columns.token + settled.cast(columns.attempts.type),
    }
    connection.execute(update(deliveries_table).where(*own).values(values))
    return get_delivery(connection, key, endpoint_id, delivery_id)


def _no_delivery(delivery_id: str) -> NotFoundError:
    return NotFoundError(f"The endpoint has no delivery {delivery_id[:60]}; old ones are removed from the log.")


_OF_AN_ATTEMPT = ("number", "started_at", "milliseconds", "status", "outcome", "error")


def _with_last_attempt() -> Select[Any]:
    attempts = attempts_table.c
    last = (
        select(*(attempts[name].label(f"last_{name}") for name in _OF_AN_ATTEMPT))
        .where(attempts.delivery == deliveries_table.c.id)
        .order_by(attempts.number.desc())
        .limit(1)
        .lateral("last")
    )
    return select(deliveries_table, last).select_from(deliveries_table.outerjoin(last, literal(True)))


def _shape(row: Mapping[Any, Any]) -> dict[str, Any]:
    plain = ("id", "endpoint", "event", "seq", "type", "match", "status", "attempts")
    last = {name: row[f"last_{name}"] for name in _OF_AN_ATTEMPT}
    return {
        **{name: row[name] for name in plain},
        "next_attempt_at": moment_text(row["due_at"]) if row["status"] == PENDING else None,
        "last_attempt": None if last["number"] is None else {**last, "started_at": moment_text(last["started_at"])},
        "created_at": moment_text(row["created_at"]),
        "settled_at": moment_text(row["settled_at"]) if row["settled_at"] else None,
    }


def _attempt(row: Mapping[Any, Any]) -> dict[str, Any]:
    answer, encoding = answer_text(row["answer_start"] or b"")
    return {
        "id": row["id"],
        **{name: row[name] for name in _OF_AN_ATTEMPT},
        "started_at": moment_text(row["started_at"]),
        "answer_start": answer,
        "answer_encoding": encoding,
    }


def answer_text(start: bytes) -> tuple[str | None, str | None]:
    """The beginning of an answer as JSON can hold it, and how: nothing of it is lost.

    But for a character that the end of what we read has cut in two.
    """
    if not start:
        return None, None
    try:
        return start.decode(), "utf-8"
    except UnicodeDecodeError as fault:
        if len(start) >= ANSWER_BYTES and fault.reason == "unexpected end of data":
            return start[: fault.start].decode(), "utf-8"
    return base64.b64encode(start).decode(), "base64"
