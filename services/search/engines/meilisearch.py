"""The production engine: Meilisearch, through its official client (ADR 0002).

Which records match is decided by filters over two lists that every document carries, `words` and `stems`, so that
totals and facets mean the same as everywhere. What a misspelt or unfinished word may stand for is asked of the server
(facet search over `words`) and judged by our own rule. The text query orders the hits, by Meilisearch's ranking rules;
it begins with a phrase that every document holds, and phrases are the only terms of it that must match
(`matchingStrategy: last`). Phrases under OR become one query each, united by the server (federated search).

A passage is a document of its own beside that of its record, with the record's filters. `distinct` over the attribute
that the two share makes them one hit. Where pages are asked for, totals and facet counts under it are exact, and count
records.

An index is named by version; `…_new` is being built. Its cursor is a document of its own.
"""

import hashlib
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import combinations, islice
from typing import Any, Final

import meilisearch
import orjson
import requests
from meilisearch.errors import MeilisearchApiError, MeilisearchCommunicationError, MeilisearchTimeoutError
from meilisearch.models.task import TaskInfo

from services.core.domain.errors import InvalidQueryError, UnavailableError
from services.core.query.analysis import AnalysedText, analyse, stems_of
from services.core.query.concepts import token_of
from services.core.query.highlight import marks_of
from services.core.query.matcher import ONE_TYPO_FROM, TWO_TYPOS_FROM, typos_allowed, typos_between
from services.core.query.parser import parse_query
from services.core.query.readings import Reading
from services.core.query.tree import And, Dates, Field, Node, Not, Or, Phrase, Synonym, Word, asks_words
from services.search.engines.base import (
    PASSAGES_SHOWN,
    TYPE,
    YEAR,
    Capabilities,
    DocumentKey,
    DocumentsRefusedError,
    FacetCounts,
    Health,
    Hit,
    IndexDocument,
    IndexLayout,
    IndexMissingError,
    IndexRefusedError,
    SearchRequest,
    SearchResult,
    batches,
    check_place,
    date_number,
    sort_text,
    weightiest,
)
from services.search.engines.vocabulary import Expansion, reading_of

MAX_ALTERNATIVES: Final = 16
MAX_EXPANSIONS: Final = 20_000
_RANKED_WORDS: Final = 9
"""Meilisearch looks at ten terms of a query; the first is the phrase that every document holds."""
_EVERYWHERE: Final = "everywhere"
_UNLABELLED: Final = "\ue000"
"""A filter value of documents that have none: a character for private use, which no request can ask for."""
_CURSOR: Final = "cursor"
_CURSOR_TYPE: Final = ":cursor"
_BATCH: Final = 2_000
_PART_OF: Final = "part_of"
"""The key of the record that a passage is of."""
_WHOLE: Final = "whole"
"""The same, and of records that have passages their own key."""
_OUTSTANDING_TASKS: Final = 8
_MOST_REFUSED: Final = 100
"""Documents that are told to be at fault: of more, something else is."""
_FAULTS_OF_THE_SERVER: Final = frozenset({"internal", "system", "auth"})
"""Types of errors that no document is to blame for (Meilisearch's reference of errors)."""
_ORDERING_MS: Final = 1_500
_PAGE_OF_IDS: Final = 5_000
_RETRY_AFTER_SECONDS: Final = 10
"""What Meilisearch says in `Retry-After` with each of its 503s."""


