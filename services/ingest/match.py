"""Rows of somebody's own list, and the recommendations that they mean.

The number and the text of a row each lead to records of its review; the recommending States decide between them. How
sure the answer is, is a number from 0 to 1, by the table below; it orders answers, and is no probability. Where two
records fit equally well none is chosen, and two rows never lead to one record without saying so.
"""

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import Any, NamedTuple

from rapidfuzz import fuzz, process
from sqlalchemy import Connection, Row, select

from services.core.domain.identifiers import normalised_text
from services.core.query.analysis import LANGUAGES
from services.core.store.recommendations import RecommendationRecord, recommendations_table
from services.ingest.match_list import ListRow

SAME_TEXT = 90
"""Texts at least this alike (rapidfuzz ratio of letters and digits, 0-100) are one, as in the merge of sources."""

OTHER_TEXT = 55
"""A text less alike than this is another one than its number's."""

LIKE_ENOUGH = 75
"""A text at least this alike is taken if a recommending State is the same and nothing else is as near."""

LIKE_ENOUGH_OF_NOBODY = 85
"""The same where the row does not name States."""

LIKE_ENOUGH_OF_OTHERS = 96
"""The same where it names other States; short texts ("Ratify CAT") are formulas that many use."""

LONG = 60
PART = 93
"""A text is a part of another one if that holds something at least this like it (rapidfuzz partial ratio)."""

SHORTEST_PART = 25
MARGIN = 3
"""Of two records whose likeness differs by less, neither is chosen on its text alone."""

_OTHER_STATES = 15
"""So much less alike may a text be whose recommending States agree."""

_AS_PART = 0.89
_ALL_TEXTS_AT_ONCE = 2000
"""Up to so many texts are all compared; of more, those that share rare words with the row."""

_MOST_LOOKED_AT = 3000
"""Rare words come first; those that lead to more texts than this together are not asked."""

_NEAREST = 60
_NEAREST_PARTS = 30
"""So many texts that share the most words are compared, and so many of them part by part."""

_MOST_CANDIDATES = 5


class Reason(StrEnum):
    """What an answer rests on."""

    NUMBER = "number"
    TEXT = "text"
    NUMBER_AND_TEXT = "number_and_text"
    AMBIGUOUS = "ambiguous"
    DUPLICATE = "duplicate"
    NONE = "none"


class States(StrEnum):
    """How the recommending States of a row and a record agree."""

    SAME = "same"
    MEET = "meet"
    UNKNOWN = "unknown"
    OTHERS = "others"


_SURE_BY_NUMBER = {States.SAME: 0.95, States.MEET: 0.95, States.UNKNOWN: 0.9, States.OTHERS: 0.5}
"""A number without a text to compare."""

_SURE_BY_NUMBER_IN_OTHER_LANGUAGE = {States.SAME: 0.85, States.MEET: 0.8, States.UNKNOWN: 0.6, States.OTHERS: 0.3}
_SURE_BY_TEXT = {States.SAME: 0.99, States.MEET: 0.98, States.UNKNOWN: 0.93, States.OTHERS: 0.7}
"""The same text; what is less alike is less sure in proportion."""

_SURE_AGAINST_TEXT = 0.4
_SURE_OF_LOOSE_NUMBER = 0.5
"""A plain 17 for 116.17, or the number of another source."""

_SURE_OF_MISPRINT = 0.8
_SHARE_OF_LONG, _SHARE_OF_SHORT = 0.9, 0.6
"""What remains of the sureness where a row tells neither from nor to whom: the same words are said to many States."""

_SURE_OF_DUPLICATE = 0.5
_RANK = {States.SAME: 3, States.MEET: 2, States.UNKNOWN: 1, States.OTHERS: 0}


@dataclass(frozen=True)
class Held:
    """A recommendation that is held. `texts` are the folded words of all sources, its own first."""

    id: str
    review: str
    state: str
    cycle: int
    session: int | None
    number: str | None
    part: str | None
    other_numbers: frozenset[str]
    texts: tuple[str, ...]
    languages: frozenset[str]
    states: tuple[str, ...]
    all_states: frozenset[str]
    position: str
    position_detail: str | None
    aliases: tuple[str, ...] = ()

    def agrees(self, row: ListRow) -> States:
        """How the States of a row agree with those that any source names."""
        named = set(row.states)
        if not named or not self.all_states:
            return States.UNKNOWN
        if named == set(self.states):
            return States.SAME
        return States.MEET if named & self.all_states else States.OTHERS

    def likeness(self, row: ListRow) -> float | None:
        """How alike the texts are, 0-100; None where there is none to compare in the row's language."""
        if not row.folded or not self.languages & set(row.languages):
            return None
        return max(_alike(row.folded, text) for text in self.texts)


