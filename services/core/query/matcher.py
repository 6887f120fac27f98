"""When a record's texts match a query: the meaning of the query language, without an index.

`strict` is what saved searches, webhooks and `strict=true` use: stems, phrases and booleans. The forgiving way adds
typing errors and the beginning of the last word, and is the truth that engines are tested against (it looks at every
word of a text, so it is slow).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from services.core.query.analysis import AnalysedText, analyse, is_exact, stems_of
from services.core.query.concepts import token_of
from services.core.query.tree import And, Dates, Field, Node, Not, Or, Phrase, Query, Synonym, Word

ONE_TYPO_FROM = 5
TWO_TYPOS_FROM = 9
"""Letters from which a word may hold one and two typing errors (Meilisearch's `minWordSizeForTypos`)."""


def typos_allowed(word: str) -> int:
    """How many typing errors are forgiven in a folded word. None in symbols and numbers."""
    if is_exact(word) or len(word) < ONE_TYPO_FROM:
        return 0
    return 1 if len(word) < TWO_TYPOS_FROM else 2


@lru_cache(maxsize=200_000)
def typos_between(typed: str, word: str, *, prefix: bool = False) -> int | None:
    """The typing errors that part `typed` from `word`, None where there are too many.

    An error is a letter added, left out or changed, or two neighbours changed over (optimal string alignment). One in
    the first letter counts twice, as in Meilisearch. With `prefix`, a word that begins with `typed` is as good as
    itself; a misspelt beginning is not forgiven (`Guarani` is no beginning of `guarantee`).
    """
    if typed == word:
        return 0
    if is_exact(word) or is_exact(typed):
        return None
    if prefix and word.startswith(typed):
        return 0
    allowed = typos_allowed(typed)
    if not allowed:
        return None
    first_letter = 0 if typed[0] == word[:1] else 1
    limit = allowed - first_letter
    if limit < 1 or abs(len(word) - len(typed)) > limit:
        return None
    distance = _distance(typed, word)
    return distance + first_letter if distance <= limit else None


def matches(
    query: Query, texts: Mapping[str, str], *, strict: bool = True, languages: Mapping[str, str] | None = None
) -> bool:
    """True if a record with these texts (field to text, `languages` by field where known) matches the query."""
    return Matcher(query, strict=strict).matches_analysed(analyse_texts(texts, languages))


@dataclass(frozen=True, slots=True)
class AnalysedRecord:
    """All words, passages and stems of a record, whatever the field."""

    words: frozenset[str]
    passages: tuple[tuple[str, ...], ...]
    stems: frozenset[str]


def analyse_texts(texts: Mapping[str, str], languages: Mapping[str, str] | None = None) -> AnalysedRecord:
    """Analyse a record once, to match it with many queries."""
    fields = [analyse(text, (languages or {}).get(name)) for name, text in texts.items()]
    passages = tuple(passage for field in fields for passage in field.passages)
    return AnalysedRecord(frozenset(word for passage in passages for word in passage), passages, _all_stems(fields))


class Matcher:
    """One query, ready to be tried on many records."""

    def __init__(self, query: Query, *, strict: bool = True) -> None:
        self._root = query.whole
        self._forgiving = not strict

    def matches_analysed(self, record: AnalysedRecord, terms: frozenset[str] = frozenset()) -> bool:
        """True if the record matches. A query without words and fields matches everything.

        `terms` is what the record answers to under each filter, `filter:value`, the day as `date:…`. Only fields of
        the query ask for it.
        """
        return self._root is None or self._holds(self._root, record, terms, self._forgiving)

    def _holds(self, node: Node, record: AnalysedRecord, terms: frozenset[str], forgiving: bool) -> bool:
        match node:
            case Not(child):
                return not self._holds(child, record, terms, False)
            case And(nodes):
                return all(self._holds(child, record, terms, forgiving) for child in nodes)
            case Or(nodes):
                return any(self._holds(child, record, terms, forgiving) for child in nodes)
            case Synonym(typed, concepts):
                named = not record.stems.isdisjoint(map(token_of, concepts))
                return named or self._holds(typed, record, terms, forgiving)
            case Field() | Dates():
                return _field_holds(node, terms)
        return _words_hold(node, record, forgiving)


def find_phrase(words: tuple[str, ...], passage: tuple[str, ...]) -> list[int]:
    """Where in a passage the words of a phrase begin to stand side by side."""
    first, length = words[0], len(words)
    return [at for at, word in enumerate(passage) if word == first and passage[at : at + length] == words]


def _field_holds(node: Field | Dates, terms: frozenset[str]) -> bool:
    if isinstance(node, Field):
        return any(f"{node.name}:{value}" in terms for value in node.values)
    return any(node.holds(term.removeprefix("date:")) for term in terms if term.startswith("date:"))


def _words_hold(node: Word | Phrase, record: AnalysedRecord, forgiving: bool) -> bool:
    if isinstance(node, Phrase):
        return any(find_phrase(node.words, passage) for passage in record.passages)
    if not record.stems.isdisjoint(stems_of(node.text)):
        return True
    return forgiving and any(typos_between(node.text, other, prefix=node.prefix) is not None for other in record.words)


def _all_stems(fields: Iterable[AnalysedText]) -> frozenset[str]:
    return frozenset().union(*(field.stems for field in fields))


def _distance(typed: str, word: str) -> int:
    """Optimal string alignment distance."""
    before: list[int] = []
    last = list(range(len(word) + 1))
    for row, letter in enumerate(typed, start=1):
        current = [row]
        for column, other in enumerate(word, start=1):
            cost = min(last[column] + 1, current[-1] + 1, last[column - 1] + (letter != other))
            if row > 1 and column > 1 and letter == word[column - 2] and typed[row - 2] == other:
                cost = min(cost, before[column - 2] + 1)
            current.append(cost)
        before, last = last, current
    return last[-1]
