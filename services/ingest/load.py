"""From a reading to records and changes: one transaction a document.

The reading is stored, the readings of its review are merged anew, the result is compared with what is stored, and what
differs is written together with its changes. Loading the same file again finds nothing that differs.
"""

import hashlib
import mimetypes
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path

import orjson
import psycopg
from sqlalchemy import Connection, Engine, delete, func, insert, or_, select
from sqlalchemy.exc import DBAPIError

from services.core.domain import identifiers
from services.core.domain.changes import Cause
from services.core.domain.documents import DATA_SETS, DocumentKind
from services.core.domain.errors import UnreadableDocumentError
from services.core.schemas.events import draft_change
from services.core.schemas.names import Names
from services.core.schemas.shapes import shape_of
from services.core.store.changes import ChangeDraft, append_changes
from services.core.store.documents import FileEntry
from services.core.store.filtering import as_array
from services.core.store.former_ids import forget_removed, remember_removed
from services.core.store.hearings import HEARINGS, HearingRecord
from services.core.store.ingest import readings_table
from services.core.store.labels import LABELS, LabelRecord
from services.core.store.observations import ObservationRecord
from services.core.store.organisations import ORGANISATIONS, OrganisationRecord
from services.core.store.pledges import PledgeRecord
from services.core.store.recommendations import RecommendationRecord, current_position
from services.core.store.records import Aggregate, Stored
from services.core.store.reference import Reference, reference_of
from services.core.store.reviews import REVIEWS, ReviewRecord
from services.core.store.seed import facts, sample_state_records
from services.core.store.statements import StatementRecord
from services.core.store.states import PLACE_GROUPS, STATES, Fact, PlaceGroupRecord, StateRecord
from services.core.store.tables import AGGREGATES
from services.ingest.editions import among_editions, edition, is_read_anew
from services.ingest.load_paragraphs import write_paragraphs
from services.ingest.merge import (
    MergedChapter,
    MergedReview,
    SourceReading,
    is_chapter,
    merge_chapter,
    merge_pledges,
    merge_review,
    place_of,
    rest_of,
    shares_of,
)
from services.ingest.merge.documents import tells_of_samples_alone
from services.ingest.merge.facts import facts_without, joined_facts, new_facts
from services.ingest.merge.labels import joined
from services.ingest.merge.organisations import joined_organisation, without_roles
from services.ingest.merge.totals import concerns_totals
from services.ingest.reading import Reading, ReadIssue, reading_from

_PARTS_OF_A_REVIEW = ("documents", "hearings", "statements", "recommendations", "pledges", "organisations")

_PARTS_WITH_PLEDGES = ("documents", "pledges")


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


Within = Callable[[Connection, Loaded], None]
"""Called in each transaction that stores a part of a file, with what storing that part did."""


def nothing_more(_connection: Connection, _loaded: Loaded) -> None:
    """What is called where nobody needs to know."""


Places = tuple[dict[str, StateRecord], dict[str, PlaceGroupRecord]]
"""States and groups: facts of the seed, which do not change while documents are loaded, but for samples' States."""