@dataclass(frozen=True)
class Answer:
    """What a row of a list means. `differs` has what is held, where the row says something else.

    `candidates` are ids that fit where none was chosen; `shared_with` are the places of other rows (from 1) that lead
    to the same record.
    """

    held: Held | None
    confidence: float
    reason: Reason
    candidates: tuple[str, ...] = ()
    differs: dict[str, str] = field(default_factory=dict)
    shared_with: tuple[int, ...] = ()
    likeness: float = 0.0


_NOTHING = Answer(None, 0.0, Reason.NONE)


class _Likely(NamedTuple):
    held: Held
    likeness: float
    agrees: States


def held_recommendations(connection: Connection, states: Iterable[str] | None) -> list[Held]:
    """The recommendations to these States; to all, if `states` is None."""
    columns = recommendations_table.c
    query = select(
        *(columns.id, columns.review, columns.state_under_review, columns.cycle, columns.session, columns.number),
        *(columns.part, columns.text, columns.text_language, columns.translations, columns.recommending_states),
        *(columns.position, columns.position_detail, columns.sources, columns.aliases),
    ).order_by(columns.sort_key)
    if states is not None:
        query = query.where(columns.state_under_review.in_(sorted(set(states))))
    rows = connection.execute(query, execution_options={"yield_per": 1000})
    return [held_of(row) for row in rows]


def held_of(row: RecommendationRecord | Row[*tuple[Any, ...]]) -> Held:
    """A record, or the row of one."""
    told_states = (each.get("recommending_states", ()) for each in row.sources)
    return Held(
        id=row.id,
        review=row.review,
        state=row.state_under_review,
        cycle=row.cycle,
        session=row.session,
        number=row.number,
        part=row.part,
        other_numbers=frozenset(each["number"] for each in row.sources if each["number"]) - {row.number},
        texts=_folded(row.text, *row.translations.values(), *(each.get("text", "") for each in row.sources)),
        languages=frozenset({row.text_language, *row.translations}),
        states=tuple(row.recommending_states),
        all_states=frozenset(row.recommending_states).union(*told_states),
        position=row.position,
        position_detail=row.position_detail,
        aliases=tuple(row.aliases),
    )


def _folded(*texts: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(folded for text in texts if (folded := normalised_text(text))))


def _alike(one: str, other: str) -> float:
    """Likeness of folded texts; one that holds the other is nearly the same."""
    if one == other:
        return 100.0
    whole = fuzz.ratio(one, other)
    if whole >= SAME_TEXT or min(len(one), len(other)) < SHORTEST_PART:
        return whole
    part = fuzz.partial_ratio(one, other, score_cutoff=PART)
    return max(whole, part * _AS_PART)


def match_rows(rows: Sequence[ListRow], held: Iterable[Held]) -> list[Answer]:
    """What each row means, in the order of the rows; which order that is does not matter for the answers."""
    shelves = _Shelves(list(held))
    answers: list[Answer | None] = [_clearly(row, shelves.of(row)) for row in rows]
    claimed = {
        answer.held.id for answer in answers if answer and answer.held and answer.confidence >= _SURE_OF_MISPRINT
    }
    settled = [
        answer if answer is not None else _by_likeness(row, shelves.of(row), claimed)
        for row, answer in zip(rows, answers, strict=True)
    ]
    compared = [replace(answer, differs=_differs(row, answer)) for row, answer in zip(rows, settled, strict=True)]
    return _with_duplicates(rows, compared)


