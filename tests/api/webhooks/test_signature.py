import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from services.api.webhooks.signature import key_of_secret, new_secret, signed_headers

BODY = '{"type": "recommendation.position_changed", "data": {"text": "añadir"}}'.encode()


def sign(*secrets: str, body: bytes = BODY, at: datetime | None = None) -> dict[str, str]:
    return signed_headers(message_id="evt_1", signed_at=at or datetime.now(UTC), body=body, secrets_in_force=secrets)


def test_the_reference_library_accepts_our_signature() -> None:
    secret = new_secret()
    assert Webhook(secret).verify(BODY, sign(secret))["data"] == {"text": "añadir"}


def test_the_example_of_the_specification() -> None:
    """The worked example of the specification's reference implementations."""
    headers = signed_headers(
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        signed_at=datetime.fromtimestamp(1614265330, UTC),
        body=b'{"test": 2432232314}',
        secrets_in_force=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_while_secrets_rotate_each_of_them_verifies() -> None:
    old, new = new_secret(), new_secret()
    headers = sign(new, old)
    assert len(headers["webhook-signature"].split(" ")) == 2
    for secret in (old, new):
        Webhook(secret).verify(BODY, headers)


@pytest.mark.parametrize("change", ["body", "id", "time", "secret", "age"])
def test_whatever_is_changed_no_longer_verifies(change: str) -> None:
    secret = new_secret()
    headers = sign(secret, at=datetime.now(UTC) - timedelta(minutes=6) if change == "age" else None)
    body = BODY + b" " if change == "body" else BODY
    if change == "id":
        headers["webhook-id"] = "evt_2"
    if change == "time":
        headers["webhook-timestamp"] = str(int(headers["webhook-timestamp"]) + 1)
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret() if change == "secret" else secret).verify(body, headers)


@settings(max_examples=50, deadline=None)
@given(st.text())
def test_any_body_verifies(text: str) -> None:
    secret = new_secret()
    body = text.encode(errors="ignore")
    Webhook(secret).verify(body, sign(secret, body=body), json_parse=False)


def test_secrets_are_long_random_and_different() -> None:
    secrets = {new_secret() for _ in range(100)}
    assert len(secrets) == 100
    assert {len(key_of_secret(secret)) for secret in secrets} == {32}


@pytest.mark.parametrize("size", [0, 23, 65])
def test_keys_of_a_wrong_length_are_refused_without_being_repeated(size: int) -> None:
    secret = "whsec_" + base64.b64encode(b"k" * size).decode()
    with pytest.raises(ValueError, match="24 to 64") as refusal:
        key_of_secret(secret)
    assert not size or secret not in str(refusal.value)


@pytest.mark.parametrize("secret", ["", "secret", "whsec_***", "whsec_é"])
def test_what_is_no_secret_is_refused(secret: str) -> None:
    with pytest.raises(ValueError, match="webhook secret"):
        key_of_secret(secret)


@pytest.mark.parametrize("message_id", ["", "a.b", "a\nb", "é"])
def test_an_ambiguous_id_is_refused(message_id: str) -> None:
    with pytest.raises(ValueError, match="webhook id"):
        signed_headers(message_id=message_id, signed_at=datetime.now(UTC), body=b"", secrets_in_force=[new_secret()])


def test_a_time_without_a_zone_or_no_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        sign(new_secret(), at=datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(ValueError, match="at least one secret"):
        sign()
