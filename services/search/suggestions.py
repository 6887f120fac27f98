"""What to search for, while it is typed: labels, States, organisations, documents, numbers, frequent phrases.

What can be suggested is kept in memory: the values that records of the index have under each filter, with all their
names, and the phrases that the texts use most. Counts are the index's own, at the change that it stands at. Phrases are
looked for again, in the background, when the index has moved on; which they are may be out of date, counts are not.
"""

import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from heapq import nsmallest
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

import structlog
from sqlalchemy import Engine

from services.core.domain.errors import UnavailableError
from services.core.query.analysis import fold
from services.core.query.concepts import concepts
from services.core.query.filters import FILTERS, parse_filters
from services.core.query.parser import parse_query
from services.core.runtime.problems import DATABASE_AWAY
from services.core.schemas.names import LANGUAGES, Names
from services.core.store.reference import Reference
from services.search.answers import at_one_state
from services.search.catalogue import names_of
from services.search.engines.base import Engine as SearchEngine
from services.search.engines.base import IndexMissingError, SearchRequest
from services.search.naming import Name, NameIndex, name_words
from services.search.phrases import FrequentPhrase, frequent_phrases, texts_of
from services.search.speakers import printed_speakers

log = structlog.get_logger(__name__)

KINDS: Final = (
    "topic", "theme", "issue", "sdg", "sdg_target", "group", "instrument", "addressee", "state_under_review",
    "recommending_state", "speaker", "region", "recommending_region", "bloc", "recommending_bloc",
)  # fmt: skip
"""Filters whose values are suggested."""
PHRASE, TERM, NUMBER = "phrase", "term", "number"
"""Kinds of queries that are suggested: a phrase of the texts, a word of the field, a symbol or number or id."""
PHRASES_FOR_SECONDS: Final = 600.0
"""How long phrases are kept at least before they are looked for again."""
MOST_NUMBERS: Final = 5
_LOOKED_AT: Final = 4
"""How many are looked at for each that is wanted, so that there are some of several kinds."""
_BREATH_SECONDS: Final = 0.005
_MOST_DETAIL: Final = 160
_NUMBER = re.compile(r"\S*\d\S*|[A-Za-z]+/\S*")
"""What symbols, numbers and ids look like while they are typed."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Something to search for. `filters` or `query` is what it stands for; `count` how many records that finds.

    `matched` is the name that was found, where it is not the label.
    """

    kind: str
    value: str
    label: str
    count: int
    filters: tuple[tuple[str, str], ...] = ()
    query: str | None = None
    matched: str | None = None
    detail: str | None = None

    def shape(self, address: str, asked: Iterable[tuple[str, str]]) -> dict[str, Any]:
        """As it is shown; `asked` are the parameters that a search for it has besides."""
        parameters = [*self.filters, *([("q", self.query)] if self.query else []), *asked]
        return {
            "kind": self.kind,
            "value": self.value,
            "label": self.label,
            "matched": self.matched,
            "detail": self.detail,
            "count": self.count,
            "filter": dict(self.filters) or None,
            "query": self.query,
            "url": f"{address}?{urlencode(parameters)}",
        }


@dataclass(frozen=True, slots=True)
class _Entry:
    """Something with names. `kinds`: of a State, all filters that take it."""

    kinds: tuple[str, ...]
    value: str
    names: tuple[tuple[str, str | None], ...]


@dataclass(slots=True)
class _State:
    """What was counted of the index at one change."""

    cursor: int
    counts: dict[str | None, Mapping[tuple[str, str], int]] = field(default_factory=dict)
    totals: dict[tuple[str | None, str, str], int] = field(default_factory=dict)
    values: frozenset[tuple[str, str]] | None = None


class _Ingredients(NamedTuple):
    """What a catalogue is made of: names, the values that records have, phrases."""

    names_hash: str
    values: frozenset[tuple[str, str]]
    phrases: tuple[FrequentPhrase, ...]


@dataclass(frozen=True, slots=True)
class _Catalogue:
    """The entries that can be suggested, and what they were made of. `edition` grows with each that is made."""

    edition: int
    made_of: "_Ingredients"
    entries: tuple[_Entry, ...]
    index: NameIndex


