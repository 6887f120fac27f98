"""Webhook endpoints: what can be asked for, what is stored, what is shown."""

import contextlib
import datetime
import secrets
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError
from sqlalchemy import ColumnElement, Connection, RowMapping, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql

from services.api.bodies import (
    FilterValues,
    PlainText,
    QueryText,
    SearchedNoun,
    checked_criterion,
    criterion_columns,
)
from services.api.matching import Criterion
from services.api.webhooks.signature import new_secret
from services.core.domain.changes import DEFAULT_CAUSES, EVENT_TYPES, Cause
from services.core.domain.errors import InvalidBodyError, NotFoundError, RefusedAddressError, UprError
from services.core.query.filters import FILTERS, Vocabulary
from services.core.runtime.guard import LONGEST_URL, AddressRules
from services.core.runtime.keys import Key, Scope
from services.core.schemas.models import Public
from services.core.schemas.shapes import moment_text
from services.core.store.changes import head
from services.core.store.keys import api_keys_table
from services.core.store.records import EPOCH
from services.core.store.saved_searches import saved_searches_table
from services.core.store.webhooks import endpoints_table, fanout_table, paces_table

MOST_CONCURRENT = 64
MOST_ENDPOINTS = 100
"""Endpoints of one key."""
LONGEST_DESCRIPTION = 500

FORMER_SECRET_HOLDS = datetime.timedelta(hours=24)
"""For how long events are signed with the former secret as well, after a new one was made."""

PAUSED, ENABLED, DISABLED = "paused", "enabled", "disabled"
EndpointStatus = Literal["enabled", "paused", "disabled"]


class TooManyEndpointsError(UprError):
    """A key that has as many webhook endpoints as one key may have."""

    code, status, title = "too_many_endpoints", 409, "Too many webhook endpoints"


def _known_type(name: str) -> str:
    if name not in EVENT_TYPES:
        raise PydanticCustomError("unknown_event_type", "There is no such event type; /openapi.json lists them")
    return name


def _known_cause(name: str) -> str:
    if name not in set(Cause):
        raise PydanticCustomError("unknown_cause", f"Expected one of {', '.join(Cause)}")
    return name


def _rate(number: object) -> object:
    """JSON has one kind of numbers, Python two."""
    return float(number) if type(number) is int and abs(number) < 10_000 else number


Rate = Annotated[float, BeforeValidator(_rate), Field(ge=0.01, le=1000, allow_inf_nan=False)]
UrlText = Annotated[PlainText, Field(min_length=1, max_length=LONGEST_URL)]
EventType = Annotated[str, AfterValidator(_known_type), Field(json_schema_extra={"enum": list(EVENT_TYPES)})]
CauseName = Annotated[str, AfterValidator(_known_cause), Field(json_schema_extra={"enum": list(Cause)})]
_EXAMPLE_FILTERS = {"state_under_review": "PER", "position": ["pending", "noted"]}


