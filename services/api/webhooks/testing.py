"""Sends a sample event to an endpoint, once and at once, so that its owner sees what comes of it."""

import secrets
from datetime import UTC, datetime
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import RowMapping

from services.api.event_types import sample_body
from services.api.settings import ApiSettings
from services.api.webhooks.endpoints import EventType, secrets_in_force
from services.api.webhooks.sender import WebhookSender
from services.api.webhooks.signature import signed_headers
from services.core.schemas.models import Public


class WantedEvent(BaseModel):
    """Which event to send."""

    model_config = ConfigDict(extra="forbid", strict=True)

    type: EventType = Field(default="recommendation.position_changed", description="Its type.")


class EndpointTest(Public):
    """What came of a test."""

    succeeded: bool = Field(description="Whether the receiver answered 2xx in time.")
    outcome: str = Field(description="How it ended.", examples=["success"])
    status: int | None = Field(description="HTTP status of the answer; null where none came.", examples=[204])
    milliseconds: int
    error: str | None = Field(description="What went wrong.")
    answer_start: str = Field(description="The first 2 kB of the answer.")
    event: dict[str, Any] = Field(description="What was posted.")


def send_test(endpoint: RowMapping, event_type: str, settings: ApiSettings) -> dict[str, Any]:
    """Post a sample to an endpoint and tell what came of it. It takes a delivery's deadline at the longest."""
    now = datetime.now(UTC)
    body = sample_body(event_type, settings.public_url, f"evt_{secrets.token_hex(12)}", seq=0)
    encoded = orjson.dumps(body)
    headers = signed_headers(
        message_id=body["data"]["id"], signed_at=now, body=encoded, secrets_in_force=secrets_in_force(endpoint, now)
    )
    result = WebhookSender.from_settings(settings).send(endpoint["url"], encoded, headers)
    return {
        "succeeded": result.succeeded,
        "outcome": str(result.outcome),
        "status": result.status,
        "milliseconds": result.milliseconds,
        "error": result.error,
        "answer_start": result.answer_start.decode(errors="replace"),
        "event": body,
    }
