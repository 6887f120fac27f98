"""The embedded engine: tantivy, in the search process. For one machine without another server (ADR 0002).

Its folder holds one folder a version: `index-*` (tantivy's), `current.json` (which of them is in use), and lock files.
A rebuild writes a new `index-*` and replaces `current.json`, which is atomic. The cursor is a document of the index,
committed with what it stands for. Other processes notice commits and rebuilds at their next search.

A passage is a document of its own beside that of its record, of the type `:type`, with the record's filters. Which
records match in some passage is counted first; then they are taken as if they matched themselves.
"""

import fcntl
import json
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, TypeVar

import orjson
import tantivy
from tantivy import FieldType, Occur, Order
from tantivy import Query as Clause

from services.core.domain.errors import UnavailableError
from services.core.domain.identifiers import slug
from services.core.query.analysis import is_exact, stems_of
from services.core.query.concepts import token_of
from services.core.query.highlight import marks_of
from services.core.query.parser import parse_query
from services.core.query.readings import Reading
from services.core.query.tree import (
    And,
    Dates,
    Field,
    Node,
    Not,
    Or,
    Phrase,
    Synonym,
    Word,
    asks_words,
    joined,
    words_below,
)
from services.search.engines.base import (
    PASSAGES_SHOWN,
    TYPE,
    YEAR,
    Capabilities,
    DocumentKey,
    FacetCounts,
    Health,
    Hit,
    IndexDocument,
    IndexLayout,
    IndexMissingError,
    Prepared,
    SearchRequest,
    SearchResult,
    check_place,
    date_number,
    weightiest,
)
from services.search.engines.embedded_documents import (
    GAP,
    LACKS,
    SIZES,
    Lacking,
    Preparation,
    key_text,
    type_of_passages,
    words_and_names_in,
)
from services.search.engines.names import Names, line_text, of_field
from services.search.engines.vocabulary import Expansion, Vocabulary, reading_of

RANKED_WORDS: Final = 16
_NAMED, _TYPO, _NEAR, _FIELD, _EXACT = 2.0**20, 2.0**14, 2.0**8, 2.0**4, 1.0
_SHORTER = 2.0**-3
"""Weights of the ranking: each outweighs all of the next for `RANKED_WORDS` words, and sums stay exact in 32 bits."""
_SLOPS: Final = (0, 4)
"""Words between two neighbours of the query that still count as near: side by side, or in the same clause."""

_CURSOR: Final = ":cursor"
_HEAP_BYTES: Final = 64_000_000
_REBUILD_HEAP_BYTES: Final = 192_000_000
_MAX_FACET_VALUES: Final = 1_000_000
_ATTEMPTS: Final = 3
_FEW_TERMS: Final = 64
_READ_AT_FIRST: Final = 4_096
_PASSAGES_A_RECORD: Final = 8
"""How many are read to fill a page, where those of one record may come one after the other. To order the hits costs
much more than to read some thousands of them, so that it should be done once."""
_LIKELY: Final = 4
"""Times so many texts must say a query word by word as are wanted of those that bear every mark."""
_NEAR_THE_TOP: Final = 200
"""Hits up to which it is worth while to look for the shortest texts that are enough."""
_MOST: Final = 0.3
"""Of all documents: where so many match, facets are counted by their values."""
_REMEMBERED: Final = 1_024
_ALL: Final = Clause.all_query()

_Made = TypeVar("_Made")


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """One state of the index. Searches work on one snapshot from beginning to end."""

    folder: Path
    commit: tuple[int, int]
    index: tantivy.Index
    searcher: tantivy.Searcher
    vocabulary: Vocabulary
    names: Names
    parted: bool
    words_beside: Mapping[str, frozenset[str]]
    """The words of the fields that hold names: of what is read there word by word, headings and what is too long."""
    remembered: dict[tuple[object, ...], Any] = field(default_factory=dict)
    """What was made of words lately. While somebody types, all words but the last stay as they are."""

    def once(self, key: tuple[object, ...], make: Callable[[], _Made]) -> _Made:
        """What `make` makes of the words in `key` and of this state of the index, made when first asked for."""
        made: _Made | None = self.remembered.get(key)
        if made is None:
            if len(self.remembered) >= _REMEMBERED:
                self.remembered.clear()
            made = self.remembered[key] = make()
        return made


