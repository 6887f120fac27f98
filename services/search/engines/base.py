"""The port between the search service and its engines: what is indexed, asked, answered and promised.

The meaning of a query is `services.core.query`'s: every engine finds exactly the records that its matcher matches
(`Matcher(query, strict=request.strict)`), so totals and counts are the same whichever engine runs. How well the hits
are ordered, and how fast they come, is the engine's own. What an engine cannot do is in its `Capabilities`.

One index holds every type of record. It is derived data: it may be lost at any time, and is then built again.

Records that are long texts come with their passages. A record matches if its own texts do, or those of one passage
together with them: so all words of a query stand in one passage, or in what its record is called. Whatever matches, a
record is found and counted once.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple, Protocol, runtime_checkable

from services.core.domain.errors import InvalidParameterError, UnavailableError, UprError
from services.core.query.analysis import fold
from services.core.query.highlight import Marks
from services.core.query.readings import Reading
from services.core.query.tree import Dates, Either, Field, Node, Query, Word, asks_words, joined, nodes_below

MAX_PER_PAGE = 200
MAX_VALUE_BYTES = 468
"""Longest filter value. Meilisearch cuts longer ones without a word, so they are refused before."""
MAX_SORT_LETTERS = 100
PASSAGES_SHOWN = 3
"""Passages that a hit shows at most: those that match best."""
LIKE_STEMS = 8
"""Stems by which records that are like each other are found."""
TYPE = "type"
"""The filter and facet that every record has."""
YEAR = "year"
"""The facet of the years of a date. Its filter is the range of dates, which its counts ignore."""

_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")


class IndexMissingError(UnavailableError):
    """There is no index (of this version): it was never built, or was lost. Rebuild it."""

    title = "The search index has to be built"


class IndexMovedError(UnavailableError):
    """The index does not stand where a change expects it: a rebuild was put in its place. Read the cursor again."""

    title = "The search index was replaced meanwhile"


class IndexRefusedError(UprError):
    """The engine refused what it was sent: a document that it cannot index, or a fault of ours."""

    code, status, title = "index_refused", 500, "The search engine refused a document"


class DocumentsRefusedError(IndexRefusedError):
    """Documents that the engine cannot index, each with the reason. It would take the others."""

    def __init__(self, reasons: "Mapping[DocumentKey, str]") -> None:
        super().__init__("; ".join(f"{key.type} {key.id}: {reason}" for key, reason in reasons.items()))
        self.reasons = dict(reasons)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.reasons,)


@dataclass(frozen=True, slots=True)
class IndexLayout:
    """The names that documents may use, and no others: engines lay out their index by it.

    `texts` in order of weight: words found in the first count most. Those between the first and the last hold names,
    which many documents share: lines are the wordings of a name, an empty line stands between two names. `filters` are
    exact values, also facets. `dates` take ranges and can be sorted by; `numbers` and `sorts` (of text) can be sorted
    by. `parted` are the types whose documents may have passages.
    """

    texts: tuple[str, ...]
    filters: tuple[str, ...]
    dates: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    sorts: tuple[str, ...] = ()
    parted: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raises `ValueError` for a name that is not `[a-z][a-z0-9_]*`, or is the engine's own (`type`, `year`)."""
        for name in (*self.texts, *self.filters, *self.sortable):
            if not _NAME.match(name) or name in {TYPE, YEAR}:
                raise ValueError(f"{name!r} cannot be the name of an indexed field")

    @property
    def names(self) -> tuple[str, ...]:
        """Those of the `texts` that hold names."""
        return self.texts[1:-1]

    @property
    def sortable(self) -> tuple[str, ...]:
        """What hits can be ordered by."""
        return (*self.dates, *self.numbers, *self.sorts)

    def fingerprint(self) -> str:
        """Changes whenever the layout does."""
        return hashlib.sha256(json.dumps(asdict(self)).encode()).hexdigest()[:8]


class DocumentKey(NamedTuple):
    """What tells one document from all others. `id` is the record's public id, of any characters."""

    type: str
    id: str


