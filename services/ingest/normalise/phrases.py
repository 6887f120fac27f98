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
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import product
from typing import Generic, TypeVar

Name = TypeVar("Name")

_WORD = re.compile(r"[^\W_]+|[.;:!?](?=\s+[A-ZÁÉÍÓÚÑÇÀÈÊ¿¡(])|[;:]")
_GENITIVE = re.compile(r"(?<=\w)['’]s?(?![^\W_])")
_BREAK = frozenset(".;:!?")
_GAP = re.compile(r"\.\.\.(\d*)")
_USUAL_GAP = 3


def _fold(text: str) -> str:
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()


def folded(text: str) -> str:
    """Lower case without accents, with one kind of apostrophe."""
    return _fold(text.strip().replace("’", "'").replace("œ", "oe"))


def split_words(text: str) -> list[str]:
    """The words of a text as printed, without genitives; where a sentence ends, its mark."""
    if "'" in text or "’" in text:
        text = _GENITIVE.sub("", text)
    return _WORD.findall(text.replace("œ", "oe"))


@dataclass(frozen=True, slots=True)
class Found(Generic[Name]):
    """A phrase in a text: its name, and its first word and the one after its last, counted in `split_words`."""

    name: Name
    start: int
    end: int

    def covers(self, other: "Found[Name]") -> bool:
        """Whether the other lies within this one and is shorter."""
        return self.start <= other.start and other.end <= self.end and len(self) > len(other)

    def __len__(self) -> int:
        return self.end - self.start


@dataclass(slots=True, eq=False)
class _Node(Generic[Name]):
    """Where a phrase has got to. `gap`: how many words may be skipped before the next one."""

    gap: int = 0
    following: dict[str, "_Node[Name]"] = field(default_factory=dict)
    names: list[Name] = field(default_factory=list)


class PhraseBook(Generic[Name]):
    """Phrases with the names they stand for. Built once, then only read (its memory of words apart)."""

    def __init__(self, phrases: Iterable[tuple[Name, str]]) -> None:
        """Raises `ValueError` for a phrase that says nothing, or begins or ends with a gap."""
        self._root: _Node[Name] = _Node()
        self._exact: set[str] = set()
        self._beginnings: dict[str, None] = {}
        self._known: dict[str, tuple[str, ...]] = {}
        for name, phrase in phrases:
            for words in _spelled_out(phrase):
                self._add(name, words)
        self._shortest = min(map(len, self._beginnings), default=0) - 1

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
            key = f"...{gap[1] or _USUAL_GAP}"
            return node.following.setdefault(key, _Node(gap=int(gap[1] or _USUAL_GAP)))
        if word.endswith("*"):
            self._beginnings[word] = None
        else:
            self._exact.add(word)
        return node.following.setdefault(word, _Node())

    def find(self, words: list[str]) -> list[Found[Name]]:
        """All phrases in these words (of `split_words`), each as often as it occurs, those within others too."""
        found: list[Found[Name]] = []
        under_way: list[tuple[_Node[Name], int, int]] = []
        for at, word in enumerate(words):
            signs = self._known.get(word)
            if signs is None:
                signs = self._known[word] = self._signs(word)
            if not signs and not under_way:
                continue
            if word in _BREAK:
                under_way = []
                continue
            under_way = self._step(under_way, signs, at, found)
        return found

    def _step(
        self,
        under_way: list[tuple[_Node[Name], int, int]],
        signs: tuple[str, ...],
        at: int,
        found: list[Found[Name]],
    ) -> list[tuple[_Node[Name], int, int]]:
        after: list[tuple[_Node[Name], int, int]] = []
        for node, skips, start in [*under_way, (self._root, 0, at)]:
            if skips:
                after.append((node, skips - 1, start))
            for sign in signs:
                reached = node.following.get(sign)
                if reached is not None:
                    found.extend(Found(name, start, at + 1) for name in reached.names)
                    self._enter(reached, start, after)
        return after

    def _enter(self, node: _Node[Name], start: int, after: list[tuple[_Node[Name], int, int]]) -> None:
        after.append((node, 0, start))
        after.extend((step, step.gap, start) for step in node.following.values() if step.gap)

    def _signs(self, word: str) -> tuple[str, ...]:
        """What a printed word is in the phrases: itself folded, itself in capitals, a beginning."""
        plain = _fold(word)
        signs = [sign for sign in dict.fromkeys((plain, word)) if sign in self._exact]
        signs += [sign for sign in self._beginnings if plain.startswith(sign[:-1])]
        if len(self._known) > 200_000:
            self._known.clear()
        return tuple(signs)


def longest(found: Iterable[Found[Name]]) -> list[Found[Name]]:
    """Those that lie within no longer one, in the order of the text."""
    kept: list[Found[Name]] = []
    for each in sorted(found, key=lambda one: (one.start, -one.end)):
        if not any(other.covers(each) for other in kept):
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
