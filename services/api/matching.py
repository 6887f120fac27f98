"""Whether a change concerns somebody: by the record before it and after it, as a strict search would find them.

A query means here what it means in `/v1/search?strict=true`: the same texts are matched (`core.schemas.texts`) by the
same matcher. Only nouns that are searched can match words.
"""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from services.core.domain.changes import Match, type_matches
from services.core.query.filters import FilterSet, Vocabulary
from services.core.query.matcher import AnalysedRecord, Matcher, analyse_texts
from services.core.query.parser import parse_query
from services.core.query.tree import Query
from services.core.schemas.events import shapes_of
from services.core.schemas.shapes import Shape
from services.core.schemas.texts import PARTED_NOUNS, SEARCHED_NOUNS, SearchedTexts, Texts, texts_of_paragraph
from services.core.store.paragraphs import ParagraphRecord

Paragraphs = Callable[[str], Sequence[ParagraphRecord]]
"""The paragraphs of a document, by its id."""


class _Understood:
    """Queries as understood with a vocabulary, kept for the next time. Threads share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._vocabulary: Vocabulary | None = None
        self._queries: dict[tuple[str | None, str], tuple[Query, Matcher]] = {}
        self._letters = 0

    def get(self, noun: str | None, q: str, vocabulary: Vocabulary) -> tuple[Query, Matcher]:
        """Raises `InvalidQueryError`."""
        with self._lock:
            if vocabulary is not self._vocabulary:
                if vocabulary != self._vocabulary:
                    self._forget()
                self._vocabulary = vocabulary
            if (noun, q) not in self._queries:
                query = parse_query(q, vocabulary, noun, strict=True)
                if self._letters > MOST_LETTERS:
                    self._forget()
                self._queries[noun, q] = query, Matcher(query, strict=True)
                self._letters += LEAST_LETTERS + len(q)
            return self._queries[noun, q]

    def _forget(self) -> None:
        self._queries.clear()
        self._letters = 0


_understood = _Understood()
MOST_LETTERS = 1_000_000
"""Letters of the queries that are kept: their number alone is no bound, as anybody may ask the feed for any words."""
LEAST_LETTERS = 20
"""What a query counts for besides its letters."""
_NO_QUERY = parse_query("")


@dataclass(frozen=True)
class Criterion:
    """What a record has to meet: be of a noun, meet filters, match a query. What is not given leaves nothing out."""

    noun: str | None = None
    filters: FilterSet = field(default_factory=lambda: FilterSet(None))
    query: Query = _NO_QUERY
    matcher: Matcher | None = None

    @classmethod
    def of(cls, noun: str | None, q: str, filters: FilterSet, vocabulary: Vocabulary) -> "Criterion":
        """With a query in words. Raises `InvalidQueryError`."""
        query, matcher = _understood.get(noun, q.strip(), vocabulary)
        return cls(noun, filters, query, None if query.whole is None else matcher)

    def __bool__(self) -> bool:
        return self.noun is not None or bool(self.filters) or self.asks_words

    @property
    def asks_words(self) -> bool:
        """Whether there is a query, so that texts have to be looked at."""
        return self.matcher is not None

    @property
    def nouns(self) -> tuple[str, ...] | None:
        """The only nouns that can meet it; None: any."""
        if self.noun is not None:
            return (self.noun,)
        return SEARCHED_NOUNS if self.asks_words else None

    @property
    def conditions(self) -> list[tuple[str, tuple[str, ...]]]:
        """Filters, those of the query among them: each a name, and values of which a record must have one."""
        return [*self.filters.values.items(), *((each.name, each.values) for each in self.query.filters)]

    def key(self) -> tuple[Any, ...]:
        """The same for criteria that mean the same."""
        return self.noun, self.query.text, self.filters.canonical()

    def is_met_by(self, side: "Side") -> bool:
        """Whether a record meets all of it."""
        if self.nouns is not None and side.noun not in self.nouns:
            return False
        if not self.filters.matches(side.terms):
            return False
        matcher = self.matcher
        return matcher is None or any(matcher.matches_analysed(each, side.terms) for each in side.analysed)


@dataclass(frozen=True)
class Interest:
    """What somebody wants to hear of. Records have to meet all criteria; event types and causes empty: any."""

    criteria: tuple[Criterion, ...] = ()
    event_types: frozenset[str] = frozenset()
    causes: frozenset[str] = frozenset()

    @property
    def asks_words(self) -> bool:
        """Whether texts have to be looked at."""
        return any(each.asks_words for each in self.criteria)

    @cached_property
    def key(self) -> tuple[Any, ...]:
        """The same for interests that mean the same."""
        return tuple(each.key() for each in self.criteria), self.event_types, self.causes

    def match(self, change: "ChangedRecord") -> Match | None:
        """How a change meets it; None where it does not."""
        if self.causes and change.cause not in self.causes:
            return None
        if self.event_types and not type_matches(self.event_types, change.type):
            return None
        before, after = self._met_by(change.before), self._met_by(change.after)
        if before and after:
            return Match.STAYED
        return Match.ENTERED if after else Match.LEFT if before else None

    def _met_by(self, side: "Side | None") -> bool:
        return side is not None and all(each.is_met_by(side) for each in self.criteria)


class Side:
    """A record as it was before a change, or is after it. Its texts are analysed once, when first asked for."""

    def __init__(self, noun: str, terms: Iterable[str], analyse: Callable[[], list[AnalysedRecord]]) -> None:
        self.noun = noun
        self.terms = frozenset(terms)
        self._analyse = analyse

    @cached_property
    def analysed(self) -> list[AnalysedRecord]:
        """What the words of a query must stand in: the record's own texts, or those and a paragraph."""
        return self._analyse()