class MeilisearchEngine:
    """`Engine` on a Meilisearch server (1.50 or later).

    `index` begins the names of our indexes there; the key needs `search`, `documents.*`, `indexes.*`, `settings.*`,
    `tasks.get` and `stats.get` on `{index}_*`. `timeout` is in seconds, for one answer; `task_timeout` for a write;
    `cutoff` for a search: beyond it hits are no longer put in order, and a server that is silent for so long is away.
    """

    capabilities = Capabilities(
        engine="meilisearch",
        case_sensitive_values=False,
        ranked_words=_RANKED_WORDS,
        phrase_alternatives=MAX_ALTERNATIVES,
        expansions=MAX_EXPANSIONS,
    )

    def __init__(
        self,
        url: str,
        key: str | None,
        layout: IndexLayout,
        index_version: str,
        *,
        index: str = "openupr",
        timeout: int = 10,
        cutoff: float = 5.0,
        task_timeout: float = 600.0,
    ) -> None:
        self._layout = layout
        version = re.sub(r"[^A-Za-z0-9]+", "-", index_version)
        self._index = index
        self._live = f"{index}_{version}-{layout.fingerprint()}"
        self._staging = f"{self._live}_new"
        self._server = _Server(url, key, timeout, task_timeout)
        self._reader = _Server(url, key, min(timeout, cutoff), task_timeout)
        self._settings = _settings(layout, cutoff)
        self._settled = False
        self._writing = threading.Lock()
        self._rebuilding = threading.Lock()

    def search(self, request: SearchRequest) -> SearchResult:
        """See `Engine.search`."""
        request.check(self._layout)
        plan = _Plan(request, self._layout, self._expand)
        fields = {name: _facet_field(name, request.date_name) for name in request.facets}
        shared = {name: field for name, field in fields.items() if not request.narrows(name)}
        answer = self._ask(plan, plan.constraints(), shared.values(), request.per_page, request.page)
        facets = _facet_counts(answer, shared)
        for name, field_ in fields.items():
            if name not in facets:
                alone = self._ask(plan, plan.constraints(name), [field_], 0, 1)
                facets |= _facet_counts(alone, {name: field_})
        scored = request.sort is None and bool(request.query.words)
        hits = self._hits(plan, answer["hits"], scored=scored)
        readings = plan.readings()
        marks = marks_of(request.query, frozenset(plan.found_words), readings)
        facets = {name: facets[name] for name in request.facets}
        return SearchResult(answer["totalHits"], hits, facets, marks, readings)

    def words(self, beginning: str, limit: int) -> tuple[str, ...]:
        """See `Engine.words`."""
        found = self._reader.facet_counts(self._live, "words", beginning)
        begun = [(word, count) for word, count in found if word.startswith(beginning)]
        return tuple(word for word, _ in sorted(begun, key=lambda item: (-item[1], item[0]))[:limit])

    def frequencies(self, stems: Iterable[str]) -> dict[str, int]:
        """See `Engine.frequencies`."""
        stems = list(dict.fromkeys(stems))
        queries = [
            {"indexUid": self._live, "q": "", "filter": _any_of("stems", (stem,)), "hitsPerPage": 0, "page": 1}
            for stem in stems
        ]
        answers = self._reader.several(queries) if queries else []
        return {stem: answer["totalHits"] for stem, answer in zip(stems, answers, strict=True)}

    def like(self, weights: Mapping[str, float], request: SearchRequest, limit: int) -> tuple[Hit, ...]:
        """See `Engine.like`. The server knows no weights: it is asked for each number of stems, the most first."""
        request.check(self._layout)
        stems = weightiest(weights)
        plan = _Plan(replace(request, query=parse_query("")), self._layout, self._expand)
        queries = [
            {
                "indexUid": self._live,
                "q": "",
                "filter": [*plan.constraints(), [_all_of("stems", several) for several in combinations(stems, number)]],
                "limit": limit,
                "sort": ["order:asc"],
            }
            for number in range(len(stems), 0, -1)
        ]
        found = (hit for answer in (self._reader.several(queries) if queries else ()) for hit in answer["hits"])
        each = {hit["key"]: hit for hit in found}
        return tuple(_hit(hit, None, ()) for hit in islice(each.values(), limit))

    def apply(
        self,
        upserts: Iterable[IndexDocument],
        deletes: Iterable[DocumentKey],
        cursor: int,
        *,
        follows: int | None = None,
    ) -> None:
        """See `Engine.apply`.

        The cursor travels with the last documents, in one task that succeeds or fails as a whole (a task takes the
        server some tens of milliseconds, however small it is); all other tasks are done before.
        """
        with self._writing:
            check_place(self.cursor(), follows)
            self._settle()
            deletes = list(deletes)
            keys = [_document_key(key) for key in deletes]
            tasks = [self._server.delete(self._live, keys[at : at + _BATCH]) for at in range(0, len(keys), _BATCH)]
            tasks += self._without_passages(deletes)
            sent = _Sent(self._server, self._live)
            last: list[dict[str, Any]] = []
            for batch in batches(upserts, _BATCH):
                sent.add(last)
                tasks += self._without_passages(document.key for document in batch)
                last = self._made(batch, sent.refused)
            self._server.wait(tasks)
            sent.wait()
            sent.add(last, _cursor_document(cursor))
            sent.wait()

    def cursor(self) -> int | None:
        """See `Engine.cursor`."""
        found = self._reader.document(self._live, _CURSOR)
        return None if found is None else int(orjson.loads(found["record"])["cursor"])

    def rebuild(self, documents: Iterable[IndexDocument], cursor: int) -> int:
        """See `Engine.rebuild`. The new index is compared with what was sent before it is put in use."""
        if not self._rebuilding.acquire(blocking=False):
            raise UnavailableError("the search index is being rebuilt already")
        try:
            self._server.remove(self._staging)
            self._server.create(self._staging)
            self._server.settle(self._staging, self._settings)
            count, passages = self._fill(documents)
            self._server.wait([self._server.add(self._staging, [_cursor_document(cursor)])])
            held = self._server.count(self._staging)
            if held != count + passages + 1:
                raise UnavailableError(
                    f"the new index holds {held - 1} documents instead of {count + passages}; it was not put in use"
                )
            with self._writing:
                self._swap()
            self._server.remove(self._staging)
            return count
        finally:
            self._rebuilding.release()

    def prune(self) -> tuple[str, ...]:
        """See `Engine.prune`."""
        ours = re.compile(rf"{re.escape(self._index)}_[A-Za-z0-9-]*-[0-9a-f]{{8}}(_new)?\Z")
        others = [uid for uid in self._server.indexes() if ours.match(uid) and uid not in {self._live, self._staging}]
        for uid in others:
            self._server.remove(uid)
        return tuple(others)

    def counts(self) -> dict[str, int]:
        """See `Engine.counts`."""
        filters = [_unequal(TYPE, _CURSOR_TYPE), *self._no_passages]
        query = {"filter": filters, "facets": [TYPE], "hitsPerPage": 0, "page": 1}
        answer = self._reader.search(self._live, query)
        return dict(answer["facetDistribution"].get(TYPE, {}))

    def ids(self, type_: str) -> dict[str, str]:
        """See `Engine.ids`."""
        of_type = _any_of(TYPE, (type_,))
        fields = ["key", "id", "revision", "passages"]
        held = self._server.documents(self._live, [of_type, *self._no_passages], fields)
        parts: dict[str, int] = {}
        if type_ in self._layout.parted:
            query = {"filter": of_type, "facets": [_PART_OF], "hitsPerPage": 0, "page": 1}
            parts = self._server.search(self._live, query)["facetDistribution"].get(_PART_OF, {})
        return {
            one["id"]: one["revision"] if parts.get(one["key"], 0) == one.get("passages", 0) else "" for one in held
        }

    def health(self) -> Health:
        """See `Engine.health`."""
        try:
            if self.cursor() is None:
                return Health(False, "there is no search index yet")
            return Health(True, f"{sum(self.counts().values())} documents")
        except UnavailableError as error:
            return Health(False, error.detail)

    def close(self) -> None:
        """See `Engine.close`."""
        self._server.close()
        self._reader.close()

    # Reading

    def _ask(
        self, plan: "_Plan", constraints: list[str], counted: Iterable[str], per_page: int, page: int
    ) -> dict[str, Any]:
        """One page and the counts of fields, of the documents that match under these constraints."""
        queries = [
            {"q": alternative.text, "filter": [*constraints, *alternative.filters], "matchingStrategy": "last"}
            for alternative in plan.alternatives
        ]
        fields = list(dict.fromkeys(counted))
        if len(queries) == 1:
            query = {**queries[0], "facets": fields, "hitsPerPage": per_page, "page": page, "showRankingScore": True}
            distinct = {"distinct": _WHOLE} if plan.asks_passages else {}
            return self._reader.search(self._live, query | plan.order | distinct)
        if plan.asks_passages:
            queries = [*self._apart(plan, queries, constraints)]
        federation = {"hitsPerPage": per_page, "page": page, "facetsByIndex": {self._live: fields}}
        answer = self._reader.federated(
            [{"indexUid": self._live, "showRankingScore": True} | query | plan.order for query in queries], federation
        )
        facets = answer.get("facetsByIndex", {}).get(self._live, {})
        return {**answer, "facetDistribution": facets.get("distribution", {})}

    def _apart(self, plan: "_Plan", queries: list[dict[str, Any]], constraints: list[str]) -> Iterator[dict[str, Any]]:
        """The queries for records alone, and one for those that match in a passage, which come last.

        Each of several queries has a `distinct` of its own, so united they would count a record more than once.
        """
        if plan.holders is None:
            plan.holders = self._holders(plan)
        for query in queries:
            yield query | {"filter": [*query["filter"], *self._no_passages]}
        if plan.holders:
            held = [*constraints, _any_of(_WHOLE, plan.holders), *self._no_passages]
            yield {"q": plan.words, "filter": held, "matchingStrategy": "last", "federationOptions": {"weight": 0.5}}

    def _holders(self, plan: "_Plan") -> list[str]:
        """The keys of the records that match in some passage, whatever the filters."""
        of_passages = [
            {
                "indexUid": self._live,
                "q": alternative.text,
                "filter": [f"{_PART_OF} EXISTS", *alternative.filters],
                "matchingStrategy": "last",
                "facets": [_PART_OF],
                "hitsPerPage": 0,
                "page": 1,
            }
            for alternative in plan.alternatives
        ]
        answers = self._reader.several(of_passages)
        return sorted({key for answer in answers for key in answer["facetDistribution"].get(_PART_OF, {})})

    def _hits(self, plan: "_Plan", found: list[dict[str, Any]], *, scored: bool) -> tuple[Hit, ...]:
        """The records found, where a passage stands for its own. Those that were removed meanwhile are left out."""
        scores = {hit.get(_WHOLE, hit["key"]): hit["_rankingScore"] if scored else None for hit in found}
        records = {hit["key"]: hit for hit in found}
        if wanted := [key for key in scores if key not in records]:
            records |= {one["key"]: one for one in self._reader.chosen(self._live, wanted)}
        parted = [key for key in scores if plan.asks_passages and _WHOLE in records.get(key, ())]
        passages = self._passages(plan, parted)
        return tuple(
            _hit(records[key], score, tuple(passages.get(key, ()))) for key, score in scores.items() if key in records
        )

    def _passages(self, plan: "_Plan", keys: list[str]) -> dict[str, list[dict[str, Any]]]:
        """The passages of these records that match best, in one call."""
        queries = [
            {
                "indexUid": self._live,
                "q": text,
                "filter": [_any_of(_PART_OF, (key,)), *alternative.filters],
                "matchingStrategy": "last",
                "limit": PASSAGES_SHOWN,
                "showRankingScore": True,
                "attributesToRetrieve": ["key", _PART_OF, "record"],
            }
            for key in keys
            for alternative, text in zip(plan.alternatives, plan.ranking, strict=True)
        ]
        found: dict[str, dict[str, dict[str, Any]]] = {}
        for answer in self._reader.several(queries) if queries else ():
            for hit in answer["hits"]:
                held = found.setdefault(hit[_PART_OF], {}).setdefault(hit["key"], hit)
                held["_rankingScore"] = max(held["_rankingScore"], hit["_rankingScore"])
        return {key: _best(hits.values()) for key, hits in found.items()}

    def _expand(self, word: Word) -> "_Expanded":
        """What a typed word may stand for. The server proposes, `typos_between` decides."""
        near = self._reader.facet_counts(self._live, "words", word.text)
        typos = {other: typos_between(word.text, other, prefix=word.prefix) for other, _ in near}
        meant = {other: number for other, number in typos.items() if number is not None}
        return _Expanded(Expansion.of(meant), dict(near))

    # Writing

    def _settle(self) -> None:
        """Once a process: the settings as this version wants them."""
        if not self._settled:
            self._server.settle(self._live, self._settings)
            self._settled = True

    def _fill(self, documents: Iterable[IndexDocument]) -> tuple[int, int]:
        """Send all documents to the new index; a few tasks may be under way at once. How many, and their passages."""
        keys: set[str] = set()
        passages: set[str] = set()
        sent = _Sent(self._server, self._staging)
        for batch in batches(documents, _BATCH):
            made = self._made(batch, sent.refused)
            for one in made:
                (passages if _PART_OF in one else keys).add(one["key"])
            sent.add(made)
            sent.wait(_OUTSTANDING_TASKS - 1)
        sent.wait()
        return len(keys), len(passages)

    def _swap(self) -> None:
        if not self._server.exists(self._live):
            self._server.create(self._live)
        self._server.swap(self._staging, self._live)
        self._settled = True

    def _without_passages(self, keys: Iterable[DocumentKey]) -> list[TaskInfo]:
        """Remove the passages of records that are to be replaced or deleted: there may be fewer afterwards."""
        parted = [_document_key(key) for key in keys if key.type in self._layout.parted]
        return [self._server.delete_where(self._live, _any_of(_PART_OF, parted))] if parted else []

    def _made(self, batch: Iterable[IndexDocument], refused: dict[DocumentKey, str]) -> list[dict[str, Any]]:
        """Documents, each once, and their passages, as Meilisearch takes them. Those that cannot be are `refused`."""
        records: list[dict[str, Any]] = []
        passages: list[dict[str, Any]] = []
        for document in {document.key: document for document in batch}.values():
            try:
                passages += self._passages_made(document)
                records.append(self._document(document))
            except DocumentsRefusedError as fault:
                refused.update(fault.reasons)
        return [*passages, *records]

    def _document(self, document: IndexDocument) -> dict[str, Any]:
        """The document as Meilisearch takes it.

        The record travels as JSON text: its numbers, names and depth are none of the index's concern.
        """
        key = _document_key(document.key)
        made = self._shared(document) | _texts(self._layout, _analysed(document.texts, document.languages), {})
        made |= {"key": key, "revision": document.revision, "record": orjson.dumps(document.record).decode()}
        return made | ({"passages": len(document.passages), _WHOLE: key} if document.passages else {})

    def _passages_made(self, document: IndexDocument) -> Iterator[dict[str, Any]]:
        if not document.passages:
            return
        key = _document_key(document.key)
        shared = self._shared(document) | {_WHOLE: key, _PART_OF: key}
        beside = _analysed(document.texts, document.languages)
        for at, passage in enumerate(document.passages):
            texts = _texts(self._layout, _analysed(passage.texts, passage.languages), beside)
            record = orjson.dumps(passage.content).decode()
            yield {**shared, **texts, "key": f"{key}_{at}", "record": record}

    def _shared(self, document: IndexDocument) -> dict[str, Any]:
        """What passages have in common with their record: what it is filtered, counted and sorted by."""
        made: dict[str, Any] = {
            "id": document.id,
            "type": document.type,
            "order": f"{document.type}:{document.id}",
            _EVERYWHERE: _EVERYWHERE,
        }
        for name in self._layout.filters:
            made[f"f_{name}"] = list(document.values(name) or (_UNLABELLED,))
        made |= {f"d_{name}": date_number(date) for name, date in document.dates.items()}
        made |= {f"n_{name}": number for name, number in document.numbers.items()}
        return made | {f"s_{name}": sort_text(text) for name, text in document.sorts.items()}

    @property
    def _no_passages(self) -> list[str]:
        """A condition, where there may be any."""
        return [f"{_PART_OF} NOT EXISTS"] if self._layout.parted else []


