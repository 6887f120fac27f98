"""API keys over HTTP: list, create, revoke. For keys with the scope `admin`."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Body, Depends, Path, Request, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from services.api.dependencies import desk_of
from services.core.domain.errors import ForbiddenError, InvalidBodyError, NotFoundError, UnauthorizedError, UprError
from services.core.runtime.keys import (
    BEARER,
    LONGEST_EXPIRY_DAYS,
    LONGEST_NAME,
    NAME_PATTERN,
    Key,
    KeyStatus,
    Scope,
    create_key,
    key_with,
    list_keys,
    revoke_key,
)
from services.core.runtime.problem_examples import Responses, problems
from services.core.runtime.web import JsonAnswer
from services.core.schemas.models import Public
from services.core.schemas.shapes import moment_text

log = structlog.get_logger(__name__)

router = APIRouter(prefix="/v1/keys", tags=["keys"], dependencies=[Depends(BEARER)])

Admin = Annotated[Key, Depends(key_with(Scope.ADMIN))]
KeyId = Annotated[
    str,
    Path(description="Id of the key, as the list shows it.", json_schema_extra={"pattern": "^key_[0-9A-Za-z]{12}$"}),
]


def _whole(value: Any) -> Any:
    """365.0 is a whole number in JSON, and an integer to JSON Schema."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


class NewKey(BaseModel):
    """What a key is asked for with."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Annotated[str, StringConstraints(pattern=NAME_PATTERN, max_length=LONGEST_NAME)] = Field(
        description="What the key is for, or whose it is.", examples=["The ministry's tracking system"]
    )
    scopes: list[Annotated[Scope, Field(strict=False)]] = Field(
        min_length=1, max_length=len(Scope), description="What it allows; `admin` allows everything."
    )
    expires_days: Annotated[int, BeforeValidator(_whole)] | None = Field(
        default=None, ge=1, le=LONGEST_EXPIRY_DAYS, description="Days that it holds. Null: until it is revoked."
    )


class ApiKey(Public):
    """A key without its secret, which nobody can find out again."""

    id: str = Field(examples=["key_4fQ8sZ1mN0cR"])
    name: str
    scopes: list[Scope]
    status: KeyStatus
    created_at: datetime
    expires_at: datetime | None = Field(description="Null: it holds until it is revoked.")
    revoked_at: datetime | None
    last_used_at: datetime | None = Field(description="To within five minutes; null where nobody has used it.")


class CreatedKey(ApiKey):
    """A new key with its text, which is shown this once."""

    key: str = Field(
        description="Send it as `Authorization: Bearer upr_…`. Keep it: it cannot be shown again.",
        examples=["upr_4fQ8sZ1mN0cR_…"],
    )


class ApiKeyList(Public):
    """All keys, oldest first."""

    data: list[ApiKey]
    total: int


_EXAMPLES: dict[str, Any] = {
    "webhooks": {
        "summary": "A key for somebody's webhooks, for a year",
        "value": {"name": "The ministry's tracking system", "scopes": ["webhooks:write"], "expires_days": 365},
    }
}


def _problems(*errors: UprError) -> Responses:
    return problems(
        UnauthorizedError("This needs an API key: send the header `Authorization: Bearer upr_…`."),
        ForbiddenError("The API key does not have the scope admin.", scope="admin"),
        *errors,
    )


@router.get(
    "", operation_id="list_keys", summary="List API keys", responses={200: {"model": ApiKeyList}, **_problems()}
)
def list_all(request: Request, admin: Admin) -> Response:  # noqa: ARG001 - who may
    """All of them, also those that hold no longer, without their secrets."""
    with desk_of(request).engine.connect() as connection:
        found = list_keys(connection)
    return JsonAnswer({"data": [_shape(key) for key in found], "total": len(found)})


@router.post(
    "",
    status_code=201,
    operation_id="create_key",
    summary="Create an API key",
    responses={
        201: {"model": CreatedKey, "description": "The key, this once with its text."},
        **_problems(
            InvalidBodyError("#/scopes: at least one.", errors=[{"pointer": "#/scopes", "detail": "at least one"}])
        ),
    },
)
def create(request: Request, admin: Admin, wanted: Annotated[NewKey, Body(openapi_examples=_EXAMPLES)]) -> Response:
    """The answer holds the key's text, this once: we keep a hash of it alone."""
    expires_at = datetime.now(UTC) + timedelta(days=wanted.expires_days) if wanted.expires_days else None
    with desk_of(request).engine.begin() as connection:
        key, text = create_key(connection, name=wanted.name, scopes=wanted.scopes, expires_at=expires_at)
    log.info("key created", key=key.id, scopes=key.scopes, by=admin.id)
    return JsonAnswer({**_shape(key), "key": text}, status_code=201, headers={"Cache-Control": "no-store"})


@router.delete(
    "/{key_id}",
    status_code=204,
    operation_id="revoke_key",
    summary="Revoke an API key",
    responses={
        204: {"description": "It holds no longer, or did not before."},
        **_problems(NotFoundError("There is no key key_000000000000.")),
    },
)
def revoke(request: Request, admin: Admin, key_id: KeyId) -> Response:
    """From now on and for good. It stays in the list. Its webhook endpoints go on until an admin deletes them."""
    with desk_of(request).engine.begin() as connection:
        key = revoke_key(connection, key_id)
    if key is None:
        raise NotFoundError(f"There is no key {key_id[:60]}.")
    log.info("key revoked", key=key.id, by=admin.id)
    return Response(status_code=204)


def _shape(key: Key) -> dict[str, Any]:
    moments = {name: getattr(key, name) for name in ("created_at", "expires_at", "revoked_at", "last_used_at")}
    return {
        "id": key.id,
        "name": key.name,
        "scopes": key.scopes,
        "status": key.status(datetime.now(UTC)),
        **{name: moment_text(moment) if moment else None for name, moment in moments.items()},
    }