@dataclass(frozen=True)
class Write:
    """One transaction's circumstances.

    `cause_by_day`: where one document tells of different days (facts), the cause of each; not for corrections.
    """

    connection: Connection
    now: datetime
    cause: Cause
    effective_on: date | None
    places: Places | None = None
    cause_by_day: Callable[[date | None], Cause] | None = None


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
        """Store a reading and what it changes. `name`: what the file is called, where not as `path` says. `replaces`:
        the hash of an earlier file, in the place of which this one stands; what that said is taken away.

        A file that was read to speak of another review before does so no longer. What a later version of the parser
        read of the same file stays. `seen_at`: when a page that its site keeps up to date was fetched, if not when the
        file was last written. Raises `UnreadableDocumentError`: `unknown_review` where the document does not tell whose
        review it is of, `not_storable`.
        """
        entry = _file_entry(name or path.name, path.stat().st_size, sha256, reading)
        source = _source(entry, reading, seen_at or datetime.fromtimestamp(path.stat().st_mtime, UTC))
        with refusing_what_cannot_be_stored():
            held = self._places_of(sha256)
            former = self._places_of(replaces) if replaces else {}
            if any(is_better(read_by, reading) for read_by in held.values()):
                return Loaded(source.document, ", ".join(sorted(held)), "unchanged", {})
            spoken_of = _spoken_of(source)
            for sha, places in ((sha256, held), (replaces or "", former)):
                for place in places.keys() - spoken_of:
                    self.withdraw(place, [sha], only_try=self.only_try)
            if is_chapter(reading):
                return self._load_chapter(source, within, replaces)
            return self._load(source, within, replaces)

    def can_only_add(self, sha256: str, reading: Reading) -> bool:
        """Whether nothing is held of the file, nor of the reviews that it speaks of, so that there is nothing that it
        could change. Raises `UnreadableDocumentError` as `load` does."""
        source = _source(_file_entry("", 0, sha256, reading), reading, datetime.now(UTC))
        columns = readings_table.c
        of_these = columns.review.in_(_spoken_of(source)) | (columns.sha256 == sha256)
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
        state = None if place.startswith(_CHAPTER) else place.partition("-")[0]
        with self._engine.connect() as connection, connection.begin() as transaction:
            connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(state or place))))
            held = _readings(connection, place)
            rest = [each for key, each in held.items() if key not in sha256s]
            columns = readings_table.c
            connection.execute(delete(readings_table).where(columns.review == place, columns.sha256.in_(sha256s)))
            places = None if state in sample_states() else self.places(connection)
            now = connection.scalar(select(func.now())) or datetime.now(UTC)
            write = Write(connection, now, Cause.CORRECTION, None, places)
            if state is None:
                drafts = _write_chapter(write, merge_chapter(rest) if rest else None, list(held.values()))
            elif rest:
                cycle = int(place.partition("-")[2])
                merged = merge_review(state, cycle, rest, sample=state in sample_states())
                drafts = _write_review(write, merged, _PARTS_OF_A_REVIEW)
                write_paragraphs(connection, place, rest, sample=merged.review.sample)
            else:
                drafts = _remove_review(write, place)
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
        review = identifiers.review_id(*_whose_review(reading))
        said = orjson.dumps(replace(reading, document=replace(reading.document, published_on=None)))
        sha256 = hashlib.sha256(said).hexdigest()
        share = f"{reading.document.kind} {reading.document.title} {review}"
        title = reading.document.title or reading.parser
        entry = _file_entry(title, len(said), sha256, reading)
        source = SourceReading(
            document=identifiers.document_id(None, hashlib.sha256(share.encode()).hexdigest()),
            file=FileEntry(**{**entry, "media_type": "application/json"}),
            reading=reading,
        )
        with refusing_what_cannot_be_stored():
            return self._load(source, within)

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
        reading, sha256 = source.reading, source.file["sha256"]
        state, cycle = _whose_review(reading)
        review = identifiers.review_id(state, cycle)
        with self.transaction() as connection:
            # Of the whole State: documents of one review cite the recommendations of another (load_paragraphs.py).
            connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(state))))
            held = _readings(connection, review)
            if (old := held.get(sha256)) is not None and _is_same(old, source) and replaces not in held:
                return Loaded(source.document, review, "unchanged", {}, bool(sample_states().get(state)))
            if replaces is not None and held.pop(replaces, None) is not None:
                _forget(connection, review, replaces)
            _store(connection, review, source)
            others = [each for key, each in held.items() if key != sha256]
            merged, nouns = _merged(connection, source, [*others, source])
            write = Write(
                connection=connection,
                now=connection.scalar(select(func.now())) or datetime.now(UTC),
                cause=self._cause(source, held.values(), merged.review),
                effective_on=None if source.kind in DATA_SETS else _day(reading.document.published_on),
                places=None if merged.review.sample else self.places(connection),
            )
            drafts = _write_review(write, merged, nouns)
            write_paragraphs(connection, review, [*others, source], sample=merged.review.sample)
            issues = merged.issues if concerns_totals(source) else ()
            loaded = Loaded(source.document, review, "loaded", {}, merged.review.sample, issues)
            return self.settle(connection, loaded, drafts, within)

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
        place = _chapter_of(source)
        with self.transaction() as connection:
            connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(place))))
            held = _readings(connection, place)
            sample = tells_of_samples_alone([source.reading])
            source, replaced = among_editions(source, held.values())
            old = held.get(source.file["sha256"])
            if old is not None and _is_same(old, source) and old.seen == source.seen:
                return Loaded(source.document, place, "unchanged", {}, sample)
            columns = readings_table.c
            connection.execute(delete(readings_table).where(columns.review == place, columns.sha256.in_(replaced)))
            _store(connection, place, source)
            others = [each for key, each in held.items() if key not in {*replaced, source.file["sha256"]}]
            same = [each for each in held.values() if each.document == source.document]
            published = _day(source.reading.document.published_on)
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
            drafts = _write_chapter(write, merge_chapter([*others, source]), [*held.values(), source])
            return self.settle(connection, Loaded(source.document, place, "loaded", {}, sample), drafts, within)

    def _cause(self, source: SourceReading, held: Iterable[SourceReading], review: ReviewRecord) -> Cause:
        if any(old.document == source.document and _is_reread(old, source) for old in held):
            return Cause.CORRECTION
        published = None if source.kind in DATA_SETS else _day(source.reading.document.published_on)
        return self.cause_by_day(published or review.date or _last_day(review.session))

    def places(self, connection: Connection) -> Places:
        """States and groups, read once."""
        if self._places is None:
            self._places = _read_places(connection)
        return self._places

    def cause_by_day(self, day: date | None) -> Cause:
        """Whether what happened on a day is news or history."""
        if day is not None and datetime.now(UTC).date() - day > self._backfill_after:
            return Cause.BACKFILL
        return Cause.PUBLICATION