def _analysed(texts: Mapping[str, str], languages: Mapping[str, str]) -> dict[str, AnalysedText]:
    return {name: analyse(text, languages.get(name)) for name, text in texts.items() if text}


def _texts(
    layout: IndexLayout, texts: Mapping[str, AnalysedText], beside: Mapping[str, AnalysedText]
) -> dict[str, Any]:
    """Texts as they are searched. What stands `beside` is found in the last field, which counts least."""
    words: set[str] = set()
    stems: set[str] = set()
    lines: dict[str, list[tuple[str, ...]]] = {}
    for field_of, several in ((None, texts), (layout.texts[-1], beside)):
        for name, text in several.items():
            words.update(*text.passages)
            stems |= text.stems
            lines.setdefault(field_of or name, []).extend(text.passages)
    # A full stop is a hard separator: no phrase crosses it.
    made = {f"t_{name}": " . ".join(" ".join(map(_searchable, line)) for line in held) for name, held in lines.items()}
    return {**made, "words": sorted(words), "stems": sorted(stems)}


@dataclass(frozen=True, slots=True)
class _Alternative:
    """One way to match: conditions as filters, and a text query whose phrases must (or must not) be there."""

    filters: tuple[str, ...] = ()
    phrases: tuple[Phrase, ...] = ()
    excluded: tuple[Phrase, ...] = ()
    text: str = field(default="")

    def and_(self, other: "_Alternative") -> "_Alternative":
        """Both."""
        return _Alternative(self.filters + other.filters, self.phrases + other.phrases, self.excluded + other.excluded)


