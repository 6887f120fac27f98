"""What UPR Info's exports have in common: one row a recommending State, coded by hand.

Answers are `Accepted` and `Noted` (what was accepted in part is noted, or split into two rows), and `Voluntary Pledge`
marks what the State promised. `upr_info.toml` holds the words.
"""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from services.core.domain.reviews import cycle_of_session
from services.ingest.datasets.base import KeptOut, Notes, ReviewRow, Row, RowLabel
from services.ingest.datasets.cleaning import clean
from services.ingest.normalise.states import resolve_state
from services.ingest.reading import ReadIssue

NAME = "upr_info"
TITLE = "UPR Info's database"
ISSUE_SCHEME = "upr-info-issue"
ACTION_SCHEME = "action"


@dataclass(frozen=True, slots=True)
class Told:
    """A row in the words of the database, cleaned."""

    to: str
    text: str
    by: tuple[str, ...]
    response: str
    action: str
    issues: tuple[str, ...]
    session: str
    external_id: str | None = None
    language: str = "en"
    changed: str | None = None


def row_of(told: Told, notes: Notes) -> Row:
    """What a row says, or why nothing of it is kept: an unknown State or session is never guessed."""
    state, session = state_named(told.to), _session(told.session)
    if not told.text:
        return _out("empty_row", "a row has no text")
    if state is None:
        return _out("unknown_state", f"State under review {told.to!r}")
    if session is None:
        return _out("unknown_session", f"session {told.session!r}")
    is_pledge = told.response.lower() in _words("pledge")
    answer = _facts()["responses"].get(told.response.lower())
    if answer is None and not is_pledge:
        return _out("unknown_response", f"response {told.response!r}")
    by: tuple[str, ...] = ()
    if not is_pledge:
        known = _recommending(told.by, notes)
        if known is None:
            return _out("unknown_state", f"recommending State {', '.join(told.by)!r}")
        by = known
    return ReviewRow(
        state=state,
        session=session[0],
        cycle=session[1],
        text=told.text,
        states=by,
        position=answer["position"] if answer else None,
        position_detail=answer.get("detail") if answer else None,
        position_phrase=told.response if answer else None,
        labels=tuple(_labels(told, notes)),
        external_id=told.external_id,
        language=told.language,
        is_pledge=is_pledge,
        changed=told.changed,
    )


@lru_cache(maxsize=1024)
def state_named(name: str) -> str | None:
    """The code of a State as this database names it."""
    return _facts()["states"].get(name) or resolve_state(name)


def _recommending(names: Iterable[str], notes: Notes) -> tuple[str, ...] | None:
    """The recommending States; none where the database says that it does not know; None where we do not know one."""
    codes: dict[str, None] = {}
    for name in names:
        if name.lower() in _words("unknown_state"):
            notes.remarks.add(ReadIssue("info", "recommending_state_not_told", f"the row says {name!r}"))
            continue
        code = state_named(name)
        if code is None:
            return None
        codes[code] = None
    return tuple(codes)


@lru_cache(maxsize=256)
def _session(text: str) -> tuple[int, int] | None:
    """Session and cycle of "14" or "44 - November 2023"."""
    number = text.partition("-")[0].strip()
    try:
        return int(number), cycle_of_session(int(number))
    except ValueError:
        return None


def _labels(told: Told, notes: Notes) -> Iterable[RowLabel]:
    for issue in dict.fromkeys(told.issues):
        yield (ISSUE_SCHEME, issue, None)
    code = told.action.partition("-")[0].strip()
    if code in _facts()["actions"]:
        yield (ACTION_SCHEME, _facts()["actions"][code], code)
    elif told.action:
        notes.remarks.warn("unknown_label", f"action category {told.action!r}")


def _out(code: str, detail: str) -> KeptOut:
    return KeptOut(ReadIssue("warning", code, clean(detail)[:300]))


@cache
def _facts() -> dict[str, Any]:
    return tomllib.loads((files("services.ingest.datasets") / "upr_info.toml").read_text(encoding="utf-8"))


@cache
def _words(name: str) -> frozenset[str]:
    return frozenset(word.lower() for word in _facts()[name])
