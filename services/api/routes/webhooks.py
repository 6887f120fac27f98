"""Webhook endpoints: create, list, show, change, delete. They belong to the key that made them."""

import threading
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Request, Response

from services.api.dependencies import desk_of
from services.api.documented import with_key_problems
from services.api.feed import ChangesGoneError
from services.api.webhooks.changing import Enabling, change_endpoint, enable_endpoint
from services.api.webhooks.endpoints import (
    CreatedEndpoint,
    Endpoint,
    EndpointChange,
    EndpointList,
    NewEndpoint,
    TooManyEndpointsError,
    check_endpoint,
    create_endpoint,
    delete_endpoint,
    delete_endpoints_to,
    endpoint_shape,
    get_endpoint,
    list_endpoints,
    renew_secret,
)
from services.api.webhooks.sender import webhook_rules
from services.api.webhooks.testing import EndpointTest, WantedEvent, send_test
from services.core.domain.errors import (
    InvalidBodyError,
    InvalidParameterError,
    NotFoundError,
    UnavailableError,
    UnknownParameterError,
)
from services.core.runtime.keys import BEARER, Owner
from services.core.runtime.parameters import described, parameters_of, single
from services.core.runtime.web import JsonAnswer

router = APIRouter(prefix="/v1/webhooks/endpoints", tags=["webhooks"], dependencies=[Depends(BEARER)])

_EXAMPLES: dict[str, Any] = {
    "answers": {
        "summary": "What Peru answers to the recommendations it got",
        "value": {
            "url": "https://tracker.example.org/hooks/upr",
            "event_types": ["recommendation.position_changed"],
            "filters": {"state_under_review": "PER"},
        },
    },
    "everything": {"summary": "Everything new", "value": {"url": "https://tracker.example.org/hooks/upr"}},
}

Wanted = Annotated[NewEndpoint, Body(openapi_examples=_EXAMPLES)]

Change = Annotated[
    EndpointChange,
    Body(
        openapi_examples={
            "pause": {"summary": "Pause", "value": {"status": "paused"}},
            "enable": {"summary": "Go on, also after it was disabled", "value": {"status": "enabled"}},
            "cycle": {"summary": "Other filters", "value": {"filters": {"cycle": [3, 4]}}},
        }
    ),
]


WantedTest = Annotated[
    WantedEvent,
    Body(
        openapi_examples={
            "answer": {"summary": "A State answers", "value": {"type": "recommendation.position_changed"}},
        }
    ),
]
_ANY_EVENT = WantedEvent()
_ADDRESS = {"type": "string", "format": "uri"}
WantedEnabling = Annotated[
    Enabling,
    Body(
        openapi_examples={
            "whole": {"summary": "With what it missed", "value": {}},
            "onwards": {"summary": "Without what it missed", "value": {"catch_up": False}},
        }
    ),
]
_WITH_ALL = Enabling()
_TESTS_AT_ONCE = threading.BoundedSemaphore(4)
"""Each may hold a thread for as long as a delivery may take."""


@router.post(
    "",
    status_code=201,
    operation_id="create_webhook_endpoint",
    summary="Create a webhook endpoint",
    responses={201: {"model": CreatedEndpoint}, **with_key_problems(TooManyEndpointsError, InvalidBodyError)},
)
def create(request: Request, owner: Owner, wanted: Wanted) -> Response:
    """It hears of every matching change from now on. The answer holds the secret that signs events, this once."""
    desk = desk_of(request)
    rules = webhook_rules(desk.settings)
    checked = check_endpoint(wanted, rules, desk.reference.get().vocabulary)
    with desk.engine.begin() as connection:
        shape, secret = create_endpoint(connection, owner, checked)
    headers = {"Location": f"/v1/webhooks/endpoints/{shape['id']}", "Cache-Control": "no-store"}
    return JsonAnswer({**shape, "secret": secret}, status_code=201, headers=headers)


@router.get(
    "",
    operation_id="list_webhook_endpoints",
    summary="List webhook endpoints",
    responses={200: {"model": EndpointList}, **with_key_problems()},
)
def list_all(request: Request, owner: Owner) -> Response:
    """Those of the key, oldest first; for a key with the scope `admin` those of all keys."""
    with desk_of(request).engine.connect() as connection:
        found = list_endpoints(connection, owner)
    return JsonAnswer({"data": found, "total": len(found)})


@router.delete(
    "",
    status_code=204,
    operation_id="delete_webhook_endpoints_by_url",
    summary="Delete the webhook endpoints with an address",
    responses={
        204: {"description": "They are gone, with what was still owed to them."},
        **with_key_problems(NotFoundError, InvalidParameterError, UnknownParameterError),
    },
    openapi_extra={"parameters": [{**described("url", "Where they post to.", _ADDRESS), "required": True}]},
)
def delete_by_url(request: Request, owner: Owner) -> Response:
    """Those of the key itself. For tools that unsubscribe with the address alone."""
    desk = desk_of(request)
    parameters = parameters_of(request)
    if (url := single(parameters, "url")) is None:
        raise InvalidParameterError("Say which: `url` is missing.", parameter="url")
    with desk.engine.begin() as connection:
        delete_endpoints_to(connection, owner, url, webhook_rules(desk.settings))
    return Response(status_code=204)


