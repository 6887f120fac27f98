"""The pictures of pages, from what the JSON of the same resource says. Each number leads to the search for it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit

from markupsafe import Markup

from services.core.pages.charts import Bar, answer_bars, answers_by_cycle, year_bars
from services.core.pages.heat_map import Column, HeatRow, heat_map
from services.core.pages.tile_map import Tile, places, tile_map
from services.core.pages.words import Words
from services.core.schemas.shapes import Shape

TOPICS_DRAWN = 15
"""Topics that a heat map shows; the table beside it has all."""
BLOCS_DRAWN = 8
FIRST_REGION = "grulac"


@dataclass(frozen=True)
class Found:
    """The search page for what a list of the API holds: the same filters, and so the same records."""

    search_home: str
    language: str

    def __call__(self, url: str, **narrower: object) -> str:
        """The search for what the list at `url` holds, narrowed down by more filters."""
        address = urlsplit(url)
        pairs = [
            ("lang", self.language),
            ("type", address.path.rpartition("/")[2]),
            *parse_qsl(address.query),
            *((name, str(value)) for name, value in narrower.items()),
        ]
        return f"{self.search_home}?{urlencode(pairs)}"


@dataclass(frozen=True)
class Pictures:
    """The pictures of one page: in its language, leading to the search."""

    words: Words
    found: Found

    def by_cycle(self, several: Sequence[tuple[int, Mapping[str, int]]], url: str, name: str) -> Markup:
        """Answers by cycle, of what the list at `url` holds."""
        return answers_by_cycle(several, name, self.words, self._leading_to(url))

    def bars(self, rows: Iterable[Shape], name: str) -> Markup:
        """Answers of each row, which has a name and the `url` of its list."""
        return answer_bars([Bar(row["name"], row, self._leading_to(row["url"])) for row in rows], name, self.words)

    def years(self, several: Sequence[Shape], name: str) -> Markup:
        """Totals by year, each with the `url` of its list."""
        links = {each["year"]: self.found(each["url"]) for each in several}
        return year_bars([(each["year"], each["total"]) for each in several], name, links.__getitem__)

    def topics(self, topics: Sequence[Shape], cycles: Sequence[int], unread: Sequence[int], name: str) -> Markup:
        """Topics by cycle. `unread` are cycles of which nothing was read: no zeros."""
        rows = [
            HeatRow(topic["name"], self._cells(topic, cycles, unread), self._cycle_of(topic["url"], cycles))
            for topic in topics[:TOPICS_DRAWN]
        ]
        called = [self.words("record.cycle", cycle=cycle) for cycle in cycles]
        return heat_map(rows, [Column(name, name) for name in called], name, self.words)

    def topics_by_region(self, regions: Sequence[Shape], topics: Sequence[Shape], name: str) -> Markup:
        """Who recommends what: the first topics by the regional groups of those who recommend."""
        held = totals_by_region(regions)
        rows = []
        for topic in topics[:TOPICS_DRAWN]:
            counts = [held[region["code"]].get(topic["code"], 0) for region in regions]
            rows.append(HeatRow(topic["name"], counts, self._regions(topic, regions)))
        columns = [Column(self.words(f"chart.short_{region['code']}"), region["name"]) for region in regions]
        return heat_map(rows, columns, name, self.words)

    def tiles(self, region: str, states: Sequence[Shape], every: Iterable[Shape], url: str, name: str) -> Markup:
        """The States of a regional group, with what each got; `every` are all of its States by code and name."""
        held = {state["code"]: state for state in states}
        tiles = [
            Tile(
                code=each["code"],
                name=each["name"],
                count=held[each["code"]]["total"] if each["code"] in held else None,
                supported=held[each["code"]]["supported"] if each["code"] in held else 0,
                link=self.found(url, state_under_review=each["code"]),
            )
            for each in every
        ]
        return tile_map(region, tiles, name, self.words)

    def _leading_to(self, url: str) -> Callable[..., str]:
        return lambda **narrower: self.found(url, **narrower)

    def _cycle_of(self, url: str, cycles: Sequence[int]) -> Callable[[int], str]:
        return lambda place: self.found(url, cycle=cycles[place])

    def _regions(self, topic: Shape, regions: Sequence[Shape]) -> Callable[[int], str]:
        return lambda place: self.found(topic["url"], recommending_region=regions[place]["code"])

    def _cells(self, topic: Shape, cycles: Sequence[int], unread: Sequence[int]) -> list[int | None]:
        held = totals_of(topic["by_cycle"])
        return [None if cycle in unread else held.get(cycle, 0) for cycle in cycles]


def region_asked(asked: str | None) -> str:
    """The regional group whose map is shown: the one asked for, where there is such a map."""
    return asked if asked is not None and asked in places() else FIRST_REGION


def totals_of(by_cycle: Iterable[Shape]) -> dict[int, int]:
    """Totals by cycle."""
    return {each["cycle"]: each["total"] for each in by_cycle}


def totals_by_region(regions: Iterable[Shape]) -> dict[str, dict[str, int]]:
    """Totals by the code of a regional group and by topic."""
    return {region["code"]: {topic["code"]: topic["total"] for topic in region["topics"]} for region in regions}