class EmbeddedEngine:
    """`Engine` on a folder. `index_version` names the projection; with the layout it decides if an index is of use."""

    capabilities = Capabilities(
        engine="embedded",
        case_sensitive_values=True,
        ranked_words=RANKED_WORDS,
        phrase_alternatives=None,
        expansions=None,
    )

    def __init__(self, folder: Path, layout: IndexLayout, index_version: str) -> None:
        self._folder = folder / f"{slug(index_version)}-{layout.fingerprint()}"
        self._layout = layout
        self._schema = _schema(layout)
        self.preparation = Preparation(layout)
        self._lacking = Lacking(layout.filters)
        self._snapshot: _Snapshot | None = None
        self._pointer: tuple[tuple[int, int], str] | None = None
        self._refreshing = threading.Lock()
        self._writing = threading.Lock()

    def search(self, request: SearchRequest) -> SearchResult:
        """See `Engine.search`."""
        request.check(self._layout)
        with _engine_errors("search"):
            snapshot = self._current()
            plan = _Plan(self._schema, snapshot, self._layout, request)
            if snapshot.parted and request.asks_passages(self._layout):
                plan.holders = self._holders(snapshot.searcher, plan)
            total, hits = self._hits(snapshot.searcher, plan, request)
            facets = self._facets(snapshot.searcher, plan, request, most=total > _MOST * snapshot.searcher.num_docs)
            readings = plan.readings()
            marks = marks_of(request.query, frozenset(plan.found_words), readings)
            return SearchResult(total, hits, facets, marks, readings)

    def words(self, beginning: str, limit: int) -> tuple[str, ...]:
        """See `Engine.words`."""
        with _engine_errors("read"):
            snapshot = self._current()
            found = [word for word, _ in snapshot.searcher.terms_with_prefix("words", beginning, limit=limit)]
            found += sorted(word for word in snapshot.names.words if word.startswith(beginning))
            return tuple(word for word in dict.fromkeys(found) if word != GAP.strip())[:limit]

    def frequencies(self, stems: Iterable[str]) -> dict[str, int]:
        """See `Engine.frequencies`."""
        with _engine_errors("read"):
            snapshot = self._current()
            plan = _Plan(self._schema, snapshot, self._layout, SearchRequest(parse_query("")))
            return {stem: self._frequency(snapshot, plan, stem) for stem in stems}

    @staticmethod
    def _frequency(snapshot: _Snapshot, plan: "_Plan", stem: str) -> int:
        if not snapshot.names.saying(stems=(stem,)):
            return snapshot.searcher.doc_freq("stems", stem)
        found: Any = snapshot.searcher.search(plan.stemmed((stem,)), 1)  # `count` is missing from the stub
        return int(found.count)

    def like(self, weights: Mapping[str, float], request: SearchRequest, limit: int) -> tuple[Hit, ...]:
        """See `Engine.like`. Stems count alike; their weight decides between records that share as many."""
        request.check(self._layout)
        stems = weightiest(weights)
        if not stems:
            return ()
        with _engine_errors("search"):
            snapshot = self._current()
            plan = _Plan(self._schema, snapshot, self._layout, replace(request, query=parse_query("")))
            most = sum(weights[stem] for stem in stems) or 1.0
            shared = [
                (Occur.Should, Clause.const_score_query(plan.stemmed((stem,)), 1 + weights[stem] / most / 2))
                for stem in stems
            ]
            among = Clause.const_score_query(plan.matching(), 0.0)
            clause = Clause.boolean_query([(Occur.Must, Clause.boolean_query(shared)), (Occur.Must, among)])
            found = snapshot.searcher.search(clause, limit, count=False).hits
            return tuple(_hit(snapshot.searcher.doc(address), None) for _, address in found)

    def apply(
        self,
        upserts: Iterable[IndexDocument],
        deletes: Iterable[DocumentKey],
        cursor: int,
        *,
        follows: int | None = None,
    ) -> None:
        """See `Engine.apply`."""
        with self._writing, self._file_lock("write.lock"):
            snapshot = self._current()
            check_place(self.cursor(), follows)
            new_words: set[str] = set()
            new_names: set[str] = set()
            with _engine_errors("write"):
                writer = snapshot.index.writer(_HEAP_BYTES, 1)
            for key in deletes:
                self._delete(writer, key)
            for document in map(self.preparation, upserts):
                self._delete(writer, document.key)
                self._add(writer, document)
                words, names = words_and_names_in(document)
                new_words |= words
                new_names |= names
            writer.delete_documents_by_term("key", _CURSOR)
            _commit(writer, cursor)
            with self._refreshing, _engine_errors("read"):
                names_now = snapshot.names.extended(new_names)
                new_words.update(names_now.words)
                self._snapshot = self._open(snapshot.folder, snapshot.vocabulary.extended(new_words), names_now)

    def cursor(self) -> int | None:
        """See `Engine.cursor`."""
        try:
            with _engine_errors("read"):
                snapshot = self._current()
                return snapshot.once((_CURSOR,), lambda: self._cursor_of(snapshot.searcher))
        except IndexMissingError:
            return None

    def _cursor_of(self, searcher: tantivy.Searcher) -> int | None:
        found = searcher.search(Clause.term_query(self._schema, "key", _CURSOR), 1).hits
        record = searcher.doc(found[0][1]).get_first("record") if found else None
        return int(orjson.loads(record)["cursor"]) if record else None

    def rebuild(self, documents: Iterable[IndexDocument | Prepared], cursor: int) -> int:
        """See `Engine.rebuild`."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with self._file_lock("rebuild.lock"):
            folder = Path(tempfile.mkdtemp(prefix="index-", dir=self._folder))
            try:
                count = self._build(folder, documents, cursor)
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise
            with self._writing, self._file_lock("write.lock"):
                self._point_to(folder)
            self._remove_all_but(folder)
            return count

    def prune(self) -> tuple[str, ...]:
        """See `Engine.prune`."""
        others = [folder for folder in self._folder.parent.glob("*-????????") if folder != self._folder]
        others = [folder for folder in others if (folder / "current.json").exists()]
        for folder in others:
            shutil.rmtree(folder, ignore_errors=True)
        return tuple(folder.name for folder in others)

    def counts(self) -> dict[str, int]:
        """See `Engine.counts`."""
        with _engine_errors("read"):
            found = self._current().searcher.terms_with_prefix(TYPE, "", filter_query=_ALL)
            return {name: count for name, count in found if not name.startswith(":")}

    def ids(self, type_: str) -> dict[str, str]:
        """See `Engine.ids`."""
        with _engine_errors("read"):
            searcher, beginning = self._current().searcher, f"{type_}:"
            listed = [text.rsplit("\0", 2) for text, _ in searcher.terms_with_prefix("listing", beginning, _ALL)]
            parts: dict[str, int] = {}
            if type_ in self._layout.parted:
                parts = dict(searcher.terms_with_prefix("part_of", beginning, _ALL))
            return {
                key.removeprefix(beginning): revision if parts.get(key, 0) == int(passages) else ""
                for key, revision, passages in listed
            }

    def health(self) -> Health:
        """See `Engine.health`."""
        try:
            return Health(True, f"{sum(self.counts().values())} documents")
        except UnavailableError as error:
            return Health(False, error.detail)

    def close(self) -> None:
        """See `Engine.close`."""
        self._snapshot = None

    # Reading

    def _current(self) -> _Snapshot:
        """The newest state, opened again if this or another process has written since."""
        for attempt in range(_ATTEMPTS):
            try:
                return self._fresh(self._folder_in_use())
            except (OSError, ValueError, KeyError, TypeError) as error:
                # Between reading the pointer and opening the index, a rebuild may have replaced and removed it.
                if attempt == _ATTEMPTS - 1:
                    raise UnavailableError(f"the search index is damaged: {error}; rebuild it") from error
        raise AssertionError("unreachable")

    def _fresh(self, folder: Path) -> _Snapshot:
        commit = _state_of(folder / "meta.json")
        snapshot = self._snapshot
        if snapshot and snapshot.folder == folder and snapshot.commit == commit:
            return snapshot
        with self._refreshing:
            snapshot = self._snapshot
            if not (snapshot and snapshot.folder == folder and snapshot.commit == commit):
                snapshot = self._snapshot = self._open(folder)
            return snapshot

    def _folder_in_use(self) -> Path:
        pointer = self._folder / "current.json"
        try:
            state = _state_of(pointer)
            if self._pointer is None or self._pointer[0] != state:
                self._pointer = (state, str(json.loads(pointer.read_text("utf-8"))["folder"]))
        except FileNotFoundError:
            raise IndexMissingError("there is no search index yet") from None
        return self._folder / self._pointer[1]

    def _open(self, folder: Path, vocabulary: Vocabulary | None = None, names: Names | None = None) -> _Snapshot:
        commit = _state_of(folder / "meta.json")
        index = tantivy.Index.open(str(folder))
        index.config_reader("manual")
        index.reload()
        searcher = index.searcher()
        if vocabulary is None or names is None:
            names = Names(term for term, _ in searcher.terms_with_prefix("names", ""))
            words = (word for word, _ in searcher.terms_with_prefix("words", "") if word != GAP.strip())
            vocabulary = Vocabulary((*words, *names.words))
        parted = any(searcher.doc_freq(TYPE, type_of_passages(name)) for name in self._layout.parted)
        beside = {
            field: frozenset(word for word, _ in searcher.terms_with_prefix(f"t_{field}", ""))
            for field in self._layout.names
        }
        return _Snapshot(folder, commit, index, searcher, vocabulary, names, parted, beside)

    def _hits(self, searcher: tantivy.Searcher, plan: "_Plan", request: SearchRequest) -> tuple[int, tuple[Hit, ...]]:
        matching = plan.matching()
        found: Any  # `count` is missing from the library's type stub
        if request.per_page == 0 or request.offset >= searcher.num_docs:
            found = searcher.search(matching, 1)  # a limit of 0 panics
            return found.count, ()
        if request.sort is None and plan.ranked and plan.holders:
            total = searcher.search(matching, 1).count  # type: ignore[attr-defined]
            return total, self._grouped(searcher, plan, request) if request.offset < total else ()
        if request.sort is None and plan.ranked:
            found = self._bearing_all_marks(searcher, plan, request)
            if found is None:
                found = searcher.search(plan.ranking(matching), request.per_page, offset=request.offset)
                total = found.count
            else:
                total = searcher.search(Clause.const_score_query(matching, 1.0), 1).count  # type: ignore[attr-defined]
            return total, tuple(_hit(searcher.doc(hit), plan.relative(score)) for score, hit in found.hits)
        if request.sort is None:
            found = searcher.search(Clause.const_score_query(matching, 1.0), request.per_page, offset=request.offset)
        else:
            by, order = self._order(request.sort)
            found = searcher.search(matching, request.per_page, offset=request.offset, order_by_field=by, order=order)
        hits = (_hit(searcher.doc(address), None) for _, address in found.hits)
        return found.count, tuple(self._with_passages(searcher, plan, hit) for hit in hits)

    def _bearing_all_marks(self, searcher: tantivy.Searcher, plan: "_Plan", request: SearchRequest) -> Any:
        """The page, where all on it bear every mark there is: of frequent words there are many, and to find the
        shortest of them is much less work than to order all that match. None where there may be too few of them.
        """
        wanted = request.offset + request.per_page
        sizes = plan.sizes_with_all_marks(searcher, wanted)
        if sizes:
            found: Any = searcher.search(plan.bearing_all_marks(sizes), request.per_page, offset=request.offset)
            if found.count >= wanted:
                return found
        return None

    def _holders(self, searcher: tantivy.Searcher, plan: "_Plan") -> frozenset[str]:
        """The keys of the records that match in some passage, whatever the filters."""
        return frozenset(key for key, _ in _terms_of(searcher, plan.passages(), {"part_of": "part_of"})["part_of"])

    def _grouped(self, searcher: tantivy.Searcher, plan: "_Plan", request: SearchRequest) -> tuple[Hit, ...]:
        """A page of records, each where it or its best passage stands: more is read until the page is full."""
        wanted = request.offset + request.per_page
        clause, limit = plan.ranking(plan.with_passages()), max(_READ_AT_FIRST, _PASSAGES_A_RECORD * wanted)
        while True:
            found = searcher.search(clause, limit, count=False).hits
            groups = searcher.fast_field_values("group", [address for _, address in found])
            best: dict[object, tuple[Any, Any]] = {}
            for at, group in enumerate(groups):
                best.setdefault((at,) if group is None else group, found[at])
            if len(best) >= wanted or len(found) < limit:
                break
            limit *= 4
        page = list(best.values())[request.offset : wanted]
        return tuple(self._whole(searcher, plan, address, plan.relative(score)) for score, address in page)

    def _whole(self, searcher: tantivy.Searcher, plan: "_Plan", address: tantivy.DocAddress, score: float) -> Hit:
        """The record at an address, or the one whose passage is there."""
        document = searcher.doc(address)
        if part_of := document.get_first("whole"):
            own = Clause.term_query(self._schema, "key", part_of.decode(), "basic")
            document = searcher.doc(searcher.search(own, 1).hits[0][1])
        return self._with_passages(searcher, plan, _hit(document, score))

    def _with_passages(self, searcher: tantivy.Searcher, plan: "_Plan", hit: Hit) -> Hit:
        key = key_text(DocumentKey(hit.type, hit.id))
        if key not in plan.holders:
            return hit
        found = searcher.search(plan.ranking(plan.passages(key)), PASSAGES_SHOWN, count=False).hits
        contents = (searcher.doc(address).get_first("record") or b"{}" for _, address in found)
        return replace(hit, passages=tuple(map(orjson.loads, contents)))

    def _order(self, sort: str) -> tuple[str, Order]:
        name = sort.removeprefix("-")
        kind = "d" if name in self._layout.dates else "n" if name in self._layout.numbers else "s"
        return f"{kind}_{name}", Order.Desc if sort.startswith("-") else Order.Asc

    def _facets(
        self, searcher: tantivy.Searcher, plan: "_Plan", request: SearchRequest, *, most: bool
    ) -> dict[str, FacetCounts]:
        """Facets that are not filtered by share one pass; each of the others ignores its own filter.

        `most`: most of the documents match. Unless words are looked for, they are found again in no time: then it is
        faster to go through the documents of each value.
        """
        by_values = most and not plan.asks_words
        shared = [name for name in request.facets if not request.narrows(name)]
        groups: list[tuple[str | None, list[str]]] = [(None, shared)] if shared else []
        groups += [(name, [name]) for name in dict.fromkeys(request.facets) if request.narrows(name)]
        facets: dict[str, FacetCounts] = {}
        for ignored, names in groups:
            matching = plan.matching(ignored)
            facets |= self._counts(searcher, matching, names, by_values=by_values)
            if YEAR in names:
                facets[YEAR] = _years(searcher, matching, f"d_{request.date_name}")
        return {name: facets[name] for name in request.facets}

    def _counts(
        self, searcher: tantivy.Searcher, matching: Clause, names: list[str], *, by_values: bool
    ) -> dict[str, FacetCounts]:
        """All values of some facets, but for the years."""
        fields = {name: TYPE if name == TYPE else f"f_{name}" for name in names if name != YEAR}
        if not fields:
            return {}
        count = _terms_one_by_one if by_values else _terms_of
        found = count(searcher, matching, {**fields, LACKS: LACKS})
        lacking = found.pop(LACKS)
        return {
            name: FacetCounts.of(counts, 0 if name == TYPE else self._lacking.count(name, lacking))
            for name, counts in found.items()
        }

    # Writing

    def _build(self, folder: Path, documents: Iterable[IndexDocument | Prepared], cursor: int) -> int:
        with _engine_errors("build"):
            writer = tantivy.Index(self._schema, str(folder)).writer(_REBUILD_HEAP_BYTES, 1)
        seen: set[DocumentKey] = set()
        for document in documents:
            prepared = self.preparation(document) if isinstance(document, IndexDocument) else document
            if prepared.key in seen:
                self._delete(writer, prepared.key)
            seen.add(prepared.key)
            self._add(writer, prepared)
        _commit(writer, cursor)
        return len(seen)

    def _delete(self, writer: tantivy.IndexWriter, key: DocumentKey) -> None:
        writer.delete_documents_by_term("key", key_text(key))
        if key.type in self._layout.parted:
            writer.delete_documents_by_term("part_of", key_text(key))

    def _add(self, writer: tantivy.IndexWriter, document: Prepared) -> None:
        """Add a document and its passages."""
        with _engine_errors("write"):
            for part in document.parts:
                writer.add_json(part.decode())

    def _point_to(self, folder: Path) -> None:
        """Put the new index in use: the pointer is replaced in one step, after its bytes are on the disk."""
        pointer = self._folder / "current.json.new"
        with pointer.open("w", encoding="utf-8") as file:
            json.dump({"folder": folder.name}, file)
            file.flush()
            os.fsync(file.fileno())
        pointer.replace(self._folder / "current.json")

    def _remove_all_but(self, folder: Path) -> None:
        """Old indexes. Who still searches in one keeps its files open."""
        for other in self._folder.glob("index-*"):
            if other != folder:
                shutil.rmtree(other, ignore_errors=True)

    @contextmanager
    def _file_lock(self, name: str) -> Iterator[None]:
        """Hold a lock against other processes. Raises `UnavailableError` at once where one holds it."""
        if not self._folder.is_dir():
            raise IndexMissingError("there is no search index yet")
        with (self._folder / name).open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | (fcntl.LOCK_NB if name == "rebuild.lock" else 0))
            except BlockingIOError:
                raise UnavailableError("the search index is being rebuilt already") from None
            yield


class _Plan:
    """A request in tantivy's terms: which documents match, and what orders them."""

    def __init__(
        self, schema: tantivy.Schema, snapshot: _Snapshot, layout: IndexLayout, request: SearchRequest
    ) -> None:
        self._schema = schema
        self._once = snapshot.once
        self._vocabulary = snapshot.vocabulary
        self._names = snapshot.names
        self._fields = layout.texts[:-1]
        self._words_beside = snapshot.words_beside
        self._titles_like = partial(snapshot.searcher.doc_freq, "lines")
        self._doc_freq = snapshot.searcher.doc_freq
        self._types_of_passages = tuple(map(type_of_passages, layout.parted))
        self._request = request
        self.found_words: set[str] = set()
        query = request.query
        condition = request.condition
        self._matching_words = self._node(condition, request.strict) if condition else None
        self._concepts = query.concepts
        self._ranked_words = query.words[:RANKED_WORDS]
        self.ranked = bool(self._ranked_words)
        self.asks_words = asks_words(condition)
        self.holders: frozenset[str] = frozenset()
        self._most = 0.0
        self._always = frozenset(word for node in _parts(condition) if _is_words(node) for word in words_below(node))

    def matching(self, ignored: str | None = None) -> Clause:
        """The documents that match, themselves or (`holders`) in a passage, without the filter `ignored`."""
        words = self._matching_words or _ALL
        if self.holders:
            words = Clause.boolean_query([(Occur.Should, words), (Occur.Should, self.terms("key", self.holders))])
        return self._among_records(words, ignored)

    def _among_records(self, words: Clause, ignored: str | None = None) -> Clause:
        """The records that meet the filters besides."""
        constraints = self._request.constraints()
        clauses = [(Occur.Must, words)]
        if TYPE not in constraints or ignored == TYPE:
            clauses.append((Occur.MustNot, self.terms(TYPE, (_CURSOR, *self._types_of_passages))))
        kept = {name: values for name, values in constraints.items() if name != ignored}
        return self._constrained(clauses, kept, ignored)

    def with_passages(self) -> Clause:
        """The documents and passages that match, each by itself."""
        constraints = self._request.constraints()
        clauses = [(Occur.Must, self._matching_words or _ALL)]
        if TYPE in constraints:
            constraints[TYPE] += tuple(map(type_of_passages, constraints[TYPE]))
        else:
            clauses.append((Occur.MustNot, self.terms(TYPE, (_CURSOR,))))
        return self._constrained(clauses, constraints)

    def passages(self, part_of: str | None = None) -> Clause:
        """The passages that match, of one document or of all, whatever the filters."""
        which = self.terms("part_of", (part_of,)) if part_of else self.terms(TYPE, self._types_of_passages)
        return Clause.boolean_query([(Occur.Must, self._matching_words or _ALL), (Occur.Must, which)])

    def ranking(self, matching: Clause) -> Clause:
        """`matching` with a score: what is asked for is the name of a label, a State …, then fewest typing errors, then
        nearness, then weight of the field, then exact form, then the shortest text.

        But for the first and the last, the constants mirror Meilisearch's order of rules; a sum of them tells two
        documents apart as the rules would.
        """
        marks = [(Occur.Should, mark.scored) for mark in self._marks()]
        scored = (Occur.Must, Clause.const_score_query(matching, 0.0))
        return Clause.boolean_query([scored, *marks, *self._shorter(SIZES)])

    def relative(self, score: float) -> float:
        """A score of `ranking` as a share of the best there can be."""
        return min(score / (self._most + _SHORTER * (len(SIZES) - 1)), 1.0)

    def sizes_with_all_marks(self, searcher: tantivy.Searcher, wanted: int) -> tuple[str, ...]:
        """The sizes of the shortest texts, as many as it takes that `wanted` of them are likely to bear every mark.
        None where so many are not to be expected.

        Counted are those that say the words as they were typed, side by side.
        """
        words = self._ranked_words
        if not self._always.issuperset(words) or not all(self._is_held(word.text) for word in words):
            return ()
        text = f"t_{self._fields[0]}" if self._fields else "words"
        frequency = [searcher.doc_freq(text, word.text) for word in words]
        called = self._called(line_text(word.text for word in words))
        if called:
            frequency.append(sum(searcher.doc_freq(field, term) for field, term in called))
        if min(frequency) < _LIKELY * wanted:
            return ()
        if wanted > _NEAR_THE_TOP:
            return SIZES
        near = [(pair, min(gap, _SLOPS[-1])) for pair, gap, _ in self._neighbours()]
        if any(self._texts_with(searcher, pair, gap) < _LIKELY * wanted for pair, gap in near):
            return ()
        literal = [(Occur.Must, self.terms(text, (word.text,))) for word in words]
        literal += [(Occur.Must, self._nearby_in_texts(pair, gap)) for pair, gap in near]
        held = 0
        for first, last in pairwise((0, 2, 4, len(SIZES))):
            among = (Occur.Must, self.terms("size", SIZES[first:last]))
            counted: Any = searcher.search(Clause.boolean_query([among, *literal]), 1)
            held += counted.count
            if held >= _LIKELY * wanted:
                return SIZES[:last]
        return ()

    def _texts_with(self, searcher: tantivy.Searcher, pair: tuple[str, str], gap: int) -> int:
        """How many texts say two words one after the other."""

        def count() -> int:
            found: Any = searcher.search(self._nearby_in_texts(pair, gap), 1)
            return int(found.count)

        return self._once(("texts with", pair, gap), count)

    def bearing_all_marks(self, sizes: Sequence[str]) -> Clause:
        """The documents of these sizes that bear every mark, with the score of `ranking`.

        All others have a lower one, but for shorter texts: no mark counts less than all that a size can add.
        """
        among = self.terms("size", sizes) if len(sizes) < len(SIZES) else None
        marks = [(Occur.Must, mark.clause) for mark in self._marks(among) if not mark.follows]
        # Who bears every mark says all of the words that are ranked.
        rest = joined([node for node in _parts(self._request.condition) if not self._are_ranked(node)])
        records = self._among_records(self._node(rest, self._request.strict) if rest else _ALL)
        few = [(Occur.Must, among)] if among else []
        bearing = Clause.boolean_query([*few, (Occur.Must, records), *marks])
        return Clause.boolean_query(
            [(Occur.Must, Clause.const_score_query(bearing, self._most)), *self._shorter(sizes)]
        )

    def _marks(self, among: Clause | None = None) -> list["_Mark"]:
        """What orders the documents, but for their sizes. `among`: as it is to be asked of these alone."""
        marks = [mark for word in self._ranked_words for mark in self._remembered_marks(word)]
        marks += self._marks_of_nearness(among)
        if called := self._called(line_text(word.text for word in self._ranked_words)):
            marks.append(_Mark(partial(_any_of, [self.terms(field, (term,)) for field, term in called]), _NAMED))
        self._most = sum(mark.weight for mark in marks)
        return marks

    def _shorter(self, sizes: Sequence[str]) -> list[tuple[Occur, Clause]]:
        """What these sizes add to the score."""
        ranks = {size: rank for rank, size in enumerate(reversed(SIZES))}
        wanted = ((size, ranks[size] * _SHORTER) for size in sizes if ranks[size])
        return [(Occur.Should, Clause.const_score_query(self.terms("size", (size,)), more)) for size, more in wanted]

    def _are_ranked(self, node: Node) -> bool:
        return _is_words(node) and set(self._ranked_words).issuperset(words_below(node))

    def _constrained(
        self,
        clauses: list[tuple[Occur, Clause]],
        constraints: Mapping[str, tuple[str, ...]],
        ignored: str | None = None,
    ) -> Clause:
        for name, values in constraints.items():
            field = TYPE if name == TYPE else f"f_{name}"
            clauses.append((Occur.Must, self.terms(field, tuple(value for value in values if value))))
        clauses += [(Occur.Must, clause) for clause in self._dates() if ignored != YEAR]
        clauses += [(Occur.Must, self._node(each, True)) for each in self._request.alternatives(ignored)]
        return clauses[0][1] if len(clauses) == 1 else Clause.boolean_query(clauses)

    def _node(self, node: Node, strict: bool) -> Clause:
        match node:
            case Not(child):
                return Clause.boolean_query([(Occur.Must, _ALL), (Occur.MustNot, self._node(child, True))])
            case Or(nodes):
                return Clause.boolean_query([(Occur.Should, self._node(child, strict)) for child in nodes])
            case And(nodes):
                return self._all_of(nodes, strict)
            case Synonym(Word() as word, concepts):
                return self._word(word, strict, concepts)
            case Synonym(typed, concepts):
                return _any_of([*self._each_saying((), map(token_of, concepts)), self._node(typed, strict)])
        return self._leaf(node, strict)

    def _leaf(self, node: Word | Phrase | Field | Dates, strict: bool) -> Clause:
        match node:
            case Word():
                return self._word(node, strict)
            case Phrase(words):
                return self._phrase(words)
            case Field() | Dates():
                return self._field(node)

    def _field(self, node: Field | Dates) -> Clause:
        if isinstance(node, Dates):
            return self._between(node.first, node.last)
        if node.name == TYPE:
            return self.terms(TYPE, (*node.values, *map(type_of_passages, node.values)))
        return self.terms(f"f_{node.name}", node.values)

    def _all_of(self, nodes: tuple[Node, ...], strict: bool) -> Clause:
        clauses: list[tuple[Occur, Clause]] = []
        for child in nodes:
            if isinstance(child, Not):
                clauses.append((Occur.MustNot, self._node(child.node, True)))
            else:
                clauses.append((Occur.Must, self._node(child, strict)))
        if all(occur == Occur.MustNot for occur, _ in clauses):
            clauses.append((Occur.Must, _ALL))
        return Clause.boolean_query(clauses)

    def _word(self, word: Word, strict: bool, concepts: tuple[str, ...] = ()) -> Clause:
        """Where it stands, or what it may stand for: one union of terms, since unions of unions take much longer."""
        expansion = None if strict else self._expansion(word)
        stems = (*stems_of(word.text), *map(token_of, concepts))
        if expansion is None:
            return self.stemmed(stems)
        self.found_words |= expansion.words
        return self._once(("word", word, concepts), lambda: self._saying(expansion.words, stems))

    def _expansion(self, word: Word) -> Expansion | None:
        """What a word stands for beyond itself and its inflections."""
        if word.exact:
            return None
        expansion = self._vocabulary.expand(word.text, prefix=word.prefix)
        return expansion if expansion.words != {word.text} else None

    def readings(self) -> dict[Word, Reading]:
        """What the words asked for were read as, where they stand for others, too."""
        words = () if self._request.strict else self._request.query.words
        found = {word: self._remembered_reading(word) for word in words}
        return {word: reading for word, reading in found.items() if reading.words}

    def _remembered_reading(self, word: Word) -> Reading:
        return self._once(("reading", word, self._concepts.get(word)), partial(self._reading, word))

    def _reading(self, word: Word) -> Reading:
        expansion = self._expansion(word)
        if expansion is None:
            return Reading()
        codes, in_index = self._concepts.get(word, ()), self._vocabulary.knows(word.text)
        return reading_of(word.text, codes, expansion, self._frequency, in_index=in_index)

    def _frequency(self, word: str) -> int:
        """In about how many documents a word stands; those that bear several names with it count several times."""
        named = sum(self._doc_freq("names", name) for name in self._names.saying((word,)))
        return self._doc_freq("words", word) + named

    def _remembered_marks(self, word: Word) -> list["_Mark"]:
        key = ("marks", word, self._request.strict, word in self._always, self._concepts.get(word))
        return self._once(key, lambda: list(self._marks_of_word(word)))

    def _marks_of_word(self, word: Word) -> Iterator["_Mark"]:
        """Where it stands as typed; in which field any form of it does; with how few typing errors."""
        expansion = None if self._request.strict else self._expansion(word)
        forms: set[str] = {word.text}
        tokens = tuple(map(token_of, self._concepts.get(word, ())))
        if expansion:
            right, one, two = expansion.by_typos
            stems = (*stems_of(word.text), *tokens)
            # Who says it as typed says it without errors. Where no errors are found, all that match are without.
            if one or two or word not in self._always:
                yield _Mark(partial(self._saying, right, stems), _TYPO, follows=True)
            if two:
                yield _Mark(partial(self._saying, right | one, stems), _TYPO, follows=True)
            # A word that is right is not looked for in its misspelt forms: "principles" is no "Príncipe".
            forms |= right if self._vocabulary.knows(word.text) else expansion.words
        named = self._names.saying(forms)
        for name in self._fields:
            said = forms & self._words_beside.get(name, forms)
            # What says it in the words of another language says it as well.
            in_texts = self._each("stems", tokens) if name == self._fields[0] else []
            if clauses := [*self._each(f"t_{name}", said), *in_texts, *self._each("names", of_field(named, name))]:
                yield _Mark(partial(_any_of, clauses), _FIELD)
        if self._is_held(word.text):
            yield _Mark(partial(self._saying, (word.text,)), _EXACT)

    def _is_held(self, word: str) -> bool:
        """False where the index surely does not hold a word: of numbers the vocabulary does not know."""
        return is_exact(word) or self._vocabulary.knows(word)

    def _marks_of_nearness(self, among: Clause | None) -> Iterator["_Mark"]:
        """Neighbours of the query that stand near each other."""
        for pair, gap, concepts in self._neighbours():
            slops = list(dict.fromkeys(min(gap + slop, _SLOPS[-1]) for slop in _SLOPS))
            for slop in slops:
                further = slop > slops[0]
                make = partial(self._near, pair, slop, concepts, among, named=further)
                # Who says a form of several words as it was typed says it, and a little more.
                mark = partial(_Mark, make, _NEAR, follows=further or bool(concepts))
                yield mark() if among else self._once(("near", pair, slop, concepts, slops[0]), mark)
            if concepts:
                make = partial(self._near, pair, slops[0], (), among, named=False)
                mark = partial(_Mark, make, _EXACT)
                yield mark() if among else self._once(("as typed", pair, slops[0]), mark)

    def _near(
        self, pair: tuple[str, str], slop: int, concepts: tuple[str, ...], among: Clause | None, *, named: bool
    ) -> Clause:
        """What says both words near each other, or the concept that they are: in its text, or also by a name."""
        tokens = tuple(map(token_of, concepts))
        said = self._each_saying((), tokens) if named else self._each("stems", tokens)
        return _any_of([*self._each_nearby(pair, slop, among), *said])

    def _called(self, line: str) -> list[tuple[str, str]]:
        """The terms, with their fields, of what bears this as the whole of a title or of a name."""
        titles = [("lines", line)] if self._titles_like(line) else []
        return [*titles, *(("names", name) for name in self._names.called(line))]

    def _neighbours(self) -> Iterator[tuple[tuple[str, str], int, tuple[str, ...]]]:
        """Two words of the query, how many little ones stand between them, and the concepts they are a form of. For a
        misspelt one stands its likeliest correction.
        """
        for word, next_word in pairwise(self._ranked_words):
            first, second = self._likeliest(word), self._likeliest(next_word)
            # Words of one concept are near where another form of it stands.
            concepts = self._concepts.get(word, ()) if self._concepts.get(word) == self._concepts.get(next_word) else ()
            if first != second:
                yield (first, second), next_word.gap, concepts

    def _likeliest(self, word: Word) -> str:
        """The word itself where the index holds it; else that of the index that it is most likely to stand for."""
        if self._request.strict or self._vocabulary.knows(word.text):
            return word.text
        reading = self._remembered_reading(word)
        return reading.words[0].word if reading.words else word.text

    def _phrase(self, words: tuple[str, ...]) -> Clause:
        return self._saying(words) if len(words) == 1 else _any_of(self._each_nearby(words))

    def _each_nearby(self, words: tuple[str, ...], slop: int = 0, among: Clause | None = None) -> list[Clause]:
        """Where these words stand one after the other, with so many others among them. In texts it takes long to find
        out, so it may be asked of those `among` a few alone.
        """
        in_texts = self._nearby_in_texts(words, slop)
        if among:
            in_texts = Clause.boolean_query([(Occur.Must, among), (Occur.Must, in_texts)])
        return [in_texts, *self._each("names", self._names.saying_nearby(words, slop))]

    def _nearby_in_texts(self, words: tuple[str, ...], slop: int) -> Clause:
        return Clause.phrase_query(self._schema, "words", list(words), slop)

    def stemmed(self, stems: Iterable[str]) -> Clause:
        """Where any of these stems stands."""
        return self._saying((), stems)

    def _saying(self, words: Collection[str], stems: Iterable[str] = ()) -> Clause:
        """Where any of these words or stems stands, in texts or in names."""
        return _any_of(self._each_saying(words, stems))

    def _each_saying(self, words: Collection[str], stems: Iterable[str]) -> list[Clause]:
        stems = tuple(stems)
        named = self._names.saying(words, stems)
        # Where a word stands, its stem of some language does: with all of its stems it need not be looked for.
        words = [word for word in words if not stems or not set(stems).issuperset(stems_of(word))]
        return [*self._each("words", words), *self._each("stems", stems), *self._each("names", named)]

    def _dates(self) -> Iterator[Clause]:
        first, last = self._request.days
        if first or last:
            yield self._between(first, last)

    def _between(self, first: str | None, last: str | None) -> Clause:
        """Documents of these days."""
        begin = date_number(first) if first else None
        end = date_number(last, end=True) if last else None
        return Clause.range_query(self._schema, f"d_{self._request.date_name}", FieldType.Integer, begin, end)

    def terms(self, field: str, values: Collection[str]) -> Clause:
        """Any of these values."""
        return _any_of(self._each(field, values))

    def _each(self, field: str, values: Collection[str]) -> list[Clause]:
        """Clauses for these values. A set of terms is laid out as a bitmap at once, so few are asked for one by one."""
        if len(values) > _FEW_TERMS:
            return [Clause.term_set_query(self._schema, field, list(values))]
        return [Clause.term_query(self._schema, field, value, "basic") for value in values]


