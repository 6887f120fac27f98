"""Rows of databases, and the recommendations that they tell of.

A database has a row for each recommending State, mostly without a number, in the words of the report or nearly so. The
same words may stand in a report twice, each time from other States; one recommendation may be cut into two rows. So
each State of a row is looked for by itself: first the same words from that State, then words that are nearly the same,
then words of which one is a part of the other. Only what fits nowhere is new. Each State of a row ends in one place.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from rapidfuzz import fuzz, process
from rapidfuzz.distance import LCSseq

from services.core.domain import identifiers
from services.ingest.merge.sources import SourceReading
from services.ingest.reading import ReadRecommendation

if TYPE_CHECKING:
    from services.ingest.merge.recommendations import Gathered

OTHER_TEXT = 55
"""A row with a number whose text is less alike to that number's than this bears another document's number."""

NEARLY_SAME = 90
"""Texts at least this alike (rapidfuzz ratio of letters and digits, 0-100) are one, told with a slip of the pen."""

PART = 93
"""A text is a part of another if that holds something at least this like it (rapidfuzz partial ratio)."""

PARAPHRASE = 75
"""Texts at least this alike from the same State to the same State are one, if nothing else of that State fits."""

SHORTEST_PART = 12
"""Letters and digits that a text must have to be a part of another one: "ratify CAT" is a part of too much."""

CUT = 90
"""A text was cut out of another if that holds at least this share of its words (%), in their order."""

FEWEST_WORDS = 5
"""Words that a text must have to be cut out of another."""

MISNAMED = 96
"""Texts at least this alike are one even if the sources name other States, if they are long enough to be no formula."""

LONG = 60

Find = Callable[["_Sought"], "Gathered | None"]


class Attached(NamedTuple):
    """What a row says, with those of its States that are meant, and the recommendation it tells of; None: a new one."""

    told: ReadRecommendation
    place: int
    known: "Gathered | None"


class _Sought(NamedTuple):
    """One State of one row (None where the row names none), and its folded text."""

    place: int
    state: str | None
    text: str


@dataclass
class _Shelf:
    """The recommendations that are known so far in the language of a source, by what rows are looked for."""

    by_text: "dict[str, list[Gathered]]" = field(default_factory=lambda: defaultdict(list))
    by_state: "dict[str | None, list[Gathered]]" = field(default_factory=lambda: defaultdict(list))
    claimed: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, known: "Iterable[Gathered]") -> "_Shelf":
        shelf = cls()
        for each in known:
            shelf.by_text[each.normalised].append(each)
            for state in each.states or (None,):
                shelf.by_state[state].append(each)
        return shelf

    def from_state(self, state: str | None) -> "Iterator[Gathered]":
        """Those from a State, and those of which nobody knows from whom they are. All, for a row without a State."""
        if state is None:
            yield from (each for several in self.by_state.values() for each in several)
        else:
            yield from self.by_state.get(state, ())
            yield from self.by_state.get(None, ())


def attach_rows(
    source: SourceReading, known: "Sequence[Gathered]", numbered: "Callable[[str], list[Gathered]]"
) -> list[Attached]:
    """Each row of a database with the recommendation it tells of, in the order of the rows."""
    rows = source.reading.recommendations
    found: dict[tuple[int, str | None], Gathered] = {}
    unnumbered: list[_Sought] = []
    for place, told in enumerate(rows):
        text = identifiers.normalised_text(told.text)
        by_number = _by_number(source, told, text, numbered)
        for state in told.recommending_states or (None,):
            if by_number is None:
                unnumbered.append(_Sought(place, state, text))
            else:
                found[place, state] = by_number
    shelf = _Shelf.of(each for each in known if each.language == source.language)
    shelf.claimed.update(map(id, found.values()))
    for find in (_same(shelf), _nearly_same(shelf), _part(shelf), _cut(shelf), _paraphrase(shelf), _misnamed(shelf)):
        unnumbered = _sought_on(unnumbered, find, shelf, found)
    return [attached for place, told in enumerate(rows) for attached in _attached(place, told, found)]


def _by_number(
    source: SourceReading, told: ReadRecommendation, text: str, numbered: "Callable[[str], list[Gathered]]"
) -> "Gathered | None":
    """The recommendation of the row's number, if the texts do not speak against it: numbers of drafts are others."""
    if told.number is None:
        return None
    best = max(
        numbered(told.number),
        key=lambda each: (_alike(source, text, each), each.part == told.part),
        default=None,
    )
    return best if best is not None and _alike(source, text, best) >= OTHER_TEXT else None


