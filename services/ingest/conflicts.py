"""What the sources of a recommendation disagree on, record by record.

The merge (ADR 4) decides which word holds and keeps the others in the record's `sources` and `positions`; here they
are put side by side. What a State answered later is no disagreement with what it answered at the review.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Any

from rapidfuzz import fuzz
from sqlalchemy import Connection, select

from services.core.domain.documents import DATA_SETS, DocumentKind
from services.core.domain.errors import NotFoundError
from services.core.domain.identifiers import normalised_text
from services.core.domain.positions import SAID_IN_THE_WORKING_GROUP, Position
from services.core.store.recommendations import RECOMMENDATIONS as AGGREGATE
from services.core.store.recommendations import (
    PositionEntry,
    RecommendationRecord,
    SourceEntry,
    current_position,
    recommendations_table,
)
from services.core.store.reviews import REVIEWS

_SAME_LANGUAGE = 55
"""A text at least this like a translation (rapidfuzz ratio, 0-100) is told in that language, for entries do not say."""

_ROWS_AT_ONCE = 1000


class Field(StrEnum):
    """What sources can disagree on."""

    TEXT = "text"
    RECOMMENDING_STATES = "recommending_states"
    POSITION = "position"
    NUMBER = "number"


@dataclass(frozen=True)
class Word:
    """What one source says. `document` is its public id, `page` counts from 1; `holds`: the record says the same."""

    value: str | list[str] | None
    document: str
    kind: str
    symbol: str | None
    page: int | None
    paragraph: str | None
    holds: bool


@dataclass(frozen=True)
class Conflict:
    """One field of one recommendation that its sources tell differently. The word that holds comes first."""

    recommendation: str
    field: Field
    words: tuple[Word, ...]

    def as_json(self) -> dict[str, Any]:
        """As one line of NDJSON has it."""
        return asdict(self)

    def as_text(self) -> str:
        """As a person reads it: a line for the field, and one for each source."""
        lines = [f"{self.recommendation} {self.field}"]
        for word in self.words:
            lines.append(_line(word))
            if self.field is Field.TEXT and not word.holds:
                lines += [f"         {difference}" for difference in _differences(self.words[0], word)]
        return "\n".join(lines)


def _differences(holding: Word, other: Word) -> Iterator[str]:
    """What two texts say otherwise, a line for each place where they do not agree; long texts are hard to compare."""
    one, two = str(holding.value or "").split(), str(other.value or "").split()
    matcher = SequenceMatcher(None, one, two, autojunk=False)
    if holding.holds and matcher.quick_ratio() >= _COMPARABLE:
        for kind, start, end, other_start, other_end in matcher.get_opcodes():
            if kind != "equal":
                said, instead = " ".join(one[start:end]), " ".join(two[other_start:other_end])
                yield f"  {said or '(nothing)'} → {instead or '(nothing)'}"


_COMPARABLE = 0.5
"""Texts that share fewer of their words are told as they are."""


def _line(word: Word) -> str:
    value = ", ".join(word.value) if isinstance(word.value, list) else word.value
    place = [word.symbol or f"{word.kind} ({word.document})"] + ([word.kind] if word.symbol else [])
    place += [f"page {word.page}"] if word.page else []
    place += [f"para. {word.paragraph}"] if word.paragraph else []
    return f"  {'holds' if word.holds else '     '}  {', '.join(place)}: {value or '(nothing)'}"


def conflicts_in(
    connection: Connection, reviews: Sequence[str] = (), fields: Sequence[Field] = (), *, trifles: bool = False
) -> Iterator[Conflict]:
    """What sources disagree on in these reviews (all if none is named), in the order of the recommendations.

    `trifles`: also texts that differ only in case, punctuation or white space, and the numbers of drafts. Raises
    `NotFoundError` for a review that is not held.
    """
    known = REVIEWS.read(connection, reviews)
    for review in reviews:
        if review not in known:
            raise NotFoundError(f"There is no review {review!r}.")
    query = select(recommendations_table).order_by(recommendations_table.c.sort_key)
    if reviews:
        query = query.where(recommendations_table.c.review.in_(reviews))
    rows = connection.execute(query, execution_options={"yield_per": _ROWS_AT_ONCE})
    for row in rows:
        yield from conflicts_of(AGGREGATE.from_row(row), fields, trifles=trifles)


def conflicts_of(
    record: RecommendationRecord, fields: Sequence[Field] = (), *, trifles: bool = False
) -> Iterator[Conflict]:
    """What the sources of one recommendation disagree on, in these fields (all if none is named)."""
    for field in fields or tuple(Field):
        words = list(_WORDS[field](record, trifles))
        if any(not word.holds for word in words):
            words.sort(key=lambda word: not word.holds)
            yield Conflict(record.id, field, tuple(words))


def _texts(record: RecommendationRecord, trifles: bool) -> Iterator[Word]:
    """The texts in the language of the record's; a translation is held against the translation that holds."""
    for source in record.sources:
        told = source.get("text")
        if told is None:
            if _tells_a_text(source):
                yield _word(source, record.text, holds=True)
        elif told in record.translations.values():
            continue
        else:
            holding = _in_its_language(record, told)
            alike = told == holding if trifles else _letters(told) == _letters(holding)
            yield _word(source, told, holds=alike)