@dataclass(frozen=True)
class _Mark:
    """Something that sets documents before others, and its weight. `follows`: from another mark of the query."""

    make: Callable[[], Clause]
    weight: float
    follows: bool = False

    @cached_property
    def clause(self) -> Clause:
        """The documents that bear it."""
        return self.make()

    @cached_property
    def scored(self) -> Clause:
        """The same with its weight as their score."""
        return Clause.const_score_query(self.clause, self.weight)


def _parts(node: Node | None) -> tuple[Node, ...]:
    """What all must hold of a document that is to match."""
    return node.nodes if isinstance(node, And) else (node,) if node else ()


def _is_words(node: Node) -> bool:
    """Whether it is a word, or words in a row that are a form of a concept."""
    return isinstance(node, Word) or (isinstance(node, Synonym) and all(map(_is_words, _parts(node.typed))))


def _any_of(clauses: Sequence[Clause]) -> Clause:
    if len(clauses) == 1:
        return clauses[0]
    return Clause.boolean_query([(Occur.Should, clause) for clause in clauses])


def _schema(layout: IndexLayout) -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    for name in ("key", "listing"):
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic")
    for name in (TYPE, LACKS, *(f"f_{name}" for name in layout.filters)):
        builder.add_text_field(name, fast=True, tokenizer_name="raw", index_option="basic")
    for name in layout.sorts:
        builder.add_text_field(f"s_{name}", fast=True, tokenizer_name="raw", index_option="basic")
    for name in layout.numbers:
        builder.add_integer_field(f"n_{name}", fast=True)
    for name in layout.dates:
        builder.add_integer_field(f"d_{name}", indexed=True, fast=True)
    for name in ("lines", "size"):
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("words", tokenizer_name="whitespace", index_option="position")
    builder.add_text_field("names", tokenizer_name="raw", index_option="basic")
    for name in ("stems", *(f"t_{name}" for name in layout.texts[:-1])):
        builder.add_text_field(name, tokenizer_name="whitespace", index_option="basic")
    if layout.parted:
        builder.add_text_field("part_of", fast=True, tokenizer_name="raw", index_option="basic")
        builder.add_bytes_field("whole", stored=True)
        builder.add_integer_field("group", fast=True)
    builder.add_bytes_field("record", stored=True)
    return builder.build()


