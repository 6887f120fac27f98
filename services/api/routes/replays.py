"""Replays of a range of the feed to a webhook endpoint."""

from typing import Annotated

from fastapi import APIRouter, Body, Depends, Request, Response

from services.api.dependencies import desk_of
from services.api.documented import with_key_problems
from services.api.feed import ChangesGoneError
from services.api.parameters import CURSOR_PARAMETER, read_page_size
from services.api.routes.deliveries import LIMIT_PARAMETER, page_answer
from services.api.webhooks.replays import (
    EndpointNotEnabledError,
    NewReplay,
    Replay,
    ReplayUnderWayError,
    cancel_replay,
    create_replay,
    get_replay,
    list_replays,
)
from services.core.domain.errors import InvalidBodyError, InvalidCursorError, InvalidParameterError, NotFoundError
from services.core.runtime.keys import BEARER, Owner
from services.core.runtime.parameters import parameters_of, single
from services.core.runtime.web import JsonAnswer
from services.core.schemas.models import NextPage, Public

router = APIRouter(prefix="/v1/webhooks/endpoints/{endpoint_id}", tags=["webhooks"], dependencies=[Depends(BEARER)])


class ReplayList(Public):
    """One page of replays."""

    data: list[Replay]
    page: NextPage


Wanted = Annotated[
    NewReplay,
    Body(
        openapi_examples={
            "since": {"summary": "Everything after the last event that you have", "value": {"since": 0}},
            "undelivered": {
                "summary": "What did not arrive of the last days",
                "value": {"from": "2026-11-17T00:00:00Z", "deliveries": "undelivered"},
            },
        }
    ),
]


@router.post(
    "/replay",
    status_code=202,
    operation_id="replay_to_webhook_endpoint",
    summary="Deliver a range of the feed again",
    responses={
        202: {"model": Replay},
        **with_key_problems(
            NotFoundError, EndpointNotEnabledError, ReplayUnderWayError, ChangesGoneError, InvalidBodyError
        ),
    },
)
def replay(request: Request, owner: Owner, endpoint_id: str, wanted: Wanted) -> Response:
    """All changes of the range that match what the endpoint asks for now, with the `webhook-id` they always have.

    It goes on in the background, one at a time for an endpoint. To ask for the same while it runs changes nothing.
    Changes from before the endpoint was created can be replayed, too.
    """
    desk = desk_of(request)
    with desk.engine.begin() as connection:
        shape = create_replay(connection, owner, endpoint_id, wanted, public_url=desk.settings.public_url)
    headers = {"Location": f"/v1/webhooks/endpoints/{endpoint_id}/replays/{shape['id']}"}
    return JsonAnswer(shape, status_code=202, headers=headers)


@router.get(
    "/replays",
    operation_id="list_webhook_replays",
    summary="List the replays to a webhook endpoint",
    responses={
        200: {"model": ReplayList},
        **with_key_problems(NotFoundError, InvalidParameterError, InvalidCursorError),
    },
    openapi_extra={"parameters": [LIMIT_PARAMETER, CURSOR_PARAMETER]},
)
def list_all(request: Request, owner: Owner, endpoint_id: str) -> Response:
    """The newest first, each with how far it has come."""
    desk, parameters = desk_of(request), parameters_of(request)
    limit, cursor = read_page_size(parameters), single(parameters, "cursor")
    with desk.engine.connect() as connection:
        page = list_replays(connection, owner, endpoint_id, cursor=cursor, limit=limit)
    return page_answer(desk, request, page)


@router.get(
    "/replays/{replay_id}",
    operation_id="get_webhook_replay",
    summary="Get one replay",
    responses={200: {"model": Replay}, **with_key_problems(NotFoundError)},
)
def get_one(request: Request, owner: Owner, endpoint_id: str, replay_id: str) -> Response:
    """With how far it has come."""
    with desk_of(request).engine.connect() as connection:
        return JsonAnswer(get_replay(connection, owner, endpoint_id, replay_id))


@router.post(
    "/replays/{replay_id}/cancel",
    operation_id="cancel_webhook_replay",
    summary="Cancel a replay",
    responses={200: {"model": Replay}, **with_key_problems(NotFoundError)},
)
def cancel(request: Request, owner: Owner, endpoint_id: str, replay_id: str) -> Response:
    """It goes no further. What it has made due is still delivered. One that has ended stays as it is."""
    with desk_of(request).engine.begin() as connection:
        return JsonAnswer(cancel_replay(connection, owner, endpoint_id, replay_id))