@dataclass(frozen=True, slots=True)
class _Expanded:
    """What a typed word may stand for, and in how many documents and passages each word stands."""

    expansion: Expansion
    frequencies: Mapping[str, int]


class _Plan:
    """A request in Meilisearch's terms."""

    def __init__(self, request: SearchRequest, layout: IndexLayout, expand: Callable[[Word], _Expanded]) -> None:
        self._request = request
        self._layout = layout
        self._expand = expand
        self._expanded: dict[Word, _Expanded] = {}
        self.asks_passages = request.asks_passages(layout)
        self.holders: list[str] | None = None
        query = request.query
        self._concepts = query.concepts
        alternatives = [_Alternative()]
        if condition := request.condition:
            alternatives = self._node(condition, negated=False, strict=request.strict)
        ranked = query.words if request.sort is None else ()
        self.alternatives = [replace(one, text=_query_text(one, ranked)) for one in alternatives]
        self.ranking = [_query_text(one, query.words) for one in alternatives]
        self.words = _query_text(_Alternative(), ranked)
        self.order: dict[str, Any] = {"sort": self._sort()} if self._sort() else {}

    @property
    def found_words(self) -> set[str]:
        """What the words of the query stand for."""
        return {word for expanded in self._expanded.values() for word in expanded.expansion.words}

    def readings(self) -> dict[Word, Reading]:
        """What the words asked for were read as, where they stand for others, too."""
        found = {word: self._reading(word) for word in self._request.query.words if word in self._expanded}
        return {word: reading for word, reading in found.items() if reading.words}

    def _reading(self, word: Word) -> Reading:
        expansion, frequencies = self._expanded[word].expansion, self._expanded[word].frequencies
        codes = self._concepts.get(word, ())
        return reading_of(word.text, codes, expansion, frequencies.__getitem__, in_index=word.text in frequencies)

    def constraints(self, ignored: str | None = None) -> list[str]:
        """The request's filters but `ignored`, all of which must hold."""
        constraints = {name: values for name, values in self._request.constraints().items() if name != ignored}
        filters = [
            _any_of(_facet_field(name, self._request.date_name), [value for value in values if value != _UNLABELLED])
            for name, values in constraints.items()
        ]
        if TYPE not in constraints:
            filters.append(_unequal(TYPE, _CURSOR_TYPE))
        if self._layout.parted and not self.asks_passages:
            filters.append(f"{_PART_OF} NOT EXISTS")
        if ignored != YEAR and any(self._request.days):
            filters.append(self._between(*self._request.days))
        return filters + [self._condition(each, strict=True) for each in self._request.alternatives(ignored)]

    def _between(self, first: str | None, last: str | None) -> str:
        """Documents of these days."""
        field = f"d_{self._request.date_name}"
        ends = [f"{field} >= {date_number(first)}"] if first else []
        ends += [f"{field} <= {date_number(last, end=True)}"] if last else []
        return " AND ".join(ends)

    def _sort(self) -> list[str]:
        sort = self._request.sort
        if sort is None:
            return [] if asks_words(self._request.query.root) else ["order:asc"]
        name = sort.removeprefix("-")
        kind = "d" if name in self._layout.dates else "n" if name in self._layout.numbers else "s"
        return [f"{kind}_{name}:{'desc' if sort.startswith('-') else 'asc'}", "order:asc"]

    def _node(self, node: Node, *, negated: bool, strict: bool) -> list[_Alternative]:
        """The alternatives of a node. Only what holds phrases of several words has more than one."""
        if not _holds_phrase(node):
            condition = self._condition(node, strict=strict)
            return [_Alternative((f"NOT ({condition})" if negated else condition,))]
        match node:
            case Phrase():
                return [_Alternative(excluded=(node,)) if negated else _Alternative(phrases=(node,))]
            case Not(child):
                return self._node(child, negated=not negated, strict=True)
            case And(nodes) | Or(nodes):
                parts = [self._node(child, negated=negated, strict=strict) for child in nodes]
                return _united(parts) if isinstance(node, Or) != negated else _combined(parts)
            case Synonym(typed, concepts):
                named = _named(concepts)
                parts = [
                    [_Alternative((f"NOT ({named})" if negated else named,))],
                    self._node(typed, negated=negated, strict=strict),
                ]
                return _combined(parts) if negated else _united(parts)
        raise AssertionError(node)

    def _condition(self, node: Node, *, strict: bool) -> str:
        """A node without phrases of several words, as a filter."""
        match node:
            case Not(child):
                return f"NOT ({self._condition(child, strict=True)})"
            case And(nodes):
                return " AND ".join(f"({self._condition(child, strict=strict)})" for child in nodes)
            case Or(nodes):
                return " OR ".join(f"({self._condition(child, strict=strict)})" for child in nodes)
            case Synonym(typed, concepts):
                return f"{_named(concepts)} OR ({self._condition(typed, strict=strict)})"
        return self._leaf(node, strict=strict)

    def _leaf(self, node: Word | Phrase | Field | Dates, *, strict: bool) -> str:
        match node:
            case Word():
                return self._word(node, strict=strict)
            case Phrase(words):
                return _any_of("words", words)
            case Field(name, values):
                return _any_of(_facet_field(name, self._request.date_name), values)
            case Dates(first, last):
                return self._between(first, last)

    def _word(self, word: Word, *, strict: bool) -> str:
        stems = _any_of("stems", stems_of(word.text))
        if strict or word.exact or not (word.prefix or typos_allowed(word.text)):
            return stems
        if word not in self._expanded:
            self._expanded[word] = self._expand(word)
        others = self._expanded[word].expansion.words - {word.text}
        return f"{stems} OR {_any_of('words', sorted(others))}" if others else stems


