"""Attributions: the States in parentheses that say who made a recommendation."""

import re
from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from services.ingest.normalise.states import known_state, may_open_name, resolve_state

_SEPARATOR = re.compile(r"\s*(?:[,;/&]|\b(?:and|as well as|y|e|et|ainsi que)\b|\s[–—-]\s)\s*", re.IGNORECASE)
_ON_BEHALF = re.compile(r",?\s+(?:also\s+)?(?:speaking\s+)?on behalf of\b.*$", re.IGNORECASE | re.DOTALL)
_BY = re.compile(r"^(?:recommended by|recommended|by|from)\s+", re.IGNORECASE)
_LOOSE_MARK = re.compile(r"(?<=[a-z)])\s?\d{1,2}(?=\s*(?:[,;/)]|$))")
"""A footnote's number inside the parenthesis, printed no smaller than the name: "(Spain 2)"."""

_AND_OTHERS = re.compile(r"[,;]?\s+(?:etc\b\.?|and others|among others)\s*$", re.IGNORECASE)

_LONGEST_JOIN = 4
"""So many pieces one name can have: "Bosnia and Herzegovina", "Iran, Islamic Republic of"."""

_OPEN = "([{"
_BRACKET = re.compile(r"[()\[\]{}]")
_LONGEST = 4000
"""The longest attribution seen names 40 States in 600 characters."""

_LONGEST_UNCLOSED = 300
_CLOSES_UNOPENED = re.compile(r"(?P<words>[^()\[\]]{4,120})[)\]][\s;.,*]*$")
_LOOKS_LIKE_NAME = re.compile(
    r"^(?:the )?[A-Z][a-zà-ÿ]{2,}(?:[ -](?:of|the|and|de|del|la|las|los|y|du|des|et|[A-Z][a-zà-ÿ]+)){0,6}$"
)


@dataclass(frozen=True, slots=True)
class StateList:
    """States named in a list, in printed order without repetition, and the names that are no State we know."""

    states: tuple[str, ...]
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Attribution:
    """A parenthesis that names States only. `start` and `end` are its place in the text, brackets included."""

    start: int
    end: int
    states: tuple[str, ...]


def read_state_list(text: str) -> StateList:
    """Read a list of States: "Iran (Islamic Republic of), Bosnia and Herzegovina and the Holy See"."""
    names = _BY.sub("", _AND_OTHERS.sub("", _ON_BEHALF.sub("", " ".join(text.split()))))
    names = _LOOSE_MARK.sub("", names).strip(" .,;:*")
    whole = known_state(names)
    if whole:
        return StateList((whole,))
    states: dict[str, None] = {}
    unknown = []
    for code, name in _joined(*_pieces(names)):
        if code:
            states[code] = None
        elif name:
            unknown.append(name)
    return StateList(tuple(states), tuple(unknown))


def find_attributions(text: str) -> list[Attribution]:
    """The attributions in `text`, in order. A parenthesis counts only if every part of it is a State."""
    found: list[Attribution] = []
    for start, ends, closed in _parentheses(text):
        if found and start < found[-1].end:
            continue
        for end in ends:
            states = _all_states(text[start + 1 : end - 1]) if end - start <= _LONGEST else ()
            if states:
                found.append(Attribution(start, end, states))
                break
        else:
            if not closed and (unclosed := _unclosed(text, start)):
                found.append(unclosed)
    if unopened := _unopened(text, found[-1].end if found else 0):
        found.append(unopened)
    return found


def _unclosed(text: str, start: int) -> Attribution | None:
    """An attribution whose bracket is never closed: "Ratify CAT (Chile, and the Statute (Peru)"."""
    found: Attribution | None = None
    for comma in islice(re.finditer(r"[,;]|\W*$", text[start + 1 : start + _LONGEST_UNCLOSED]), 9):
        end = start + 1 + comma.start()
        states = _all_states(text[start + 1 : end])
        if not states:
            break
        found = Attribution(start, end, states)
    return found if found and not re.match(r"[,;]\s*(?:the )?[A-Z]", text[found.end :]) else None


