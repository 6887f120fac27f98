"""What a matrix says, in words of one language, before it is a Word document or a workbook."""

import datetime
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from services.api.matrix.words import Words, label_places
from services.api.printable import printable
from services.core.domain.positions import Position
from services.core.schemas.names import Names, in_language
from services.core.schemas.shapes import permalink
from services.core.store.documents import DocumentRecord
from services.core.store.recommendations import LabelEntry, RecommendationRecord, current_position
from services.core.store.reviews import ReviewRecord

THEME, ISSUE, GROUP, GOAL = "ohchr-theme", "upr-info-issue", "group", "sdg"
_ORDER = {Position.SUPPORTED: 0, Position.PENDING: 1, Position.NOTED: 2}
_MATRIX = "ohchr-matrix"
_NO_PLACE = 1_000_000


@dataclass(frozen=True)
class Origin:
    """Which state of the data a matrix is made from, and the addresses that make it again.

    `address` is the matrix's own, `records` the list of its recommendations, `public_url` begins all permalinks.
    """

    version: str
    as_of: datetime.datetime
    address: str
    records: str
    public_url: str


@dataclass(frozen=True)
class Fact:
    """A line of the head. `address`: where its value leads."""

    name: str
    value: str
    address: str | None = None


@dataclass(frozen=True)
class MatrixRow:
    """A recommendation. `text_language` is told where it is not the matrix's; `note` then says so in words."""

    number: str
    url: str
    text: str
    text_language: str | None
    states: tuple[str, ...]
    source: str | None
    note: str | None
    position: str
    themes: tuple[str, ...]
    groups: tuple[str, ...]
    goals: tuple[str, ...]

    @property
    def words(self) -> str:
        """The recommendation and its States, as OHCHR prints them."""
        return f"{self.text} {' '.join(f'({state})' for state in self.states)}".rstrip() + ";"


@dataclass(frozen=True)
class MatrixGroup:
    """A heading across the table, and the recommendations under it."""

    heading: str
    rows: tuple[MatrixRow, ...]


@dataclass(frozen=True)
class Matrix:
    """A whole matrix. `columns` are the headings of its columns, but for the number's."""

    words: Words
    title: str
    review: str
    origin: Origin
    facts: tuple[Fact, ...]
    columns: tuple[str, ...]
    groups: tuple[MatrixGroup, ...]


def matrix_of(
    review: ReviewRecord,
    recommendations: Sequence[RecommendationRecord],
    documents: Sequence[DocumentRecord],
    names: Names,
    origin: Origin,
) -> Matrix:
    """The matrix of a review, with all its recommendations."""
    words = Words(names.language)
    scheme = grouping_of(recommendations)
    state = printable(names.state(review.state_under_review)["name"])
    called = _called("review", review, words, state=state)
    author = _Author(words, names, origin, scheme)
    return Matrix(
        words,
        words("title"),
        called,
        origin,
        (
            Fact(words("head.state"), state),
            Fact(words("head.review"), _of_review(review, words)),
            *author.facts(recommendations, documents),
            *_provenance(words, called, origin, permalink(origin.public_url, "reviews", review.id)),
        ),
        tuple(
            words(f"column.{name}")
            for name in ("recommendation", "position", "issues" if scheme == ISSUE else "themes", "goals", "level")
        ),
        tuple(author.groups(recommendations)),
    )


def grouping_of(recommendations: Iterable[RecommendationRecord]) -> str | None:
    """The scheme whose labels head the table: OHCHR's themes; UPR Info's issues where there are none, or where fewer
    than half of the recommendations have a theme and more have an issue; None where there are neither.
    """
    total, having = 0, Counter[str]()
    for record in recommendations:
        total += 1
        having.update({label.partition(":")[0] for label in record.label_ids} & {THEME, ISSUE})
    if having[THEME] and (2 * having[THEME] >= total or having[THEME] >= having[ISSUE]):
        return THEME
    return ISSUE if having[ISSUE] else None