def _tells_a_text(source: SourceEntry) -> bool:
    return source["kind"] not in (DocumentKind.ADDENDUM, DocumentKind.COUNCIL_REPORT, DocumentKind.COUNCIL_DECISION)


def _in_its_language(record: RecommendationRecord, told: str) -> str:
    folded = normalised_text(told)
    translations = [text for text in record.translations.values() if _alike(folded, text) >= _SAME_LANGUAGE]
    return max((record.text, *translations), key=lambda text: _alike(folded, text))


def _letters(text: str) -> str:
    """Letters and digits alone: texts that differ in blanks only are the same."""
    return normalised_text(text).replace(" ", "")


def _alike(folded: str, text: str) -> float:
    return fuzz.ratio(folded, normalised_text(text))


def _recommending_states(record: RecommendationRecord, trifles: bool) -> Iterator[Word]:
    """The States as each source names them. A database has a row a State: its rows speak together."""
    del trifles
    rows: dict[str, list[SourceEntry]] = defaultdict(list)
    for source in record.sources:
        if source["kind"] in DATA_SETS:
            rows[source["document"]].append(source)
        elif _tells_a_text(source):
            yield from _named(record, [source])
    for of_a_database in rows.values():
        yield from _named(record, of_a_database)


def _named(record: RecommendationRecord, sources: Sequence[SourceEntry]) -> Iterator[Word]:
    """The States that entries of one source name together; nothing where they name none."""
    held = set(record.recommending_states)
    named: set[str] = set()
    for source in sources:
        named |= set(source.get("recommending_states", held))
    if named:
        in_order = [state for state in record.recommending_states if state in named]
        yield _word(sources[0], in_order + sorted(named - held), holds=named == held)


def _positions(record: RecommendationRecord, trifles: bool) -> Iterator[Word]:
    """The answers that speak of the same moment. `pending` is no answer."""
    del trifles
    holding = current_position(record.positions)
    if holding is None or holding["position"] == Position.PENDING:
        return
    later = [entry for entry in record.positions if _is_later(entry, record.positions)]
    for entry in later if holding in later else record.positions:
        if entry["position"] != Position.PENDING:
            yield Word(
                value=_answer(entry),
                document=entry["document"],
                kind=entry["source_kind"],
                symbol=entry["symbol"],
                page=_page(record, entry),
                paragraph=entry["paragraph"],
                holds=not _contradicts(entry, holding),
            )


def _is_later(entry: PositionEntry, history: Sequence[PositionEntry]) -> bool:
    """Whether an answer was given after the review; databases do not tell when, and speak of the last one."""
    at_the_review = {each["symbol"] for each in history if each["source_kind"] in SAID_IN_THE_WORKING_GROUP}
    if entry["source_kind"] in DATA_SETS:
        return any(_is_later(each, history) for each in history if each["source_kind"] not in DATA_SETS)
    return entry["source_kind"] not in SAID_IN_THE_WORKING_GROUP and entry["symbol"] not in at_the_review


def _contradicts(entry: PositionEntry, holding: PositionEntry) -> bool:
    details = {entry["detail"], holding["detail"]} - {None}
    return entry["position"] != holding["position"] or len(details) > 1


def _answer(entry: PositionEntry) -> str:
    return f"{entry['position']} ({entry['detail']})" if entry["detail"] else entry["position"]


def _page(record: RecommendationRecord, entry: PositionEntry) -> int | None:
    pages = (source["page"] for source in record.sources if source["document"] == entry["document"])
    return next(pages, None)


def _numbers(record: RecommendationRecord, trifles: bool) -> Iterator[Word]:
    """The numbers that sources print. A plain "17" is no other number than "116.17"; a draft's are provisional."""
    for source in record.sources:
        number = source["number"]
        if number is None or (source["kind"] == DocumentKind.WORKING_GROUP_DRAFT and not trifles):
            continue
        held = record.number or ""
        yield _word(source, number, holds=number == held or (number.isdecimal() and held.endswith(f".{number}")))


def _word(source: SourceEntry, value: str | list[str], *, holds: bool) -> Word:
    return Word(value, source["document"], source["kind"], source["symbol"], source["page"], source["paragraph"], holds)


_WORDS: Mapping[Field, Callable[[RecommendationRecord, bool], Iterator[Word]]] = {
    Field.TEXT: _texts,
    Field.RECOMMENDING_STATES: _recommending_states,
    Field.POSITION: _positions,
    Field.NUMBER: _numbers,
}
