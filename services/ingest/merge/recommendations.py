"""Which sources tell of the same recommendation, and the record they make together."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import NamedTuple

from rapidfuzz import fuzz

from services.core.domain import identifiers
from services.core.domain.documents import DATA_SETS
from services.core.domain.positions import SAID_IN_THE_WORKING_GROUP, Position, PositionDetail
from services.core.store.recommendations import (
    LabelEntry,
    PositionEntry,
    RecommendationRecord,
    SourceEntry,
    current_position,
)
from services.core.store.reviews import ReviewRecord
from services.ingest.merge.databases import attach_rows
from services.ingest.merge.labels import all_labels, labels_of_rows, labels_told
from services.ingest.merge.sources import SourceReading
from services.ingest.reading import ReadPosition, ReadRecommendation

SAME_TEXT = 90
"""Texts at least this alike (rapidfuzz ratio of their letters and digits, 0–100) are one recommendation."""

OTHER_TEXT = 55
"""Texts less alike than this are two recommendations even under one number, if another one fits better."""

ANSWER_UNKNOWN = Position.PENDING

Told = tuple[SourceReading, ReadRecommendation]
Answered = tuple[SourceReading, ReadPosition]
Place = tuple[str | None, str | None, int]


@dataclass(eq=False)
class Gathered:
    """A recommendation in the making: its place in the list and everything that sources say of it."""

    number: str | None
    part: str | None
    duplicate: int
    normalised: str
    language: str
    states: frozenset[str]
    told: list[Told] = field(default_factory=list)
    answered: list[Answered] = field(default_factory=list)
    labels: dict[tuple[str, str], LabelEntry] = field(default_factory=dict)
    aliases: set[str] = field(default_factory=set)
    external_ids: set[str] = field(default_factory=set)

    def public_id(self, review: str) -> str:
        """The id under which it is known."""
        if self.number is None:
            return identifiers.unnumbered_recommendation_id(review, self.normalised)
        return identifiers.recommendation_id(review, self.number, self.part, self.duplicate)


def gather(review: str, current: Sequence[SourceReading], superseded: Sequence[SourceReading]) -> list[Gathered]:
    """All recommendations of the current readings, and the ids they bore in superseded ones. The weightiest first.

    Answers by number come last: they hold for recommendations that other documents print.
    """
    gathering = _Gathering(review)
    for source in current:
        gathering.add(source)
    for source in current:
        gathering.answer(source)
    for source in superseded:
        gathering.add_former_ids(source)
    return gathering.found


class _Former(NamedTuple):
    """How a superseded source printed a recommendation."""

    language: str
    place: Place
    text: str
    states: tuple[str, ...]


class _Gathering:
    """Grows the list of recommendations source by source."""

    def __init__(self, review: str) -> None:
        self._review = review
        self._by_number: dict[str, list[Gathered]] = defaultdict(list)
        self._by_words: dict[tuple[str, str], list[Gathered]] = defaultdict(list)
        self._former: set[_Former] = set()
        self.found: list[Gathered] = []

    def add(self, source: SourceReading) -> None:
        """Attach each recommendation of a source to those it tells of, or take it as a new one."""
        if source.kind in DATA_SETS:
            self._add_rows(source)
        else:
            self._add_printed(source)

    def _add_rows(self, source: SourceReading) -> None:
        """Rows of a database: several may tell of one recommendation, and one of several."""
        labels = labels_of_rows(source)
        new: dict[tuple[str | None, str], Gathered] = {}
        for told, place, known in attach_rows(source, self.found, lambda number: self._by_number.get(number, [])):
            each = known
            if each is None:
                key = (told.number, identifiers.normalised_text(told.text))
                each = new.get(key) or self._take(source, told, (told.number, None, 1))
                new[key] = each
                each.states |= frozenset(told.recommending_states)
            each.told.append((source, told))
            each.labels.update(labels.get(place + 1, {}))
            each.external_ids.update(told.external_ids)
            each.aliases.add(identifiers.unnumbered_recommendation_id(self._review, told.text))

    def _add_printed(self, source: SourceReading) -> None:
        labels, of_rows = labels_told(source), labels_of_rows(source)
        attached: set[int] = set()
        places = _places(source)
        for row, (place, told) in enumerate(zip(places, source.reading.recommendations, strict=True), 1):
            known = self._known(source, told, attached) or [self._take(source, told, place)]
            for each in known:
                attached.add(id(each))
                each.told.append((source, told))
                each.labels.update(labels.get((told.number, told.part), {}))
                each.labels.update(of_rows.get(row, {}))
                if not source.has_final_numbers or told.number is None:
                    each.aliases.add(identifiers.unnumbered_recommendation_id(self._review, told.text))

    def answer(self, source: SourceReading) -> None:
        """Attach a source's answers to the recommendations of their numbers, all parts. Unknown numbers wait.

        An answer that prints the recommendation is one to these words where its number means nothing, or means
        others: numbers are misprinted, and drafts have others than reports.
        """
        named: set[int] = set()
        for told in source.reading.positions:
            if not told.answers_the_rest:
                for each in self._answered(source, told):
                    named.add(id(each))
                    each.answered.append((source, told))
        for told in source.reading.positions:
            if told.answers_the_rest:
                for each in self.found:
                    if id(each) not in named and _is_open(each) and _is_of_the_rest(each, told):
                        each.answered.append((source, told))

    def _answered(self, source: SourceReading, told: ReadPosition) -> list[Gathered]:
        """The recommendations that an answer is to."""
        numbered = self._numbered(told.number) if told.number else []
        if told.text is None:
            return numbered
        words = identifiers.normalised_text(told.text)
        if any(each.normalised == words for each in numbered):
            return numbered
        same = self._by_words.get((source.language, words), [])
        return same if len(same) == 1 else numbered

    def _numbered(self, number: str) -> list[Gathered]:
        """The recommendations of a number; of a plain one, those of the one list that it can mean."""
        if number in self._by_number or not number.isdecimal():
            return self._by_number.get(number, [])
        meant = [key for key in self._by_number if key.partition(".")[2] == number]
        still_open = [key for key in meant if any(_is_open(each) for each in self._by_number[key])]
        chosen = meant if len(meant) == 1 else still_open
        return self._by_number[chosen[0]] if len(chosen) == 1 else []

    def add_former_ids(self, source: SourceReading) -> None:
        """Note under which other ids a superseded source knew the recommendations that are still there.

        What another superseded source printed just so is known already.
        """
        for place, told in zip(_places(source), source.reading.recommendations, strict=True):
            printed = _Former(source.language, place, told.text, told.recommending_states)
            if printed in self._former:
                continue
            self._former.add(printed)
            same = self._by_text(source, told, set())
            if same is not None:
                same.aliases.add(_gathered(source, told, place).public_id(self._review))

    def _take(self, source: SourceReading, told: ReadRecommendation, place: Place) -> Gathered:
        new = _gathered(source, told, place)
        if new.number is None:
            # Its id is that of its words, so whoever told these words without a number before told of this one.
            same = next(
                (each for each in self.found if each.number is None and each.normalised == new.normalised), None
            )
            if same is not None:
                same.states |= new.states
                return same
        while new.number is not None and any(
            (each.part, each.duplicate) == (new.part, new.duplicate) for each in self._by_number[new.number]
        ):
            new.duplicate += 1
        self.found.append(new)
        self._by_words[new.language, new.normalised].append(new)
        if new.number is not None:
            self._by_number[new.number].append(new)
        return new

    def _known(self, source: SourceReading, told: ReadRecommendation, attached: set[int]) -> list[Gathered]:
        if told.number is not None and source.has_final_numbers:
            found = self._by_its_number(source, told, attached)
            if found:
                return found
        same = self._by_text(source, told, attached)
        return [same] if same else []

    def _by_its_number(self, source: SourceReading, told: ReadRecommendation, attached: set[int]) -> list[Gathered]:
        assert told.number is not None
        bearing = [each for each in self._by_number.get(told.number, ()) if id(each) not in attached]
        if told.part is None and len(bearing) > 1 and _tells_of_all(source, told, bearing):
            return bearing
        ranked = sorted(bearing, key=lambda each: (-_likeness(source, told, each), each.part != told.part))
        if not ranked:
            return []
        if _likeness(source, told, ranked[0]) < OTHER_TEXT and self._by_text(source, told, attached):
            return []
        return ranked[:1]

    def _by_text(self, source: SourceReading, told: ReadRecommendation, attached: set[int]) -> Gathered | None:
        """The first with the same folded text, else the one that is most alike, of those whose States meet."""
        text = identifiers.normalised_text(told.text)
        states = frozenset(told.recommending_states)
        for each in self._by_words.get((source.language, text), ()):
            if id(each) not in attached and _states_meet(states, each):
                return each
        best, likeness = None, float(SAME_TEXT)
        for each in self.found:
            if id(each) in attached or each.language != source.language or not _states_meet(states, each):
                continue
            alike = fuzz.ratio(text, each.normalised, score_cutoff=likeness)
            if alike > likeness or (best is None and alike == likeness):
                best, likeness = each, alike
        return best


def _is_of_the_rest(each: Gathered, told: ReadPosition) -> bool:
    """Whether "all other recommendations (of paragraph 87, except 87.3)" mean this one."""
    paragraph = each.number.partition(".")[0] if each.number else None
    return told.of_paragraph in (None, paragraph) and each.number not in told.except_numbers


def _is_open(each: Gathered) -> bool:
    """Whether the report leaves the answer to a recommendation open, or no report is held."""
    said = [told.position for source, told in each.told if source.kind in SAID_IN_THE_WORKING_GROUP]
    return not said or any(position in (None, Position.PENDING) for position in said)


def _places(source: SourceReading) -> list[Place]:
    """Number, part and how often both were printed before, for each recommendation of a source."""
    seen: dict[tuple[str, str | None], int] = defaultdict(int)
    places: list[Place] = []
    for told in source.reading.recommendations:
        if told.number is None or not source.has_final_numbers:
            places.append((None, None, 1))
            continue
        seen[told.number, told.part] += 1
        places.append((told.number, told.part, seen[told.number, told.part]))
    return places


def _gathered(source: SourceReading, told: ReadRecommendation, place: Place) -> Gathered:
    number, part, duplicate = place
    return Gathered(
        number,
        part,
        duplicate,
        identifiers.normalised_text(told.text),
        source.language,
        frozenset(told.recommending_states),
    )


def _likeness(source: SourceReading, told: ReadRecommendation, known: Gathered) -> float:
    """How alike two texts are, 0–100. Texts in two languages cannot be compared, and then the number must do."""
    if source.language != known.language:
        return 100.0
    text = identifiers.normalised_text(told.text)
    return 100.0 if text == known.normalised else fuzz.ratio(text, known.normalised)


def _states_meet(states: frozenset[str], known: Gathered) -> bool:
    return not states or not known.states or not states.isdisjoint(known.states)


def _tells_of_all(source: SourceReading, told: ReadRecommendation, bearing: Iterable[Gathered]) -> bool:
    """Whether a source prints as one what another prints in parts."""
    text = identifiers.normalised_text(told.text)
    return all(
        each.language == source.language and each.part and fuzz.partial_ratio(each.normalised, text) >= SAME_TEXT
        for each in bearing
    )


def recommendation_records(
    review: ReviewRecord, gathered: Iterable[Gathered], published: Mapping[str, date]
) -> dict[str, RecommendationRecord]:
    """The records by id. `published` gives the dates of the documents held, by symbol."""
    records: dict[str, RecommendationRecord] = {}
    for each in gathered:
        record = _record(review, each, published)
        # Two texts without a number that fold alike are one recommendation told twice.
        records.setdefault(record.id, record)
    live = records.keys()
    return {
        record_id: _with_aliases(record, tuple(sorted(set(record.aliases) - live)))
        for record_id, record in records.items()
    }


def _with_aliases(record: RecommendationRecord, aliases: tuple[str, ...]) -> RecommendationRecord:
    """The record with these former ids; an id that another record bears today is not a former one."""
    return record if record.aliases == aliases else replace(record, aliases=aliases)


def _record(review: ReviewRecord, each: Gathered, published: Mapping[str, date]) -> RecommendationRecord:
    public_id = each.public_id(review.id)
    texts = sorted(each.told, key=lambda told: told[0].text_weight)
    text, language = texts[0][1].text, texts[0][0].language
    states = _states_of(each)
    positions = _positions(review, each, published)
    holds = current_position(positions)
    labels = all_labels(text, language, each.labels.values())
    return RecommendationRecord(
        id=public_id,
        review=review.id,
        state_under_review=review.state_under_review,
        cycle=review.cycle,
        session=review.session,
        number=each.number,
        part=each.part,
        sort_key=identifiers.sort_key(public_id),
        text=text,
        text_language=language,
        translations={source.language: told.text for source, told in reversed(texts) if source.language != language},
        recommending_states=states,
        position=holds["position"] if holds else ANSWER_UNKNOWN,
        position_detail=holds["detail"] if holds else None,
        positions=positions,
        labels=labels,
        label_ids=tuple(sorted({entry["label"] for entry in labels})),
        sources=[
            *(_source(source, told, text, states) for source, told in each.told),
            *(_answering_source(source, told) for source, told in each.answered),
        ],
        documents=tuple(dict.fromkeys(source.document for source, _ in (*each.told, *each.answered))),
        date=review.date,
        aliases=tuple(each.aliases - {public_id}),
        external_ids=tuple(sorted(each.external_ids)),
        sample=review.sample,
    )


def _states_of(each: Gathered) -> tuple[str, ...]:
    """The recommending States as the weightiest source names them, or what corrects it.

    Where only databases tell, all that they name: a database has a row for each.
    """
    naming = [source for source, told in each.told if told.recommending_states]
    if naming and naming[0].kind in DATA_SETS:
        return tuple(sorted({state for _, told in each.told for state in told.recommending_states}))
    first = next((source for source in naming if source.kind == naming[0].kind and source.corrigendum), None)
    first = first or next(iter(naming), None)
    named = (state for source, told in each.told if source is first for state in told.recommending_states)
    return tuple(dict.fromkeys(named))


def _answers_told(each: Gathered) -> Iterator[Told]:
    """What sources that tell the recommendation say of its position; a database's rows together.

    A database that was told nothing but what a document says adds nothing to the history. Rows that differ tell of
    parts of the recommendation: such an answer is an answer in part.
    """
    rows: dict[int, list[Told]] = defaultdict(list)
    in_print = {told.position for source, told in each.told if source.kind not in DATA_SETS}
    in_print |= {answer.position for _, answer in each.answered}
    for source, told in each.told:
        if source.kind in DATA_SETS and told.position:
            rows[id(source)].append((source, told))
        elif told.position:
            yield source, told
    for of_a_source in rows.values():
        source, told = of_a_source[0]
        said = {row.position for _, row in of_a_source}
        if len(said) > 1:
            told = replace(told, position=Position.NOTED, position_detail=PositionDetail.PARTIAL, position_phrase=None)
        if told.position not in in_print:
            yield source, told


def _positions(review: ReviewRecord, each: Gathered, published: Mapping[str, date]) -> list[PositionEntry]:
    """The history of answers, by the world's dates: what was said at the review, then what came later."""
    entries = [
        *(_position(review, source, told, published, told.position_symbol) for source, told in _answers_told(each)),
        *(_position(review, source, told, published, None) for source, told in each.answered),
    ]
    entries.sort(
        key=lambda entry: (
            entry["source_kind"] not in SAID_IN_THE_WORKING_GROUP,
            entry["effective_on"] or _before_its_corrigenda(entry["symbol"], published),
            entry["document"],
        )
    )
    said_there = {(entry["symbol"], entry["position"]) for entry in entries if _is_first_hand(entry)}
    distinct: dict[tuple[str, str | None, str | None], PositionEntry] = {}
    for entry in entries:
        if _is_first_hand(entry) or (entry["symbol"], entry["position"]) not in said_there:
            distinct.setdefault((entry["position"], entry["detail"], entry["symbol"]), entry)
    return list(distinct.values())