def main_label(record: RecommendationRecord, scheme: str) -> str | None:
    """The id of the label under which a recommendation stands; None where it has none of the scheme.

    The theme that OHCHR's matrix prints first, which is the one it groups by; else the first in the order of headings.
    """
    held = [entry for entry in record.labels if entry["label"].startswith(f"{scheme}:")]
    printed = next((entry["label"] for entry in held if entry["assigned_by"] == _MATRIX), None)
    return printed or min((entry["label"] for entry in held), key=_place, default=None)


def _place(label: str) -> tuple[int, str]:
    return (label_places().get(label, _NO_PLACE), label)


def _of_review(review: ReviewRecord, words: Words) -> str:
    told = _called("value.review", review, words)
    return f"{told}, {words.day(review.date)}" if review.date else told


def _called(term: str, review: ReviewRecord, words: Words, **values: str) -> str:
    if review.session is None:
        return words(f"{term}_without_session", cycle=review.cycle, **values)
    return words(term, cycle=review.cycle, session=review.session, **values)


def _provenance(words: Words, called: str, origin: Origin, url: str) -> tuple[Fact, ...]:
    told = {"version": origin.version, "date": words.day(origin.as_of.date())}
    cite = words("value.cite", title=words("title"), review=called, address=url, **told)
    return (
        Fact(words("head.dataset"), words("value.dataset", **told)),
        Fact(words("head.cite"), cite),
        Fact(words("head.address"), origin.address, origin.address),
        Fact(words("head.records"), origin.records, origin.records),
        Fact(words("head.level"), words("value.level")),
    )


