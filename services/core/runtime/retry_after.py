"""Retry-After: when a server says it wants to be asked again."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

_MOST_DIGITS = 9
"""Of a Retry-After in seconds: thirty years, and no number that would be slow to read."""


def asked_wait(retry_after: str, *, now: datetime) -> timedelta | None:
    """What a Retry-After header asks for (RFC 9110, section 10.2.3); None where it cannot be read."""
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return timedelta(seconds=int(text[:_MOST_DIGITS] if len(text) <= _MOST_DIGITS else "9" * _MOST_DIGITS))
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment - now
