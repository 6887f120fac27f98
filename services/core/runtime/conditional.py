"""Answers that need not be sent again: entity tags, `If-None-Match`, `If-Modified-Since` (RFC 9110, 8.8 and 13).

A route works out the `Version` of its answer from what is cheap to know (a revision, the newest change), before it
works out the answer. If the reader holds that version, `unchanged` is all there is to send.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime

from fastapi import Request, Response

from services import __version__

CACHE_CONTROL = "public, no-cache"
"""Whoever likes may keep an answer, and asks before showing it again whether it still holds: that costs little."""

_TAG = re.compile(r'(?:W/)?"([^"]*)"')
_CODING = re.compile(r"-(?:gzip|br|zstd)$")


@dataclass(frozen=True)
class Version:
    """What tells two answers to the same request apart. `tag` is the entity tag without its quotes.

    `weak`: the answers mean the same and need not be the same to the byte (they tell how long they took).
    """

    tag: str
    modified: datetime | None = None
    weak: bool = False

    def headers(self) -> dict[str, str]:
        """The headers that the answer and a 304 carry."""
        headers = {"ETag": f'{"W/" if self.weak else ""}"{self.tag}"', "Cache-Control": CACHE_CONTROL}
        if self.modified is not None and self._is_over():
            headers["Last-Modified"] = format_datetime(
                self.modified.astimezone(UTC).replace(microsecond=0), usegmt=True
            )
        return headers

    def _is_over(self) -> bool:
        """Whether the second in which it was made has passed: until then another version could bear its date."""
        assert self.modified is not None
        return datetime.now(UTC) - self.modified >= timedelta(seconds=1)


def version_of(request: Request, *parts: object, modified: datetime | None = None, weak: bool = False) -> Version:
    """The version of the answer to this request, whose content follows from these parts.

    The version of OpenUPR is one of them, as are the address and the headers that choose a language or a format.
    """
    asked = (request.url.path, request.url.query, *(request.headers.get(name, "") for name in CHOOSING_HEADERS))
    # The moment, because numbers of changes are given anew after the store was brought back to an earlier state.
    text = "\0".join(map(str, (__version__, *asked, *parts, modified)))
    return Version(hashlib.sha256(text.encode()).hexdigest()[:20], modified, weak)


CHOOSING_HEADERS = ("accept", "accept-language")
"""Request headers by which answers differ, besides the content coding; `Vary` names them."""


def is_conditional(request: Request) -> bool:
    """Whether the reader may hold an answer already: then it is worth its own query to ask for the version first."""
    return "if-none-match" in request.headers or "if-modified-since" in request.headers


def unchanged(request: Request, version: Version) -> Response | None:
    """304 where the reader holds this version; None where the answer has to be made."""
    tags = request.headers.getlist("if-none-match")
    if tags:  # then the date does not count (RFC 9110, 13.1.3)
        return _not_modified(version, ", ".join(tags)) if _holds(", ".join(tags), version) else None
    since = _moment(request.headers.get("if-modified-since"))
    if since is None or version.modified is None or not version.headers().get("Last-Modified"):
        return None
    return _not_modified(version) if version.modified.replace(microsecond=0) <= since else None


def with_coding(tag: str, coding: str) -> str:
    """A strong tag's form for a compressed answer: other bytes are another representation (RFC 9110, 8.8.3.3)."""
    return tag if tag.startswith("W/") else f'{tag[:-1]}-{coding}"'


def _holds(tags: str, version: Version) -> bool:
    return tags.strip() == "*" or any(_CODING.sub("", found) == version.tag for found in _TAG.findall(tags))


def _not_modified(version: Version, tags: str = "") -> Response:
    headers = version.headers()
    # The tag of the very bytes that the reader holds, compressed or not.
    held = next((tag for tag in _TAG.findall(tags) if _CODING.sub("", tag) == version.tag), None)
    if held and not version.weak:
        headers["ETag"] = f'"{held}"'
    return Response(status_code=304, headers=headers)


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None  # an invalid date is as none (RFC 9110, 13.1.3)
    return moment if moment.tzinfo else None