def _commit(writer: tantivy.IndexWriter, cursor: int) -> None:
    """Commit what was written together with the cursor, and wait for merges: they end with the writer."""
    with _engine_errors("write"):
        writer.add_document(_cursor_document(cursor))
        writer.commit()
        writer.wait_merging_threads()


def _cursor_document(cursor: int) -> tantivy.Document:
    made = tantivy.Document()
    made.add_text("key", _CURSOR)
    made.add_text(TYPE, _CURSOR)
    made.add_bytes("record", orjson.dumps({"cursor": cursor}))
    return made


def _terms_of(
    searcher: tantivy.Searcher, matching: Clause, fields: Mapping[str, str]
) -> dict[str, list[tuple[str, int]]]:
    """All terms of some fields, with how many documents hold them, by the names given to the fields.

    Beyond 65,000 terms tantivy's aggregations give up: then term by term.
    """
    wanted = {name: {"terms": {"field": field, "size": _MAX_FACET_VALUES}} for name, field in fields.items()}
    try:
        answer = searcher.aggregate(matching, wanted)
    except ValueError as error:
        if "bucket limit" not in str(error):
            raise
        return _terms_one_by_one(searcher, matching, fields)
    return {name: [(one["key"], one["doc_count"]) for one in answer[name]["buckets"]] for name in fields}