@router.get(
    "/{endpoint_id}",
    operation_id="get_webhook_endpoint",
    summary="Get one webhook endpoint",
    responses={200: {"model": Endpoint}, **with_key_problems(NotFoundError)},
)
def get_one(request: Request, owner: Owner, endpoint_id: str) -> Response:
    """With its status, and the reason where it was disabled."""
    with desk_of(request).engine.connect() as connection:
        return JsonAnswer(endpoint_shape(get_endpoint(connection, owner, endpoint_id)))


@router.patch(
    "/{endpoint_id}",
    operation_id="change_webhook_endpoint",
    summary="Change, pause or enable a webhook endpoint",
    responses={200: {"model": Endpoint}, **with_key_problems(NotFoundError, ChangesGoneError, InvalidBodyError)},
)
def change(request: Request, owner: Owner, endpoint_id: str, wanted: Change) -> Response:
    """What is not given stays. New filters hold for changes from now on; the secret stays the same."""
    desk = desk_of(request)
    rules, vocabulary = webhook_rules(desk.settings), desk.reference.get().vocabulary
    with desk.engine.begin() as connection:
        shape = change_endpoint(
            connection,
            owner,
            endpoint_id,
            wanted,
            rules=rules,
            vocabulary=vocabulary,
            public_url=desk.settings.public_url,
        )
    return JsonAnswer(shape)


@router.post(
    "/{endpoint_id}/enable",
    operation_id="enable_webhook_endpoint",
    summary="Enable a webhook endpoint again",
    responses={200: {"model": Endpoint}, **with_key_problems(NotFoundError, ChangesGoneError, InvalidBodyError)},
)
def enable(request: Request, owner: Owner, endpoint_id: str, wanted: WantedEnabling = _WITH_ALL) -> Response:
    """After a pause, or after it was disabled. What is owed is due at once, what it missed is delivered, too.

    Where what it missed is no longer kept, the answer is 410: enable it with `catch_up` false then, and read the feed.
    """
    desk, catch_up = desk_of(request), wanted.catch_up
    with desk.engine.begin() as connection:
        shape = enable_endpoint(connection, owner, endpoint_id, catch_up=catch_up, public_url=desk.settings.public_url)
    return JsonAnswer(shape)


@router.delete(
    "/{endpoint_id}",
    status_code=204,
    operation_id="delete_webhook_endpoint",
    summary="Delete a webhook endpoint",
    responses={204: {"description": "It is gone, with what was still owed to it."}, **with_key_problems(NotFoundError)},
)
def delete(request: Request, owner: Owner, endpoint_id: str) -> Response:
    """With what is still owed to it. A try that is under way may still arrive."""
    with desk_of(request).engine.begin() as connection:
        delete_endpoint(connection, owner, endpoint_id)
    return Response(status_code=204)


@router.post(
    "/{endpoint_id}/secret",
    operation_id="renew_webhook_secret",
    summary="Renew the secret of a webhook endpoint",
    responses={200: {"model": CreatedEndpoint}, **with_key_problems(NotFoundError)},
)
def renew(request: Request, owner: Owner, endpoint_id: str) -> Response:
    """The answer holds the new secret, this once. For 24 hours events are signed with the former one as well."""
    with desk_of(request).engine.begin() as connection:
        shape, secret = renew_secret(connection, owner, endpoint_id)
    return JsonAnswer({**shape, "secret": secret}, headers={"Cache-Control": "no-store"})


@router.post(
    "/{endpoint_id}/test",
    operation_id="test_webhook_endpoint",
    summary="Send a sample event to a webhook endpoint",
    responses={200: {"model": EndpointTest}, **with_key_problems(NotFoundError, InvalidBodyError, UnavailableError)},
)
def try_out(request: Request, owner: Owner, endpoint_id: str, wanted: WantedTest = _ANY_EVENT) -> Response:
    """At once, signed, whatever the endpoint asks for and also while it is paused; what came of it is the answer.

    It is tried once, and no delivery is made of it. The event has the `seq` 0, which no change has.
    """
    desk = desk_of(request)
    with desk.engine.connect() as connection:
        endpoint = get_endpoint(connection, owner, endpoint_id)
    if not _TESTS_AT_ONCE.acquire(blocking=False):
        raise UnavailableError("Too many endpoints are being tested at the moment.")
    try:
        return JsonAnswer(send_test(endpoint, wanted.type, desk.settings))
    finally:
        _TESTS_AT_ONCE.release()