def _is_reread(old: SourceReading, new: SourceReading) -> bool:
    """Whether the same document is merely read better. A later export of a data set tells something new."""
    return new.kind not in DATA_SETS or old.reading.document.published_on == new.reading.document.published_on


@cache
def _last_days() -> dict[int, date]:
    return {int(row["number"]): date.fromisoformat(row["ends_on"]) for row in facts("sessions") if row["ends_on"]}


def _last_day(session: int | None) -> date | None:
    """The last day of a Working Group session, by which a review of unknown day had been held."""
    return _last_days().get(session) if session else None


def _whose_review(reading: Reading) -> tuple[str, int]:
    said = reading.document
    if said.state_under_review is None or said.cycle is None:
        missing = "which State it is about" if said.state_under_review is None else "which cycle it belongs to"
        raise UnreadableDocumentError("unknown_review", f"The document does not tell {missing}.")
    return said.state_under_review, said.cycle


def _file_entry(name: str, size: int, sha256: str, reading: Reading) -> FileEntry:
    entry = FileEntry(
        sha256=sha256,
        name=name,
        media_type=mimetypes.guess_type(name)[0] or "application/octet-stream",
        language=reading.document.language,
        bytes=size,
        pages=reading.document.pages,
        current=True,
        parser=reading.parser,
        parser_version=reading.parser_version,
    )
    if reading.document.ocr is not None:
        entry["ocr"] = dict(reading.document.ocr)
    return entry


def _readings(connection: Connection, review: str) -> dict[str, SourceReading]:
    rows = connection.execute(select(readings_table).where(readings_table.c.review == review))
    return {
        row.sha256: SourceReading(
            document=row.document,
            file=row.file,
            reading=reading_from(row.reading),
            seen=(row.first_seen, row.last_seen) if row.first_seen else None,
        )
        for row in rows
    }


