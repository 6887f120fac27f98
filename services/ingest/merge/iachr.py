"""Which hearing of the Inter-American Commission an entry means, where documents do not tell its number.

The Commission's page of a hearing bears the number; the annexes of its press releases have titles alone. Entries are of
one hearing where they stand at the same place in two languages of one annex, or bear the same title, in one period.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from services.core.domain.identifiers import iachr_hearing_id, normalised_text, unnumbered_iachr_hearing_id
from services.ingest.merge.sources import SourceReading, rank
from services.ingest.reading import ReadHearing

_LANGUAGES = ("es", "en", "pt", "fr")
"""Of these a hearing without a number has its id: Spanish is the language that the Commission publishes in first."""

_Place = tuple[int, int]
"""Which hearing of which source."""


@dataclass
class _Group:
    """Entries that mean one hearing: their places, the number if one tells it, and what titles they bear."""

    period: int
    number: int | None
    places: list[_Place] = field(default_factory=list)
    titles: set[str] = field(default_factory=set)
    unnumbered: list[tuple[int, str]] = field(default_factory=list)
    """Ids made of the titles of entries without a number, each with the rank of its language."""

    @property
    def id(self) -> str:
        return min(self.unnumbered)[1] if self.number is None else iachr_hearing_id(self.period, self.number)

    @property
    def aliases(self) -> tuple[str, ...]:
        return tuple(sorted({each for _, each in self.unnumbered} - {self.id}))

    def take(self, other: "_Group") -> None:
        self.places += other.places
        self.titles |= other.titles
        self.unnumbered += other.unnumbered


def identified(sources: Sequence[SourceReading]) -> tuple[list[SourceReading], dict[str, tuple[str, ...]]]:
    """The sources with the ids of the hearings they tell of, and the ids that each hearing bore or may have borne.

    `sources`: the weightiest first. Hearings that bear an id already keep it.
    """
    numbered: dict[str, _Group] = {}
    for place, hearing in _entries(sources):
        if hearing.number is not None and hearing.iachr_period is not None:
            group = _group(place, hearing, sources[place[0]].language)
            numbered.setdefault(group.id, _Group(group.period, group.number)).take(group)
    groups = list(numbered.values())
    for group in _unnumbered(sources):
        known = [each for each in groups if each.period == group.period and each.titles & group.titles]
        if len(known) == 1:
            known[0].take(group)
        else:
            groups.append(group)
    ids = {place: group.id for group in groups for place in group.places}
    return [_with_ids(place, source, ids) for place, source in enumerate(sources)], {
        group.id: group.aliases for group in groups
    }


def _entries(sources: Sequence[SourceReading]) -> Iterable[tuple[_Place, ReadHearing]]:
    for number, source in enumerate(sources):
        yield from (((number, place), hearing) for place, hearing in enumerate(source.reading.hearings))


def _group(place: _Place, hearing: ReadHearing, language: str) -> _Group:
    assert hearing.iachr_period is not None
    group = _Group(hearing.iachr_period, hearing.number, [place])
    if hearing.title:
        group.titles.add(_key(hearing))
        if hearing.number is None:
            made = unnumbered_iachr_hearing_id(hearing.iachr_period, _key(hearing))
            group.unnumbered.append((rank(language, _LANGUAGES), made))
    return group


def _key(hearing: ReadHearing) -> str:
    """What tells a title of a period from others. Hearings on several States may bear the same one."""
    return " ".join((*sorted(hearing.states), normalised_text(hearing.title or "")))


def _unnumbered(sources: Sequence[SourceReading]) -> list[_Group]:
    """The entries without a number; those of a document's languages are joined where number and States agree."""
    by_document: dict[str, list[list[_Group]]] = defaultdict(list)
    states: dict[str, list[tuple[str, ...]]] = {}
    for number, source in enumerate(sources):
        told = [(place, each) for place, each in enumerate(source.reading.hearings) if _lacks_number(each)]
        groups = [_group((number, place), hearing, source.language) for place, hearing in told]
        order = [hearing.states for _, hearing in told]
        lists = by_document[source.document]
        if lists and order == states[source.document]:
            for held, group in zip(lists[0], groups, strict=True):
                held.take(group)
        else:
            states.setdefault(source.document, order)
            lists.append(groups)
    return [group for lists in by_document.values() for groups in lists for group in groups]


def _lacks_number(hearing: ReadHearing) -> bool:
    return hearing.number is None and hearing.iachr_period is not None and bool(hearing.title)


def _with_ids(number: int, source: SourceReading, ids: dict[_Place, str]) -> SourceReading:
    hearings = tuple(
        replace(hearing, id=ids.get((number, place), hearing.id))
        for place, hearing in enumerate(source.reading.hearings)
    )
    return source if hearings == source.reading.hearings else replace(
        source, reading=replace(source.reading, hearings=hearings)
    )  # fmt: skip