class Suggestions:
    """Finds suggestions. One a process, safe to use from many threads; to be closed."""

    def __init__(self, store: Engine, engine: SearchEngine) -> None:
        self._store = store
        self._engine = engine
        self._state: _State | None = None
        self._catalogue: _Catalogue | None = None
        self._making = threading.Lock()
        self._speakers: dict[str, str] = {}
        self._phrases: tuple[FrequentPhrase, ...] = ()
        self._phrase_texts: Mapping[str, int] = {}
        self._phrases_of: tuple[int, float] | None = None
        self._refreshing: threading.Thread | None = None
        self._stopping = threading.Event()

    def version(self) -> tuple[int | None, int]:
        """Changes with what is suggested: the index's change, and the edition of what there is."""
        return self._engine.cursor(), self._catalogue.edition if self._catalogue else 0

    def suggest(self, typed: str, names: Names, noun: str | None, limit: int) -> tuple[int, list[Suggestion]]:
        """The likeliest first, and the change at which they were counted. `noun`: count its records alone."""
        return at_one_state(self._engine, lambda: self._suggested(typed, names, noun, limit))

    def close(self) -> None:
        """Stop looking for phrases."""
        self._stopping.set()
        if self._refreshing is not None:
            self._refreshing.join()

    def _suggested(self, typed: str, names: Names, noun: str | None, limit: int) -> list[Suggestion]:
        asked = _Asked(self._now(), names, noun)
        catalogue = self._catalogue or self._made(asked)
        self._refresh(asked, catalogue)
        numbers = list(self._numbers(typed, asked)) if _NUMBER.fullmatch(typed.strip()) else []
        return [*numbers, *self._named(typed, asked, catalogue, limit - len(numbers))][:limit]

    # What is kept up to date in the background

    def _refresh(self, asked: "_Asked", catalogue: _Catalogue) -> None:
        """Make the catalogue anew, and look for phrases, where they may be out of date. Until then the old ones do."""
        outdated = catalogue.made_of != self._would_be_made_of(asked)
        if not (outdated or self._phrases_are_due(asked)) or self._is_refreshing() or self._stopping.is_set():
            return
        with self._making:
            if not self._is_refreshing():
                self._refreshing = threading.Thread(target=self._refreshed, args=(asked,), name="suggestions")
                self._refreshing.start()

    def _is_refreshing(self) -> bool:
        return self._refreshing is not None and self._refreshing.is_alive()

    def _phrases_are_due(self, asked: "_Asked") -> bool:
        """If the index has moved on since the last time, and that is some time ago."""
        if self._phrases_of is None:
            return True
        cursor, looked = self._phrases_of
        return cursor != asked.state.cursor and time.monotonic() - looked >= PHRASES_FOR_SECONDS

    def _refreshed(self, asked: "_Asked") -> None:
        try:
            self._made(asked)
            if self._phrases_are_due(asked):
                self._look_for_phrases(asked.state.cursor)
                self._made(asked)
        except _StoppedError:
            pass
        except (UnavailableError, *DATABASE_AWAY) as error:
            log.warning("suggestions could not be brought up to date", fault=str(error))

    def _look_for_phrases(self, cursor: int) -> None:
        started = time.monotonic()
        breath = _breath(self._stopping)
        phrases = frequent_phrases(texts_of(self._store, breath), breath)
        self._phrase_texts = {phrase.text: phrase.texts for phrase in phrases}
        self._phrases, self._phrases_of = phrases, (cursor, time.monotonic())
        log.info("phrases found", phrases=len(phrases), seconds=round(time.monotonic() - started, 1))

    def _would_be_made_of(self, asked: "_Asked") -> "_Ingredients":
        values = asked.state.values
        if values is None:
            values = asked.state.values = frozenset(self._counts(asked.state, None))
        return _Ingredients(asked.names.reference.names_hash, values, self._phrases)

    def _made(self, asked: "_Asked") -> _Catalogue:
        """The catalogue as it should be."""
        with self._making:
            made_of, known = self._would_be_made_of(asked), self._catalogue
            if known is not None and known.made_of == made_of:
                return known
            named = (*self._of_filters(asked.names.reference, made_of.values), *_of_terms())
            entries = (*named, *_of_phrases(self._phrases, named))
            index = NameIndex(Name(at, text, of) for at, each in enumerate(entries) for text, of in each.names)
            self._catalogue = _Catalogue(known.edition + 1 if known else 1, made_of, entries, index)
            return self._catalogue

    # What there is

    def _now(self) -> _State:
        cursor, state = self._engine.cursor(), self._state
        if cursor is None:
            raise IndexMissingError("The search index is being built.")
        if state is None or state.cursor != cursor:
            state = self._state = _State(cursor)
        return state

    def _counts(self, state: _State, noun: str | None) -> Mapping[tuple[str, str], int]:
        """How many records have each value of each kind."""
        known = state.counts.get(noun)
        if known is None:
            kinds = tuple(kind for kind in KINDS if noun is None or noun in FILTERS[kind].nouns)
            facets = self._engine.search(SearchRequest(parse_query(""), noun, facets=kinds, per_page=0)).facets
            known = {(kind, value): count for kind, each in facets.items() for value, count in each.values}
            state.counts[noun] = known
        return known

    def _of_filters(self, reference: Reference, values: Iterable[tuple[str, str]]) -> Iterator[_Entry]:
        """What records have, and what means the same as something that they have."""
        labels, families = reference.vocabulary.labels, reference.vocabulary.families
        held = set(values)
        for kind, value in values:
            scheme = FILTERS[kind].scheme or ""
            held.update((kind, code) for code in families.get(f"{scheme}:{value}", ()) if code in labels[scheme])
        unnamed = [value for kind, value in held if kind == "speaker" and not Names(reference).knows_speaker(value)]
        if new := [value for value in unnamed if value not in self._speakers]:
            with self._store.connect() as connection:
                self._speakers |= dict.fromkeys(new, "") | printed_speakers(connection, new)
        together: dict[tuple[str, str], list[str]] = {}
        for kind, value in sorted(held, key=lambda pair: (KINDS.index(pair[0]), pair[1])):
            what = kind if FILTERS[kind].scheme else "place or speaker"
            together.setdefault((what, value), []).append(kind)
        for (_, value), kinds in together.items():
            printed = self._speakers.get(value)
            named = dict.fromkeys(each for kind in kinds for each in names_of(reference, kind, value, printed))
            yield _Entry(tuple(kinds), value, tuple(named))

    # What is meant

    def _named(self, typed: str, asked: "_Asked", catalogue: _Catalogue, limit: int) -> list[Suggestion]:
        """What has such a name, the likeliest first; of things as likely, what most records have."""
        best: dict[int, _Likely] = {}
        for found in catalogue.index.find(typed):
            name = catalogue.index.names[found.at]
            likely = _Likely(found.typos, found.whole, name.language not in (asked.names.language, None), found.at)
            best[name.owner] = min(best.get(name.owner, likely), likely)
        roughly = self._counts(asked.state, asked.noun)
        ordered = []
        for owner, likely in best.items():
            entry = catalogue.entries[owner]
            for kind in entry.kinds:
                often = roughly.get((kind, entry.value), 0) or self._phrase_texts.get(entry.value, 0)
                ordered.append((likely[:3], -often, len(entry.value), entry.value, kind, owner, likely.at))
        told = (
            (likely, each)
            for likely, *_, kind, owner, at in nsmallest(_LOOKED_AT * limit, ordered)
            for each in self._told(kind, catalogue.entries[owner], catalogue.index.names[at].text, asked)
        )
        return [each for _, each in sorted(_mixed(told, limit), key=lambda pair: (pair[0], -pair[1].count))]

    def _told(self, kind: str, entry: _Entry, matched: str, asked: "_Asked") -> Iterator[Suggestion]:
        """The suggestion that an entry is; none where no record is found by it."""
        filters: tuple[tuple[str, str], ...] = ((kind, entry.value),) if kind in KINDS else ()
        query: str | None = None
        if filters:
            if asked.noun is not None and asked.noun not in FILTERS[kind].nouns:
                return
            label = self._speakers.get(entry.value) or asked.names.of_filter_value(kind, entry.value)
            count = self._having(kind, entry.value, asked)
        else:
            label = _label_of_query(entry, asked.names.language)
            query = f'"{label}"' if kind == PHRASE else f"{label} "  # without the blank, the last word was unfinished
            count = self._total(kind, query, asked)
        if count:
            other = None if fold(matched) in {fold(label), fold(entry.value)} else matched
            yield Suggestion(kind, entry.value, label, count, filters, query, other)

    def _having(self, kind: str, value: str, asked: "_Asked") -> int:
        """How many records a filter finds: as the facet tells, unless the filter follows a crosswalk."""
        vocabulary = asked.names.reference.vocabulary
        if f"{FILTERS[kind].scheme}:{value}" not in vocabulary.families:
            return self._counts(asked.state, asked.noun).get((kind, value), 0)
        return self._total(kind, "", asked, parse_filters(asked.noun, [(kind, value)], vocabulary).values)

    def _total(
        self, kind: str, query: str, asked: "_Asked", filters: Mapping[str, tuple[str, ...]] | None = None
    ) -> int:
        key = (asked.noun, kind, query or str(filters))
        if key not in asked.state.totals:
            request = SearchRequest(parse_query(query), asked.noun, filters or {}, per_page=0)
            asked.state.totals[key] = self._engine.search(request).total
        return asked.state.totals[key]

    def _numbers(self, typed: str, asked: "_Asked") -> Iterator[Suggestion]:
        """Symbols, numbers and ids that begin so: first what is typed itself, then the most frequent."""
        beginning = fold(typed.strip())
        found = sorted(self._engine.words(beginning, MOST_NUMBERS * 4), key=lambda word: (word != beginning, len(word)))
        for word in found[:MOST_NUMBERS]:
            if not any(letter.isdigit() for letter in word):
                continue
            request = SearchRequest(parse_query(f"{word} "), asked.noun, per_page=3, strict=True)
            result = self._engine.search(request)
            if result.total:
                cited, detail = _cited([hit.record for hit in result.hits], word)
                yield Suggestion(NUMBER, cited, cited, result.total, query=cited, detail=detail)