def _before_its_corrigenda(symbol: str | None, published: Mapping[str, date]) -> str:
    """By when a document of unknown date was there: by the day of what corrects or adds to it. Else it stands last."""
    later = [day for other, day in published.items() if symbol and other.startswith(f"{symbol}/")]
    return min(later).isoformat() if later else "9999"


def _is_first_hand(entry: PositionEntry) -> bool:
    """Whether the document that the answer stands in is the one that told us, and not a matrix that cites it."""
    return entry["symbol"] is not None and entry["document"] == identifiers.document_id(entry["symbol"], "")


def _position(
    review: ReviewRecord,
    source: SourceReading,
    told: ReadRecommendation | ReadPosition,
    published: Mapping[str, date],
    cited: str | None,
) -> PositionEntry:
    """One answer. `cited`: the symbol of the document it stands in, where that is another one."""
    assert told.position is not None
    symbol = cited or source.reading.document.symbol
    said_at_the_review = source.kind in SAID_IN_THE_WORKING_GROUP
    day = review.adopted_on or review.date if said_at_the_review else published.get(symbol or "")
    return PositionEntry(
        position=told.position,
        detail=told.position_detail,
        phrase=told.position_phrase,
        effective_on=day.isoformat() if day else None,
        symbol=symbol,
        paragraph=told.position_paragraph,
        document=source.document,
        source_kind=source.kind,
    )


def _answering_source(source: SourceReading, told: ReadPosition) -> SourceEntry:
    return SourceEntry(
        document=source.document,
        file=source.bytes_read,
        symbol=source.reading.document.symbol,
        kind=source.kind,
        number=told.number,
        page=told.page,
        paragraph=told.position_paragraph,
        parser=source.reading.parser,
        parser_version=source.reading.parser_version,
    )


def _source(source: SourceReading, told: ReadRecommendation, text: str, states: tuple[str, ...]) -> SourceEntry:
    entry = SourceEntry(
        document=source.document,
        file=source.bytes_read,
        symbol=source.reading.document.symbol,
        kind=source.kind,
        number=told.number,
        page=told.page,
        paragraph=told.paragraph,
        parser=source.reading.parser,
        parser_version=source.reading.parser_version,
    )
    if told.text != text:
        entry["text"] = told.text
    if set(told.recommending_states) != set(states):
        entry["recommending_states"] = list(told.recommending_states)
    if told.footnotes:
        entry["footnotes"] = list(told.footnotes)
    return entry
