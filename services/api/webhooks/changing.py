"""Changes to a webhook endpoint, and what follows from pausing and enabling it.

While an endpoint is not enabled the fan-out passes it by. What it misses is not lost: `missed_after` notes where that
began, and when the endpoint is enabled again, a replay makes up for it.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ColumnElement, Connection, RowMapping, and_, func, or_, select, update

from services.api.bodies import criterion_columns
from services.api.feed import refuse_gone
from services.api.saved_searches import merged_criterion
from services.api.webhooks.endpoints import (
    ENABLED,
    EndpointChange,
    checked_saved_search,
    checked_url,
    endpoint_shape,
    get_endpoint,
    keep_pace,
)
from services.api.webhooks.replays import AFTER_ENABLING, UNDELIVERED, Range, store_replay
from services.core.domain.errors import InvalidBodyError
from services.core.query.filters import Vocabulary
from services.core.runtime.guard import AddressRules
from services.core.runtime.keys import Key
from services.core.store.changes import kept_changes
from services.core.store.webhooks import deliveries_table, endpoints_table, fanout_table


class Enabling(BaseModel):
    """How to enable an endpoint."""

    model_config = ConfigDict(extra="forbid", strict=True)

    catch_up: bool = Field(
        default=True,
        description="Deliver what it missed while it was not enabled, too. `false`: go on with what comes now.",
    )


def change_endpoint(
    connection: Connection,
    key: Key,
    endpoint_id: str,
    wanted: EndpointChange,
    *,
    rules: AddressRules,
    vocabulary: Vocabulary,
    public_url: str,
) -> dict[str, Any]:
    """Store what is given.

    Raises `NotFoundError`, `RefusedAddressError`, `InvalidBodyError`, and `ChangesGoneError` as `enable_endpoint` does.
    """
    given = wanted.model_fields_set
    if not given:
        raise InvalidBodyError("There is nothing to change.", errors=[{"pointer": "#", "detail": "empty"}])
    row = get_endpoint(connection, key, endpoint_id, to_change=True)
    values = _changed_columns(wanted, rules) | criterion_columns(merged_criterion(wanted, row, vocabulary))
    if "saved_search" in given:
        values["saved_search"] = checked_saved_search(connection, key, wanted.saved_search)
    if "status" in given and wanted.status == ENABLED:
        values |= _enabled_columns(connection, row, catch_up=True, public_url=public_url)
    elif "status" in given:
        values |= _paused_columns(connection, row)
    return _store(connection, endpoint_id, values)


def enable_endpoint(
    connection: Connection, key: Key, endpoint_id: str, *, catch_up: bool, public_url: str
) -> dict[str, Any]:
    """Let an endpoint go on that was paused or disabled. One that is enabled stays as it is.

    Raises `NotFoundError` and, where it is to catch up on what is no longer kept, `ChangesGoneError`.
    """
    row = get_endpoint(connection, key, endpoint_id, to_change=True)
    values = _enabled_columns(connection, row, catch_up=catch_up, public_url=public_url)
    return _store(connection, endpoint_id, values) if values else endpoint_shape(row)


def _store(connection: Connection, endpoint_id: str, values: dict[str, Any]) -> dict[str, Any]:
    changed = update(endpoints_table).where(endpoints_table.c.id == endpoint_id)
    stored = changed.values(**values, updated_at=func.now()).returning(endpoints_table)
    endpoint = connection.execute(stored).one()._mapping
    keep_pace(connection, endpoint)
    return endpoint_shape(endpoint)


_AS_GIVEN = ("description", "max_per_second", "max_concurrent")


def _changed_columns(wanted: EndpointChange, rules: AddressRules) -> dict[str, Any]:
    """The columns that a change sets, but for its status and for those that say what records have to meet."""
    given = wanted.model_fields_set
    values: dict[str, Any] = {name: getattr(wanted, name) for name in _AS_GIVEN if name in given}
    if "url" in given:
        values["url"] = checked_url(wanted.url, rules)
    if "event_types" in given:
        values["event_types"] = list(dict.fromkeys(wanted.event_types or ()))
    if "causes" in given:
        values["causes"] = list(dict.fromkeys(wanted.causes))
    return values


def _paused_columns(connection: Connection, row: RowMapping) -> dict[str, Any]:
    """A fan-out under way may still reach the endpoint: what it notes as missed may be owed, but nothing is lost."""
    values: dict[str, Any] = {"status": "paused", "status_reason": None}
    if row["status"] == ENABLED:
        values["missed_after"] = connection.scalar(select(fanout_table.c.seq))
    return values


def _enabled_columns(connection: Connection, row: RowMapping, *, catch_up: bool, public_url: str) -> dict[str, Any]:
    if row["status"] == ENABLED:
        return {}
    # The fan-out waits for this lock: behind the number it is at now, it will see that the endpoint is enabled.
    fanned_out = connection.scalar(select(fanout_table.c.seq).with_for_update(read=True)) or 0
    if catch_up:
        _catch_up(connection, row, fanned_out, public_url)
    return {"status": ENABLED, "status_reason": None, "failing_since": None, "missed_after": None}


def _catch_up(connection: Connection, row: RowMapping, fanned_out: int, public_url: str) -> None:
    """Make due what was missed, what is still to be tried, and what was given up since the trouble began."""
    kept, missed_after = kept_changes(connection), row["missed_after"]
    if missed_after is not None and missed_after < fanned_out:
        refuse_gone(missed_after, kept, public_url)
    undelivered = _first_undelivered(connection, row)
    # Of deliveries whose changes are no longer kept the claim says so itself.
    owed_after = None if undelivered is None else max(undelivered, kept.oldest) - 1
    after = min(each for each in (missed_after, owed_after, fanned_out) if each is not None)
    if after < fanned_out:
        covered = Range(after, fanned_out)
        store_replay(connection, row["id"], covered, deliveries=UNDELIVERED, reason=AFTER_ENABLING, asked={})


def _first_undelivered(connection: Connection, row: RowMapping) -> int | None:
    columns = deliveries_table.c
    wanted: ColumnElement[bool] = columns.status == "pending"
    if row["failing_since"] is not None:
        wanted = or_(wanted, and_(columns.status == "failed", columns.settled_at >= row["failing_since"]))
    first: int | None = connection.scalar(select(func.min(columns.seq)).where(columns.endpoint == row["id"], wanted))
    return first