def _is_same(old: SourceReading, new: SourceReading) -> bool:
    """Whether a reading is held already. The share of a data set is, unless a later export says the same again."""
    if new.kind in DATA_SETS and (new.reading.document.published_on or "") > (old.reading.document.published_on or ""):
        return False
    return (old.reading.parser, old.reading.parser_version) == (new.reading.parser, new.reading.parser_version)


def is_better(held: tuple[str, str], reading: Reading) -> bool:
    """Whether a reading that is held, by this parser and version, is a later version's than this one."""
    parser, version = held
    return parser == reading.parser and (len(version), version) > (len(reading.parser_version), reading.parser_version)


def _spoken_of(source: SourceReading) -> set[str]:
    """The reviews of which a document tells, and where what is of no one review is held."""
    chapter = is_chapter(source.reading)
    shares = shares_of(source.reading) if chapter else [source.reading]
    return {identifiers.review_id(*_whose_review(each)) for each in shares} | (
        {_chapter_of(source)} if chapter else set()
    )


_CHAPTER = "chapter:"  # no review bears such a name


def _chapter_of(source: SourceReading) -> str:
    """Where what a document says of no one review is held."""
    return f"{_CHAPTER}{place_of(source.document, source.reading)}"


def _source(entry: FileEntry, reading: Reading, seen_at: datetime) -> SourceReading:
    """A reading as that of a file of a document, an edition of it where its site keeps it up to date."""
    said = reading.document
    key = hashlib.sha256(said.series.encode()).hexdigest() if said.series else entry["sha256"]
    source = SourceReading(document=identifiers.document_id(said.symbol, key), file=entry, reading=reading)
    return edition(source, seen_at) if said.series else source


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


def _forget(connection: Connection, review: str, sha256: str) -> None:
    columns = readings_table.c
    connection.execute(delete(readings_table).where(columns.review == review, columns.sha256 == sha256))


def _store(connection: Connection, review: str, source: SourceReading) -> None:
    sha256 = source.file["sha256"]
    key = f"{sha256}:{review}"
    connection.execute(delete(readings_table).where(readings_table.c.source == key))
    connection.execute(
        insert(readings_table).values(
            source=key,
            review=review,
            document=source.document,
            sha256=sha256,
            parser=source.reading.parser,
            parser_version=source.reading.parser_version,
            file=source.file,
            first_seen=source.seen[0] if source.seen else None,
            last_seen=source.seen[1] if source.seen else None,
            reading=source.reading,  # orjson writes dataclasses as they are
        )
    )


def _merged(
    connection: Connection, source: SourceReading, readings: list[SourceReading]
) -> tuple[MergedReview, tuple[str, ...]]:
    """The records of a review with a new source, and the nouns that it can have changed.

    A database's list of pledges touches pledges alone, if it tells nothing new of the review itself.
    """
    state, cycle = _whose_review(source.reading)
    sample = state in sample_states()
    if source.reading.pledges and source.kind in DATA_SETS and not source.reading.recommendations:
        merged = merge_pledges(state, cycle, readings, sample=sample)
        held = REVIEWS.one(connection, merged.review.id)
        if held is not None and replace(held, documents=()) == replace(merged.review, documents=()):
            return merged, _PARTS_WITH_PLEDGES
    return merge_review(state, cycle, readings, sample=sample), _PARTS_OF_A_REVIEW


def _write_review(write: Write, merged: MergedReview, nouns: tuple[str, ...]) -> list[ChangeDraft]:
    connection, review = write.connection, merged.review
    if review.sample:
        ensure_sample_states(connection)
    labels = labels_to_write(connection, merged.labels)
    carried = _label_ids(merged.recommendations, merged.pledges, merged.statements)
    reference = reference_with(write, {**LABELS.read(connection, list(carried)), **labels})
    held_labels = LABELS.read(connection, list(labels))
    drafts = write_records(write, "labels", held_labels, labels, reference)
    held_review = REVIEWS.read(connection, [review.id])
    drafts += write_records(write, "reviews", held_review, {review.id: review}, reference)
    for noun in nouns:
        before: Mapping[str, Stored]
        after: Mapping[str, Stored]
        if noun == "organisations":
            before, after = _organisations_to_write(connection, merged.organisations, review=review.id)
        else:
            before, after = _held_of(connection, noun, review.id), getattr(merged, noun)
        drafts += write_records(write, noun, before, after, reference)
    return drafts