@dataclass(frozen=True, slots=True)
class Passage:
    """A part of a record that is searched by itself, beside the texts of its record (which count least).

    `content` is stored, and comes back with the hit as it is. `texts` and `languages`: as of a document.
    """

    content: Mapping[str, Any]
    texts: Mapping[str, str]
    languages: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class IndexDocument:
    """One record as it is indexed.

    `record` is the public JSON shape, stored and returned as it is. `texts` are searched; `languages` says the language
    of a text where it is known (else it is guessed line by line). A filter without values is `unlabelled` in facets.
    `dates` are ISO 8601 (a year or month alone is its beginning). Records without what hits are sorted by come last,
    both ways.
    `revision` is whatever tells two versions of the record apart, for reconciliation. `passages` come and go with it.
    """

    type: str
    id: str
    record: Mapping[str, Any]
    texts: Mapping[str, str]
    languages: Mapping[str, str] = field(default_factory=dict)
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    dates: Mapping[str, str] = field(default_factory=dict)
    numbers: Mapping[str, int] = field(default_factory=dict)
    sorts: Mapping[str, str] = field(default_factory=dict)
    revision: str = ""
    passages: tuple[Passage, ...] = ()

    @property
    def key(self) -> DocumentKey:
        """Type and id."""
        return DocumentKey(self.type, self.id)

    def values(self, name: str) -> tuple[str, ...]:
        """The values of a filter, each once, without empty ones. Raises `DocumentsRefusedError` for one too long."""
        values = self.filters.get(name, ())
        if len(values) == 1 and 0 < len(values[0]) <= MAX_VALUE_BYTES // 4:
            return values
        if len(values) > 1 or "" in values:
            values = tuple(dict.fromkeys(value for value in values if value))
        for value in values:
            if len(value) * 4 > MAX_VALUE_BYTES and len(value.encode()) > MAX_VALUE_BYTES:
                raise DocumentsRefusedError({self.key: f"a value of {name} has over {MAX_VALUE_BYTES} bytes"})
        return values


class Prepared(NamedTuple):
    """A document as one engine writes it: the document and its passages, made by the engine's `preparation`."""

    key: DocumentKey
    parts: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """What is asked. `filters`: any of the values of one name, and all names together; `type` None asks for all types.

    `sort` is a name of the layout, `-` before it for descending; None is by relevance. Hits that nothing orders come in
    the order of indexing. `page` counts from 1; `per_page` 0 asks for counts alone. Dates include both ends.
    """

    query: Query
    type: str | None = None
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    date_from: str | None = None
    date_to: str | None = None
    date_name: str = "date"
    facets: tuple[str, ...] = ()
    page: int = 1
    per_page: int = 20
    sort: str | None = None
    strict: bool = False

    def check(self, layout: IndexLayout) -> None:
        """Raises `InvalidParameterError` for a name or number that the layout does not have."""
        for name in (*self.filters, *self._fields_of_query()):
            _known("filter", name, layout.filters)
        for name in self.facets:
            _known("facet", name, (*layout.filters, TYPE, *((YEAR,) if layout.dates else ())))
        if self.sort is not None:
            _known("sort", self.sort.removeprefix("-"), layout.sortable)
        if self.asks_dates or YEAR in self.facets:
            _known("date", self.date_name, layout.dates)
        if self.page < 1 or not 0 <= self.per_page <= MAX_PER_PAGE:
            raise InvalidParameterError(f"page counts from 1, and per_page is 0 to {MAX_PER_PAGE}")

    def asks_passages(self, layout: IndexLayout) -> bool:
        """True if passages may match: words are asked for, and types that may have passages are found or counted."""
        every_type = self.type is None or TYPE in self.facets
        wanted = layout.parted if every_type else {self.type} & set(layout.parted)
        return bool(wanted) and asks_words(self.query.root)

    @property
    def offset(self) -> int:
        """How many hits come before this page."""
        return (self.page - 1) * self.per_page

    @property
    def condition(self) -> Node | None:
        """What the query asks for beside `constraints`, `days` and `alternatives`: words, and fields whose filter the
        request has."""
        held = self._own_constraints()
        root = [self.query.root] if self.query.root else []
        filters = (field for field in self.query.filters if field.name in held)
        return joined(
            [*root, *filters, *(each for each in self.query.either if not held.keys().isdisjoint(each.names))]
        )

    @property
    def days(self) -> tuple[str | None, str | None]:
        """The first and the last day asked for, by the request and by the query."""
        every = (Dates(self.date_from, self.date_to), *self.query.dates)
        firsts = [dates.first for dates in every if dates.first]
        lasts = [dates.last for dates in every if dates.last]
        return max(firsts, key=date_number, default=None), min(lasts, key=_end_number, default=None)

    @property
    def asks_dates(self) -> bool:
        """Whether any dates are asked for."""
        return any(self.days) or any(isinstance(node, Dates) for node in nodes_below(self.query.whole))

    def constraints(self) -> dict[str, tuple[str, ...]]:
        """The filters that are set, the type and those of the query among them. A filter without values is none."""
        return {field.name: field.values for field in self.query.filters} | self._own_constraints()

    def narrows(self, facet: str) -> bool:
        """Whether a filter of the facet's own is set, which its counts ignore."""
        filtered = any(self.days) if facet == YEAR else facet in self.constraints()
        return filtered or len(self.alternatives()) > len(self.alternatives(facet))

    def alternatives(self, ignored: str | None = None) -> list[Either]:
        """Of each of these a record must meet one filter, beside `constraints` and `days`. Without those in which the
        facet `ignored` has a part: its counts ignore what else they would allow, too.
        """
        held = self._own_constraints()
        return [
            each
            for each in self.query.either
            if held.keys().isdisjoint(each.names)
            and ignored not in each.names
            and not (ignored == YEAR and _dated(each))
        ]

    def _own_constraints(self) -> dict[str, tuple[str, ...]]:
        chosen = {name: tuple(values) for name, values in self.filters.items() if values}
        return {**chosen, TYPE: (self.type,)} if self.type is not None else chosen

    def _fields_of_query(self) -> Iterator[str]:
        for node in nodes_below(self.query.whole):
            if isinstance(node, Field) and node.name != TYPE:
                yield node.name


