"""Saved searches: create, list, show, change, delete. They belong to the key that made them."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Request, Response
from sqlalchemy import RowMapping

from services.api.dependencies import Desk, desk_of
from services.api.documented import with_key_problems
from services.api.saved_searches import (
    NewSavedSearch,
    SavedSearch,
    SavedSearchChange,
    SavedSearchInUseError,
    SavedSearchList,
    TooManySavedSearchesError,
    change_saved_search,
    create_saved_search,
    delete_saved_search,
    get_saved_search,
    list_saved_searches,
    saved_search_shape,
)
from services.core.domain.errors import InvalidBodyError, NotFoundError
from services.core.runtime.keys import BEARER, Owner
from services.core.runtime.web import JsonAnswer

router = APIRouter(prefix="/v1/saved-searches", tags=["saved searches"], dependencies=[Depends(BEARER)])

_TORTURE: dict[str, Any] = {
    "name": "Torture prevention in Peru",
    "q": 'torture OR "ill-treatment"',
    "type": "recommendations",
    "filters": {"state_under_review": "PER"},
}
Wanted = Annotated[
    NewSavedSearch, Body(openapi_examples={"torture": {"summary": "Words, a type and a filter", "value": _TORTURE}})
]
Change = Annotated[
    SavedSearchChange, Body(openapi_examples={"words": {"summary": "Other words", "value": {"q": "torture"}}})
]


@router.post(
    "",
    status_code=201,
    operation_id="create_saved_search",
    summary="Save a search",
    responses={201: {"model": SavedSearch}, **with_key_problems(TooManySavedSearchesError, InvalidBodyError)},
)
def create(request: Request, owner: Owner, wanted: Wanted) -> Response:
    """To be followed in the feed (`saved_search`) and by webhook endpoints."""
    desk = desk_of(request)
    vocabulary = desk.reference.get().vocabulary
    with desk.engine.begin() as connection:
        row = create_saved_search(connection, owner, wanted, vocabulary)
    shape = _shape(desk, row)
    return JsonAnswer(shape, status_code=201, headers={"Location": f"/v1/saved-searches/{shape['id']}"})


@router.get(
    "",
    operation_id="list_saved_searches",
    summary="List saved searches",
    responses={200: {"model": SavedSearchList}, **with_key_problems()},
)
def list_all(request: Request, owner: Owner) -> Response:
    """Those of the key, oldest first; for a key with the scope `admin` those of all keys."""
    desk = desk_of(request)
    with desk.engine.connect() as connection:
        rows = list_saved_searches(connection, owner)
    return JsonAnswer({"data": [_shape(desk, row) for row in rows], "total": len(rows)})


@router.get(
    "/{search_id}",
    operation_id="get_saved_search",
    summary="Get one saved search",
    responses={200: {"model": SavedSearch}, **with_key_problems(NotFoundError)},
)
def get_one(request: Request, owner: Owner, search_id: str) -> Response:
    """With how its words are understood."""
    desk = desk_of(request)
    with desk.engine.connect() as connection:
        row = get_saved_search(connection, owner, search_id)
    return JsonAnswer(_shape(desk, row))


@router.patch(
    "/{search_id}",
    operation_id="change_saved_search",
    summary="Change a saved search",
    responses={200: {"model": SavedSearch}, **with_key_problems(NotFoundError, InvalidBodyError)},
)
def change(request: Request, owner: Owner, search_id: str, wanted: Change) -> Response:
    """What is not given stays. Whoever follows it follows the new one from now on."""
    desk = desk_of(request)
    vocabulary = desk.reference.get().vocabulary
    with desk.engine.begin() as connection:
        row = change_saved_search(connection, owner, search_id, wanted, vocabulary)
    return JsonAnswer(_shape(desk, row))


@router.delete(
    "/{search_id}",
    status_code=204,
    operation_id="delete_saved_search",
    summary="Delete a saved search",
    responses={204: {"description": "It is gone."}, **with_key_problems(NotFoundError, SavedSearchInUseError)},
)
def delete(request: Request, owner: Owner, search_id: str) -> Response:
    """Not while webhook endpoints follow it. Feeds that name it answer 400 from now on."""
    with desk_of(request).engine.begin() as connection:
        delete_saved_search(connection, owner, search_id)
    return Response(status_code=204)


def _shape(desk: Desk, row: RowMapping) -> dict[str, Any]:
    return saved_search_shape(row, desk.settings.public_url, desk.reference.get().vocabulary)