def _held_of(connection: Connection, noun: str, review: str) -> Mapping[str, Stored]:
    aggregate = AGGREGATES[noun]
    records = aggregate.where(connection, aggregate.table.c.review == review)
    return {record.id: record for record in records}  # type: ignore[attr-defined]  # each of these nouns has an id


def _remove_review(write: Write, review: str) -> list[ChangeDraft]:
    """Delete a review that nothing tells of any longer, and all its records."""
    connection = write.connection
    held = {noun: _held_of(connection, noun, review) for noun in _PARTS_OF_A_REVIEW if noun != "organisations"}
    labels = {
        label for records in held.values() for each in records.values() for label in getattr(each, "label_ids", ())
    }
    reference = reference_with(write, LABELS.read(connection, list(labels)))
    before, after = _organisations_to_write(connection, {}, review=review)
    drafts = write_records(write, "organisations", before, after, reference)
    for noun, records in held.items():
        drafts += write_records(write, noun, records, {}, reference)
    drafts += write_records(write, "reviews", REVIEWS.read(connection, [review]), {}, reference)
    write_paragraphs(connection, review, [])  # those of other reviews may have cited what is gone now
    return drafts


def _write_chapter(write: Write, merged: MergedChapter | None, told: Sequence[SourceReading]) -> list[ChangeDraft]:
    """`told`: all readings held, also those whose hearings are no longer told of. `merged`: None if nothing is left."""
    documents = frozenset(each.document for each in told)
    merged = merged or MergedChapter({}, {}, {}, {})
    reference = reference_with(write, LABELS.read(write.connection, list(_label_ids(merged.statements))))
    held_hearings = _hearings_told_by(write.connection, documents)
    hearings = held_hearings.keys() | merged.hearings.keys()
    statements = AGGREGATES["statements"]
    before: dict[str, Mapping[str, Stored]] = {
        "documents": AGGREGATES["documents"].read(write.connection, documents),
        "hearings": held_hearings,
        "statements": {
            record.id: record  # type: ignore[attr-defined]  # every statement has an id
            for record in statements.where(write.connection, statements.table.c.hearing.in_(hearings))
        },
    }
    drafts = [
        draft
        for noun, held in before.items()
        for draft in write_records(write, noun, held, getattr(merged, noun), reference)
    ]
    held_organisations, organisations = _organisations_to_write(
        write.connection, merged.organisations, documents=documents
    )
    drafts += write_records(write, "organisations", held_organisations, organisations, reference)
    return drafts + _write_facts(write, merged.facts, documents, reference)


def _hearings_told_by(connection: Connection, documents: frozenset[str]) -> dict[str, HearingRecord]:
    """The hearings of no one review that rest on these documents."""
    columns = HEARINGS.table.c
    rests_on_them = columns.documents.overlap(as_array(sorted(documents)))
    return {record.id: record for record in HEARINGS.where(connection, columns.review.is_(None), rests_on_them)}


def _write_facts(
    write: Write, told: Mapping[str, list[Fact]], documents: frozenset[str], reference: Reference
) -> list[ChangeDraft]:
    """Write what these documents tell of States now, in the place of what they told. Documents take turns here."""
    connection = write.connection
    rests_on_them = or_(*(STATES.table.c.facts.contains([{"sources": [{"document": each}]}]) for each in documents))
    if not told and not STATES.where(connection, rests_on_them):
        return []
    connection.execute(select(func.pg_advisory_xact_lock(func.hashtext("upr-state-facts"))))
    held = STATES.read(connection, list(told)) | {each.id: each for each in STATES.where(connection, rests_on_them)}
    drafts: list[ChangeDraft] = []
    for code, record in sorted(held.items()):
        facts = joined_facts([*facts_without(record.facts, documents), *told.get(code, ())])
        if facts != record.facts:
            because = _because_of(write, new_facts(record.facts, facts))
            drafts += write_records(because, "states", {code: record}, {code: replace(record, facts=facts)}, reference)
    return drafts


