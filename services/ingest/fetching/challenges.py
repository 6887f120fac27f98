"""Bot walls and login pages: answers that are no answers. They are recognised to be respected, never to be passed."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PAGE_START = 65_536
"""Bytes of a page that are looked at."""

_FILE = Path(__file__).with_name("challenges.toml")
_PASSWORD_FIELD = re.compile(rb"<input\b[^>]{0,400}\btype\s*=\s*[\"']?password\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Mark:
    """One way in which a wall shows. Where a header and words are told, both must be there."""

    wall: str
    header: str | None = None
    value: str = ""
    body: str | None = None


def wall_of(headers: Mapping[str, str], page: bytes = b"") -> str | None:
    """The bot wall that an answer is of, by its headers and the start of the page; None for all other answers."""
    words = page[:PAGE_START].lower().decode("latin-1")
    return next((mark.wall for mark in _marks() if _shows(mark, headers, words)), None)


def asks_for_password(page: bytes) -> bool:
    """Whether a web page is there to log in."""
    return _PASSWORD_FIELD.search(page[:PAGE_START]) is not None


def _shows(mark: Mark, headers: Mapping[str, str], words: str) -> bool:
    if mark.header is not None and (mark.header not in headers or mark.value not in headers[mark.header]):
        return False
    return mark.body is None or mark.body in words


@cache
def _marks() -> tuple[Mark, ...]:
    facts = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return tuple(
        Mark(entry["wall"], entry.get("header"), entry.get("value", ""), entry.get("body")) for entry in facts["marks"]
    )