@dataclass(frozen=True, slots=True)
class Hit:
    """One record found. `score` is 0 to 1, comparable within one answer only; None where hits are sorted.

    `passages` are the contents of the passages that match best, at most `PASSAGES_SHOWN`.
    """

    type: str
    id: str
    record: dict[str, Any]
    score: float | None
    passages: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class FacetCounts:
    """All values of a facet with their exact counts, most frequent first; `unlabelled` records have none of them.

    Counts ignore the facet's own filter (disjunctive facets).
    """

    values: tuple[tuple[str, int], ...]
    unlabelled: int

    @classmethod
    def of(cls, counts: Iterable[tuple[str, int]], unlabelled: int) -> "FacetCounts":
        """Counts as engines give them, in order."""
        ordered = sorted(((value, n) for value, n in counts if n), key=lambda item: (-item[1], item[0]))
        return cls(tuple(ordered), unlabelled)

    @classmethod
    def of_years(cls, counts: Iterable[tuple[float, int]], total: int) -> "FacetCounts":
        """Counts by `date_number` of the day, or of any day of the year, of the `total` records counted."""
        years: dict[str, int] = {}
        for number, count in counts:
            year = f"{int(number) // 10_000:04d}"
            years[year] = years.get(year, 0) + count
        return cls.of(years.items(), total - sum(years.values()))


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The answer: the exact total, one page of hits, facets by name, and what to mark in the hits' texts.

    `readings`: those of the words asked for that were taken for others, too; of a strict search none.
    """

    total: int
    hits: tuple[Hit, ...]
    facets: Mapping[str, FacetCounts]
    marks: Marks
    readings: Mapping[Word, Reading]


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What differs between engines by design. Matching does not: see the module.

    - `case_sensitive_values`: filter values that differ in case alone are different values.
    - `ranked_words`: words beyond these must match like all others, but do not order the hits.
    - `phrase_alternatives`: how many alternatives a query may have whose phrases stand under OR (None: any number).
      More are refused with `InvalidQueryError`.
    - `expansions`: how many words of the index one misspelt or unfinished word may stand for (None: any number).
    """

    engine: str
    case_sensitive_values: bool
    ranked_words: int
    phrase_alternatives: int | None
    expansions: int | None


@dataclass(frozen=True, slots=True)
class Health:
    """Whether the engine answers and has an index. `detail` says what is wrong, for people."""

    ok: bool
    detail: str