def _holds_phrase(node: Node) -> bool:
    match node:
        case Phrase(words):
            return len(words) > 1
        case Not(child) | Synonym(child, _):
            return _holds_phrase(child)
        case And(nodes) | Or(nodes):
            return any(map(_holds_phrase, nodes))
    return False


def _named(concepts: Iterable[str]) -> str:
    """Where any form of a concept stands."""
    return _any_of("stems", map(token_of, concepts))


def _united(parts: list[list[_Alternative]]) -> list[_Alternative]:
    """Any of the parts."""
    return _bounded([alternative for part in parts for alternative in part])


def _combined(parts: list[list[_Alternative]]) -> list[_Alternative]:
    """All of the parts: each alternative of one with each of the others."""
    combined = [_Alternative()]
    for part in parts:
        combined = _bounded([one.and_(other) for one in combined for other in part])
    return combined


def _bounded(alternatives: list[_Alternative]) -> list[_Alternative]:
    if len(alternatives) > MAX_ALTERNATIVES:
        raise InvalidQueryError(f"the query has more than {MAX_ALTERNATIVES} alternatives with phrases")
    return alternatives


def _query_text(alternative: _Alternative, words: tuple[Word, ...]) -> str:
    """What orders the hits. Phrases first: they are among the ten terms that count; only the last can be a prefix."""
    words = words[: _RANKED_WORDS - len(alternative.phrases)]
    if not (words or alternative.phrases or alternative.excluded):
        return ""
    terms = [f'"{_EVERYWHERE}"']
    terms += [f'"{_phrase_text(phrase)}"' for phrase in alternative.phrases]
    terms += [f'-"{_phrase_text(phrase)}"' for phrase in alternative.excluded]
    terms += [_searchable(word.text) for word in words]
    unfinished = bool(words) and words[-1].prefix
    return " ".join(terms) + ("" if unfinished else " ")


