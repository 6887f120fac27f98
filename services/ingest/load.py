"""From a reading to records and changes: one transaction a document, or several documents of one review.

The reading is stored, the readings of its review are merged anew, the result is compared with what is stored, and what
differs is written together with its changes. Loading the same file again finds nothing that differs.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path

import psycopg
from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.exc import DBAPIError

from services.core.domain import identifiers
from services.core.domain.changes import Cause
from services.core.domain.documents import DATA_SETS
from services.core.domain.errors import UnreadableDocumentError
from services.core.store.changes import ChangeDraft, append_changes
from services.core.store.ingest import readings_table
from services.core.store.reviews import ReviewRecord
from services.core.store.seed import facts
from services.ingest.editions import among_editions, is_read_anew
from services.ingest.held_readings import forget, heads_of, is_better, is_same, readings_of, store, to_merge
from services.ingest.load_chapter import write_chapter
from services.ingest.load_paragraphs import write_paragraphs
from services.ingest.load_records import (
    Because,
    Places,
    Write,
    ensure_sample_states,
    read_places,
    sample_states,
)
from services.ingest.load_review import PARTS_OF_A_REVIEW, merged_with, remove_review, write_review
from services.ingest.load_sources import (
    CHAPTER,
    chapter_of,
    file_entry,
    share_source,
    source_of,
    spoken_of,
    whose_review,
)
from services.ingest.merge import SourceReading, is_chapter, merge_chapter, merge_review, rest_of, shares_of
from services.ingest.merge.documents import day_of, tells_of_samples_alone
from services.ingest.merge.totals import concerns_totals
from services.ingest.reading import Reading, ReadIssue


@dataclass(frozen=True)
class Loaded:
    """What loading one document did. `counts` are changes by event type; empty where nothing was new.

    `issues` are what its merging with the other sources brought to light.
    """

    document: str
    review: str
    outcome: str
    counts: Mapping[str, int]
    sample: bool = False
    issues: tuple[ReadIssue, ...] = ()


@dataclass(frozen=True)
class FileRead:
    """A file that was read, to be loaded.

    `name`: what it is called, where not as `path` says. `replaces`: the hash of an earlier file, in the place of which
    this one stands. `seen_at`: when a page that its site keeps up to date was fetched, if not when the file was last
    written.
    """

    path: Path
    sha256: str
    reading: Reading
    name: str | None = None
    replaces: str | None = None
    seen_at: datetime | None = None

    def source(self) -> SourceReading:
        """The reading as that of a file of a document."""
        status = self.path.stat()
        entry = file_entry(self.name or self.path.name, status.st_size, self.sha256, self.reading)
        return source_of(entry, self.reading, self.seen_at or datetime.fromtimestamp(status.st_mtime, UTC))


Within = Callable[[Connection, Loaded], None]
"""Called in each transaction that stores a part of a file, with what storing that part did."""

WithinAll = Callable[[Connection, Sequence[Loaded]], None]
"""Called in the transaction that stores several files, with what storing each did."""


def nothing_more(_connection: Connection, _loaded: Loaded) -> None:
    """What is called where nobody needs to know."""


_File = tuple[SourceReading, str | None]
"""What a file says, and the hash of the file that it stands for."""


class Loader:
    """Loads readings into one store.

    `backfill_after`: a document published longer ago than this is history, and its changes say `backfill`.
    `only_try`: write nothing, and answer what loading would change.
    """

    def __init__(self, engine: Engine, backfill_after: timedelta, *, only_try: bool = False) -> None:
        self.only_try = only_try
        self._engine = engine
        self._backfill_after = backfill_after
        self._places: Places | None = None

    def load(
        self,
        path: Path,
        sha256: str,
        reading: Reading,
        *,
        name: str | None = None,
        replaces: str | None = None,
        seen_at: datetime | None = None,
        within: Within = nothing_more,
    ) -> Loaded:
        """Store a reading and what it changes; see `FileRead`. What the file that it `replaces` said is taken away.

        A file that was read to speak of another review before does so no longer. What a later version of the parser
        read of the same file stays. Raises `UnreadableDocumentError`: `unknown_review` where the document does not tell
        whose review it is of, `not_storable`.
        """
        source = FileRead(path, sha256, reading, name, replaces, seen_at).source()
        with refusing_what_cannot_be_stored():
            held = self._places_of(sha256)
            former = self._places_of(replaces) if replaces else {}
            if any(is_better(read_by, reading) for read_by in held.values()):
                return Loaded(source.document, ", ".join(sorted(held)), "unchanged", {})
            speaks_of = spoken_of(source)
            for sha, places in ((sha256, held), (replaces or "", former)):
                for place in places.keys() - speaks_of:
                    self.withdraw(place, [sha], only_try=self.only_try)
            if is_chapter(reading):
                return self._load_chapter(source, within, replaces)
            return self._load(source, within, replaces)

    def load_together(self, files: Sequence[FileRead], within: WithinAll) -> Sequence[Loaded] | None:
        """Store what several files say of the one review that they tell of, as `load` would store one after the other,
        but in one transaction: the readings are merged once, and a record changes once.

        None, and nothing is done, where one of them has to be loaded by itself, since it told of something else before.
        The changes are counted with the first. Raises `UnreadableDocumentError` (`not_storable`): then none is stored.
        """
        sources = [each.source() for each in files]
        (review,) = {place for source in sources for place in spoken_of(source)}
        with refusing_what_cannot_be_stored():
            for each in files:
                places = {**self._places_of(each.sha256), **(self._places_of(each.replaces) if each.replaces else {})}
                if places.keys() - {review} or any(is_better(read_by, each.reading) for read_by in places.values()):
                    return None
            replaced = [each.replaces for each in files]
            return self._load_review(list(zip(sources, replaced, strict=True)), within)

    def can_only_add(self, sha256: str, reviews: Collection[str]) -> bool:
        """Whether nothing is held of a file, nor of the reviews (`spoken_of`) that it speaks of, so that there is
        nothing that it could change."""
        columns = readings_table.c
        of_these = columns.review.in_(reviews) | (columns.sha256 == sha256)
        with self._engine.connect() as connection:
            return connection.scalar(select(columns.id).where(of_these).limit(1)) is None

    def _places_of(self, sha256: str) -> dict[str, tuple[str, str]]:
        """Of which reviews (or documents of none) readings of a file are held, and by which parser and version."""
        columns = readings_table.c
        query = select(columns.review, columns.parser, columns.parser_version).where(columns.sha256 == sha256)
        with self._engine.connect() as connection:
            return {row.review: (row.parser, row.parser_version) for row in connection.execute(query)}

    def withdraw(self, place: str, sha256s: Collection[str], *, only_try: bool = False) -> Counter[str]:
        """Take away what these files say of a review (or of no one review: `chapter:` and a document), in one
        transaction; the changes by event type. What nothing else supports is deleted. `only_try`: write nothing.
        """
        state = None if place.startswith(CHAPTER) else place.partition("-")[0]
        with self._engine.connect() as connection, connection.begin() as transaction:
            connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(state or place))))
            held = readings_of(connection, place)
            rest = [each for key, each in held.items() if key not in sha256s]
            forget(connection, place, *sha256s)
            places = None if state in sample_states() else self.places(connection)
            now = connection.scalar(select(func.now())) or datetime.now(UTC)
            write = Write(connection, now, Cause.CORRECTION, None, places)
            if state is None:
                drafts = write_chapter(write, merge_chapter(rest) if rest else None, list(held.values()))
            elif rest:
                cycle = int(place.partition("-")[2])
                merged = merge_review(state, cycle, rest, sample=state in sample_states())
                drafts = write_review(write, merged, PARTS_OF_A_REVIEW)
                write_paragraphs(connection, place, rest, sample=merged.review.sample)
            else:
                drafts = remove_review(write, place)
            if only_try:
                transaction.rollback()
            else:
                append_changes(connection, drafts)
        return Counter(draft.type for draft in drafts)

    def load_share(self, reading: Reading, within: Within = nothing_more) -> Loaded:
        """Store what a data set says of one review.

        An export changes with every review in it, its share of a review does not: the share is a document of its own,
        known by the hash of what it says. The same share in a later export, or in one of another format, is the same
        file, so its entry tells nothing of the export's.
        """
        with refusing_what_cannot_be_stored():
            return self._load(share_source(reading), within)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A transaction in which something is loaded; rolled back at its end where this is only to be tried."""
        with self._engine.connect() as connection, connection.begin() as begun:
            yield connection
            if self.only_try:
                begun.rollback()

    def settle(self, connection: Connection, loaded: Loaded, drafts: Sequence[ChangeDraft], within: Within) -> Loaded:
        """The end of a transaction that loads: its changes, counted and, unless this is only tried, written."""
        loaded = replace(loaded, counts=Counter(draft.type for draft in drafts))
        if not self.only_try:
            within(connection, loaded)
            append_changes(connection, drafts)
        return loaded

    def _load(self, source: SourceReading, within: Within, replaces: str | None = None) -> Loaded:
        def within_if_loaded(connection: Connection, told: Sequence[Loaded]) -> None:
            if told[0].outcome == "loaded":
                within(connection, told[0])

        return self._load_review([(source, replaces)], within_if_loaded)[0]

    def _load_review(self, files: Sequence[_File], within: WithinAll) -> Sequence[Loaded]:
        """Store what files say of one review, in one transaction, and merge its readings once."""
        state, cycle = whose_review(files[0][0].reading)
        review, sample = identifiers.review_id(state, cycle), state in sample_states()
        with self.transaction() as connection:
            # Of the whole State: documents of one review cite the recommendations of another (load_paragraphs.py).
            connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(state))))
            held = heads_of(connection, review)
            new = _stored(connection, review, files, held)
            drafts, issues = self._write_with(connection, review, new, held) if new else ([], ())
            outcomes = ["loaded" if source.file["sha256"] in new else "unchanged" for source, _ in files]
            told = [
                Loaded(source.document, review, outcome, {}, sample)
                for (source, _), outcome in zip(files, outcomes, strict=True)
            ]
            told[0] = replace(told[0], counts=Counter(draft.type for draft in drafts), issues=issues)
            if not self.only_try:
                within(connection, told)
                append_changes(connection, drafts)
            return told

    def _write_with(
        self, connection: Connection, review: str, new: Mapping[str, SourceReading], held: Mapping[str, SourceReading]
    ) -> tuple[list[ChangeDraft], tuple[ReadIssue, ...]]:
        """Write what new readings change of a review of which others are held; what is found out by merging them."""
        others = to_merge(connection, review, (each for key, each in held.items() if key not in new))
        sources = sorted(new.values(), key=lambda each: each.weight)
        merged, nouns = merged_with(connection, sources, others)
        because = {each.document: self._because(each, held.values(), merged.review) for each in reversed(sources)}
        cause, effective_on = because[sources[0].document]
        write = Write(
            connection=connection,
            now=connection.scalar(select(func.now())) or datetime.now(UTC),
            cause=cause,
            effective_on=effective_on,
            places=None if merged.review.sample else self.places(connection),
            because_of=because if len(because) > 1 else {},
        )
        drafts = write_review(write, merged, nouns)
        write_paragraphs(connection, review, [*others, *sources], sample=merged.review.sample)
        return drafts, merged.issues if any(map(concerns_totals, sources)) else ()

    def _load_chapter(self, source: SourceReading, within: Within, replaces: str | None) -> Loaded:
        """Store what a document says of each review, a transaction each; first what is of no one review."""
        loaded = [self._load_rest(replace(source, reading=rest_of(source.reading)), within)]
        shares = [replace(source, reading=share) for share in shares_of(source.reading)]
        loaded += [self._load(share, within, replaces) for share in shares]
        counts: dict[str, int] = {}
        for each in loaded:
            for kind, count in each.counts.items():
                counts[kind] = counts.get(kind, 0) + count
        unchanged = all(each.outcome == "unchanged" for each in loaded)
        reviews = ", ".join(each.review for each in loaded[1:])
        issues = tuple(issue for each in loaded for issue in each.issues)
        outcome, sample = "unchanged" if unchanged else "loaded", any(each.sample for each in loaded)
        return Loaded(source.document, reviews, outcome, counts, sample, issues)

    def _load_rest(self, source: SourceReading, within: Within) -> Loaded:
        """Store a document of many reviews, and its hearings that are no one State's."""
        place = chapter_of(source)
        with self.transaction() as connection:
            connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(place))))
            held = readings_of(connection, place)
            sample = tells_of_samples_alone([source.reading])
            source, replaced = among_editions(source, held.values())
            old = held.get(source.file["sha256"])
            if old is not None and is_same(old, source) and old.seen == source.seen:
                return Loaded(source.document, place, "unchanged", {}, sample)
            forget(connection, place, *replaced)
            store(connection, place, source)
            others = [each for key, each in held.items() if key not in {*replaced, source.file["sha256"]}]
            same = [each for each in held.values() if each.document == source.document]
            published = day_of(source.reading.document.published_on)
            write = Write(
                connection=connection,
                now=connection.scalar(select(func.now())) or datetime.now(UTC),
                cause=Cause.CORRECTION if is_read_anew(source, same) else self.cause_by_day(published),
                effective_on=published,
                places=None if sample else self.places(connection),
                cause_by_day=self.cause_by_day,
            )
            if sample:
                ensure_sample_states(connection)
            drafts = write_chapter(write, merge_chapter([*others, source]), [*held.values(), source])
            return self.settle(connection, Loaded(source.document, place, "loaded", {}, sample), drafts, within)

    def _because(self, source: SourceReading, held: Iterable[SourceReading], review: ReviewRecord) -> Because:
        """Why there are changes: a document is read anew, or it tells news, or history."""
        published = None if source.kind in DATA_SETS else day_of(source.reading.document.published_on)
        if any(old.document == source.document and _is_reread(old, source) for old in held):
            return Because(Cause.CORRECTION, published)
        return Because(self.cause_by_day(published or review.date or _last_day(review.session)), published)

    def places(self, connection: Connection) -> Places:
        """States and groups, read once."""
        if self._places is None:
            self._places = read_places(connection)
        return self._places

    def cause_by_day(self, day: date | None) -> Cause:
        """Whether what happened on a day is news or history."""
        if day is not None and datetime.now(UTC).date() - day > self._backfill_after:
            return Cause.BACKFILL
        return Cause.PUBLICATION


