"""From UHRI's rows of other mechanisms to observations.

What one export says of one document (a treaty body's concluding observations, say) holds until a later export says
something else of it. The store remembers of each document which export told of it last, and which observations.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, delete, func, insert, select, text

from services.core.domain.changes import Cause
from services.core.store.changes import ChangeDraft, append_changes
from services.core.store.ingest import readings_table
from services.core.store.labels import LABELS, LabelRecord
from services.core.store.observations import OBSERVATIONS, ObservationRecord, ObservationSource
from services.core.store.recommendations import LabelEntry
from services.ingest.datasets.base import DataSet, ReadObservation
from services.ingest.load import Loaded, Loader, Within, nothing_more, refusing_what_cannot_be_stored
from services.ingest.load_records import Write, ensure_sample_states, reference_with, sample_states, write_records
from services.ingest.load_shared import labels_to_write
from services.ingest.merge.labels import all_labels, joined, label_id, label_record
from services.ingest.merge.sources import LANGUAGES, rank
from services.ingest.reading import ReadLabel

_LOCKS = text(
    "SELECT count(pg_advisory_xact_lock(lock)) FROM "
    "(SELECT DISTINCT hashtext(key) AS lock FROM unnest(CAST(:keys AS text[])) AS key ORDER BY lock) AS locks"
)


@dataclass(frozen=True)
class _Document:
    """What an export says of one document in one language."""

    key: str
    said_hash: str
    version: str
    as_of: str
    observations: tuple[ReadObservation, ...]

    @property
    def language(self) -> str:
        return self.observations[0].language

    @property
    def ids(self) -> list[str]:
        return sorted({each.external_id for each in self.observations})

    @property
    def age(self) -> tuple[str, tuple[int, str], str]:
        """Later exports stand before earlier ones; of one day, the order is arbitrary and always the same."""
        return (self.as_of, (len(self.version), self.version), self.said_hash)


@dataclass(frozen=True)
class _Held:
    """Which export told of a document last, and what it held."""

    age: tuple[str, tuple[int, str], str]
    ids: tuple[str, ...]

    @property
    def said_hash(self) -> str:
        return self.age[2]


@dataclass(frozen=True)
class Observed:
    """Loads what one export, as of a day, says of other mechanisms."""

    loader: Loader
    data_set: DataSet
    as_of: str
    within: Within = nothing_more

    def load(self, documents: Sequence[list[ReadObservation]]) -> tuple[int, Mapping[str, int]]:
        """Store what it says of some documents, in one transaction: their number, and the changes by event type.

        Raises `UnreadableDocumentError` (`not_storable`).
        """
        told = {each.key: each for each in (_document(self.data_set, self.as_of, rows) for rows in documents)}
        with refusing_what_cannot_be_stored(), self.loader.transaction() as connection:
            _lock(connection, list(told))
            held = _held(connection, list(told))
            later = [each for key, each in told.items() if key not in held or each.age > held[key].age]
            _remember(connection, self.data_set, later)
            news = [each for each in later if each.key not in held or each.said_hash != held[each.key].said_hash]
            drafts = _write(connection, self.loader, self.data_set, news, held) if news else []
            loaded = Loaded(self.data_set.name, "", "loaded" if news else "unchanged", {})
            return len(documents), self.loader.settle(connection, loaded, drafts, self.within).counts


def withdraw_observations(engine: Engine, data_set: str, *, only_try: bool = False) -> Iterator[Counter[str]]:
    """Take away all that a data set says of other mechanisms, some documents a transaction; the changes of each."""
    columns = readings_table.c
    of_it = columns.source.startswith(f"{data_set}:", autoescape=True) & (columns.source == columns.review)
    with engine.connect() as connection:
        keys = list(connection.scalars(select(columns.source).where(of_it).order_by(columns.source)))
    for start in range(0, len(keys), _WITHDRAWN_AT_ONCE):
        with engine.connect() as connection, connection.begin() as transaction:
            some = keys[start : start + _WITHDRAWN_AT_ONCE]
            _lock(connection, some)
            ids = {record_id for held in _held(connection, some).values() for record_id in held.ids}
            before = OBSERVATIONS.read(connection, ids)
            labels = {label for record in before.values() for label in record.label_ids}
            now = connection.scalar(select(func.now())) or datetime.now(UTC)
            write = Write(connection, now, Cause.CORRECTION, None)
            reference = reference_with(write, LABELS.read(connection, list(labels)))
            connection.execute(delete(readings_table).where(columns.source.in_(some)))
            drafts = write_records(write, "observations", before, {}, reference)
            if only_try:
                transaction.rollback()
            else:
                append_changes(connection, drafts)
        yield Counter(draft.type for draft in drafts)


_WITHDRAWN_AT_ONCE = 200


def _lock(connection: Connection, keys: list[str]) -> None:
    """Let nobody else write these documents. All lock in one order, so that nobody waits for ever."""
    connection.execute(_LOCKS, {"keys": keys})


def _document(data_set: DataSet, as_of: str, rows: list[ReadObservation]) -> _Document:
    said = hashlib.sha256(orjson.dumps(sorted(rows, key=lambda row: (row.external_id, row.text)))).hexdigest()
    first = rows[0]
    return _Document(f"{data_set.name}:{first.group}:{first.language}", f"{said}", data_set.version, as_of, tuple(rows))


def _held(connection: Connection, keys: list[str]) -> dict[str, _Held]:
    table = readings_table
    rows = connection.execute(
        select(table.c.source, table.c.sha256, table.c.parser_version, table.c.reading).where(table.c.source.in_(keys))
    )
    return {
        row.source: _Held(
            (row.reading["document"]["published_on"], (len(row.parser_version), row.parser_version), row.sha256),
            tuple(row.reading["observations"]),
        )
        for row in rows
    }


def _remember(connection: Connection, data_set: DataSet, documents: list[_Document]) -> None:
    if not documents:
        return
    keys = [each.key for each in documents]
    connection.execute(delete(readings_table).where(readings_table.c.source.in_(keys)))
    connection.execute(insert(readings_table), [_remembered(data_set, each) for each in documents])


def _remembered(data_set: DataSet, each: _Document) -> dict[str, Any]:
    document = {"kind": data_set.name, "title": data_set.title, "language": each.language, "published_on": each.as_of}
    about = {"parser": data_set.parser, "parser_version": data_set.version}
    return {
        **about,
        "source": each.key,
        "review": each.key,  # of no review: no review bears such a name
        "document": each.observations[0].symbol or each.key,
        "sha256": each.said_hash,
        "file": {},
        "reading": {**about, "document": document, "observations": each.ids},
    }


def _write(
    connection: Connection, loader: Loader, data_set: DataSet, documents: list[_Document], held: Mapping[str, _Held]
) -> list[ChangeDraft]:
    told = _records(data_set, documents)
    former = {record_id for each in documents if each.key in held for record_id in held[each.key].ids}
    before = OBSERVATIONS.read(connection, {*told, *former})
    after = {key: record for key, record in told.items() if key not in before or _weighs(record, before[key])}
    # What another document or language tells of now is not this one's to take away.
    languages = {(each.observations[0].symbol, each.language) for each in documents}
    gone = {
        key
        for key in former - told.keys()
        if key in before and (before[key].symbol, before[key].text_language) in languages
    }
    labels = _labels(documents)
    new_labels = labels_to_write(connection, labels)
    now = connection.scalar(select(func.now())) or datetime.now(UTC)
    samples = any(record.sample for record in told.values())
    if samples:
        ensure_sample_states(connection)
    places = None if samples else loader.places(connection)
    write = Write(connection, now, loader.cause_by_day(None), None, places)
    carried = {label for record in after.values() for label in record.label_ids}
    reference = reference_with(write, {**LABELS.read(connection, list(carried)), **new_labels})
    drafts = write_records(write, "labels", LABELS.read(connection, list(new_labels)), new_labels, reference)
    for cause, ids in _by_cause(loader, {**before, **after}, {*after, *gone}).items():
        write = replace(write, cause=cause)
        drafts += write_records(
            write,
            "observations",
            {key: before[key] for key in ids if key in before},
            {key: after[key] for key in ids if key in after},
            reference,
        )
    return drafts


def _by_cause(loader: Loader, records: Mapping[str, ObservationRecord], ids: set[str]) -> dict[Cause, list[str]]:
    """The ids by whether their document is news or history."""
    causes: dict[Cause, list[str]] = {}
    for record_id in sorted(ids):
        causes.setdefault(loader.cause_by_day(records[record_id].date), []).append(record_id)
    return causes


def _weighs(record: ObservationRecord, held: ObservationRecord) -> bool:
    """Whether a record may stand for what is held: English stands before other languages."""
    return rank(record.text_language, LANGUAGES) <= rank(held.text_language, LANGUAGES)


def _records(data_set: DataSet, documents: Iterable[_Document]) -> dict[str, ObservationRecord]:
    found: dict[str, ObservationRecord] = {}
    for each in (row for document in documents for row in document.observations):
        record = _record(data_set, each)
        held = found.get(record.id)
        if held is None or (rank(record.text_language, LANGUAGES), record.text) < (
            rank(held.text_language, LANGUAGES),
            held.text,
        ):
            found[record.id] = record
    return found


def _record(data_set: DataSet, each: ReadObservation) -> ObservationRecord:
    printed = dict.fromkeys(label_id(label) for label in _printed(each))
    told = [LabelEntry(label=label, assigned_by="uhri") for label in printed]
    labels = all_labels(each.text, each.language, told, comes_again=False)
    return ObservationRecord(
        id=each.external_id,
        kind=each.kind,
        body=each.body,
        symbol=each.symbol,
        states=each.states,
        text=each.text,
        text_language=each.language,
        date=date.fromisoformat(each.date) if each.date else None,
        labels=labels,
        label_ids=tuple(sorted({entry["label"] for entry in labels})),
        sources=[
            ObservationSource(
                kind=data_set.name,
                title=data_set.title,
                external_id=each.external_id.replace("-", ":", 1),
                symbol=each.symbol,
                parser=data_set.parser,
                parser_version=data_set.version,
            )
        ],
        sample=not sample_states().keys().isdisjoint(each.states),
    )


def _labels(documents: Iterable[_Document]) -> dict[str, LabelRecord]:
    printed = {
        (scheme, label, code, row.language)
        for document in documents
        for row in document.observations
        for scheme, label, code in row.labels
    }
    records: dict[str, LabelRecord] = {}
    for scheme, label, code, language in sorted(printed, key=str):
        record = label_record(ReadLabel(None, scheme, label, code=code), language)
        known = records.get(record.id)
        records[record.id] = record if known is None else joined(known, record)
    return records


def _printed(each: ReadObservation) -> Iterable[ReadLabel]:
    return (ReadLabel(None, scheme, label, code=code) for scheme, label, code in each.labels)
