"""Labels as documents print them, and the entries of vocabularies that they are."""

import re
from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache

from services.core.domain.documents import DocumentKind
from services.core.store.labels import LabelRecord
from services.core.store.recommendations import LabelEntry
from services.core.store.vocabularies import vocabulary
from services.ingest.merge.sources import SourceReading
from services.ingest.normalise.labels import canonical_label, rule_labels
from services.ingest.reading import ReadLabel

_ASSIGNED_BY = {DocumentKind.MATRIX: "ohchr-matrix", DocumentKind.UPR_INFO: "upr-info"}
_MATRIX_THEME = ("ohchr-theme", "ohchr-matrix")
_CODED_SCHEMES = frozenset({"sdg", "sdg-target", "action"})
"""Schemes whose entries are known by their code and have their names from the vocabulary, not from documents."""

LabelKey = tuple[str, str]
Printed = tuple[str | None, str | None]


def labels_told(source: SourceReading) -> dict[Printed, dict[LabelKey, LabelEntry]]:
    """The labels a source puts on each printed number and part; those it puts on a row are `labels_of_rows`."""
    told: dict[Printed, dict[LabelKey, LabelEntry]] = defaultdict(dict)
    assigned_by = _ASSIGNED_BY.get(DocumentKind(source.kind), source.kind)
    for label in source.reading.labels:
        if label.row is not None or label.pledge is not None:
            continue
        entry = LabelEntry(label=label_id(label), assigned_by=assigned_by)
        told[label.recommendation, label.part][entry["label"], assigned_by] = entry
    return told


def all_labels(text: str, language: str, told: Iterable[LabelEntry], *, comes_again: bool = True) -> list[LabelEntry]:
    """The labels that sources put on a text and those that rules give it, in the order of their ids.

    The themes of OHCHR's matrix come first among themes, as it prints them: it puts a recommendation under the first.
    An action category that people coded stands: the rule is for texts that nobody coded. `comes_again`: a review is
    merged anew with each of its documents, and so its texts are kept for a while.
    """
    printed = list(told)
    held = sorted(printed, key=_place)
    label_ids = tuple(dict.fromkeys(entry["label"] for entry in held))
    by_rule = (_rule_labels if comes_again else rule_labels)(text, language, label_ids)
    coded = any(entry["label"].startswith("action:") for entry in held)
    themes = [entry for entry in printed if (entry["label"].partition(":")[0], entry["assigned_by"]) == _MATRIX_THEME]
    by_id = sorted(
        [*held, *(entry for entry in by_rule if not (coded and entry["label"].startswith("action:")))], key=_place
    )
    return _themes_first(themes, by_id)


def _themes_first(themes: list[LabelEntry], by_id: list[LabelEntry]) -> list[LabelEntry]:
    """The labels in the order of their ids, but for these themes: they keep their own and stand before other themes."""
    rest = [entry for entry in by_id if entry not in themes]
    before = sum(entry["label"] < _MATRIX_THEME[0] for entry in rest)
    return [*rest[:before], *themes, *rest[before:]]


def spoken_labels(text: str | None, language: str) -> list[LabelEntry]:
    """The labels that rules give to what was said. It asks for nothing, and so has no action category."""
    return list(_spoken_labels(text, language)) if text else []


@lru_cache(maxsize=16_384)
def _rule_labels(text: str, language: str, label_ids: tuple[str, ...]) -> tuple[LabelEntry, ...]:
    return rule_labels(text, language, label_ids)


@lru_cache(maxsize=2048)
def _spoken_labels(text: str, language: str) -> tuple[LabelEntry, ...]:
    """Fewer than above: statements are long, and a review has some eighty of them."""
    return rule_labels(text, language, asks=False)


def _place(entry: LabelEntry) -> tuple[str, str]:
    return (entry["label"], entry["assigned_by"])


def labels_of_rows(source: SourceReading) -> dict[int, dict[LabelKey, LabelEntry]]:
    """The labels that a source puts on its recommendations by their places in the reading, from 1, not by numbers."""
    return _by_place(source, ((label.row, label) for label in source.reading.labels))


def labels_of_pledges(source: SourceReading) -> dict[int, dict[LabelKey, LabelEntry]]:
    """The labels that a source puts on its pledges, by their places in the reading, from 1."""
    return _by_place(source, ((label.pledge, label) for label in source.reading.labels))


def _by_place(
    source: SourceReading, labels: Iterable[tuple[int | None, ReadLabel]]
) -> dict[int, dict[LabelKey, LabelEntry]]:
    told: dict[int, dict[LabelKey, LabelEntry]] = defaultdict(dict)
    assigned_by = _ASSIGNED_BY.get(DocumentKind(source.kind), source.kind)
    for place, label in labels:
        if place is not None:
            entry = LabelEntry(label=label_id(label), assigned_by=assigned_by)
            told[place][entry["label"], assigned_by] = entry
    return told


def label_id(label: ReadLabel) -> str:
    """The id of the entry that a printed label is: the vocabulary's, or a slug of its words."""
    return _id(label.scheme, label.label, label.code)


@lru_cache(maxsize=8192)
def _id(scheme: str, label: str, code: str | None) -> str:
    return canonical_label(scheme, label, code)


def label_records(sources: Iterable[SourceReading]) -> dict[str, LabelRecord]:
    """The entries that these sources use. The names of a vocabulary's entries are facts of the seed."""
    records: dict[str, LabelRecord] = {}
    for source in sources:
        for label in source.reading.labels:
            record = label_record(label, source.language)
            known = records.get(record.id)
            records[record.id] = record if known is None else joined(known, record)
    return records


def label_record(label: ReadLabel, language: str) -> LabelRecord:
    """The entry that a printed label is: as the vocabulary has it, else as far as this one print tells."""
    public_id = label_id(label)
    known = vocabulary().get(public_id)
    if known is not None:
        return LabelRecord(
            id=public_id,
            scheme=known.scheme,
            code=known.code,
            names=dict(known.names),
            printed_codes=tuple(known.printed_codes),
        )
    coded = label.scheme in _CODED_SCHEMES
    return LabelRecord(
        id=public_id,
        scheme=label.scheme,
        code=public_id.partition(":")[2],
        names={language: re.sub(r"\s+", " ", label.label).strip()},
        printed_codes=(label.code,) if label.code and not coded else (),
    )


def joined(one: LabelRecord, other: LabelRecord) -> LabelRecord:
    """One entry of two that have the same id. It does not matter which came first.

    The names of a vocabulary's entries are the vocabulary's; those of others are as documents print them.
    """
    known = vocabulary().get(one.id)
    names = {**other.names, **one.names}
    for language in one.names.keys() & other.names.keys():
        # Spellings differ in case and punctuation; capitals sort first and are the better name.
        names[language] = min(one.names[language], other.names[language])
    if known is not None:
        names = dict(known.names)
    codes = tuple(sorted({*one.printed_codes, *other.printed_codes}))
    return LabelRecord(id=one.id, scheme=one.scheme, code=one.code, names=names, printed_codes=codes)