def _phrase_text(phrase: Phrase) -> str:
    return " ".join(map(_searchable, phrase.words))


def _searchable(word: str) -> str:
    """A word as one word of Meilisearch's tokenizer, which parts symbols at their marks."""
    if word.isalnum():
        return word
    return "".join(letter if letter.isalnum() else f"x{ord(letter):x}x" for letter in word)


def _quoted(value: str) -> str:
    """A value as a string of the filter language. All filters are built with it."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _any_of(field: str, values: Iterable[str]) -> str:
    return f"{field} IN [{', '.join(_quoted(value) for value in values)}]"


def _all_of(field: str, values: Iterable[str]) -> str:
    return " AND ".join(f"{field} = {_quoted(value)}" for value in values)


def _unequal(field: str, value: str) -> str:
    return f"{field} != {_quoted(value)}"


def _facet_field(name: str, date_name: str) -> str:
    return TYPE if name == TYPE else f"d_{date_name}" if name == YEAR else f"f_{name}"


def _facet_counts(answer: Mapping[str, Any], fields: Mapping[str, str]) -> dict[str, FacetCounts]:
    """The counts of facets, by name, from those of their fields. Of dates each day is counted."""
    distribution = answer.get("facetDistribution") or {}
    counted: dict[str, dict[str, int]] = {name: dict(distribution.get(field, {})) for name, field in fields.items()}
    return {
        name: FacetCounts.of_years(((float(day), count) for day, count in counts.items()), answer["totalHits"])
        if name == YEAR
        else FacetCounts.of([each for each in counts.items() if each[0] != _UNLABELLED], counts.get(_UNLABELLED, 0))
        for name, counts in counted.items()
    }


def _hit(hit: Mapping[str, Any], score: float | None, passages: tuple[dict[str, Any], ...]) -> Hit:
    return Hit(hit["type"], hit["id"], orjson.loads(hit["record"]), score, passages)


def _best(passages: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The contents of the passages that match best."""
    ordered = sorted(passages, key=lambda hit: -hit["_rankingScore"])
    return [orjson.loads(hit["record"]) for hit in ordered[:PASSAGES_SHOWN]]


def _document_key(key: DocumentKey) -> str:
    """A legal Meilisearch id (letters, digits, `-` and `_` alone) for a key of any characters."""
    return hashlib.sha256(f"{key.type}:{key.id}".encode()).hexdigest()[:40]


def _cursor_document(cursor: int) -> dict[str, Any]:
    return {
        "key": _CURSOR,
        "id": _CURSOR,
        "type": _CURSOR_TYPE,
        "revision": "",
        "record": orjson.dumps({"cursor": cursor}).decode(),
    }