class ChangedRecord:
    """The record of a change before it and after it; a side is None where there was or is no record.

    Of paragraphs only those are known that are held now: they stand for both sides.
    """

    def __init__(self, change: Mapping[Any, Any], searched: SearchedTexts, paragraphs: Paragraphs) -> None:
        """`change` has the columns type, cause, noun, subject, terms_before and terms_after. `data` and `changed`, too,
        where words are asked for."""
        self.type: str = change["type"]
        self.cause: str = change["cause"]
        self._change = change
        self._searched = searched
        self._paragraphs = paragraphs
        self._known: dict[tuple[str, ...], list[AnalysedRecord]] = {}
        self.before = self._side(change["terms_before"], 0)
        self.after = self._side(change["terms_after"], 1)

    def _side(self, terms: Iterable[str], which: int) -> Side | None:
        # Whatever is a record answers to its own id, at least.
        return Side(self._change["noun"], terms, lambda: self._analysed(self._shapes[which])) if terms else None

    @cached_property
    def _shapes(self) -> tuple[Shape | None, Shape | None]:
        return shapes_of(self.type, self._change["data"], self._change["changed"])

    @cached_property
    def _parts(self) -> list[AnalysedRecord]:
        if self._change["noun"] not in PARTED_NOUNS:
            return []
        return [_analysed(texts_of_paragraph(each)) for each in self._paragraphs(self._change["subject"])]

    def _analysed(self, shape: Shape | None) -> list[AnalysedRecord]:
        if shape is None or self._change["noun"] not in SEARCHED_NOUNS:
            return []
        texts = self._searched.of_record(self._change["noun"], shape)
        key = (*texts.texts.values(), *texts.languages.values())
        if key not in self._known:  # most changes leave the texts as they were
            own = _analysed(texts)
            self._known[key] = [own, *(_together(own, part) for part in self._parts)]
        return self._known[key]


def _analysed(texts: Texts) -> AnalysedRecord:
    return analyse_texts(texts.texts, texts.languages)


def _together(own: AnalysedRecord, part: AnalysedRecord) -> AnalysedRecord:
    return AnalysedRecord(own.words | part.words, own.passages + part.passages, own.stems | part.stems)
