"""Finds names while they are typed: by any of their words, unfinished or misspelt, whatever the case and accents."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile
from typing import Final, NamedTuple

from rapidfuzz import process
from rapidfuzz.distance import OSA

from services.core.query.analysis import is_exact, words_of
from services.core.query.matcher import ONE_TYPO_FROM

MAX_TYPED_WORDS: Final = 12
"""More are not looked at: no name is told apart by its thirteenth word."""
_REMEMBERED: Final = 1_024


@dataclass(frozen=True, slots=True)
class Name:
    """One name of something. `owner`: whose it is, as its maker counts; `language` None where it is of none."""

    owner: int
    text: str
    language: str | None = None


class Found(NamedTuple):
    """A name that what was typed may mean. Ordered: the likeliest first.

    `typos`: typing errors; `whole`: 0 where nothing of the name is missing, 1 where it begins so, 2 elsewhere.
    """

    typos: int
    whole: int
    at: int


class NameIndex:
    """Some names, found by their words. Immutable, and safe to use from many threads."""

    def __init__(self, names: Iterable[Name]) -> None:
        self.names: Sequence[Name] = tuple(names)
        self._words_of = [name_words(name.text) for name in self.names]
        holding: dict[str, set[int]] = {}
        for at, words in enumerate(self._words_of):
            for word in words:
                holding.setdefault(word, set()).add(at)
        self._holding: Mapping[str, frozenset[int]] = {word: frozenset(several) for word, several in holding.items()}
        self._words = sorted(holding)
        self._meant: dict[str, Mapping[int, frozenset[int]]] = {}
        self._found: dict[tuple[str, ...], Sequence[Found]] = {}

    def find(self, typed: str) -> Sequence[Found]:
        """The names that have all typed words, or words that begin so; the likeliest first.

        One typing error a word is forgiven from five letters, but for its first letter. Where some names have fewer
        errors than others, those alone are found. Nothing is found by a text without words.
        """
        words = name_words(typed)[:MAX_TYPED_WORDS]
        known = self._found.get(words)
        if known is None:
            if len(self._found) >= _REMEMBERED:
                self._found.clear()
            known = self._found[words] = self._find(words) if words else []
        return known

    def _find(self, words: tuple[str, ...]) -> list[Found]:
        typos: dict[int, int] = {}
        for number, word in enumerate(words):
            of_word = {at: errors for errors, several in self._meaning(word).items() for at in several}
            typos = {at: typos.get(at, 0) + errors for at, errors in of_word.items() if number == 0 or at in typos}
        fewest = min(typos.values(), default=0)
        return sorted(Found(errors, self._whole(at, words), at) for at, errors in typos.items() if errors == fewest)

    def owners(self, typed: str) -> set[int]:
        """Whose names these are."""
        return {self.names[found.at].owner for found in self.find(typed)}

    def _whole(self, at: int, typed: tuple[str, ...]) -> int:
        words = self._words_of[at]
        return 0 if words == typed else 1 if _begins(words[0], typed[0]) else 2

    def _meaning(self, word: str) -> Mapping[int, frozenset[int]]:
        """The names that a typed word may stand in, by typing errors."""
        meant = self._meant.get(word)
        if meant is None:
            if len(self._meant) >= _REMEMBERED:
                self._meant.clear()
            begun = frozenset(self._held_by(self._starting_with(word)))
            meant = self._meant[word] = {1: frozenset(self._held_by(self._nearly(word))) - begun, 0: begun}
        return meant

    def _held_by(self, words: Iterable[str]) -> set[int]:
        return {at for word in words for at in self._holding[word]}

    def _starting_with(self, beginning: str) -> list[str]:
        first = bisect_left(self._words, beginning)
        return list(takewhile(lambda word: word.startswith(beginning), self._words[first:]))

    def _nearly(self, word: str) -> list[str]:
        """Words that begin with nearly these letters; as many, one more or one fewer."""
        if is_exact(word) or len(word) < ONE_TYPO_FROM:
            return []
        choices = self._starting_with(word[0])
        found: set[int] = set()
        for length in (len(word) - 1, len(word), len(word) + 1):
            begun = [choice[:length] for choice in choices]
            near = process.extract(word, begun, scorer=OSA.distance, processor=None, score_cutoff=1, limit=None)
            found.update(at for _, _, at in near)
        return [choices[at] for at in found]


@lru_cache(maxsize=50_000)
def name_words(text: str) -> tuple[str, ...]:
    """The words of a name, folded; of symbols and of what hyphens join also the parts."""
    words: list[str] = []
    for line in text.splitlines():
        of_line, parts = words_of(line)
        words += [*of_line, *parts]
    return tuple(words)


def _begins(word: str, typed: str) -> bool:
    """Whether a word begins with nearly these letters."""
    if word.startswith(typed) or is_exact(typed) or len(typed) < ONE_TYPO_FROM:
        return word.startswith(typed)
    lengths = (len(typed) - 1, len(typed), len(typed) + 1)
    return any(OSA.distance(typed, word[:length], score_cutoff=1) <= 1 for length in lengths)