def _settings(layout: IndexLayout, cutoff: float) -> dict[str, Any]:
    """What our indexes need. The limits are raised so that totals and counts are true."""
    searched = {"facetSearch": True, "filter": {"equality": True, "comparison": False}}
    equal = {"facetSearch": False, "filter": {"equality": True, "comparison": False}}
    compared = {"facetSearch": False, "filter": {"equality": True, "comparison": True}}
    filterable = [
        {"attributePatterns": ["words"], "features": searched},
        {"attributePatterns": ["stems", TYPE, *(f"f_{name}" for name in layout.filters)], "features": equal},
    ]
    if layout.parted:
        filterable.append({"attributePatterns": [_WHOLE, _PART_OF], "features": equal})
    if layout.dates:
        filterable.append({"attributePatterns": [f"d_{name}" for name in layout.dates], "features": compared})
    sortable = [f"d_{name}" for name in layout.dates] + [f"n_{name}" for name in layout.numbers]
    sortable += [f"s_{name}" for name in layout.sorts]
    return {
        "searchableAttributes": [*(f"t_{name}" for name in layout.texts), _EVERYWHERE],
        "displayedAttributes": ["key", "id", "type", "record", "revision", "passages", _WHOLE, _PART_OF],
        "filterableAttributes": filterable,
        "sortableAttributes": [*sortable, "order"],
        # `sort` first: where an order is asked for, it is the order.
        "rankingRules": ["sort", "words", "typo", "proximity", "attributeRank", "wordPosition", "exactness"],
        "typoTolerance": {
            "enabled": True,
            "minWordSizeForTypos": {"oneTypo": ONE_TYPO_FROM, "twoTypos": TWO_TYPOS_FROM},
            "disableOnNumbers": True,
        },
        "pagination": {"maxTotalHits": 100_000_000},
        "faceting": {"maxValuesPerFacet": 1_000_000, "sortFacetValuesBy": {"*": "alpha"}},
        # Beyond it hits are no longer put in order. What matches is found all the same.
        "searchCutoffMs": min(_ORDERING_MS, int(cutoff * 1000)),
        "prefixSearch": "indexingTime",
        "proximityPrecision": "byWord",
    }


