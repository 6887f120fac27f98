"""The names that an index holds: of States, labels and speakers, each in several languages, each in many documents.

A document holds a name as one term; what the name says is worked out once for all the documents that bear it. So a
word of a query is looked up among the names first, and the documents that bear those that say it are found by their
terms.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from services.core.query.analysis import AnalysedText, analyse, is_little

LONGEST_NAME: Final = 600
"""Letters of a name in all its languages. What is longer is no name, but a text that stands where names should."""
BESIDE: Final = ""
"""In place of the field: names of the record that a passage is of. It is found by them, and not ranked."""

_APART: Final = "\n\n"
_PART: Final = "\0"
_REMEMBERED: Final = 50_000


class Name(NamedTuple):
    """One name: the field that it stands in, its language where told, and its wordings, a line each."""

    field: str
    language: str
    wordings: str

    @classmethod
    def of(cls, term: str) -> "Name":
        """The name that a term of the index stands for."""
        return cls(*term.split(_PART, 2))

    @property
    def term(self) -> str:
        """How the name stands in the index."""
        return _PART.join(self)

    @property
    def beside(self) -> "Name":
        """The name for the passages of the record that bears it."""
        return self._replace(field=BESIDE)


@dataclass(frozen=True, slots=True)
class _Said:
    """What a name says: its words in passages that phrases do not cross, its stems, and its lines without little words,
    which are how it is asked for whole.
    """

    passages: tuple[tuple[str, ...], ...]
    stems: frozenset[str]
    whole: frozenset[str]


class Names:
    """The names of one state of an index. Immutable, and safe to use from many threads."""

    def __init__(self, terms: Iterable[str]) -> None:
        self._said = {term: _said(Name.of(term)) for term in terms}
        self._by_word: dict[str, list[str]] = {}
        self._by_stem: dict[str, list[str]] = {}
        self._by_whole: dict[str, list[str]] = {}
        for term, said in self._said.items():
            for word in {word for passage in said.passages for word in passage}:
                self._by_word.setdefault(word, []).append(term)
            for stem in said.stems:
                self._by_stem.setdefault(stem, []).append(term)
            for line in said.whole if not term.startswith(_PART) else ():
                self._by_whole.setdefault(line, []).append(term)

    @property
    def words(self) -> Iterable[str]:
        """All words of all names."""
        return self._by_word.keys()

    def extended(self, terms: Iterable[str]) -> "Names":
        """These names and further ones; itself where there are none."""
        new = [term for term in terms if term not in self._said]
        return Names((*self._said, *new)) if new else self

    def saying(self, words: Iterable[str] = (), stems: Iterable[str] = ()) -> set[str]:
        """Terms of the names that hold any of these words or stems."""
        found = {term for word in words for term in self._by_word.get(word, ())}
        return found.union(*(self._by_stem.get(stem, ()) for stem in stems))

    def saying_nearby(self, words: tuple[str, ...], slop: int = 0) -> set[str]:
        """Terms of the names that hold these words one after the other, with so many other words among them."""
        bearing = [set(self._by_word.get(word, ())) for word in words]
        return {
            term
            for term in set.intersection(*bearing)
            if any(_stand_near(passage, words, slop) for passage in self._said[term].passages)
        }

    def called(self, line: str) -> list[str]:
        """Terms of the names of which a wording is just this `line_text`."""
        return self._by_whole.get(line, [])


def names_in(text: str) -> list[str]:
    """The names of a text in which an empty line stands between any two."""
    return [name for name in text.split(_APART) if name]


def of_field(terms: Iterable[str], field: str) -> list[str]:
    """Those terms whose names stand in a field."""
    beginning = f"{field}{_PART}"
    return [term for term in terms if term.startswith(beginning)]


def line_text(words: Iterable[str]) -> str:
    """The words of a line or of a query, to tell whether the one is asked for as a whole: without little words."""
    return " ".join(word for word in words if not is_little(word))


def _stand_near(passage: tuple[str, ...], words: tuple[str, ...], slop: int) -> bool:
    return any(_follow(passage, start + 1, words[1:], slop) for start, word in enumerate(passage) if word == words[0])


def _follow(passage: tuple[str, ...], at: int, words: tuple[str, ...], slop: int) -> bool:
    """Whether the words stand from `at` on, with up to `slop` others among them."""
    if not words:
        return True
    return any(
        _follow(passage, at + skipped + 1, words[1:], slop - skipped)
        for skipped in range(slop + 1)
        if passage[at + skipped : at + skipped + 1] == words[:1]
    )


@lru_cache(maxsize=_REMEMBERED)
def _said(name: Name) -> _Said:
    analysed = list(_analysed_lines(name))
    return _Said(
        tuple(passage for each in analysed for passage in each.passages),
        frozenset().union(*(each.stems for each in analysed)),
        frozenset(filter(None, (line_text(each.passages[0]) for each in analysed if each.passages))),
    )


def _analysed_lines(name: Name) -> Iterator[AnalysedText]:
    for line in name.wordings.splitlines():
        yield analyse(line, name.language or None)