def _unopened(text: str, start: int) -> Attribution | None:
    """A State that closes the text with a bracket that was never opened: "Ratify CAT (Chile); Republic of Moldova)"."""
    closing = _CLOSES_UNOPENED.search(text, max(start, len(text) - _LONGEST_UNCLOSED))
    before = text[: closing.end("words")] if closing else ""
    if closing is None or sum(map(before.count, _OPEN)) > sum(map(before.count, ")]}")):
        return None
    for word in re.finditer(r"(?<=[\s;,])(?=[A-Z])", closing["words"]):
        states = _all_states(closing["words"][word.start() :])
        if states:
            return Attribution(closing.start("words") + word.start(), closing.end(), states)
    return None


def misread_attribution(text: str) -> StateList | None:
    """The last parenthesis of `text`, where it closes the text and reads like an attribution with an unknown name.

    None where the parenthesis is something else (`(CRPD)`, `(2009)`) or where there is none.
    """
    closing = re.search(r"[(\[]([^()\[\]]*(?:\([^()]*\)[^()\[\]]*)*)[)\]]?[\s;.,:*]*$", text)
    if closing is None:
        return None
    listed = read_state_list(closing[1])
    if not listed.unknown or not (listed.states or all(map(_LOOKS_LIKE_NAME.match, listed.unknown))):
        return None
    return listed


def _all_states(content: str) -> tuple[str, ...]:
    if not may_open_name(_LOOSE_MARK.sub("", _BY.sub("", content.strip()))):
        return ()
    listed = read_state_list(content)
    return () if listed.unknown else listed.states


def _parentheses(text: str) -> list[tuple[int, tuple[int, ...], bool]]:
    """Every opening bracket in order, where it may end, and whether it is closed.

    It ends with its partner; if it has none, perhaps with one of the next few closings.
    """
    partners: dict[int, int] = {}
    openings: list[int] = []
    closings: list[int] = []
    for bracket in _BRACKET.finditer(text):
        place = bracket.start()
        if bracket[0] in _OPEN:
            openings.append(place)
            continue
        closings.append(place + 1)
        if openings:
            partners[openings.pop()] = place + 1
    closed = ((place, (end,), True) for place, end in partners.items())
    alone = ((place, tuple(closings[(at := bisect(closings, place)) : at + 3]), False) for place in openings)
    return sorted([*closed, *alone])


def _pieces(names: str) -> tuple[list[str], list[str]]:
    """The pieces of a list and the separators after them; separators inside parentheses do not count."""
    masked = re.sub(r"\([^()]*\)", lambda found: "\0" * len(found[0]), names)
    pieces, separators, at = [], [], 0
    for separator in _SEPARATOR.finditer(masked):
        pieces.append(names[at : separator.start()])
        separators.append(names[separator.start() : separator.end()])
        at = separator.end()
    return [*pieces, names[at:]], separators


def _joined(pieces: list[str], separators: list[str]) -> Iterator[tuple[str | None, str]]:
    """States of the pieces, the longest name first, so that "Bosnia", "and", "Herzegovina" are one."""
    at = 0
    while at < len(pieces):
        for count in range(min(_LONGEST_JOIN, len(pieces) - at), 0, -1):
            name = pieces[at]
            for offset in range(1, count):
                name += separators[at + offset - 1] + pieces[at + offset]
            code = known_state(name)
            if code:
                yield code, name
                at += count
                break
        else:
            yield from _unseparated(pieces[at].strip(" .,;*"))
            at += 1


def _unseparated(name: str) -> Iterator[tuple[str | None, str]]:
    """A piece that is no name in our table: two names without a comma between them, or a name from elsewhere."""
    words = name.split()
    for cut in range(1, len(words)):
        first, second = known_state(" ".join(words[:cut])), known_state(" ".join(words[cut:]))
        if first and second:
            yield first, name
            yield second, name
            return
    yield (resolve_state(name) if _LOOKS_LIKE_NAME.match(name) else None), name
