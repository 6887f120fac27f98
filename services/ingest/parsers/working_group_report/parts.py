"""One printed number may hold several recommendations, each with its own States: they are told apart here."""

import re
from dataclasses import dataclass

from services.ingest.normalise.attributions import Attribution, find_attributions

_BETWEEN = re.compile(r"^[\s;,.&/*:]*(?:and)?[\s;,.&/*:]*$")
_LEADING = re.compile(r"^[\s;,.:/*&)\]]+")
_TRAILING = re.compile(r"[\s;,:/*&([]+$")
_CONJUNCTION = re.compile(r"^(?:and|as well as|or)(?:\s+also)?(?:,)?\s+(?:to\s+(?=[a-z]))?", re.IGNORECASE)
_TRAILING_CONJUNCTION = re.compile(r"[\s,;]+(?:and|or)$")
_SUB_ITEM = re.compile(r"^\(?(?:[a-z]|[ivx]{1,4})\)\s+")
_DEPENDENT = re.compile(
    r"^(?:,|including|especially|particularly|in particular|notably|in (?:order|accordance|line|conformity|compliance|"
    r"keeping|consultation|cooperation|light|view|full|the)|with(?:in|out)?|by|for|through|as (?:well as (?:by|through|in)|"
    r"soon|recommended|part|a|set)|where|which|who|whose|while|so (?:that|as)|such as|at|on|of|from|among|until|under|"
    r"towards?|"
    r"between|during|after|before|if|when|inter alia)\b"
)
_RATIFYING = re.compile(
    r"^(?:to |that [\w’ ]{2,40}? )?(?:[\w-]+(?:,)? ){0,9}?"
    r"(?:ratif(?:y|ying|ication of)|acced(?:e|ing) to|accession to|sign(?:ing)?(?: of)?|adher(?:e|ing) to|"
    r"becom(?:e|ing) (?:a )?(?:State )?part(?:y|ies) to|join(?:ing)?|withdraw(?:ing)?|lift(?:ing)?)\b",
    re.IGNORECASE,
)
_TREATY_FRAGMENT = re.compile(r"^(?:the |its |of the |(?:ICCPR|ICESCR|[A-Z]{2,}[A-Z-]*\b|[A-Z]\w+ Convention))")
_HAS_WORD = re.compile(r"[^\W\d_]{2}")


@dataclass(frozen=True, slots=True)
class Part:
    """One recommendation inside an entry: its words, and the States that made it."""

    text: str
    states: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Split:
    """The recommendations of one entry. `comment` is what follows them and belongs to none."""

    parts: tuple[Part, ...]
    comment: str = ""


@dataclass
class _Run:
    """Neighbouring attributions, `(France) (Lithuania)`, taken as one."""

    start: int
    end: int
    states: tuple[str, ...]


def split_entry(text: str) -> Split:
    """Split an entry (number and footnote marks taken off) at its attributions.

    Words after the last attribution that begin in lower case are the shared end of the recommendations before them
    ("Accede to (France)/Consider ratifying (Slovenia) the Optional Protocol"); a new sentence there is a comment.
    """
    runs = _runs(text, find_attributions(text))
    if not runs:
        return Split((Part(_tidy(text), ()),))
    parts: list[Part] = []
    chained: list[bool] = []
    at = 0
    for run in runs:
        segment = text[at : run.start]
        parts.append(Part(_words(segment, parts), run.states))
        chained.append("/" in segment[:3])
        at = run.end
    return _with_end(parts, chained, text[at:])


def _runs(text: str, attributions: list[Attribution]) -> list[_Run]:
    runs: list[_Run] = []
    for found in attributions:
        if runs and _BETWEEN.match(text[runs[-1].end : found.start]):
            runs[-1].end = found.end
            runs[-1].states = tuple(dict.fromkeys(runs[-1].states + found.states))
        elif _HAS_WORD.search(text[runs[-1].end if runs else 0 : found.start]):
            runs.append(_Run(found.start, found.end, found.states))
    return runs


def _words(segment: str, before: list[Part]) -> str:
    """The words of a segment as a recommendation of its own: what it leaves out is taken from the one before."""
    bare = _LEADING.sub("", segment)
    bare = _SUB_ITEM.sub("", _CONJUNCTION.sub("", bare))
    if not before:
        return _tidy(bare)
    previous = before[-1].text
    if _DEPENDENT.match(bare):
        return _tidy(f"{previous}{', ' if segment.lstrip().startswith(',') else ' '}{bare}")
    head = _RATIFYING.match(previous)
    if head and _TREATY_FRAGMENT.match(bare):
        return _tidy(f"{head[0]} {bare}")
    return _tidy(bare)


def _with_end(parts: list[Part], chained: list[bool], end: str) -> Split:
    bare = _LEADING.sub("", end)
    if not _HAS_WORD.search(bare):
        return Split(tuple(parts))
    shared = bare[0].islower() or (end[:1] == " " and _shares(parts, end))
    if not shared:
        return Split(tuple(parts), _tidy(bare))
    first = len(parts) - 1
    while first and chained[first]:
        first -= 1
    joint = ", " if end.lstrip().startswith(",") else " "
    ended = [Part(_tidy(part.text + joint + bare), part.states) for part in parts[first:]]
    return Split((*parts[:first], *ended))


def _shares(parts: list[Part], end: str) -> bool:
    """Whether the last recommendation stops short of its object, so that `end` must be it ("Ratify (Spain) CEDAW")."""
    return len(parts[-1].text.split()) <= 3 and not end.lstrip().startswith((".", ";"))


def _tidy(text: str) -> str:
    text = _TRAILING.sub("", text)
    text = _TRAILING_CONJUNCTION.sub("", text)
    return _TRAILING.sub("", text).strip()