class Engine(Protocol):
    """A search engine behind the port.

    Safe to search from many threads. Writes (`apply`, `rebuild`) may come from any thread, and from one process at a
    time (the embedded engine holds file locks; for Meilisearch it is the service's to see to). Searching goes on
    meanwhile. Every method but `health` raises `UnavailableError` where the engine does not answer or its index is
    damaged, and `IndexMissingError` where there is none (`cursor` gives None instead).
    """

    @property
    def capabilities(self) -> Capabilities:
        """What this engine can do."""
        ...

    def search(self, request: SearchRequest) -> SearchResult:
        """Answer a request. Raises `InvalidParameterError` or `InvalidQueryError` for what cannot be asked."""
        ...

    def words(self, beginning: str, limit: int) -> tuple[str, ...]:
        """Words of the index with this (folded) beginning, symbols and numbers among them, the most frequent first.

        Some may be of documents that were deleted lately.
        """
        ...

    def frequencies(self, stems: Iterable[str]) -> dict[str, int]:
        """In how many documents and passages each stem stands, for weighing. Some may have been deleted lately."""
        ...

    def like(self, weights: Mapping[str, float], request: SearchRequest, limit: int) -> tuple[Hit, ...]:
        """Records that meet the request's filters and have some of these stems, at most `limit` of them.

        Those come first that share the weightiest `LIKE_STEMS`, or all but one of them, and so on; how those with as
        many are ordered is the engine's own. The request's query, page and order do not count; hits have no score.
        """
        ...

    def apply(
        self,
        upserts: Iterable[IndexDocument],
        deletes: Iterable[DocumentKey],
        cursor: int,
        *,
        follows: int | None = None,
    ) -> None:
        """Delete, then add or replace, then stand at `cursor`; returns once searches see all of it.

        `follows` is the cursor after which these changes come. Where the index stands elsewhere, because a rebuild was
        put in its place, nothing is done and `IndexMovedError` is raised: else the changes between would be lost.
        Doing it again changes nothing. If it fails half-way, the cursor stays where it was. Raises
        `DocumentsRefusedError` where it cannot index some of the documents: all of them that it came to know of.
        """
        ...

    def cursor(self) -> int | None:
        """The change up to which the index stands; None where there is no index of this version.

        It is kept in the index: it survives restarts and is lost when the index is.
        """
        ...

    def rebuild(self, documents: Iterable[IndexDocument], cursor: int) -> int:
        """Build a new index beside the one in use and put it in its place at once. Returns the number of documents.

        `cursor` is the change at which `documents` were read: changes made during the build are to be applied after.
        If it fails, the old index stays in use. Raises `DocumentsRefusedError` as `apply` does.
        """
        ...

    def prune(self) -> tuple[str, ...]:
        """Remove indexes of other versions or layouts, once nobody needs them. Returns their names."""
        ...

    def counts(self) -> dict[str, int]:
        """How many documents of each type there are; passages are none."""
        ...

    def ids(self, type_: str) -> dict[str, str]:
        """Every id of a type and its revision, for reconciliation; `""` where some of its passages are not there."""
        ...

    def health(self) -> Health:
        """Whether searching works now. Never raises."""
        ...

    def close(self) -> None:
        """Let go of files and connections."""
        ...


def weightiest(weights: Mapping[str, float]) -> list[str]:
    """The stems by which `like` looks, the one that tells most first."""
    return sorted(weights, key=lambda stem: (-weights[stem], stem))[:LIKE_STEMS]


@runtime_checkable
class PreparingEngine(Engine, Protocol):
    """An engine whose documents can be prepared in other processes: that is most of the work of a build."""

    @property
    def preparation(self) -> Callable[[IndexDocument], Prepared]:
        """Makes documents ready to be written. It can be pickled.

        Raises `DocumentsRefusedError` for a document that cannot be indexed.
        """
        ...

    def rebuild(self, documents: Iterable[IndexDocument | Prepared], cursor: int) -> int:
        """See `Engine.rebuild`."""
        ...


def check_place(cursor: int | None, follows: int | None) -> None:
    """Raises `IndexMissingError` where there is no index, `IndexMovedError` where it does not stand at `follows`."""
    if cursor is None:
        raise IndexMissingError("there is no search index yet")
    if follows is not None and cursor != follows:
        raise IndexMovedError(f"the search index stands at change {cursor}, not at {follows}")


def date_number(date: str, *, end: bool = False) -> int:
    """`2012-11-05` as 20121105, to compare. Of a year or month alone its beginning, or its end.

    Raises `InvalidParameterError` for anything that does not begin with a date.
    """
    found = re.match(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?(?![\d])", date)
    if not found:
        raise InvalidParameterError(f"{date!r} is not a date (YYYY-MM-DD)")
    missing = "99" if end else "00"
    return int("".join((found[1], found[2] or missing, found[3] or missing)))


def _dated(either: Either) -> bool:
    return any(isinstance(node, Dates) for node in either.nodes)


def _end_number(date: str) -> int:
    return date_number(date, end=True)


def sort_text(value: str) -> str:
    """A text in a form whose order by characters is the wanted one: case and accents do not matter."""
    return fold(value)[:MAX_SORT_LETTERS]


def batches(documents: Iterable[IndexDocument], size: int) -> Iterator[list[IndexDocument]]:
    """The documents in lists that hold about `size` of them, with their passages."""
    batch: list[IndexDocument] = []
    held = 0
    for document in documents:
        batch.append(document)
        held += 1 + len(document.passages)
        if held >= size:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


def _known(kind: str, name: str, names: tuple[str, ...]) -> None:
    if name not in names:
        raise InvalidParameterError(f"{name!r} is not a {kind} of this search; there are: {', '.join(names)}")