class NewEndpoint(BaseModel):
    """What an endpoint is asked for with."""

    model_config = ConfigDict(extra="forbid", strict=True)

    url: UrlText = Field(
        description="Where events are posted to: https, on a public address.",
        examples=["https://tracker.example.org/hooks/upr"],
    )
    event_types: Annotated[list[EventType], Field(min_length=1, max_length=len(EVENT_TYPES))] | None = Field(
        default=None,
        description="Types to hear of. Null: all, also those that are added later. "
        "`recommendation.updated` brings `recommendation.position_changed` with it.",
        examples=[["recommendation.created", "recommendation.position_changed"]],
    )
    causes: Annotated[list[CauseName], Field(min_length=1, max_length=len(Cause))] = Field(
        default=list(map(str, DEFAULT_CAUSES)),
        description="Causes to hear of. `backfill`, history that is loaded late, only where it is asked for.",
    )
    q: QueryText = Field(
        default="",
        description="Words that the record has to hold, in the query language of the search, without forgiven typing "
        "errors (`strict=true`).",
        examples=['torture OR "ill-treatment"'],
    )
    type: SearchedNoun | None = Field(default=None, description="Kind of records. Null: all.")
    filters: dict[str, FilterValues] = Field(
        default={},
        max_length=len(FILTERS),
        description="The filters of lists, each with a value or a list of values (OR). An event matches if its record "
        "met all that is asked for before the change or after it; `match` says which.",
        examples=[_EXAMPLE_FILTERS],
    )
    saved_search: Annotated[PlainText, Field(max_length=100)] | None = Field(
        default=None,
        description="Id of a saved search of the same key, which the record has to meet beside all else.",
        examples=["ss_3f2a9c1b5d7e8f0a1b2c3d4e"],
    )
    description: Annotated[PlainText, Field(max_length=LONGEST_DESCRIPTION)] | None = Field(
        default=None, description="For people.", examples=["The ministry's tracking system"]
    )
    max_per_second: Rate | None = Field(
        default=None, description="Tries in a second, on average; less than one is fine. Null: as many as there are."
    )
    max_concurrent: Annotated[int, Field(ge=1, le=MOST_CONCURRENT)] | None = Field(
        default=None, description="Tries that run at once. Null: eight of each deliverer, which is never exceeded."
    )


class EndpointChange(NewEndpoint):
    """What is to be different. Members that are not given stay as they are."""

    url: UrlText = Field(default="", description="A new address.")
    status: Literal["enabled", "paused"] = Field(
        default="enabled",
        description="`paused`: nothing is posted. `enabled`: go on, also after it was disabled, with what is owed and "
        "what was missed meanwhile, as `POST …/enable` does.",
    )


class Endpoint(Public):
    """A webhook endpoint. Its secret is not shown."""

    id: str = Field(examples=["ep_3f2a9c1b5d7e8f0a1b2c3d4e"])
    url: str = Field(description="The address in its normal form.", examples=["https://tracker.example.org/hooks/upr"])
    event_types: list[str] | None = Field(description="Null: all.")
    causes: list[str] = Field(examples=[list(map(str, DEFAULT_CAUSES))])
    q: str
    type: SearchedNoun | None
    filters: dict[str, list[str]] = Field(examples=[{"state_under_review": ["PER"], "position": ["pending", "noted"]}])
    saved_search: str | None = Field(examples=["ss_3f2a9c1b5d7e8f0a1b2c3d4e"])
    description: str | None
    status: EndpointStatus = Field(description="Only an enabled endpoint gets events.")
    status_reason: str | None = Field(description="Why it was disabled.")
    failing_since: datetime.datetime | None = Field(description="First failure since something was last delivered.")
    former_secret_until: datetime.datetime | None = Field(
        description="Until when events are signed with the former secret as well, after it was renewed."
    )
    from_seq: int = Field(description="It hears of changes with a greater `seq`.", examples=[4711])
    missed_after: int | None = Field(
        description="It was not enabled when changes with a greater `seq` came; enabling makes up for them."
    )
    max_per_second: float | None
    max_concurrent: int | None
    owner: str = Field(description="Id of the key that it belongs to.", examples=["key_4fQ8sZ1mN0cR"])
    created_at: datetime.datetime
    updated_at: datetime.datetime


class CreatedEndpoint(Endpoint):
    """A new endpoint with its secret, which is shown this once."""

    secret: str = Field(
        description="Signs every event (Standard Webhooks). Keep it: it cannot be shown again.",
        examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
    )


class EndpointList(Public):
    """All endpoints that the key may see."""

    data: list[Endpoint]
    total: int


@dataclass(frozen=True, slots=True)
class CheckedEndpoint:
    """What can be stored as it is: the normal form of the address, canonical filters. No event types: all.

    Whether there is such a saved search is looked up when it is stored.
    """

    url: str
    event_types: tuple[str, ...]
    causes: tuple[str, ...]
    criterion: Criterion
    saved_search: str | None
    description: str | None
    max_per_second: float | None = None
    max_concurrent: int | None = None


