"""What pages of the Inter-American Commission say, word by word: periods, titles, names, parties.

`iachr_words.toml` holds the words.
"""

import html
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from services.core.domain.organisations import organisation_id
from services.ingest.normalise.organisations import known_organisation, organisation_facts
from services.ingest.normalise.states import folded_name, resolve_state
from services.ingest.parsers.text.html import decoded

_STATES_JOINED = re.compile(r"\s*(?:,|/|;|\by\b|\band\b|\be\b|\bet\b|&)\s*")
_PREFIX = re.compile(r"^([^:–—]{2,120}?)\s*[:–—]\s*(\S.*)$")
_NUMBER = re.compile(r"Hearing=(\d{1,6})\b", re.IGNORECASE)
_AND = re.compile(r",?\s+(?:y|e|and|et)\s+(?=[A-ZÁÉÍÓÚÑÇ“\"])")
_ENDS_IN_ACRONYM = re.compile(r"\([A-ZÁÉÍÓÚÑ][\w.&/ -]{1,14}\)$")
_SCRIPT = re.compile(r"<script\b.{0,100000}?</script>", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^<>]{0,2000}>")
_BULLET = re.compile(r"^[\s•·▪◦*–-]+")


class Titled(NamedTuple):
    """A heading taken apart: the title, the States that it opens with, and the scope that this tells."""

    title: str
    states: tuple[str, ...]
    scope: str | None


def period_in(text: str) -> tuple[int, str] | None:
    """The period of sessions that a page speaks of most, and the language it says so in; None where of none."""
    found: Counter[tuple[int, str]] = Counter()
    for language, patterns in _periods().items():
        for pattern in patterns:
            found.update((int(each["n"]), language) for each in pattern.finditer(text))
    return found.most_common(1)[0][0] if found else None


def tells_of_hearing(data: bytes) -> bool:
    """Whether a page of the site may be of a hearing or sum some up, told without reading its mark-up."""
    text = html.unescape(_TAG.sub(" ", _SCRIPT.sub(" ", decoded(data))))
    folded = folded_name(text)
    return period_in(text) is not None and any(word in folded for word in words()["hearing"]["words"])


def number_in(links: Iterable[str]) -> int | None:
    """The number of the hearing that a page's own links bear: those to its other languages."""
    numbers = Counter(int(found[1]) for link in links if (found := _NUMBER.search(link)))
    return numbers.most_common(1)[0][0] if numbers else None


def titled(heading: str) -> Titled:
    """`Regional: …`, `Perú: …` and `Perú y Chile: …` taken apart. What opens with no State keeps its words."""
    found = _PREFIX.match(heading)
    if found:
        if folded_name(found[1]) in words()["scope"]["regional"]:
            return Titled(found[2], (), "regional")
        if states := states_named(found[1]):
            return Titled(found[2], states, "country")
    if states := states_named(heading):
        return Titled(heading, states, "country")
    return Titled(heading, (), "regional" if folded_name(heading) in words()["scope"]["regional"] else None)


def states_named(text: str) -> tuple[str, ...]:
    """The States of a text that names nothing else; none where any part of it is no State."""
    if code := resolve_state(text):
        return (code,)
    parts = [part for part in _STATES_JOINED.split(text) if part.strip()]
    codes = [resolve_state(part) for part in parts]
    return tuple(dict.fromkeys(code for code in codes if code)) if codes and all(codes) else ()


def kind_of_hearing(text: str) -> str | None:
    """What the Commission held a hearing for, where the text says so; None where it does not."""
    folded = folded_name(text)
    return next((kind for kind, parts in words()["type"].items() if any(part in folded for part in parts)), None)


def named_value(group: str, text: str) -> str | None:
    """The value of `modality` or `scope` that a text means."""
    folded = folded_name(text)
    return next((value for value, names in words()[group].items() if any(name in folded for name in names)), None)


def languages_named(text: str) -> tuple[str, ...]:
    """The languages that a text names, in its order."""
    folded = folded_name(text)
    found = {
        code: place
        for code, names in words()["language"].items()
        for name in names
        if (place := folded.find(name)) >= 0
    }
    return tuple(sorted(found, key=lambda code: found[code]))


def names_listed(texts: Sequence[str]) -> tuple[list[str], list[str]]:
    """The organisations that a label's value names, and the words of which it is not clear how many they name.

    Several lines, or what stands between semicolons, are a name each. Commas also stand in names: a lone line is taken
    apart at them only where each part is a name that we know, or ends in its acronym.
    """
    listed = [_BULLET.sub("", part).strip(" .,") for text in texts for part in text.split(";")]
    names = list(dict.fromkeys(name for name in listed if name))
    if len(names) != 1:
        return names, []
    parts = _parts(names[0])
    return (parts, []) if parts is not None else ([], names)


def requested_in(text: str) -> str | None:
    """The words in which running text says who asked for a hearing."""
    found = (re.search(pattern, text, re.IGNORECASE) for pattern in words()["requested"]["patterns"])
    return next((" ".join(each[1].split()) for each in found if each), None)


def _parts(text: str) -> list[str] | None:
    """The names in a text without semicolons; None where it is not clear how many it names."""
    if _is_known(text) or not ("," in text or _AND.search(text)):
        return [text]
    parts = [part.strip() for each in text.split(",") for part in _AND.split(each) if part.strip()]
    clear = all(_is_known(part) or _ENDS_IN_ACRONYM.search(part) for part in parts)
    return parts if clear else None


def _is_known(name: str) -> bool:
    public_id = organisation_id(name)
    return known_organisation(public_id) in _known_ids()


@cache
def _known_ids() -> frozenset[str]:
    return frozenset(told["id"] for told in organisation_facts()["organisation"])


@cache
def words() -> Mapping[str, Any]:
    """The file of words."""
    return tomllib.loads((files("services.ingest.parsers") / "iachr_words.toml").read_text(encoding="utf-8"))


@cache
def _periods() -> Mapping[str, list[re.Pattern[str]]]:
    number = r"\b(?P<n>\d{2,3})"
    return {
        language: [re.compile(pattern.replace("{n}", number), re.IGNORECASE) for pattern in patterns]
        for language, patterns in words()["period"].items()
    }