def _terms_one_by_one(
    searcher: tantivy.Searcher, matching: Clause, fields: Mapping[str, str]
) -> dict[str, list[tuple[str, int]]]:
    """The same, through the documents of each term."""
    return {name: searcher.terms_with_prefix(field, "", filter_query=matching) for name, field in fields.items()}


def _years(searcher: tantivy.Searcher, matching: Clause, field: str) -> FacetCounts:
    """The years of the records that match. Of a `date_number`, ten thousand are a year."""
    years = {YEAR: {"histogram": {"field": field, "interval": 10_000, "min_doc_count": 1}}}
    buckets = searcher.aggregate(matching, years)[YEAR]["buckets"]
    total: int = searcher.search(matching, 1).count  # type: ignore[attr-defined]  # missing from the library's stub
    return FacetCounts.of_years(((one["key"], one["doc_count"]) for one in buckets), total)


def _hit(document: tantivy.Document, score: float | None) -> Hit:
    stored: Mapping[str, Any] = orjson.loads(document.get_first("record") or b"{}")
    return Hit(stored["type"], stored["id"], stored["record"], score)


def _state_of(file: Path) -> tuple[int, int]:
    """Changes whenever the file is replaced, by whichever process."""
    status = file.stat()
    return status.st_mtime_ns, status.st_ino


@contextmanager
def _engine_errors(doing: str) -> Iterator[None]:
    """Tell tantivy's errors (a damaged index, a full disk) as `UnavailableError`. Its panics are no `Exception`s."""
    try:
        yield
    except (ValueError, OSError, RuntimeError) as error:
        raise UnavailableError(
            f"the embedded search engine cannot {doing}: {error}; if it stays so, rebuild"
        ) from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise UnavailableError(f"the embedded search engine failed to {doing}; if it stays so, rebuild") from None