def check_endpoint(wanted: NewEndpoint, rules: AddressRules, vocabulary: Vocabulary) -> CheckedEndpoint:
    """Check what needs more than the body itself.

    Raises `RefusedAddressError` and `InvalidBodyError`, whose `errors` point to the fault.
    """
    return CheckedEndpoint(
        url=checked_url(wanted.url, rules),
        event_types=tuple(dict.fromkeys(wanted.event_types or ())),
        causes=tuple(dict.fromkeys(wanted.causes)),
        criterion=checked_criterion(wanted.type, wanted.q, wanted.filters, vocabulary),
        saved_search=wanted.saved_search,
        description=wanted.description,
        max_per_second=wanted.max_per_second,
        max_concurrent=wanted.max_concurrent,
    )


def checked_url(url: str, rules: AddressRules) -> str:
    """An address in its normal form. Raises `RefusedAddressError`, whose `errors` point to it."""
    try:
        return rules.read_address(url).url
    except RefusedAddressError as fault:
        errors = [{"pointer": "#/url", "detail": fault.detail}]
        raise RefusedAddressError(fault.detail, **fault.extensions, errors=errors) from None


def checked_saved_search(connection: Connection, key: Key, search_id: str | None) -> str | None:
    """A saved search of the same key, which cannot be deleted until the transaction ends.

    Raises `InvalidBodyError` where there is none.
    """
    if search_id is None:
        return None
    columns = saved_searches_table.c
    own = select(columns.id).where(columns.id == search_id, columns.owner == key.id)
    if connection.scalar(own.with_for_update(read=True, key_share=True)) is None:
        detail = f"The key has no saved search {search_id[:60]}."
        raise InvalidBodyError(detail, errors=[{"pointer": "#/saved_search", "detail": detail}])
    return search_id


def create_endpoint(connection: Connection, owner: Key, checked: CheckedEndpoint) -> tuple[dict[str, Any], str]:
    """Store an endpoint that hears of every change after this moment. Answers its shape and its secret.

    Raises `TooManyEndpointsError`, and `InvalidBodyError` where there is no such saved search.
    """
    _refuse_too_many(connection, owner)
    # The fan-out waits for this lock: else it could pass by changes that are newer than `from_seq` before it can see
    # the endpoint.
    connection.execute(select(fanout_table.c.seq).with_for_update(read=True))
    secret = new_secret()
    values = {
        "id": f"ep_{secrets.token_hex(12)}",
        "owner": owner.id,
        "url": checked.url,
        "event_types": list(checked.event_types),
        "causes": list(checked.causes),
        **criterion_columns(checked.criterion),
        "saved_search": checked_saved_search(connection, owner, checked.saved_search),
        "description": checked.description,
        "max_per_second": checked.max_per_second,
        "max_concurrent": checked.max_concurrent,
        "secret": secret,
        "from_seq": head(connection),
    }
    row = connection.execute(insert(endpoints_table).values(values).returning(endpoints_table)).one()
    keep_pace(connection, row._mapping)
    return endpoint_shape(row._mapping), secret


def keep_pace(connection: Connection, endpoint: RowMapping) -> None:
    """An endpoint with a rate has a bucket of tokens, which begins full."""
    if endpoint["max_per_second"] is not None:
        values = {"endpoint": endpoint["id"], "empty_at": EPOCH}
        connection.execute(postgresql.insert(paces_table).values(values).on_conflict_do_nothing())


def _refuse_too_many(connection: Connection, owner: Key) -> None:
    keys, endpoints = api_keys_table.c, endpoints_table.c
    connection.execute(select(keys.id).where(keys.id == owner.id).with_for_update())  # one at a time
    count = connection.scalar(select(func.count()).where(endpoints.owner == owner.id)) or 0
    if count >= MOST_ENDPOINTS:
        raise TooManyEndpointsError(f"The key has {count} endpoints; delete one first.", limit=MOST_ENDPOINTS)


