"""Which treaties and other instruments a text names.

A protocol is named in many ways: by its own name, as "Optional Protocol to" its treaty, after its treaty as "and its
Optional Protocol". The tables are `core/store/facts/vocabularies/instruments.toml` (what there is) and
`lookups/instruments.toml` (how texts speak of it).
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from services.core.query.phrases import Found, PhraseBook, folded_word, longest, split_words
from services.core.store.vocabularies import detailed_vocabulary

_BRACKETS = re.compile(r"\([^)]*\)")
_FEW_WORDS = 6
_SUBJECT_REACH = 26


class _Kind(Enum):
    NAME = "name"
    SHORT_FORM = "short form"
    SUBJECT = "subject"
    ILO = "ilo"
    COMMITTEE = "committee_after"
    ONE = "one_protocol"
    ALL = "all_protocols"
    EVERY = "every_protocol"
    FIRST = "first_protocol"
    SECOND = "second_protocol"
    THIRD = "third_protocol"


_PROTOCOLS = (_Kind.ONE, _Kind.ALL, _Kind.EVERY, _Kind.FIRST, _Kind.SECOND, _Kind.THIRD)
_ORDINALS = {_Kind.FIRST: 1, _Kind.SECOND: 2, _Kind.THIRD: 3}
_SEVERAL = (_Kind.ALL, _Kind.EVERY)
_ITSELF = (_Kind.NAME, _Kind.SHORT_FORM)
_BESIDE = (_Kind.COMMITTEE, _Kind.SUBJECT, _Kind.ILO)


class InstrumentSign(NamedTuple):
    """What a phrase tells of an instrument: in which way it speaks of it, and its code where the phrase has one."""

    kind: _Kind
    code: str


_Mention = Found[InstrumentSign]


def instruments_in(text: str) -> frozenset[str]:
    """Codes of the instruments that the text names (scheme `instrument`). English, Spanish and French."""
    words = split_words(text)
    return instruments_told(_book().find(words), words)


def instruments_told(found: Sequence[_Mention], words: Sequence[str]) -> frozenset[str]:
    """Codes of the instruments that these phrases of `instrument_phrases`, found in these words, tell of."""
    if not found:
        return frozenset()
    plain = [folded_word(word) for word in words]
    mentions = _mentions(found, plain)
    numbered = {each.name.code for each in found if each.name.kind is _Kind.ILO}
    return frozenset(_resolved(mentions, _subjects(found), plain)) | numbered


def _mentions(found: Iterable[_Mention], words: list[str]) -> list[_Mention]:
    """Treaties and protocols in the order of the text, without short forms that mean a committee."""
    committees = {each.end for each in found if each.name.kind is _Kind.COMMITTEE}
    named = [each for each in found if each.name.kind not in _BESIDE]
    return [
        each
        for each in longest(named)
        if each.name.kind is not _Kind.SHORT_FORM or not _is_committee(each, committees, words)
    ]


def _is_committee(short_form: _Mention, committees: set[int], words: list[str]) -> bool:
    reading = _tables().reading
    if short_form.start in committees or set(words[short_form.end : short_form.end + 1]) & reading.committee_before:
        return True
    for word in reversed(words[max(0, short_form.start - reading.committee_reach) : short_form.start]):
        if word in reading.treaty:
            return False
        if word in reading.committee:
            return True
    return False


def _subjects(found: Iterable[_Mention]) -> list[_Mention]:
    return [each for each in found if each.name.kind is _Kind.SUBJECT]


def _resolved(mentions: list[_Mention], subjects: list[_Mention], words: list[str]) -> Iterator[str]:
    """The codes: protocols with the treaties that they belong to, and all other treaties."""
    parents: set[int] = set()
    for at, mention in enumerate(mentions):
        if mention.name.kind not in _PROTOCOLS:
            continue
        after = _treaties_after(mentions, at, words)
        parents.update(after)
        treaties = [mentions[each].name.code for each in after or _treaties_before(mentions, at, words)]
        until = mentions[after[-1]].end if after else mention.end
        told = {each.name.code for each in subjects if mention.start <= each.start <= until + _SUBJECT_REACH}
        yield from _protocols(mention.name.kind, treaties, told)
    for at, mention in enumerate(mentions):
        if mention.name.kind in _ITSELF and at not in parents:
            yield mention.name.code


def _treaties_after(mentions: list[_Mention], at: int, words: list[str]) -> list[int]:
    """The treaties after "Optional Protocol to", by their places; each with the short form in brackets behind it."""
    reading = _tables().reading
    found: list[int] = []
    end, allowed = mentions[at].end, reading.to
    for place in range(at + 1, len(mentions)):
        between = words[end : mentions[place].start]
        if not _is_treaty(mentions[place]) or not allowed.issuperset(between):
            break
        if not found and not reading.linking.intersection(between):
            break
        repeated = bool(found) and not between and mentions[place].name.code == mentions[found[-1]].name.code
        if found and not repeated and not _goes_on(mentions[at], between):
            break
        found.append(place)
        end, allowed = mentions[place].end, reading.to | reading.further
    return found


def _goes_on(protocol: _Mention, between: list[str]) -> bool:
    """Whether a further treaty is one more whose protocol is meant: "to the ICESCR and to the CRC", "Protocols to"."""
    return protocol.name.kind in _SEVERAL or bool({"to", "al", "au", "a"}.intersection(between))


def _treaties_before(mentions: list[_Mention], at: int, words: list[str]) -> list[int]:
    """The treaties before "and its Optional Protocol", by their places."""
    reading = _tables().reading
    found: list[int] = []
    start, several = mentions[at].start, False
    for place in range(at - 1, -1, -1):
        between = words[mentions[place].end : start]
        if not _is_treaty(mentions[place]) or len(between) > _FEW_WORDS or not reading.its.issuperset(between):
            break
        same = bool(found) and mentions[place].name.code == mentions[found[-1]].name.code
        if found and not several and not same:
            break
        several = several or bool(reading.theirs.intersection(between))
        found.append(place)
        start = mentions[place].start
    return found


def _is_treaty(mention: _Mention) -> bool:
    """Whether it is one that has protocols."""
    kind, code = mention.name
    return kind in _ITSELF and code in _tables().protocols


def _protocols(kind: _Kind, treaties: Iterable[str], told: set[str]) -> Iterator[str]:
    """The protocols to these treaties; with none named, those whose subject is."""
    table = _tables().protocols
    treaties = list(treaties)
    if not treaties:
        yield from told
    for treaty in treaties:
        choices = table.get(treaty, {})
        subject = told & choices.keys()
        if kind in _ORDINALS and len(choices) > 1:
            yield from (code for code, entry in choices.items() if entry.get("ordinal") == _ORDINALS[kind])
        elif subject:
            yield from subject
        else:
            yield from (code for code, entry in choices.items() if _is_meant(kind, entry))


def _is_meant(kind: _Kind, protocol: Mapping[str, Any]) -> bool:
    if kind is _Kind.EVERY:
        return True
    if kind is _Kind.ALL:
        return not protocol.get("rare", False)
    return bool(protocol.get("usual", False))


@dataclass(frozen=True, slots=True)
class _Reading:
    to: frozenset[str]
    linking: frozenset[str]
    further: frozenset[str]
    its: frozenset[str]
    theirs: frozenset[str]
    committee: frozenset[str]
    committee_before: frozenset[str]
    treaty: frozenset[str]
    committee_reach: int


@dataclass(frozen=True, slots=True)
class _Tables:
    reading: _Reading
    protocols: Mapping[str, Mapping[str, Mapping[str, Any]]]


@cache
def _tables() -> _Tables:
    reading = _lookup()
    words = ("to", "linking", "further", "its", "theirs", "committee", "committee_before", "treaty")
    protocols: dict[str, dict[str, Mapping[str, Any]]] = {}
    for code, entry in detailed_vocabulary("instrument").items():
        if "protocol_to" in entry:
            protocols.setdefault(entry["protocol_to"], {})[code] = entry
    return _Tables(
        _Reading(**{name: frozenset(reading[name]) for name in words}, committee_reach=reading["committee_reach"]),
        protocols,
    )


@cache
def _lookup() -> Mapping[str, Any]:
    lookup = files("services.ingest.normalise.lookups") / "instruments.toml"
    reading: Mapping[str, Any] = tomllib.loads(lookup.read_text(encoding="utf-8"))["reading"]
    return reading


@cache
def _book() -> PhraseBook[InstrumentSign]:
    return PhraseBook(instrument_phrases())


def instrument_phrases() -> Iterator[tuple[InstrumentSign, str]]:
    """The phrases that tell of instruments, each with what it tells."""
    reading = _lookup()
    for kind in (*_PROTOCOLS, _Kind.COMMITTEE):
        yield from ((InstrumentSign(kind, ""), phrase) for phrase in reading[kind.value])
    for code, entry in detailed_vocabulary("instrument").items():
        for kind, phrase in _ways_to_name(entry, reading):
            yield InstrumentSign(kind, code), phrase


def _ways_to_name(entry: Mapping[str, Any], reading: Mapping[str, Any]) -> Iterator[tuple[_Kind, str]]:
    yield from ((_Kind.NAME, _phrase_of_name(name)) for name in entry["names"].values())
    yield from ((_Kind.NAME, phrase) for phrase in entry.get("phrases", ()))
    yield from ((_Kind.SHORT_FORM, form) for form in entry.get("abbreviations", ()))
    yield from ((_Kind.SUBJECT, phrase) for phrase in entry.get("subjects", ()))
    if "ilo" in entry:
        number = entry["ilo"]
        ways = reading["ilo"] + (reading["ilo_well_known"] if number in reading["well_known"] else [])
        yield from ((_Kind.ILO, way.format(n=number)) for way in ways)


def _phrase_of_name(name: str) -> str:
    """An official name without what stands in brackets, as a phrase."""
    return " ".join(split_words(_BRACKETS.sub(" ", name)))
