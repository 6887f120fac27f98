"""The phrases of two to four words that texts use most, to suggest what to search for."""

import re
import tomllib
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Final, TypeAlias

from sqlalchemy import Engine, select

from services.core.query.analysis import LANGUAGES, is_exact, languages_of, words_of
from services.core.store.engine import snapshot
from services.core.store.tables import AGGREGATES

MOST_PHRASES: Final = 3_000
MOST_TEXTS: Final = 100_000
"""Texts that are looked at of each kind of record: more of them have the same phrases."""
LEAST_TEXTS: Final = 5
"""Texts that a phrase stands in at least."""
LONGEST: Final = 4
ALWAYS_LONGER: Final = 0.7
"""Share of a phrase's texts from which on it is shown with the word that follows or comes before, and not alone."""
_READ: Final = ("recommendations", "pledges", "statements", "observations")
_ROWS_AT_ONCE: Final = 500
_SPELT_IN: Final = 15_000
"""Texts that tell how phrases are written: the first ones, then every third. A phrase of none of them is left out."""
_CLAUSE = re.compile(r"[^.,;:()\[\]\"“”«»…\n\r\t!?/–—]+")

Clause: TypeAlias = "array[int]"
"""The numbers of its words."""

Breath = Callable[[], None]
"""Called between portions of work, so that others get their turn; it raises to stop."""


@dataclass(frozen=True, slots=True)
class FrequentPhrase:
    """A phrase as it is mostly written; `texts` is in how many it was counted, `language` None where nothing tells."""

    text: str
    texts: int
    language: str | None


def texts_of(store: Engine, breath: Breath) -> Iterator[str]:
    """Texts of the records of the store, as documents print them. `breath` is called every some hundred."""
    with snapshot(store) as connection:
        for noun in _READ:
            text = AGGREGATES[noun].table.c["text"]
            found = select(text).where(text.is_not(None)).limit(MOST_TEXTS)
            for portion in connection.scalars(found, execution_options={"yield_per": _ROWS_AT_ONCE}).partitions():
                breath()
                yield from portion


def frequent_phrases(texts: Iterable[str], breath: Breath, most: int = MOST_PHRASES) -> tuple[FrequentPhrase, ...]:
    """The most frequent phrases, each without those that are nearly always a part of it."""
    clauses = _Clauses()
    spelt: list[str] = []
    for text in texts:
        clauses.add(text)
        if len(spelt) < _SPELT_IN and (len(clauses) < _SPELT_IN // 3 or len(clauses) % 3 == 0):
            spelt.append(text)
    counted = clauses.count(max(LEAST_TEXTS, len(clauses) // 5_000), breath)
    kept = dict(islice(_without_parts(counted), most))
    spellings = _spellings(spelt, set(kept), breath)
    return tuple(
        FrequentPhrase(spellings.get(words, " ".join(words)), n, _language(words)) for words, n in kept.items()
    )


class _Clauses:
    """Texts as clauses of numbered words: no phrase goes beyond a clause."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._texts: list[list[Clause]] = []

    def __len__(self) -> int:
        return len(self._texts)

    def add(self, text: str) -> None:
        """A text."""
        numbers = self._numbers
        clauses = [array("l", [numbers.setdefault(word, len(numbers)) for word in words]) for words in _clauses(text)]
        self._texts.append([clause for clause in clauses if len(clause) > 1])

    def count(self, least: int, breath: Breath) -> dict[tuple[str, ...], int]:
        """In how many texts phrases stand that stand in `least`. A phrase is frequent only if its parts are."""
        words = list(self._numbers)
        edges = [_is_edge(word) for word in words]
        held: dict[tuple[int, ...], int] = {}
        found: dict[tuple[str, ...], int] = {}
        for length in range(2, LONGEST + 1):
            counts: Counter[tuple[int, ...]] = Counter()
            for at, text in enumerate(self._texts):
                if at % _ROWS_AT_ONCE == 0:
                    breath()
                counts.update(_phrases(text, length, held))
            held = {phrase: number for phrase, number in counts.items() if number >= least}
            for phrase, number in held.items():
                if not (edges[phrase[0]] or edges[phrase[-1]]):
                    found[tuple(words[each] for each in phrase)] = number
        return found


def _phrases(text: Sequence[Clause], length: int, shorter: dict[tuple[int, ...], int]) -> set[tuple[int, ...]]:
    """The phrases of so many words, each once, whose beginning and end are among the shorter ones."""
    found = set()
    for clause in text:
        for at in range(len(clause) - length + 1):
            phrase = tuple(clause[at : at + length])
            if length == 2 or (phrase[:-1] in shorter and phrase[1:] in shorter):
                found.add(phrase)
    return found


def _without_parts(counted: dict[tuple[str, ...], int]) -> Iterator[tuple[tuple[str, ...], int]]:
    """The most frequent first."""
    longer: dict[tuple[str, ...], int] = {}
    for words, number in counted.items():
        for length in range(2, len(words)):
            for at in range(len(words) - length + 1):
                part = words[at : at + length]
                longer[part] = max(longer.get(part, 0), number)
    for words, number in sorted(counted.items(), key=lambda item: (-item[1], item[0])):
        if longer.get(words, 0) < ALWAYS_LONGER * number:
            yield words, number


def _spellings(texts: Iterable[str], wanted: set[tuple[str, ...]], breath: Breath) -> dict[tuple[str, ...], str]:
    """How each phrase is mostly written, where a text has it in as many pieces as words."""
    found: dict[tuple[str, ...], Counter[str]] = {}
    for number, text in enumerate(texts):
        if number % _ROWS_AT_ONCE == 0:
            breath()
        for clause in _CLAUSE.findall(text):
            pieces, words = clause.split(), tuple(words_of(clause)[0])
            if len(pieces) != len(words):
                continue
            for length in range(2, LONGEST + 1):
                for at in range(len(words) - length + 1):
                    if words[at : at + length] in wanted:
                        spelt = " ".join(pieces[at : at + length])
                        found.setdefault(words[at : at + length], Counter())[spelt] += 1
    return {words: spelt.most_common(1)[0][0] for words, spelt in found.items()}


def _clauses(text: str) -> Iterator[list[str]]:
    """The words of each clause; numbers and symbols part clauses, too."""
    for clause in _CLAUSE.findall(text):
        words: list[str] = []
        for word in words_of(clause)[0]:
            if is_exact(word) or word.isdigit():
                yield words
                words = []
            else:
                words.append(word)
        yield words


@cache
def _edges() -> frozenset[str]:
    facts = tomllib.loads((Path(__file__).parent / "phrases.toml").read_text("utf-8"))
    return frozenset(facts["edges"])


def _is_edge(word: str) -> bool:
    return len(word) < 3 or word in _edges() or len(languages_of((word,))) < len(LANGUAGES)


def _language(words: Sequence[str]) -> str | None:
    """The language that its function words tell."""
    told = languages_of(words)
    return told[0] if len(told) == 1 else None