def list_endpoints(connection: Connection, key: Key) -> list[dict[str, Any]]:
    """The key's endpoints, oldest first; all there are for an admin."""
    columns = endpoints_table.c
    rows = connection.execute(select(endpoints_table).where(*_visible_to(key)).order_by(columns.created_at, columns.id))
    return [endpoint_shape(row._mapping) for row in rows]


def get_endpoint(connection: Connection, key: Key, endpoint_id: str, *, to_change: bool = False) -> RowMapping:
    """The row of one endpoint; with `to_change` nobody else changes it until the transaction ends.

    Raises `NotFoundError`, also for one of another key.
    """
    found = select(endpoints_table).where(endpoints_table.c.id == endpoint_id, *_visible_to(key))
    row = connection.execute(found.with_for_update(key_share=True) if to_change else found).one_or_none()
    if row is None:
        raise _no_endpoint(endpoint_id)
    return row._mapping


def renew_secret(connection: Connection, key: Key, endpoint_id: str) -> tuple[dict[str, Any], str]:
    """Give an endpoint a new secret; events are signed with the one before, too, for a while.

    Answers the shape and the new secret. Raises `NotFoundError`.
    """
    columns, secret = endpoints_table.c, new_secret()
    changed = update(endpoints_table).where(columns.id == endpoint_id, *_visible_to(key))
    stored = changed.values(
        secret=secret,
        former_secret=columns.secret,
        former_secret_until=func.now() + FORMER_SECRET_HOLDS,
        updated_at=func.now(),
    )
    row = connection.execute(stored.returning(endpoints_table)).one_or_none()
    if row is None:
        raise _no_endpoint(endpoint_id)
    return endpoint_shape(row._mapping), secret


def secrets_in_force(row: RowMapping, now: datetime.datetime) -> list[str]:
    """With what events to an endpoint are signed now."""
    former_holds = row["former_secret_until"] is not None and row["former_secret_until"] > now
    return [row["secret"], *([row["former_secret"]] if former_holds else [])]


def delete_endpoint(connection: Connection, key: Key, endpoint_id: str) -> None:
    """Delete an endpoint with its deliveries; a try under way is not broken off. Raises `NotFoundError`."""
    wanted = delete(endpoints_table).where(endpoints_table.c.id == endpoint_id, *_visible_to(key))
    if connection.execute(wanted).rowcount == 0:
        raise _no_endpoint(endpoint_id)


def delete_endpoints_to(connection: Connection, key: Key, url: str, rules: AddressRules) -> None:
    """Delete the key's own endpoints with this address, written in any way. Raises `NotFoundError` without any."""
    columns, addresses = endpoints_table.c, {url}
    with contextlib.suppress(RefusedAddressError):  # no longer allowed, perhaps: then as it was stored
        addresses.add(rules.read_address(url).url)
    wanted = delete(endpoints_table).where(columns.owner == key.id, columns.url.in_(addresses))
    if connection.execute(wanted).rowcount == 0:
        raise NotFoundError("The key has no webhook endpoint with this url.")


def _no_endpoint(endpoint_id: str) -> NotFoundError:
    return NotFoundError(f"There is no webhook endpoint {endpoint_id[:60]}.")


def _visible_to(key: Key) -> list[ColumnElement[bool]]:
    return [] if key.allows(Scope.ADMIN) else [endpoints_table.c.owner == key.id]


def endpoint_shape(row: RowMapping) -> dict[str, Any]:
    """The public shape of a row: all but the secret."""
    plain = ("id", "url", "causes", "q", "filters", "saved_search", "description", "status", "status_reason")
    numbers = ("from_seq", "missed_after", "max_per_second", "max_concurrent")
    shape = {name: row[name] for name in (*plain, *numbers, "owner")}
    shape["type"] = row["noun"]
    shape["event_types"] = row["event_types"] or None
    for name in ("failing_since", "former_secret_until", "created_at", "updated_at"):
        shape[name] = moment_text(row[name]) if row[name] else None
    return {name: shape[name] for name in Endpoint.model_fields}