class _Likely(NamedTuple):
    """How likely a name is meant, the least first; `at` is which."""

    typos: int
    whole: int
    of_another_language: bool
    at: int


@dataclass(frozen=True, slots=True)
class _Asked:
    """Who asks: at which state of the index, in which language, about which records."""

    state: _State
    names: Names
    noun: str | None


def _mixed(found: Iterable[tuple[Any, Suggestion]], limit: int) -> list[tuple[Any, Suggestion]]:
    """The first ones, at most a third of a kind as long as there are others among those that are looked at."""
    most = max(2, limit // 3)
    taken: list[tuple[Any, Suggestion]] = []
    left: list[tuple[Any, Suggestion]] = []
    kinds: Counter[str] = Counter()
    for pair in found:
        kinds[pair[1].kind] += 1
        (taken if kinds[pair[1].kind] <= most else left).append(pair)
        if len(taken) == limit:
            break
    return [*taken, *left][:limit]


def _of_terms() -> Iterator[_Entry]:
    """The words of the field, but for the names of States: those are filters."""
    for code, concept in concepts().items():
        if not code.startswith("state-"):
            names = ((form, language) for language, forms in concept.forms.items() for form in forms)
            in_languages = ((form, language if language in LANGUAGES else None) for form, language in names)
            yield _Entry((TERM,), code, tuple(in_languages))


def _of_phrases(phrases: Iterable[FrequentPhrase], named: Iterable[_Entry]) -> Iterator[_Entry]:
    """The phrases that are not the name of something else."""
    known = {name_words(text) for entry in named for text, _ in entry.names}
    for phrase in phrases:
        if name_words(phrase.text) not in known:
            yield _Entry((PHRASE,), phrase.text, ((phrase.text, phrase.language),))


def _label_of_query(entry: _Entry, language: str) -> str:
    """What it is called in a language: else in English, else in the first one."""
    found = {of: text for text, of in reversed(entry.names)}
    return found.get(language) or found.get("en") or entry.names[0][0]


def _cited(records: Iterable[Mapping[str, Any]], word: str) -> tuple[str, str | None]:
    """A symbol, number or id as it is printed, and what bears it, where it is the record's own."""
    printed = word.upper() if "/" in word else word
    for record in records:
        for own in (record.get("symbol"), record["id"], *record.get("aliases", ())):
            if own and fold(own) == word:
                text = str(record.get("title") or record.get("text") or "")
                return own, text if len(text) <= _MOST_DETAIL else f"{text[: _MOST_DETAIL - 1].rstrip()}…"
        for source in record.get("sources", ()):
            if isinstance(source, dict) and fold(str(source.get("symbol") or "")) == word:
                printed = str(source["symbol"])
    return printed, None


class _StoppedError(Exception):
    """There is no more need for phrases."""


def _breath(stopping: threading.Event) -> Callable[[], None]:
    def breath() -> None:
        if stopping.is_set():
            raise _StoppedError
        time.sleep(_BREATH_SECONDS)

    return breath
