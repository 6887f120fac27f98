"""Kinds of events: `/v1/event-types`."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from services.api.dependencies import desk_of
from services.api.event_types import EventTypeList, EventTypeWithSchema, body_schema, event_type
from services.core.domain.changes import EVENT_TYPES
from services.core.domain.errors import NotFoundError
from services.core.runtime.problem_examples import problems
from services.core.runtime.web import JsonAnswer

Name = Annotated[
    str, Path(description="Type of a change, as events have it.", json_schema_extra={"pattern": r"^[a-z]+\.[a-z_]+$"})
]
router = APIRouter(prefix="/v1/event-types", tags=["changes"])


@router.get(
    "",
    operation_id="list_event_types",
    summary="List the types of events",
    responses={200: {"model": EventTypeList}},
)
def list_all(request: Request) -> Response:
    """Each with a sample, as a webhook carries it. More may come: ignore types that you do not know."""
    url = desk_of(request).settings.public_url
    return JsonAnswer({"data": [event_type(name, url) for name in EVENT_TYPES], "total": len(EVENT_TYPES)})


@router.get(
    "/{name}",
    operation_id="get_event_type",
    summary="Get one type of event",
    responses={200: {"model": EventTypeWithSchema}, **problems(NotFoundError("There is no event type x."))},
)
def get_one(request: Request, name: Name) -> Response:
    """With the JSON Schema of the body."""
    if name not in EVENT_TYPES:
        raise NotFoundError(f"There is no event type {name[:60]}; /v1/event-types lists them.")
    return JsonAnswer({**event_type(name, desk_of(request).settings.public_url), "json_schema": body_schema(name)})