def _differences(held: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that have to be sent: those whose wanted members are not what is held."""
    return {name: value for name, value in wanted.items() if not _agrees(held.get(name), value, name)}


def _agrees(held: Any, wanted: Any, name: str) -> bool:
    if isinstance(wanted, dict):
        return isinstance(held, dict) and all(_agrees(held.get(key), value, key) for key, value in wanted.items())
    if name == "sortableAttributes":  # a set, for Meilisearch
        return sorted(held or ()) == sorted(wanted)
    return bool(held == wanted)


class _Server:
    """The calls we make, each on the official client, and its errors as ours.

    One client a thread: the client keeps the headers of the request under way in itself.
    """

    def __init__(self, url: str, key: str | None, timeout: float, task_timeout: float) -> None:
        self._url = url
        self._key = key
        self._timeout = timeout
        self._task_timeout = task_timeout
        self._local = threading.local()

    def search(self, uid: str, query: dict[str, Any]) -> dict[str, Any]:
        """One search."""
        with _server_errors():
            return dict(self._client.index(uid).search(query.get("q", ""), query))

    def federated(self, queries: list[dict[str, Any]], federation: dict[str, Any]) -> dict[str, Any]:
        """One list of hits of several queries, each document once."""
        with _server_errors():
            return dict(self._client.multi_search(queries, federation))

    def facet_counts(self, uid: str, name: str, query: str) -> list[tuple[str, int]]:
        """Values that begin with `query`, or nearly so, and how many documents have them."""
        with _server_errors():
            answer = self._client.index(uid).facet_search(name, query)
            return [(hit["value"], hit["count"]) for hit in answer["facetHits"]]

    def document(self, uid: str, key: str) -> dict[str, Any] | None:
        """One document, None where it or the index is not there."""
        try:
            with _server_errors():
                return dict(self._client.http.get(f"indexes/{uid}/documents/{key}"))
        except _NotThereError:
            return None

    def several(self, queries: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Searches, each with its own answer, in one call."""
        with _server_errors():
            return list(self._client.multi_search(queries)["results"])

    def chosen(self, uid: str, keys: list[str]) -> list[dict[str, Any]]:
        """The documents with these keys, in no order."""
        with _server_errors():
            body = {"ids": keys, "limit": len(keys)}
            return list(self._client.http.post(f"indexes/{uid}/documents/fetch", body)["results"])

    def documents(self, uid: str, condition: list[str], fields: list[str]) -> Iterator[dict[str, Any]]:
        """All documents under conditions."""
        offset, total = 0, 1
        while offset < total:
            body = {"filter": condition, "fields": fields, "limit": _PAGE_OF_IDS, "offset": offset}
            with _server_errors():
                answer = self._client.http.post(f"indexes/{uid}/documents/fetch", body)
            yield from answer["results"]
            offset, total = offset + _PAGE_OF_IDS, answer["total"]

    def count(self, uid: str) -> int:
        """How many documents an index holds."""
        with _server_errors():
            return int(self._client.index(uid).get_stats().number_of_documents)

    def indexes(self) -> list[str]:
        """The names of all indexes that the key may see."""
        with _server_errors():
            return [str(index["uid"]) for index in self._client.http.get("indexes?limit=10000")["results"]]

    def exists(self, uid: str) -> bool:
        """True if there is such an index."""
        try:
            with _server_errors():
                self._client.get_raw_index(uid)
        except _NotThereError:
            return False
        return True

    def create(self, uid: str) -> None:
        """Make an empty index."""
        with _server_errors():
            task = self._client.create_index(uid, {"primaryKey": "key"})
        self.wait([task])

    def remove(self, uid: str) -> None:
        """Delete an index, if it is there."""
        if self.exists(uid):
            with _server_errors():
                task = self._client.delete_index(uid)
            self.wait([task])

    def swap(self, one: str, other: str) -> None:
        """Let two indexes change names, in one step."""
        with _server_errors():
            task = self._client.swap_indexes([{"indexes": [one, other]}])
        self.wait([task])

    def settle(self, uid: str, wanted: dict[str, Any]) -> None:
        """Send the settings that differ: sending equal ones may index everything again."""
        with _server_errors():
            differing = _differences(self._client.index(uid).get_settings(), wanted)
            task = self._client.index(uid).update_settings(differing) if differing else None
        if task:
            self.wait([task])

    def add(self, uid: str, documents: list[dict[str, Any]]) -> TaskInfo:
        """Send documents; `wait` for the task."""
        with _server_errors():
            body = orjson.dumps(documents)
            return self._client.index(uid).add_documents_raw(body, "key", "application/json")

    def delete(self, uid: str, keys: list[str]) -> TaskInfo:
        """Delete documents by id, in one task (the client's own way is deprecated in favour of slower filters)."""
        with _server_errors():
            return TaskInfo(**self._client.http.post(f"indexes/{uid}/documents/delete-batch", keys))

    def delete_where(self, uid: str, condition: str) -> TaskInfo:
        """Delete all documents under a condition."""
        with _server_errors():
            return TaskInfo(**self._client.http.post(f"indexes/{uid}/documents/delete", {"filter": condition}))

    def wait(self, tasks: Iterable[TaskInfo]) -> None:
        """Wait until tasks have succeeded. Raises `IndexRefusedError` for one that failed by what was sent."""
        for task in tasks:
            done = self._finished(task)
            if done.status != "succeeded":
                error = done.error or {}
                if error.get("code") == "index_not_found":
                    raise IndexMissingError(str(error.get("message")))
                detail = f"Meilisearch task {task.task_uid} {done.status}: {error.get('message', '')}"
                if error.get("type") in _FAULTS_OF_THE_SERVER:
                    raise UnavailableError(detail, retry_after=_RETRY_AFTER_SECONDS)
                raise IndexRefusedError(detail)

    def close(self) -> None:
        """Let go of this thread's client."""
        self._local = threading.local()

    def _finished(self, task: TaskInfo) -> Any:
        """A task once it is done. Asks often at first: most are done in some ten milliseconds."""
        deadline = time.monotonic() + self._task_timeout
        pause = 0.005
        while time.monotonic() < deadline:
            with _server_errors():
                known = self._client.get_task(task.task_uid)
            if known.status not in {"enqueued", "processing"}:
                return known
            time.sleep(pause)
            pause = min(pause * 1.5, 0.5)
        raise UnavailableError(f"Meilisearch did not finish task {task.task_uid} in {self._task_timeout:g} s")

    @property
    def _client(self) -> meilisearch.Client:
        client: meilisearch.Client | None = getattr(self._local, "client", None)
        if client is None:
            client = self._local.client = meilisearch.Client(self._url, self._key, timeout=self._timeout)  # type: ignore[arg-type]
        return client


class _Sent:
    """Batches of documents on their way to an index. One that the server refuses is halved until it is clear which
    documents are at fault: Meilisearch refuses a whole task for one of them.
    """

    def __init__(self, server: "_Server", uid: str) -> None:
        self.refused: dict[DocumentKey, str] = {}
        self._server = server
        self._uid = uid
        self._under_way: deque[tuple[TaskInfo, list[dict[str, Any]]]] = deque()

    def add(self, batch: list[dict[str, Any]], *cursor: dict[str, Any]) -> None:
        """Send a batch, if there is any, and the cursor in the same task."""
        if batch or cursor:
            self._under_way.append((self._server.add(self._uid, [*batch, *cursor]), batch))

    def wait(self, left: int = 0) -> None:
        """Wait until no more than some batches are under way. Raises `DocumentsRefusedError` at the end of all."""
        while len(self._under_way) > left:
            task, batch = self._under_way.popleft()
            try:
                self._server.wait([task])
            except IndexRefusedError as fault:
                self._halve(batch, fault)
        if self.refused and not left:
            raise DocumentsRefusedError(self.refused)

    def _halve(self, batch: list[dict[str, Any]], fault: IndexRefusedError) -> None:
        if not batch or len(self.refused) > _MOST_REFUSED:
            raise fault  # then it is no fault of single documents
        if len(batch) == 1:
            self.refused[DocumentKey(batch[0]["type"], batch[0]["id"])] = fault.detail
            return
        middle = len(batch) // 2
        for half in (batch[:middle], batch[middle:]):
            try:
                self._server.wait([self._server.add(self._uid, half)])
            except IndexRefusedError as other:
                self._halve(half, other)


class _NotThereError(IndexMissingError):
    """Meilisearch has no such index or document."""


@contextmanager
def _server_errors() -> Iterator[None]:
    """Tell the client's errors as ours."""
    try:
        yield
    except MeilisearchTimeoutError as error:
        raise UnavailableError("Meilisearch does not answer in time", retry_after=_RETRY_AFTER_SECONDS) from error
    except (MeilisearchCommunicationError, requests.RequestException) as error:
        raise UnavailableError("Meilisearch cannot be reached", retry_after=_RETRY_AFTER_SECONDS) from error
    except MeilisearchApiError as error:
        raise _api_error(error) from error


def _api_error(error: MeilisearchApiError) -> Exception:
    """Branches on the code, never on the message. All errors of Meilisearch have a link."""
    if error.link is None:
        detail = f"where Meilisearch should be, something else answers (HTTP {error.status_code})"
        return UnavailableError(detail, retry_after=_RETRY_AFTER_SECONDS)
    if error.code in {"index_not_found", "document_not_found"}:
        return _NotThereError(f"Meilisearch: {error.message}")
    if error.status_code >= 500:
        return UnavailableError(f"Meilisearch: {error.message}", retry_after=_RETRY_AFTER_SECONDS)
    if error.status_code in {401, 403}:
        return UnavailableError(f"Meilisearch refuses the key ({error.code})")
    return IndexRefusedError(f"Meilisearch: {error.code}: {error.message}")
