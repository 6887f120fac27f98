"""The fields of UHRI's rows: lists with dashes before their values, names run together, numbers inside texts."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from services.core.domain.documents import read_symbol
from services.core.domain.reviews import cycle_of_session
from services.ingest.datasets.base import Notes, RowLabel
from services.ingest.datasets.cleaning import clean
from services.ingest.normalise.attributions import find_attributions
from services.ingest.normalise.states import resolve_state
from services.ingest.parsers.council_sessions import cycle_adopted_at, session_adopted_at

_LINES = re.compile(r"(?:\r\n|\r|\n|\\n|<br\s*/?>)+", re.IGNORECASE)
_DASH = re.compile(r"^\s*[-–•]\s+")
_RUN_TOGETHER = re.compile(r"(?<=[a-zà-ÿ)])(?=[A-ZÀ-Þ])")
_SDG = re.compile(r"^(?P<goal>\d{1,2})(?P<target>\.(?:\d{1,2}|[a-f]))?\s*(?:[-–:]\s*(?P<name>.*))?$", re.IGNORECASE)
_ORDINAL = re.compile(r"^(\d{1,3})(?:\.0)?(?:st|nd|rd|th|[ªº]|e|er)?\b", re.IGNORECASE)
_CYCLE = re.compile(r"\b(?:cycle|ciclo)\D{0,3}(\d)\b|\b(\d)(?:st|nd|rd|th)? cycle\b", re.IGNORECASE)
_NUMBERED_THEME = re.compile(r"(?:^|(?<=\s))(\d{1,2}(?:\.\d{1,2})?)\.\s+(?=\D)")
_LOST_LINE = re.compile(r"(?<=\w)-\s+")
_LAST_GOAL, _LAST_CYCLE = 17, 9


def values(cell: object) -> list[str]:
    """The values of a list, a cell or nothing: one a line, without the dash before each."""
    if cell is None:
        return []
    entries = cell if isinstance(cell, list) else [cell]
    return [value for entry in entries if entry is not None for value in _lines(str(entry))]


@lru_cache(maxsize=16384)
def _lines(entry: str) -> tuple[str, ...]:
    """The values of one entry. Kept for a while: an export has some thousand different ones."""
    return tuple(value for line in _LINES.split(entry) if (value := clean(_DASH.sub("", line))))


def first(cell: object) -> str:
    """The first value, or nothing."""
    return next(iter(values(cell)), "")


@dataclass(frozen=True, slots=True)
class Named:
    """States that a field names, and the names that are no State we know."""

    states: tuple[str, ...]
    unknown: tuple[str, ...] = ()


def named_states(cell: object) -> Named:
    """The States of a field. A dash inside a name (Timor-Leste) never parts it; it may stand between two names."""
    states: dict[str, None] = {}
    unknown = []
    for value in values(cell):
        found = _states(value)
        states |= dict.fromkeys(found)
        if not found:
            unknown.append(value)
    return Named(tuple(states), tuple(unknown))


@lru_cache(maxsize=4096)
def _states(value: str) -> tuple[str, ...]:
    """The State that a value names; or several that lost what stood between them, if every piece is a State."""
    whole = resolve_state(value)
    if whole:
        return (whole,)
    for pieces in (re.split(r"\s+-\s+", value), value.split(";"), _RUN_TOGETHER.split(value), value.split(",")):
        codes = [resolve_state(piece) for piece in pieces]
        if len(codes) > 1 and all(codes):
            return tuple(dict.fromkeys(code for code in codes if code))
    return ()


@dataclass(frozen=True, slots=True)
class Place:
    """A text and what stood around it: its number in the report, the paragraph, and who recommended."""

    text: str
    number: str | None = None
    paragraph: str | None = None
    states: tuple[str, ...] = ()


_NUMBERED = (
    re.compile(
        r"^Recommendation\s+No\.?\s*(?P<item>\d{1,3})\s*,\s*para(?:graph)?\.?\s*(?P<paragraph>\d{1,3})\s*:\s*"
        r"(?:(?P=item)\s*\.\s*)?",
        re.IGNORECASE,
    ),
    re.compile(
        r"^Recommendations?\s+contained\s+in\s+para(?:graph)?s?\.?\s*(?P<paragraph>\d{1,3}\s*(?:\([a-z]\))?)\s*:\s*",
        re.IGNORECASE,
    ),
    re.compile(r"^(?P<paragraph>\d{1,3})\.(?P<item>\d{1,3})(?!\d)\s*\.?\s*"),
    re.compile(r"^(?P<paragraph>\d{1,3})\s*\.\s*(?=[^\d\s])"),
)


def place_of(text: str) -> Place:
    """Take a recommendation's number and attribution off its cleaned text.

    `50.1 …` and `Recommendation No. 41, para. 81: 41. …` tell the number; `67. …` tells a paragraph or an item, nobody
    knows which, and `Recommendations contained in para. 79(a): …` a paragraph.
    """
    number = paragraph = None
    for form in _NUMBERED:
        found = form.match(text)
        if found is None or found.end() == len(text):
            continue
        groups = found.groupdict()
        paragraph = re.sub(r"\s+", "", groups["paragraph"])
        number = f"{paragraph}.{groups['item']}" if groups.get("item") else None
        text = text[found.end() :]
        break
    bare, states = _without_attribution(text)
    return Place(bare, number, paragraph, states)


def _without_attribution(text: str) -> tuple[str, tuple[str, ...]]:
    """The text before the attributions that close it, and their States."""
    end = len(text)
    states: list[tuple[str, ...]] = []
    for attribution in reversed(find_attributions(text)):
        if text[attribution.end : end].strip(" ;,.:&*") not in ("", "and"):
            break
        states.insert(0, attribution.states)
        end = attribution.start
    if not states or not text[:end].strip(" ;,.:"):
        return text.rstrip(" ;,"), ()
    return text[:end].rstrip(" ;,"), tuple(dict.fromkeys(state for several in states for state in several))


def sdg_labels(cell: object, notes: Notes) -> Iterator[RowLabel]:
    """Goals and targets: `16.2 - Protect children …` is a target, and its goal is one as well."""
    for value in values(cell):
        found = _SDG.match(value)
        if found is None or not 1 <= int(found["goal"]) <= _LAST_GOAL:
            notes.remarks.warn("unknown_label", f"SDG {value[:100]!r}")
            continue
        goal, name = str(int(found["goal"])), found["name"] or value
        if found["target"]:
            yield ("sdg-target", name, f"{goal}{found['target'].lower()}")
            yield ("sdg", goal, goal)
        else:
            yield ("sdg", name, goal)


def theme_labels(cell: object) -> Iterator[RowLabel]:
    """Themes. Those of the first generation bear numbers (`12.4. Death penalty`), and may have run together."""
    for value in values(cell):
        numbered = list(_NUMBERED_THEME.finditer(value))
        if not numbered or numbered[0].start() > 0:
            yield ("ohchr-theme", value, None)
            continue
        ends = [*(each.start() for each in numbered[1:]), len(value)]
        for each, end in zip(numbered, ends, strict=True):
            yield ("ohchr-theme", value[each.end() : end].strip(), each[1])


def group_labels(cell: object) -> Iterator[RowLabel]:
    """Groups of persons; `general- women` are two that lost the end of a line between them."""
    for value in values(cell):
        for group in _LOST_LINE.split(value):
            yield ("group", group, None)


@dataclass(frozen=True, slots=True)
class When:
    """The cycle of a review, and its Working Group session where the row tells."""

    cycle: int
    session: int | None = None


@lru_cache(maxsize=2048)
def when_of(said: str, cycle_said: str, symbol: str) -> When | None:
    """Cycle and session from the session's field, the cycle's and the report's symbol; None where nothing tells.

    In `28th Session - Cycle 2` of A/HRC/28/16 the session is the Council's, which adopted the outcome of the Working
    Group's 20th session; a bare `20` is the Working Group's.
    """
    cycle = _cycle(said) or _cycle(f"cycle {cycle_said}")
    ordinal = _ORDINAL.match(said)
    named = int(ordinal[1]) if ordinal else None
    council = read_symbol(symbol).council_session if symbol else None
    if named is not None and named != council and _cycle_or_none(named) in (cycle or _cycle_or_none(named), None):
        session_cycle = _cycle_or_none(named)
        if session_cycle is not None:
            return When(session_cycle, named)
    council = council if council is not None else named
    told = cycle_adopted_at(council) if council is not None else None
    cycle = cycle or told
    if cycle is None:
        return None
    return When(cycle, session_adopted_at(council) if council is not None and told == cycle else None)


def _cycle(text: str) -> int | None:
    found = _CYCLE.search(text)
    cycle = int(found[1] or found[2]) if found else 0
    return cycle if 1 <= cycle <= _LAST_CYCLE else None


def _cycle_or_none(session: int) -> int | None:
    try:
        return cycle_of_session(session)
    except ValueError:
        return None


@cache
def facts() -> dict[str, Any]:
    """`uhri.toml`."""
    return tomllib.loads((files("services.ingest.datasets") / "uhri.toml").read_text(encoding="utf-8"))
