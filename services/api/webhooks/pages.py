"""Pages of the lists below an endpoint, the newest first: they go by a number that only grows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from sqlalchemy import RowMapping

from services.api.parameters import MAX_SEQ
from services.core.domain.errors import InvalidCursorError
from services.core.store.paging import read_cursor, write_cursor

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class LogPage(Generic[T]):
    """Some rows of a list. `next_cursor` is None on the last page."""

    rows: Sequence[T]
    next_cursor: str | None


def page_of(rows: Sequence[RowMapping], limit: int, binding: str, *, by: str) -> LogPage[RowMapping]:
    """What to show of `limit` and one more rows; they are ordered by the column `by`."""
    shown = rows[:limit]
    return LogPage(shown, write_cursor(binding, "", str(shown[-1][by])) if len(rows) > limit else None)


def number_in_cursor(cursor: str, binding: str) -> int:
    """The number of the last row that was shown. Raises `InvalidCursorError`."""
    _, text = read_cursor(cursor, binding)
    if not (text.isascii() and text.isdigit() and int(text[:20]) <= MAX_SEQ):
        raise InvalidCursorError("The cursor is not one that this list gave out.", parameter="cursor")
    return int(text)