class _Shelf:
    """The recommendations that a row can mean, by what they are looked for."""

    def __init__(self, held: Sequence[Held]) -> None:
        self.held = held
        self._by_id: dict[str, Held] = {alias: each for each in held for alias in each.aliases}
        self._by_id |= {each.id: each for each in held}
        self._by_number: dict[str, list[Held]] = defaultdict(list)
        self._by_other_number: dict[str, list[Held]] = defaultdict(list)
        self._by_text: dict[str, list[Held]] = defaultdict(list)
        for each in held:
            if each.number:
                self._by_number[each.number.casefold()].append(each)
                self._by_other_number[each.number.rpartition(".")[2].casefold()].append(each)
                if each.part:
                    self._by_number[f"{each.number}-{each.part}".casefold()].append(each)
            for number in each.other_numbers:
                self._by_other_number[number.casefold()].append(each)
            for text in each.texts:
                self._by_text[text].append(each)

    def numbered(self, row: ListRow) -> list[Held]:
        """Those that the row's id or number can mean; the number as it is printed, if nothing speaks for another."""
        if row.record_id is not None:
            found = self._by_id.get(row.record_id)
            return [found] if found else []
        numbers = row.numbers
        exact = [self._by_number[number] for number in numbers if number in self._by_number]
        if numbers and numbers[0] in self._by_number and not (row.folded or row.number_is_rounded):
            return exact[0]
        loose = [self._by_other_number.get(number, []) for number in numbers] if not exact else []
        return list({each.id: each for several in (*exact, *loose) for each in several}.values())

    def same(self, row: ListRow) -> list[Held]:
        """Those with the same folded text in any source."""
        return self._by_text.get(row.folded, []) if row.folded else []

    def near(self, row: ListRow) -> list[_Likely]:
        """Those whose texts are most alike, the nearest first."""
        sharing = self._sharing_words(row.folded)
        texts = list(self._by_text) if len(self._by_text) <= _ALL_TEXTS_AT_ONCE else sharing
        whole = process.extract(row.folded, texts, scorer=fuzz.ratio, limit=8, score_cutoff=LIKE_ENOUGH - 10)
        scores = {text: score for text, score, _ in whole}
        if max(scores.values(), default=0) < SAME_TEXT and len(row.folded) >= SHORTEST_PART:
            for text in sharing[:_NEAREST_PARTS]:
                scores[text] = _alike(row.folded, text)
        best: dict[str, _Likely] = {}
        for text, score in scores.items():
            for each in self._by_text[text]:
                if each.id not in best or best[each.id].likeness < score:
                    best[each.id] = _Likely(each, score, each.agrees(row))
        return sorted(best.values(), key=lambda each: (-each.likeness, each.held.id))

    def _sharing_words(self, folded: str) -> list[str]:
        """Texts that share words with this one, rare words counting most."""
        known = [texts for word in set(folded.split()) if (texts := self._words.get(word))]
        votes: Counter[str] = Counter()
        looked_at = 0
        for texts in sorted(known, key=len):
            looked_at += len(texts)
            if looked_at > _MOST_LOOKED_AT and votes:
                break
            for text in texts:
                votes[text] += 1
        return heapq.nsmallest(_NEAREST, votes, key=lambda text: (-votes[text], text))

    @cached_property
    def _words(self) -> dict[str, list[str]]:
        words: dict[str, list[str]] = defaultdict(list)
        for text in self._by_text:
            for word in set(text.split()):
                words[word].append(text)
        return words


class _Shelves:
    """A shelf for each State, cycle and session that rows name."""

    def __init__(self, held: list[Held]) -> None:
        self._all = held
        self._by_state: dict[str, list[Held]] = defaultdict(list)
        for each in held:
            self._by_state[each.state].append(each)
        self._made: dict[tuple[str | None, int | None, int | None], _Shelf] = {}

    def of(self, row: ListRow) -> _Shelf:
        """The recommendations of the review, or reviews, that the row can mean."""
        key = (row.state, row.cycle, row.session)
        if key not in self._made:
            held = self._by_state[row.state] if row.state else self._all
            self._made[key] = _Shelf(
                [
                    each
                    for each in held
                    if row.cycle in (None, each.cycle) and (row.session is None or each.session in (None, row.session))
                ]
            )
        return self._made[key]


def _clearly(row: ListRow, shelf: _Shelf) -> Answer | None:
    """What the row's number or the very same text lead to; None where only a likeness can tell."""
    if row.is_blank or row.problem:
        return _NOTHING
    numbered = [_Likely(each, each.likeness(row) or 0.0, each.agrees(row)) for each in shelf.numbered(row)]
    if numbered:
        answer = _by_number(row, numbered, shelf)
        if answer is not None:
            return answer
    same = [each for each in shelf.same(row) if each.agrees(row) is not States.OTHERS]
    if same:
        return _by_same_text(row, same)
    return None if row.folded else _NOTHING