def _because_of(write: Write, facts: Sequence[Fact]) -> Write:
    """The circumstances of a State's change: the latest day of these new facts says whether they are news. A fact that
    is only taken away is corrected."""
    if write.cause is Cause.CORRECTION or write.cause_by_day is None or not facts:
        return replace(write, cause=Cause.CORRECTION, effective_on=None)
    latest = max(
        (fact["date"] or f"{fact['year']}-12-31" for fact in facts if fact["date"] or fact["year"]), default=None
    )
    exact = latest if any(fact["date"] == latest for fact in facts) else None
    return replace(write, cause=write.cause_by_day(_day(latest)), effective_on=_day(exact))


def _label_ids(*records: Mapping[str, RecommendationRecord | PledgeRecord | StatementRecord]) -> set[str]:
    return {label for of_a_noun in records for record in of_a_noun.values() for label in record.label_ids}


def labels_to_write(connection: Connection, told: Mapping[str, LabelRecord]) -> dict[str, LabelRecord]:
    """The labels that are new or better known now. Reviews loaded at once share labels: they take turns here."""
    held = LABELS.read(connection, list(told))
    if any(label not in held or joined(held[label], record) != held[label] for label, record in told.items()):
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtext("upr-labels"))))
        held = LABELS.read(connection, list(told))
    improved = {label: joined(held[label], record) if label in held else record for label, record in told.items()}
    return {label: record for label, record in improved.items() if held.get(label) != record}


def _organisations_to_write(
    connection: Connection,
    told: Mapping[str, OrganisationRecord],
    *,
    review: str | None = None,
    documents: frozenset[str] = frozenset(),
) -> tuple[dict[str, OrganisationRecord], dict[str, OrganisationRecord]]:
    """What is held of the organisations that a review, or documents of no one review, tell or told of, and what they
    are now. Reviews share organisations: they take turns here."""
    told_here = [{"review": review}] if review is not None else [{"document": each} for each in sorted(documents)]
    rests_on_it = or_(*(ORGANISATIONS.table.c.roles.contains([each]) for each in told_here))
    if not told and not ORGANISATIONS.where(connection, rests_on_it):
        return {}, {}
    connection.execute(select(func.pg_advisory_xact_lock(func.hashtext("upr-organisations"))))
    held = ORGANISATIONS.read(connection, list(told))
    held |= {record.id: record for record in ORGANISATIONS.where(connection, rests_on_it)}
    now = {
        key: kept for key, record in held.items() if (kept := without_roles(record, review=review, documents=documents))
    }
    now |= {key: joined_organisation(now[key], record) if key in now else record for key, record in told.items()}
    return held, now


def write_records(
    write: Write, noun: str, before: Mapping[str, Stored], after: Mapping[str, Stored], reference: Reference
) -> list[ChangeDraft]:
    """Write what differs between two sets of records of one noun; answers the changes, in the order of their ids."""
    aggregate: Aggregate[Stored] = AGGREGATES[noun]
    replaced = _replaced(before, after)
    gone = {record_id for record_id in before if record_id not in after}
    new = {key: _dated(write, record) for key, record in after.items() if key not in before}
    changed = {
        key: _dated(write, record, before[key])
        for key, record in after.items()
        if key in before and record != before[key]
    }
    if not (gone or new or changed):
        return []
    removed = {record_id: _reason(before[record_id]) for record_id in sorted(gone - set(replaced.values()))}
    names = Names(reference)
    drafts: list[ChangeDraft] = []
    amended: list[Stored] = []
    for record_id in sorted({*gone, *new, *changed}):
        if record_id in gone and record_id not in removed:
            continue  # told by the change of the record that it became
        former = replaced.get(record_id)
        was = before.get(former or record_id)
        now_is = new.get(record_id) or changed.get(record_id)
        draft = draft_change(
            noun,
            shape_of(noun, was, names) if was else None,
            shape_of(noun, now_is, names) if now_is else None,
            cause=Cause.MERGE if former else write.cause,
            effective_on=_effective_on(write, now_is or was),
            reference=reference,
            replaced=former,
            reason=removed.get(record_id),
        )
        if draft is not None:
            drafts.append(draft)
        elif record_id in changed:
            amended.append(changed.pop(record_id))
    aggregate.delete(write.connection, sorted(gone))
    aggregate.insert(write.connection, list(new.values()))
    aggregate.update(write.connection, list(changed.values()))
    aggregate.amend(write.connection, amended)
    _note_former_ids(write.connection, noun, (before, after), removed)
    return drafts