def _stored(
    connection: Connection, review: str, files: Sequence[_File], held: dict[str, SourceReading]
) -> dict[str, SourceReading]:
    """Hold what is new in these files, which is answered by their hashes, and nothing of those that they replace: such
    are taken out of `held`."""
    new: dict[str, SourceReading] = {}
    for source, replaces in files:
        sha256 = source.file["sha256"]
        old = new.get(sha256) or held.get(sha256)
        if old is not None and is_same(old, source) and replaces not in held:
            continue
        if replaces is not None and held.pop(replaces, None) is not None:
            forget(connection, review, replaces)
        store(connection, review, source)
        new[sha256] = source
    return new


def _is_reread(old: SourceReading, new: SourceReading) -> bool:
    """Whether the same document is merely read better. A later export of a data set tells something new."""
    return new.kind not in DATA_SETS or old.reading.document.published_on == new.reading.document.published_on


@cache
def _last_days() -> dict[int, date]:
    return {int(row["number"]): date.fromisoformat(row["ends_on"]) for row in facts("sessions") if row["ends_on"]}


def _last_day(session: int | None) -> date | None:
    """The last day of a Working Group session, by which a review of unknown day had been held."""
    return _last_days().get(session) if session else None


@contextmanager
def refusing_what_cannot_be_stored() -> Iterator[None]:
    """Makes the file's fault what PostgreSQL refuses because of what it holds.

    Raises `UnreadableDocumentError` (`not_storable`): values that no column takes, texts too long for an index, or an
    id (a document's symbol, say) that another review's record bears.
    """
    try:
        yield
    except (psycopg.Error, DBAPIError) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        if not isinstance(cause, _REFUSALS):
            raise
        detail = cause.diag.message_detail or cause.diag.message_primary or str(cause)
        raise UnreadableDocumentError("not_storable", f"the store refuses what the file says: {detail}") from error


_REFUSALS = (psycopg.DataError, psycopg.IntegrityError, psycopg.errors.ProgramLimitExceeded)