def _by_number(row: ListRow, numbered: list[_Likely], shelf: _Shelf) -> Answer | None:
    """The record of the number, if the text does not speak against it; None where the text has the say."""
    if not any(each.held.likeness(row) is not None for each in numbered):
        return _by_number_alone(row, numbered)
    # The same likeness and the same States: "116.1" before "116.10", as the row has it.
    ranked = sorted(numbered, key=lambda each: (-each.likeness, -_RANK[each.agrees], _order(row, each.held)))
    best = ranked[0]
    if best.likeness < OTHER_TEXT:
        elsewhere = shelf.same(row) or any(each.likeness >= SAME_TEXT for each in shelf.near(row)[:1])
        if elsewhere or not _printed_review(row):
            return None
        if best.agrees is States.OTHERS:
            return replace(_NOTHING, candidates=_ids([best]))
        return Answer(best.held, _SURE_AGAINST_TEXT, Reason.NUMBER, likeness=best.likeness)
    tied = [each for each in ranked if _tied(each, best) and _order(row, each.held) == _order(row, best.held)]
    if len(tied) > 1:
        return _ambiguous(tied)
    sure = 1.0 if best.likeness == 100 else _between(best.likeness, OTHER_TEXT, SAME_TEXT, 0.6, 0.97)
    if best.agrees is States.OTHERS:
        sure -= 0.1
    return Answer(best.held, sure, Reason.NUMBER_AND_TEXT, likeness=best.likeness)


def _printed_review(row: ListRow) -> bool:
    """Whether the row tells whose number it has: "116.17" alone is one of a hundred reviews."""
    return row.state is not None or row.record_id is not None


def _tied(one: _Likely, other: _Likely) -> bool:
    return (one.likeness, one.agrees) == (other.likeness, other.agrees)


def _order(row: ListRow, held: Held) -> int:
    names = (f"{held.number}-{held.part}".casefold(), (held.number or "").casefold())
    return min((row.numbers.index(name) for name in names if name in row.numbers), default=len(row.numbers))


def _by_number_alone(row: ListRow, numbered: list[_Likely]) -> Answer:
    """No text to compare, or one in another language: the States must do."""
    most = max(_RANK[each.agrees] for each in numbered)
    best = [each for each in numbered if _RANK[each.agrees] == most]
    if not row.number_is_rounded or most > _RANK[States.UNKNOWN]:
        first = min(_order(row, each.held) for each in best)
        best = [each for each in best if _order(row, each.held) == first]
    if len(best) > 1 or not _printed_review(row):
        return _ambiguous(best)
    sure = _SURE_BY_NUMBER_IN_OTHER_LANGUAGE if row.folded else _SURE_BY_NUMBER
    if row.record_id is not None and not row.folded:
        return Answer(best[0].held, 1.0 if best[0].agrees is not States.OTHERS else 0.8, Reason.NUMBER)
    is_its_own = row.record_id is not None or _order(row, best[0].held) < len(row.numbers)
    most_sure = 1.0 if is_its_own else _SURE_OF_LOOSE_NUMBER
    return Answer(best[0].held, min(sure[best[0].agrees], most_sure), Reason.NUMBER)


def _by_same_text(row: ListRow, same: Sequence[Held]) -> Answer | None:
    """The record with the very same text; of several the one whose States fit, then the one whose own text it is."""
    likely = [_Likely(each, 100.0, each.agrees(row)) for each in same]

    def rank(each: _Likely) -> tuple[int, bool]:
        return _RANK[each.agrees], each.held.texts[0] == row.folded

    best_rank = max(map(rank, likely))
    best = [each for each in likely if rank(each) == best_rank]
    if best[0].agrees is States.MEET:
        # The States of one row may be spread over several records with the same words: then none is the one.
        meeting = [each for each in likely if each.agrees is States.MEET]
        covering = [each for each in meeting if set(row.states) <= each.held.all_states]
        best = [each for each in covering if rank(each) == max(map(rank, covering))] or meeting
    if len(best) > 1:
        return _ambiguous(best)
    return _told_by_text(row, best[0])


def _by_likeness(row: ListRow, shelf: _Shelf, claimed: set[str]) -> Answer:
    """The record whose text is most alike. What another row clearly means is left to that row, unless it is near."""
    near = shelf.near(row)
    likely = [each for each in near if _is_like_enough(each, row)]
    free = [each for each in likely if each.held.id not in claimed] or [
        each for each in likely if each.likeness >= PART * _AS_PART
    ]
    if not free:
        same = [each for each in near if each.likeness >= SAME_TEXT]
        return replace(_NOTHING, candidates=_ids(same) or _of_these_states(row, shelf))
    ranked = sorted(free, key=lambda each: (-_fit(each), each.held.id))
    best = ranked[0]
    rivals = [each for each in ranked if _fit(each) > _fit(best) - MARGIN and each.agrees is best.agrees]
    if len(rivals) > 1 and not best.likeness > rivals[1].likeness >= SAME_TEXT:
        return _ambiguous(rivals)
    return _told_by_text(row, best)


def _fit(each: _Likely) -> float:
    return each.likeness - (_OTHER_STATES if each.agrees is States.OTHERS else 0)