def _note_former_ids(
    connection: Connection,
    noun: str,
    both: tuple[Mapping[str, Stored], Mapping[str, Stored]],
    removed: Mapping[str, str],
) -> None:
    """Note which ids are gone and which are back, of records before and after. Aliases may be lost, too."""
    before, after = both
    held_aliases, aliases = _aliases(before), _aliases(after)
    lost = dict.fromkeys(held_aliases - aliases - after.keys() - removed.keys(), "no_source_holds_it")
    remember_removed(connection, noun, {**removed, **lost})
    forget_removed(connection, noun, [*(after.keys() - before.keys()), *(aliases - held_aliases)])


def _aliases(records: Mapping[str, Stored]) -> set[str]:
    return {alias for record in records.values() for alias in getattr(record, "aliases", ())}


def _effective_on(write: Write, record: Stored | None) -> date | None:
    """The date in the world: of the answer that a recommendation holds, of others the document's publication."""
    if isinstance(record, ObservationRecord):
        return record.date
    answer = current_position(getattr(record, "positions", []))
    return (_day(answer["effective_on"]) if answer else None) or write.effective_on


def _reason(record: Stored) -> str:
    """Why a record has to go. What only a draft held goes because the report that replaced it does not."""
    kinds = {entry["kind"] for entry in getattr(record, "sources", ())}
    return "not_in_final" if kinds == {DocumentKind.WORKING_GROUP_DRAFT} else "no_source_holds_it"


def _replaced(before: Mapping[str, Stored], after: Mapping[str, Stored]) -> dict[str, str]:
    """New ids, each with the id that its record bore before."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for record_id, record in after.items():
        if record_id in before:
            continue
        for alias in getattr(record, "aliases", ()):
            if alias in before and alias not in after and alias not in taken:
                found[record_id] = alias
                taken.add(alias)
                break
    return found


def _dated(write: Write, record: Stored, held: Stored | None = None) -> Stored:
    if held is None:
        return replace(record, revision=1, created_at=write.now, updated_at=write.now)
    return replace(record, revision=held.revision + 1, created_at=held.created_at, updated_at=write.now)


@cache
def sample_states() -> dict[str, StateRecord]:
    """The invented States of sample documents, by code."""
    return {record.id: record for record in sample_state_records()}


def ensure_sample_states(connection: Connection) -> None:
    """Store the invented States, if a sample is the first to name them."""
    missing = [record for key, record in sample_states().items() if STATES.one(connection, key) is None]
    if missing:
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtext("upr-seed"))))
        still = STATES.read(connection, [record.id for record in missing])
        STATES.insert(connection, [record for record in missing if record.id not in still])


def reference_with(write: Write, labels: Mapping[str, LabelRecord]) -> Reference:
    """States and groups as the transaction sees them, with these labels."""
    return reference_of(*(write.places or _read_places(write.connection)), labels)


def _read_places(connection: Connection) -> Places:
    states = {record.id: record for record in STATES.where(connection)}
    groups = {record.id: record for record in PLACE_GROUPS.where(connection)}
    return states, groups


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
