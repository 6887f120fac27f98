"""The words of an index, and which of them a typed word may stand for.

The rules are `core.query.matcher`'s (`typos_between`); here they run over tens of thousands of words in a millisecond.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Final

from rapidfuzz import process
from rapidfuzz.distance import OSA

from services.core.query.analysis import fold, is_exact, stems_of
from services.core.query.concepts import concepts
from services.core.query.matcher import typos_allowed
from services.core.query.readings import Reading, ReadWord

READ_AS_SHOWN: Final = 10
"""Words that one word was read as that are told, at most."""
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

    @classmethod
    def of(cls, typos: Mapping[str, int]) -> "Expansion":
        """Of words, each with its typing errors."""
        none, one, two = (frozenset(word for word, number in typos.items() if number == n) for n in range(3))
        return cls((none, one, two))

    def likeliest(self, frequency: Callable[[str], int]) -> Iterator[ReadWord]:
        """The words with the fewest errors first, of these those that stand in the most documents."""
        for typos, words in enumerate(self.by_typos):
            ordered = sorted(words, key=lambda word: (-frequency(word), word)) if len(words) > 1 else words
            yield from (ReadWord(word, typos) for word in ordered)


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
        return Expansion.of(found)

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


def reading_of(
    typed: str, codes: tuple[str, ...], expansion: Expansion, frequency: Callable[[str], int], *, in_index: bool
) -> Reading:
    """What a word was read as. `frequency`: in about how many documents a word stands.

    Where the index holds it as it was typed, its inflections and other forms of the concepts (`codes`) that it names
    are left out: a strict search finds them, too.
    """
    expected = _stems_found_strictly(typed, codes) if in_index else frozenset()
    others = (
        each
        for each in expansion.likeliest(frequency)
        if each.word != typed and (not expected or expected.isdisjoint(stems_of(each.word)))
    )
    words = tuple(islice(others, READ_AS_SHOWN + 1))
    return Reading(words[:READ_AS_SHOWN], len(words) > READ_AS_SHOWN, in_index)


@lru_cache(maxsize=_REMEMBERED)
def _stems_found_strictly(typed: str, codes: tuple[str, ...]) -> frozenset[str]:
    forms = (fold(form) for code in codes for form in concepts()[code].all_forms)
    return frozenset(stem for word in (typed, *forms) for stem in stems_of(word))
