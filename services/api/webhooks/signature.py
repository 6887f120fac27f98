"""Signatures of webhooks by the Standard Webhooks specification, version 1.0.0 (github.com/standard-webhooks).

A receiver computes the HMAC-SHA256 of `{webhook-id}.{webhook-timestamp}.{body}` with its secret and compares it with
those in the `webhook-signature` header. There are several while an old secret still holds beside a new one.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime

SECRET_PREFIX = "whsec_"  # noqa: S105 - the public mark of every secret
SHORTEST_KEY, LONGEST_KEY = 24, 64
"""Bytes of a key that the specification allows."""
NEW_KEY = 32
"""Bytes of the keys that we make: as long as the output of SHA-256."""


def new_secret() -> str:
    """A fresh random secret, `whsec_` and base64."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(NEW_KEY)).decode()


def key_of_secret(secret: str) -> bytes:
    """The bytes that a secret stands for. Raises `ValueError` (which never repeats it) where it is not one."""
    if not secret.startswith(SECRET_PREFIX):
        raise ValueError(f"a webhook secret starts with {SECRET_PREFIX}")
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except ValueError:
        raise ValueError("a webhook secret is base64 after its prefix") from None
    if not SHORTEST_KEY <= len(key) <= LONGEST_KEY:
        raise ValueError(f"a webhook secret has {SHORTEST_KEY} to {LONGEST_KEY} bytes")
    return key


def signed_headers(
    *, message_id: str, signed_at: datetime, body: bytes, secrets_in_force: Sequence[str]
) -> dict[str, str]:
    """The three headers of one try. `signed_at` is when this try is made; receivers refuse what is minutes old.

    `message_id` stays the same in every try of the same event. Raises `ValueError` without a secret, with one that is
    none, with a time without a zone, or with an id that would make the signed text ambiguous.
    """
    if not secrets_in_force:
        raise ValueError("a webhook is signed with at least one secret")
    if not message_id or "." in message_id or not message_id.isascii() or not message_id.isprintable():
        raise ValueError("a webhook id is printable ASCII without full stops")
    if signed_at.tzinfo is None:
        raise ValueError("the time of a webhook needs a time zone")
    timestamp = str(int(signed_at.timestamp()))
    text = f"{message_id}.{timestamp}.".encode() + body
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(_signature(text, secret) for secret in secrets_in_force),
    }


TOLERANCE_SECONDS = 300
"""How far the time of a webhook may be from ours: the specification's five minutes."""


class WrongSignatureError(ValueError):
    """A webhook that is not from whom it says, or too old to be taken."""


def check_signature(headers: Mapping[str, str], body: bytes, *, secret: str, now: datetime) -> str:
    """What a receiver does. `headers` by lower-case names. Answers the webhook's id; raises `WrongSignatureError`."""
    message_id, timestamp, given = (headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
    if not (message_id and timestamp and given):
        raise WrongSignatureError("it lacks webhook-id, webhook-timestamp or webhook-signature")
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise WrongSignatureError("its timestamp is no number")
    apart = int(timestamp) - now.timestamp()
    if abs(apart) > TOLERANCE_SECONDS:
        raise WrongSignatureError(
            f"its timestamp is {abs(apart):.0f} s {'ahead' if apart > 0 else 'old'}, and {TOLERANCE_SECONDS} are "
            "allowed: it was sent before, or a clock is wrong"
        )
    expected = _signature(f"{message_id}.{timestamp}.".encode() + body, secret).encode()
    if not any(hmac.compare_digest(each.encode(), expected) for each in given.split()):
        raise WrongSignatureError(
            "its signature does not fit: it was made with another secret, or the body was changed on the way"
        )
    return message_id


def _signature(text: bytes, secret: str) -> str:
    digest = hmac.new(key_of_secret(secret), text, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()