def _is_like_enough(each: _Likely, row: ListRow) -> bool:
    if each.agrees is States.OTHERS:
        return each.likeness >= LIKE_ENOUGH_OF_OTHERS and len(row.folded) >= LONG
    if each.agrees is States.UNKNOWN and not _printed_review(row):
        return each.likeness >= SAME_TEXT and len(row.folded) >= LONG
    return each.likeness >= (LIKE_ENOUGH_OF_NOBODY if each.agrees is States.UNKNOWN else LIKE_ENOUGH)


def _told_by_text(row: ListRow, best: _Likely) -> Answer:
    sure = _SURE_BY_TEXT[best.agrees] * best.likeness / 100
    if not _printed_review(row) and best.agrees is States.UNKNOWN:
        sure *= _SHARE_OF_LONG if len(row.folded) >= LONG else _SHARE_OF_SHORT
    if row.numbers or row.record_id:
        sure = min(sure, _SURE_OF_MISPRINT)
    return Answer(best.held, sure, Reason.TEXT, likeness=best.likeness)


def _of_these_states(row: ListRow, shelf: _Shelf) -> tuple[str, ...]:
    """Where a text is in a language that is not held, what the same States recommended is where to look."""
    if not row.states or row.state is None or set(row.languages) == set(LANGUAGES):
        return ()
    found = [
        each.id for each in shelf.held if not each.languages & set(row.languages) and each.agrees(row) is States.SAME
    ]
    return tuple(found) if len(found) <= _MOST_CANDIDATES else ()


def _ambiguous(several: Sequence[_Likely]) -> Answer:
    best = max(each.likeness for each in several)
    return Answer(None, round(1 / (len(several) + 1), 2), Reason.AMBIGUOUS, _ids(several), likeness=best)


def _ids(several: Iterable[_Likely]) -> tuple[str, ...]:
    return tuple(each.held.id for each in several)[:_MOST_CANDIDATES]


def _between(value: float, low: float, high: float, at_low: float, at_high: float) -> float:
    share = min(1.0, max(0.0, (value - low) / (high - low)))
    return at_low + share * (at_high - at_low)


def _differs(row: ListRow, answer: Answer) -> dict[str, str]:
    """What is held, where the row says something else. Texts in two languages are not compared."""
    held = answer.held
    if held is None:
        return {}
    differs: dict[str, str] = {}
    if row.numbers and held.number and _order(row, held) == len(row.numbers):
        differs["number"] = held.number + (f"-{held.part}" if held.part else "")
    elif row.record_id and row.record_id != held.id:
        differs["id"] = held.id
    if row.folded and held.languages & set(row.languages) and row.folded not in held.texts[:1]:
        differs["text"] = f"{answer.likeness:.0f} % alike" if row.folded not in held.texts else "as another source"
    elif row.folded and not held.languages & set(row.languages):
        differs["language"] = ", ".join(sorted(held.languages))
    if row.states and set(row.states) != set(held.states):
        differs["recommending_states"] = ", ".join(held.states)
    if row.position and row.position != held.position:
        differs["position"] = held.position
    return differs


def _with_duplicates(rows: Sequence[ListRow], answers: list[Answer]) -> list[Answer]:
    """Say which rows lead to one record. Rows for one recommending State each may; of others the surest holds."""
    leading: dict[str, list[int]] = defaultdict(list)
    for place, answer in enumerate(answers):
        if answer.held is not None:
            leading[answer.held.id].append(place)
    for places in leading.values():
        if len(places) > 1:
            _share(rows, answers, places)
    return answers


def _share(rows: Sequence[ListRow], answers: list[Answer], places: list[int]) -> None:
    surest = sorted(places, key=lambda place: (-answers[place].confidence, place))
    taken: set[str] = set()
    for place in surest:
        row, answer = rows[place], answers[place]
        shared = tuple(other + 1 for other in places if other != place)
        # A list with a row for each recommending State names each State once.
        is_own_row = bool(row.states) and not taken & set(row.states)
        answer = replace(answer, shared_with=shared)
        if is_own_row and answer.held is not None and set(row.states) <= set(answer.held.states):
            answer.differs.pop("recommending_states", None)
        if place != surest[0] and not is_own_row:
            same_text = row.folded == rows[surest[0]].folded
            sure = answer.confidence if same_text else min(answer.confidence, _SURE_OF_DUPLICATE)
            answer = replace(answer, reason=Reason.DUPLICATE, confidence=sure)
        taken |= set(row.states)
        answers[place] = answer
