"""What became of events that were owed to a webhook endpoint: the log, sending again, replays."""

import datetime
from typing import Any

from fastapi import APIRouter, Depends, Request, Response

from services.api.dependencies import Desk, desk_of
from services.api.documented import with_key_problems
from services.api.feed import ChangesGoneError
from services.api.parameters import CURSOR_PARAMETER, read_page_size
from services.api.routes.records import next_address
from services.api.webhooks.deliveries import (
    DELIVERY_STATUSES,
    Delivery,
    DeliveryFilters,
    DeliveryWithAttempts,
    get_delivery,
    list_deliveries,
    redeliver,
)
from services.api.webhooks.pages import LogPage
from services.core.domain.changes import EVENT_TYPES
from services.core.domain.errors import InvalidCursorError, InvalidParameterError, NotFoundError
from services.core.runtime.keys import BEARER, Owner
from services.core.runtime.parameters import Parameters, described, described_number, invalid, parameters_of, single
from services.core.runtime.web import JsonAnswer, links
from services.core.schemas.models import NextPage, Public
from services.core.store.paging import DEFAULT_LIMIT, MAX_LIMIT

router = APIRouter(prefix="/v1/webhooks/endpoints/{endpoint_id}", tags=["webhooks"], dependencies=[Depends(BEARER)])

LIMIT_PARAMETER = described_number("limit", "Entries a page.", least=1, most=MAX_LIMIT, otherwise=DEFAULT_LIMIT)
_MOMENT = {"type": "string", "format": "date-time"}
_PARAMETERS = [
    described("status", "What became of it.", {"type": "string", "enum": list(DELIVERY_STATUSES)}, many=True),
    described("event_type", "Type of the event.", {"type": "string", "enum": list(EVENT_TYPES)}, many=True),
    described("from", "What came to be owed at this moment or later.", _MOMENT),
    described("until", "What came to be owed before this moment.", _MOMENT),
    LIMIT_PARAMETER,
    CURSOR_PARAMETER,
]


class DeliveryList(Public):
    """One page of deliveries."""

    data: list[Delivery]
    page: NextPage


@router.get(
    "/deliveries",
    operation_id="list_webhook_deliveries",
    summary="List what was owed to a webhook endpoint",
    responses={
        200: {"model": DeliveryList},
        **with_key_problems(NotFoundError, InvalidParameterError, InvalidCursorError),
    },
    openapi_extra={"parameters": _PARAMETERS},
)
def list_all(request: Request, owner: Owner, endpoint_id: str) -> Response:
    """The newest change first, each with how its last try went. Settled ones are kept for a while (30 days)."""
    desk, parameters = desk_of(request), parameters_of(request)
    filters, limit, cursor = _read_filters(parameters), read_page_size(parameters), single(parameters, "cursor")
    with desk.engine.connect() as connection:
        page = list_deliveries(connection, owner, endpoint_id, filters, cursor=cursor, limit=limit)
    return page_answer(desk, request, page)


@router.get(
    "/deliveries/{delivery_id}",
    operation_id="get_webhook_delivery",
    summary="Get one delivery with its tries",
    responses={200: {"model": DeliveryWithAttempts}, **with_key_problems(NotFoundError)},
)
def get_one(request: Request, owner: Owner, endpoint_id: str, delivery_id: str) -> Response:
    """Each try with its status, its duration and the first 2 kB of the answer."""
    with desk_of(request).engine.connect() as connection:
        return JsonAnswer(get_delivery(connection, owner, endpoint_id, delivery_id))


@router.post(
    "/deliveries/{delivery_id}/redeliver",
    status_code=202,
    operation_id="redeliver_webhook",
    summary="Send one event again",
    responses={202: {"model": DeliveryWithAttempts}, **with_key_problems(NotFoundError, ChangesGoneError)},
)
def send_again(request: Request, owner: Owner, endpoint_id: str, delivery_id: str) -> Response:
    """It is due at once, whatever became of it so far, with the same `webhook-id`; a failure starts the schedule anew.

    While the endpoint is paused or disabled it waits.
    """
    desk = desk_of(request)
    with desk.engine.begin() as connection:
        shape = redeliver(connection, owner, endpoint_id, delivery_id, public_url=desk.settings.public_url)
    return JsonAnswer(shape, status_code=202)


def page_answer(desk: Desk, request: Request, page: LogPage[dict[str, Any]]) -> Response:
    """A page of a list below an endpoint."""
    following = next_address(desk, request, page.next_cursor)
    return JsonAnswer({"data": page.rows, "page": {"next": following}}, headers=links(next=following))


def _read_filters(parameters: Parameters) -> DeliveryFilters:
    return DeliveryFilters(
        statuses=_several(parameters, "status", DELIVERY_STATUSES),
        types=_several(parameters, "event_type", EVENT_TYPES),
        since=_moment(parameters, "from"),
        until=_moment(parameters, "until"),
    )


def _several(parameters: Parameters, name: str, known: Any) -> tuple[str, ...]:
    values = tuple(value for given, value in parameters if given == name)
    for value in values:
        if value not in known:
            raise invalid(name, value, f"one of {', '.join(known)}")
    return values


def _moment(parameters: Parameters, name: str) -> datetime.datetime | None:
    text = single(parameters, name)
    if text is None:
        return None
    try:
        moment = datetime.datetime.fromisoformat(text.strip().replace(" ", "+"))
        if moment.tzinfo is None:
            raise ValueError(text)
        return moment.astimezone(datetime.UTC)
    except (ValueError, OverflowError):
        raise invalid(name, text, "a moment with its offset such as 2026-11-21T09:00:00Z") from None
