"""The words of an index, and which of them a typed word may stand for.

The rules are `core.query.matcher`'s (`typos_between`); here they run over tens of thousands of words in a millisecond.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from rapidfuzz import process
from rapidfuzz.distance import OSA

from services.core.query.analysis import is_exact
from services.core.query.matcher import typos_allowed

_LAST: Final = "\U0010ffff"
_REMEMBERED: Final = 4_096


@dataclass(frozen=True, slots=True)
class Expansion:
    """The words of the index that a typed word stands for, by the typing errors that part them."""

    by_typos: tuple[frozenset[str], frozenset[str], frozenset[str]]

    @property
    def words(self) -> frozenset[str]:
        """All of them."""
        return frozenset().union(*self.by_typos)


class Vocabulary:
    """Immutable, and safe to use from many threads. Symbols and numbers are left out: they stand for themselves."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = sorted({word for word in words if not is_exact(word)})
        self._known = frozenset(self._words)
        self._letters = sorted({word[0] for word in self._words})
        self._by_length: dict[tuple[str, int], list[str]] = {}
        for word in self._words:
            self._by_length.setdefault((word[0], len(word)), []).append(word)
        self._expansions: dict[tuple[str, bool], Expansion] = {}

    def __len__(self) -> int:
        return len(self._words)

    def knows(self, word: str) -> bool:
        """True if the index holds exactly this word."""
        return word in self._known

    def extended(self, words: Iterable[str]) -> "Vocabulary":
        """This vocabulary with further words; itself where there are none."""
        new = [word for word in words if word not in self._known and not is_exact(word)]
        return Vocabulary((*self._words, *new)) if new else self

    def expand(self, word: str, *, prefix: bool = False) -> Expansion:
        """The words that a folded word stands for. `prefix`: also those that begin with it."""
        key = (word, prefix)
        known = self._expansions.get(key)
        if known is None:
            if len(self._expansions) >= _REMEMBERED:
                self._expansions.clear()
            known = self._expansions[key] = self._expand(word, prefix)
        return known

    def _expand(self, word: str, prefix: bool) -> Expansion:
        found: dict[str, int] = dict(self._near(word))
        found[word] = 0
        if prefix:
            found.update(dict.fromkeys(self._beginning_with(word), 0))
        by_typos = tuple(frozenset(w for w, typos in found.items() if typos == n) for n in range(3))
        return Expansion((by_typos[0], by_typos[1], by_typos[2]))

    def _near(self, word: str) -> Iterable[tuple[str, int]]:
        """Words within the typing errors allowed. One in the first letter counts twice."""
        allowed = typos_allowed(word)
        if allowed:
            yield from self._within(word, word[0], allowed)
        if allowed == 2:
            for letter in self._letters:
                if letter != word[0]:
                    yield from ((near, typos + 1) for near, typos in self._within(word, letter, 1))

    def _within(self, word: str, letter: str, distance: int) -> Iterable[tuple[str, int]]:
        for length in range(len(word) - distance, len(word) + distance + 1):
            choices = self._by_length.get((letter, length))
            if choices:
                near = process.extract(
                    word, choices, scorer=OSA.distance, processor=None, score_cutoff=distance, limit=None
                )
                yield from ((choice, int(typos)) for choice, typos, _ in near)

    def _beginning_with(self, beginning: str) -> list[str]:
        return self._words[bisect_left(self._words, beginning) : bisect_right(self._words, beginning + _LAST)]
