"""Finds many phrases in one walk through a text.

A phrase is written as people say it, in the tables of `core/store/facts/vocabularies`: case and accents do not matter,
and neither do punctuation marks except the end of a sentence, `;` and `:`. Beyond plain words:

    prison*        every word that begins so
    law|act|bill   one of these
    the?           this word or none
    CAT            a word with two capitals: only in this spelling
    ...            up to three other words; ...6 up to six

The time does not grow with the number of phrases: each distinct word is looked up once, and most begin nothing.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import product
from typing import Any, Generic, NamedTuple, TypeVar

Name = TypeVar("Name")

_WORD = re.compile(r"[^\W_]+|[.;:!?](?=\s+[A-ZÁÉÍÓÚÑÇÀÈÊ¿¡(])|[;:]")
_GENITIVE = re.compile(r"(?<=\w)['’]s?(?![^\W_])")
_BREAK = frozenset(".;:!?")
_GAP = re.compile(r"\.\.\.(\d*)")
_USUAL_GAP = 3
_WORDS_REMEMBERED = 200_000


def _fold(text: str) -> str:
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()


def folded(text: str) -> str:
    """Lower case without accents, with one kind of apostrophe."""
    return _fold(text.strip().replace("’", "'").replace("œ", "oe"))


@lru_cache(maxsize=_WORDS_REMEMBERED)
def folded_word(word: str) -> str:
    """The same for one word of `split_words`."""
    return _fold(word)


def split_words(text: str) -> list[str]:
    """The words of a text as printed, without genitives; where a sentence ends, its mark."""
    if "'" in text or "’" in text:
        text = _GENITIVE.sub("", text)
    return _WORD.findall(text.replace("œ", "oe"))


class Found(NamedTuple, Generic[Name]):
    """A phrase in a text: its name, and its first word and the one after its last, counted in `split_words`."""

    name: Name
    start: int
    end: int

    def covers(self, other: "Found[Name]") -> bool:
        """Whether the other lies within this one."""
        return self.start <= other.start and other.end <= self.end


@dataclass(slots=True, eq=False)
class _Node(Generic[Name]):
    """Where a phrase has got to: the names of those that end here, and what may come next.

    `gap`: how many words may be skipped before that; `gaps`: those of the following nodes that are gaps.
    """

    gap: int = 0
    following: dict[str, "_Node[Name]"] = field(default_factory=dict)
    names: list[Name] = field(default_factory=list)
    gaps: list["_Node[Name]"] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class _Reading(Generic[Name]):
    """What a printed word is in the phrases (itself folded, itself in capitals, a beginning), and what it begins."""

    signs: tuple[str, ...]
    begun: tuple[_Node[Name], ...]
    ends: bool


_END: _Reading[Any] = _Reading((), (), ends=True)


class PhraseBook(Generic[Name]):
    """Phrases with the names they stand for. Built once, then only read (its memory of words apart)."""

    def __init__(self, phrases: Iterable[tuple[Name, str]]) -> None:
        """Raises `ValueError` for a phrase that says nothing, or begins or ends with a gap."""
        self._root: _Node[Name] = _Node()
        self._exact: set[str] = set()
        self._beginnings: dict[str, None] = {}
        self._known: dict[str, _Reading[Name]] = {}
        for name, phrase in phrases:
            for words in _spelled_out(phrase):
                self._add(name, words)

    def _add(self, name: Name, words: tuple[str, ...]) -> None:
        if not words or _GAP.fullmatch(words[0]) or _GAP.fullmatch(words[-1]):
            raise ValueError(f"the phrase of {name!r} must begin and end with a word: {' '.join(words)!r}")
        node = self._root
        for word in words:
            node = self._after(node, word)
        if name not in node.names:
            node.names.append(name)

    def _after(self, node: _Node[Name], word: str) -> _Node[Name]:
        if gap := _GAP.fullmatch(word):
            words = int(gap[1] or _USUAL_GAP)
            known = next((each for each in node.gaps if each.gap == words), None)
            if known is None:
                known = _Node(gap=words)
                node.gaps.append(known)
            return known
        if word.endswith("*"):
            self._beginnings[word] = None
        else:
            self._exact.add(word)
        return node.following.setdefault(word, _Node())

    def find(self, words: Sequence[str]) -> list[Found[Name]]:
        """All phrases in these words (of `split_words`), each as often as it occurs, those within others too."""
        known = self._known
        readings = [known.get(word) or self._read(word) for word in words]
        readings.append(_END)
        walk = _Walk(readings, {sign for reading in readings for sign in reading.signs}, [])
        for at, reading in enumerate(readings):
            for node in reading.begun:
                walk.follow(node, at, at + 1)
        return walk.found

    def _read(self, word: str) -> _Reading[Name]:
        plain = folded_word(word)
        signs = [sign for sign in dict.fromkeys((plain, word)) if sign in self._exact]
        signs += [sign for sign in self._beginnings if plain.startswith(sign[:-1])]
        begun = tuple(self._root.following[sign] for sign in signs if sign in self._root.following)
        if len(self._known) > _WORDS_REMEMBERED:
            self._known.clear()
        reading = self._known[word] = _Reading(tuple(signs), begun, ends=word in _BREAK)
        return reading


@dataclass(slots=True, eq=False)
class _Walk(Generic[Name]):
    """A walk through a text. `present`: all its signs; most gaps end in none of them, and need no search."""

    readings: Sequence[_Reading[Name]]
    present: set[str]
    found: list[Found[Name]]

    def follow(self, node: _Node[Name], start: int, end: int) -> None:
        """Finds the phrases that end at this node or go on from it. No phrase goes beyond a sentence."""
        for name in node.names:
            self.found.append(Found(name, start, end))
        if node.following:
            self._step(node, start, end)
        for gap in node.gaps:
            if not self.present.isdisjoint(gap.following):
                self._skip(gap, start, end)

    def _step(self, node: _Node[Name], start: int, at: int) -> None:
        for sign in self.readings[at].signs:
            further = node.following.get(sign)
            if further is not None:
                self.follow(further, start, at + 1)

    def _skip(self, gap: _Node[Name], start: int, end: int) -> None:
        for at in range(end, end + gap.gap + 1):
            if self.readings[at].ends:
                break
            self._step(gap, start, at)


def longest(found: Iterable[Found[Name]]) -> list[Found[Name]]:
    """Those that lie within no longer one, in the order of the text."""
    kept: list[Found[Name]] = []
    furthest: Found[Name] | None = None
    for each in sorted(found, key=lambda one: (one.start, -one.end)):
        if furthest is None or each.end > furthest.end:
            furthest = each
        elif each[1:] != furthest[1:]:
            continue
        kept.append(each)
    return kept


def _spelled_out(phrase: str) -> Iterable[tuple[str, ...]]:
    """The plain sequences that a phrase with choices stands for."""
    choices = [_choices(word) for word in phrase.split()]
    return {tuple(word for word in words if word) for words in product(*choices)}


def _choices(word: str) -> list[str]:
    if _GAP.fullmatch(word):
        return [word]
    optional = word.endswith("?")
    options = [_as_sign(option) for option in word.removesuffix("?").split("|")]
    return [*options, ""] if optional else options


def _as_sign(option: str) -> str:
    if sum(letter.isupper() for letter in option) > 1:
        return option
    beginning = option.endswith("*")
    plain = _fold(option.removesuffix("*"))
    if not plain.isalnum():
        raise ValueError(f"a phrase is made of words: {option!r}")
    return plain + "*" if beginning else plain
