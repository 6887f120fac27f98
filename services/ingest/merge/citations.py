"""Which recommendations a document means by the numbers that it cites.

Numbers alone do not name a recommendation: those of a review begin anew with every cycle. The review is told by the
sentence (a symbol, "second cycle"), else by the kind of the document: a mid-term report follows up on its own review,
a national report on the one before. Only recommendations that are there are linked; what cannot be decided stays as
printed. The answer depends on what is stored alone, so the order of loading does not matter.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from services.core.domain.documents import BEFORE_THE_REVIEW
from services.core.store.paragraphs import Citation, ParagraphRecord


class Numbered(NamedTuple):
    """A recommendation with its printed number: what a citation can mean."""

    id: str
    cycle: int
    number: str
    part: str | None


class Lists:
    """The recommendations of one State, by cycle and number."""

    def __init__(self, recommendations: Iterable[Numbered]) -> None:
        self._by_cycle: dict[int, dict[str, list[Numbered]]] = defaultdict(lambda: defaultdict(list))
        for each in recommendations:
            self._by_cycle[each.cycle][each.number].append(each)
        self._paragraphs = {
            cycle: {number.partition(".")[0] for number in numbers if "." in number}
            for cycle, numbers in self._by_cycle.items()
        }

    def meant(self, number: str, cycle: int) -> list[str]:
        """The ids of what bears a number in a cycle, all parts of it; none where two bear it by mistake."""
        bearing = self._by_cycle.get(cycle, {}).get(self._in_full(number, cycle), [])
        if len(bearing) > 1 and not all(each.part for each in bearing):
            return []
        return sorted(each.id for each in bearing)

    def cycles_with(self, paragraph: str) -> list[int]:
        """The cycles whose report lists recommendations under a paragraph of this number."""
        return [cycle for cycle in self._by_cycle if paragraph in self.paragraphs(cycle)]

    def is_held(self, cycle: int) -> bool:
        """Whether recommendations of this cycle are stored with their numbers."""
        return bool(self._by_cycle.get(cycle))

    def _in_full(self, number: str, cycle: int) -> str:
        """A plain number with that of its paragraph, if all recommendations stand under one: else it may be counted
        through all lists, or within one of them."""
        paragraphs = self.paragraphs(cycle)
        return f"{next(iter(paragraphs))}.{number}" if number.isdecimal() and len(paragraphs) == 1 else number

    def paragraphs(self, cycle: int) -> set[str]:
        """The numbers of the paragraphs under which the report of a cycle lists recommendations."""
        return self._paragraphs.get(cycle, set())


def resolved(paragraphs: Iterable[ParagraphRecord], lists: Lists) -> dict[str, list[Citation]]:
    """What the paragraphs cite, by id: only of those whose links are other ones than they hold."""
    found: dict[str, list[Citation]] = {}
    for each in paragraphs:
        cited = [Citation(**{**one, "recommendations": _meant(each, one, lists)}) for one in each.citations]
        if cited != each.citations:
            found[each.id] = cited
    return found


def _meant(paragraph: ParagraphRecord, citation: Citation, lists: Lists) -> list[str]:
    if citation["cycle"] is not None:
        return lists.meant(citation["printed"], citation["cycle"])
    followed = paragraph.cycle - 1 if paragraph.document_kind in BEFORE_THE_REVIEW else paragraph.cycle
    if found := lists.meant(citation["printed"], followed):
        return found
    # Another review's list is meant if the one it should be is held, and has no list under such a paragraph.
    prefix, dot, _ = citation["printed"].partition(".")
    if not dot or not lists.is_held(followed):
        return []
    others: Sequence[int] = [cycle for cycle in lists.cycles_with(prefix) if cycle < followed]
    return (
        lists.meant(citation["printed"], others[0])
        if len(others) == 1 and prefix not in lists.paragraphs(followed)
        else []
    )