def _alike(source: SourceReading, text: str, known: "Gathered") -> float:
    """How alike texts are, 0-100. Texts in two languages cannot be compared, and then the number must do."""
    return 100.0 if source.language != known.language else fuzz.ratio(text, known.normalised)


def _sought_on(
    sought: list[_Sought], find: Find, shelf: _Shelf, found: "dict[tuple[int, str | None], Gathered]"
) -> list[_Sought]:
    """Note what one way of looking finds; answers those that it does not find."""
    missing = []
    claimed = set()
    for each in sought:
        known = find(each)
        if known is None:
            missing.append(each)
        else:
            found[each.place, each.state] = known
            claimed.add(id(known))
    # Only now: what two rows fit equally well belongs to both, whichever comes first.
    shelf.claimed |= claimed
    return missing


def _same(shelf: _Shelf) -> Find:
    """The same words from the same State."""

    def find(sought: _Sought) -> "Gathered | None":
        named = [each for each in shelf.by_text.get(sought.text, ()) if sought.state in each.states or not each.states]
        return named[0] if named else None

    return find


def _nearly_same(shelf: _Shelf) -> Find:
    """Nearly the same words from the same State. What another row tells word for word is left to that row."""
    return lambda sought: _best(sought, shelf, fuzz.ratio, NEARLY_SAME, lambda each: id(each) not in shelf.claimed)


def _part(shelf: _Shelf) -> Find:
    """Words that are a part of a recommendation of the same State, or hold it."""

    def find(sought: _Sought) -> "Gathered | None":
        return _best(
            sought,
            shelf,
            fuzz.partial_ratio,
            PART,
            lambda each: min(len(sought.text), len(each.normalised)) >= SHORTEST_PART,
        )

    return find


def _cut(shelf: _Shelf) -> Find:
    """Words of a recommendation of the same State, with others of it left out between them."""

    def find(sought: _Sought) -> "Gathered | None":
        words = sought.text.split()
        if len(words) < FEWEST_WORDS:
            return None
        return _best(sought, shelf, _share_in_order, CUT, lambda each: len(each.normalised) > len(sought.text))

    return find


def _share_in_order(text: str, longer: str, *, score_cutoff: float) -> float:
    words = text.split()
    least = math.ceil(score_cutoff * len(words) / 100)
    return 100 * LCSseq.similarity(words, longer.split(), score_cutoff=least) / len(words)


def _paraphrase(shelf: _Shelf) -> Find:
    """Words that are rather like those of a recommendation of the same State that no row has told yet."""
    return lambda sought: _best(sought, shelf, fuzz.ratio, PARAPHRASE, lambda each: id(each) not in shelf.claimed)


def _misnamed(shelf: _Shelf) -> Find:
    """The same words from another State: one of the sources names the wrong one. Formulas ("ratify CAT") have many."""

    def find(sought: _Sought) -> "Gathered | None":
        if len(sought.text) < LONG:
            return None
        best = process.extractOne(sought.text, shelf.by_text.keys(), scorer=fuzz.ratio, score_cutoff=MISNAMED)
        return shelf.by_text[best[0]][0] if best else None

    return find


def _best(
    sought: _Sought,
    shelf: _Shelf,
    scorer: Callable[..., float],
    least: float,
    may_be: "Callable[[Gathered], bool]",
) -> "Gathered | None":
    """The one that is most alike; of equals the longest, then the first."""
    best, score = None, (least, -1)
    for each in shelf.from_state(sought.state):
        if may_be(each):
            alike = (scorer(sought.text, each.normalised, score_cutoff=score[0]), len(each.normalised))
            if alike > score and alike[0] >= least:
                best, score = each, alike
    return best


def _attached(
    place: int, told: ReadRecommendation, found: "dict[tuple[int, str | None], Gathered]"
) -> Iterator[Attached]:
    """The row, once for each recommendation that its States lead to. States that lead nowhere go with the first."""
    by_known: dict[int, list[str]] = defaultdict(list)
    known: dict[int, Gathered | None] = {}
    first = next((found[place, state] for state in told.recommending_states if (place, state) in found), None)
    for state in told.recommending_states or (None,):
        leads_to = found.get((place, state), first)
        known[id(leads_to)] = leads_to
        by_known[id(leads_to)] += [state] if state else []
    for key, states in by_known.items():
        whole = len(by_known) == 1
        yield Attached(told if whole else replace(told, recommending_states=tuple(states)), place, known[key])