@dataclass(frozen=True)
class _Author:
    """Puts records into words."""

    words: Words
    names: Names
    origin: Origin
    scheme: str | None

    def facts(
        self, recommendations: Sequence[RecommendationRecord], documents: Sequence[DocumentRecord]
    ) -> Iterable[Fact]:
        """What the head tells of the recommendations."""
        words = self.words
        yield Fact(words("head.totals"), self._totals(recommendations))
        yield Fact(words("head.grouping"), self._grouping(recommendations))
        if assigned := self._assigned(recommendations):
            yield Fact(words("head.labels"), assigned)
        if elsewhere := sum(self._text(record)[1] is not None for record in recommendations):
            counted = {"count": elsewhere, "total": len(recommendations)}
            wanted = words.language_name(words.language)
            yield Fact(words("head.languages"), words("value.languages", wanted=wanted, **counted))
        read = "; ".join(dict.fromkeys(self._document(document) for document in documents))
        yield Fact(words("head.documents"), read or words("value.no_documents"))

    def groups(self, recommendations: Iterable[RecommendationRecord]) -> Iterable[MatrixGroup]:
        """The recommendations under their headings; those that have none come last."""
        held: dict[str | None, list[RecommendationRecord]] = {}
        for record in sorted(recommendations, key=lambda each: (_ORDER[Position(each.position)], each.sort_key)):
            held.setdefault(main_label(record, self.scheme) if self.scheme else None, []).append(record)
        for label in sorted(held, key=self._place_of_group):
            yield MatrixGroup(self._heading(label), tuple(map(self._row, held[label])))

    def _place_of_group(self, label: str | None) -> tuple[bool, int, str]:
        if label is None:
            return (True, 0, "")
        return (False, _place(label)[0], self._name(label))

    def _heading(self, label: str | None) -> str:
        name = self.words("not_labelled") if label is None else self._name(label)
        return self.words("issue" if self.scheme == ISSUE else "theme", name=name)

    def _row(self, record: RecommendationRecord) -> MatrixRow:
        text, text_language = self._text(record)
        states = tuple(printable(self.names.state(code)["name"]) for code in record.recommending_states)
        return MatrixRow(
            number=self._number(record),
            url=permalink(self.origin.public_url, "recommendations", record.id),
            text=text,
            text_language=text_language,
            states=states,
            source=self._source(record),
            note=self._note(text_language) if text_language else None,
            position=self._position(record),
            themes=self._labels(record, self.scheme or THEME),
            groups=self._labels(record, GROUP),
            goals=self._goals(record),
        )

    def _number(self, record: RecommendationRecord) -> str:
        if record.number is None:
            return self.words("number_unknown")
        return printable(f"{record.number} ({record.part})" if record.part else record.number)

    def _text(self, record: RecommendationRecord) -> tuple[str, str | None]:
        """The text, and its language where it is not the one wanted."""
        text, language, _ = in_language(self.words.language, record.text, record.text_language, record.translations)
        return printable(text), language if language != self.words.language else None

    def _note(self, held: str) -> str:
        name = self.words.language_name
        return self.words("text_in", held=name(held), wanted=name(self.words.language))

    def _source(self, record: RecommendationRecord) -> str | None:
        entry = current_position(record.positions)
        if entry is None:
            return None
        source = entry["symbol"] or self._kind(entry["source_kind"])
        if entry["paragraph"]:
            source = self.words("paragraph", symbol=source, paragraph=entry["paragraph"])
        return printable(self.words("source", source=source))

    def _position(self, record: RecommendationRecord) -> str:
        position, detail = record.position, record.position_detail
        if detail is None:
            return self.words(f"position.{position}")
        together = f"position.{position}.{detail}"
        if self.words.has(together):
            return self.words(together)
        return f"{self.words(f'position.{position}')} ({self.words(f'detail.{detail}')})"

    def _labels(self, record: RecommendationRecord, scheme: str) -> tuple[str, ...]:
        """The names of a scheme's labels; the one that heads the row first."""
        main = main_label(record, scheme)
        held = dict.fromkeys(entry["label"] for entry in record.labels if entry["label"].startswith(f"{scheme}:"))
        return tuple(dict.fromkeys(self._name(label) for label in sorted(held, key=lambda label: label != main)))

    def _goals(self, record: RecommendationRecord) -> tuple[str, ...]:
        codes = {label.partition(":")[2] for label in record.label_ids if label.startswith(f"{GOAL}:")}
        ordered = sorted(codes, key=lambda code: (len(code), code))
        return tuple(f"{printable(code)} - {self._name(f'{GOAL}:{code}')}" for code in ordered)

    def _name(self, label: str) -> str:
        return printable(self.names.label(LabelEntry(label=label, assigned_by=""))["name"])

    def _totals(self, recommendations: Sequence[RecommendationRecord]) -> str:
        if not recommendations:
            return self.words("value.none_read")
        found = Counter(record.position for record in recommendations)
        told = "; ".join(f"{self.words(f'position.{position}')}: {found[position]}" for position in _ORDER)
        return f"{len(recommendations)} ({told})"

    def _grouping(self, recommendations: Iterable[RecommendationRecord]) -> str:
        if self.scheme is None:
            return self.words("value.no_labels")
        told = self.words("value.themes" if self.scheme == THEME else "value.issues")
        bare = sum(main_label(record, self.scheme) is None for record in recommendations)
        return f"{told} {self.words('value.unlabelled', count=bare)}" if bare else told

    def _assigned(self, recommendations: Iterable[RecommendationRecord]) -> str:
        """Who put on the labels that are shown."""
        shown = {self.scheme or THEME, GROUP, GOAL}
        found = {
            entry["assigned_by"]
            for record in recommendations
            for entry in record.labels
            if entry["label"].partition(":")[0] in shown
        }
        return "; ".join(self._term("assigned", code) for code in sorted(found))

    def _document(self, document: DocumentRecord) -> str:
        kind = self._kind(document.kind)
        return printable(f"{document.symbol} ({kind})" if document.symbol else kind)

    def _kind(self, kind: str) -> str:
        return self._term("kind", kind)

    def _term(self, family: str, code: str) -> str:
        """What a code is called; itself where it is newer than our words."""
        term = f"{family}.{code}"
        return self.words(term) if self.words.has(term) else printable(code)
