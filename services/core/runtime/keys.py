"""API keys: who may do more than read.

A key reads `upr_{id}_{secret}{checksum}`. It is shown once; we keep its SHA-256 alone, which is enough for a secret of
190 random bits. The id finds the row; the checksum lets a mistyped key, or a search for leaked ones, be told without
asking the database.
"""

import binascii
import contextlib
import hashlib
import hmac
import re
import secrets
import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Literal

from fastapi import Depends, Request
from fastapi.security import HTTPBearer
from sqlalchemy import Connection, Engine, Row, func, insert, select, update
from starlette.concurrency import run_in_threadpool

from services.core.domain.errors import ForbiddenError, UnauthorizedError
from services.core.store.keys import api_keys_table

_ALPHABET = string.digits + string.ascii_letters
_ID_LENGTH, _SECRET_LENGTH, _CHECKSUM_LENGTH = 12, 32, 6
_KEY = re.compile(r"(?P<signed>upr_(?P<id>[0-9A-Za-z]{12})_[0-9A-Za-z]{32})(?P<checksum>[0-9A-Za-z]{6})")
_BEARER = re.compile(r"bearer +(\S+)", re.IGNORECASE)
_NOBODYS_HASH = bytes(32)
_USE_IS_TOLD_EVERY = timedelta(minutes=5)
"""How old the last use on record may be: to write each one down would cost more than to answer."""

LONGEST_NAME = 100
LONGEST_EXPIRY_DAYS = 36_500
NAME_PATTERN = r"^[^\x00-\x20\x7f-\xa0][^\x00-\x1f\x7f-\x9f]*$"
"""Names begin with a visible character and hold nothing that moves a terminal's cursor."""

KeyStatus = Literal["valid", "expired", "revoked"]

BEARER = HTTPBearer(
    auto_error=False,
    scheme_name="api_key",
    bearerFormat="upr_…",
    description="`Authorization: Bearer upr_…`. Keys are made by the operator, `upr keys create`, or under `/v1/keys`.",
)
"""Describes the keys in the OpenAPI document; `require_key` reads them."""


class Scope(StrEnum):
    """What a key allows. `admin` allows everything, also with what belongs to other keys."""

    WEBHOOKS_WRITE = "webhooks:write"
    INGEST_WRITE = "ingest:write"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Key:
    """A key as the store knows it, without its secret."""

    id: str
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None

    def allows(self, scope: Scope) -> bool:
        """Whether the key has the scope, or all of them."""
        return scope in self.scopes or Scope.ADMIN in self.scopes

    def status(self, now: datetime) -> KeyStatus:
        """Whether it holds at a moment."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "valid"


def create_key(
    connection: Connection, *, name: str, scopes: Sequence[Scope], expires_at: datetime | None = None
) -> tuple[Key, str]:
    """Make and store a key. Answers it with its text, which nobody can find out again."""
    identifier = _random_text(_ID_LENGTH)
    signed = f"upr_{identifier}_{_random_text(_SECRET_LENGTH)}"
    text = signed + _checksum(signed)
    values = {
        "id": f"key_{identifier}",
        "name": name,
        "hash": _hash(text),
        "scopes": sorted(set(map(str, scopes))),
        "expires_at": expires_at,
    }
    row = connection.execute(insert(api_keys_table).values(values).returning(api_keys_table)).one()
    return _from_row(row), text


def list_keys(connection: Connection) -> list[Key]:
    """All keys, oldest first."""
    columns = api_keys_table.c
    rows = connection.execute(select(api_keys_table).order_by(columns.created_at, columns.id))
    return [_from_row(row) for row in rows]


def revoke_key(connection: Connection, key_id: str) -> Key | None:
    """Let a key hold no longer; None where there is none with this id. A second time changes nothing."""
    columns = api_keys_table.c
    moved = update(api_keys_table).where(columns.id == key_id)
    row = connection.execute(
        moved.values(revoked_at=func.coalesce(columns.revoked_at, func.now())).returning(api_keys_table)
    ).one_or_none()
    return None if row is None else _from_row(row)


def find_key(connection: Connection, text: str) -> Key | None:
    """The key that reads so, valid or not; None where there is none. A wrong secret takes as long as a right one."""
    match = _KEY.fullmatch(text)
    if match is None or not hmac.compare_digest(_checksum(match["signed"]), match["checksum"]):
        return None
    row = connection.execute(select(api_keys_table).where(api_keys_table.c.id == f"key_{match['id']}")).one_or_none()
    same = hmac.compare_digest(_NOBODYS_HASH if row is None else row.hash, _hash(text))
    return _from_row(row) if row is not None and same else None


def require_key(request: Request, scope: Scope) -> Key:
    """The key that a request carries.

    Raises `UnauthorizedError` where there is no valid one, `ForbiddenError` where it does not have the scope.
    """
    key = _valid_key(request)
    if not key.allows(scope):
        raise ForbiddenError(f"The API key does not have the scope {scope}.", scope=str(scope))
    return key


def _valid_key(request: Request) -> Key:
    header = request.headers.get("authorization")
    if header is None:
        raise UnauthorizedError("This needs an API key: send the header `Authorization: Bearer upr_…`.")
    match = _BEARER.fullmatch(header.strip())
    if match is None:
        raise UnauthorizedError("The Authorization header does not read `Bearer upr_…`.")
    with _engine(request).connect() as connection:
        key = find_key(connection, match[1])
    if key is None:
        raise UnauthorizedError("The API key is not known.")
    now = datetime.now(UTC)
    status = key.status(now)
    if status != "valid":
        raise UnauthorizedError(f"The API key {'was revoked' if status == 'revoked' else 'has expired'}.")
    request.app.rate_limits.recognise(header, key.id)
    if key.last_used_at is None or now - key.last_used_at >= _USE_IS_TOLD_EVERY:
        _remember_use(_engine(request), key)
    return key


def _engine(request: Request) -> Engine:
    """Each service that takes keys has its connections to the database at `app.state.engine`."""
    engine: Engine = request.app.state.engine
    return engine


def _remember_use(engine: Engine, key: Key) -> None:
    with engine.begin() as connection:
        connection.execute(update(api_keys_table).where(api_keys_table.c.id == key.id).values(last_used_at=func.now()))


async def recognise_key(request: Request) -> None:
    """Let whoever reads with a valid key have the key's rate limit. Who reads with another one reads like anybody."""
    if "authorization" in request.headers:
        with contextlib.suppress(UnauthorizedError):
            await run_in_threadpool(_valid_key, request)


def key_with(scope: Scope) -> Callable[[Request], Key]:
    """`require_key` as a dependency of a route: it is asked before the body is looked at."""

    def required_key(request: Request) -> Key:
        return require_key(request, scope)

    return required_key


Owner = Annotated[Key, Depends(key_with(Scope.WEBHOOKS_WRITE))]
"""The key that endpoints and saved searches belong to."""


def _random_text(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _checksum(signed: str) -> str:
    """CRC-32 in base 62."""
    number = binascii.crc32(signed.encode())
    digits = ""
    for _ in range(_CHECKSUM_LENGTH):
        number, digit = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _from_row(row: Row[tuple[object, ...]]) -> Key:
    values = dict(row._mapping)
    del values["hash"]
    return Key(**{**values, "scopes": tuple(values["scopes"])})
