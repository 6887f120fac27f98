"""Reads UPR Info's database part by part, until all of it is there, and makes one file of it."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from services.ingest.datasets.upr_info_uwazi import RECOMMENDATIONS
from services.ingest.fetching.outcomes import NotFetchedError
from services.ingest.reading import ReadIssue
from services.ingest.sources.base import Found, Visit
from services.ingest.sources.upr_info.rows import Rows
from services.ingest.sources.upr_info.uwazi import MISSING, Filters, Page, Property, Uwazi

_FILE = "upr-info.json"


class UprInfo:
    """Finds the database as one file, which is whole or not found at all: a part must never stand for the whole.

    A search gives 10,000 rows at most, so it is split by State, then by session and so on, until each part is below
    that. Each part is compared with the count of its bucket, and all rows with counts by other fields.
    """

    name = "upr_info"

    def find(self, visit: Visit) -> Iterator[Found]:
        """The file. Raises `NotFetchedError` where the database cannot be read whole (`docs/ingest.md`)."""
        site = visit.sites["database"]
        path = visit.folder / _FILE
        with Rows(visit.folder) as rows:
            _Reading(visit, Uwazi(site, visit.fetch), rows).read()
            rows.write(path)
        yield Found(
            address=f"{site}/api/search?types=%5B%22{RECOMMENDATIONS}%22%5D",
            name="UPR Info's database",
            kinds=frozenset({"json"}),
            language="en",
            kept=path,
        )


@dataclass(frozen=True, slots=True)
class _Part:
    """A search, and how many rows it must have, where a bucket told."""

    filters: Filters
    expected: int | None = None

    def __str__(self) -> str:
        return ", ".join(f"{name}={value}" for name, value in self.filters) or "all recommendations"


@dataclass
class _Reading:
    visit: Visit
    uwazi: Uwazi
    rows: Rows
    properties: Mapping[str, Property] = field(default_factory=dict)

    def read(self) -> None:
        """Read everything. Raises `NotFetchedError` where less came than there is."""
        self.properties = {each.name: each for each in self.uwazi.properties(RECOMMENDATIONS)}
        if lost := [name for name in _asked()["read_fields"] if name not in self.properties]:
            raise self._fault("unexpected_answer", f"recommendations have no field {', '.join(lost)} any more")
        whole = self._count(_Part(()))
        if not whole.total:
            raise self._fault("nothing_found", "the database answers with no recommendation at all")
        self._read_part(_Part(()), whole, tuple(_asked()["split_by"]))
        self._compare(whole)

    def _read_part(self, part: _Part, counted: Page, split_by: tuple[str, ...]) -> None:
        """Read a part that is small enough, or its parts."""
        if not _is_capped(counted):
            self._read_pages(part, counted)
            return
        known = [name for name in split_by if name in self.properties]
        if not known:
            raise self._fault("part_too_large", f"{part}: more rows than a search gives, and nothing to split it by")
        for smaller in self._split(part, counted, known[0]):
            within = self._count(smaller)
            self._check(smaller, within)
            self._read_part(smaller, within, split_by[split_by.index(known[0]) + 1 :])

    def _split(self, part: _Part, counted: Page, name: str) -> list[_Part]:
        """The part by each value of a field: as its buckets tell, else as the thesaurus or the entities do."""
        buckets = counted.buckets.get(name, {})
        if buckets:
            return [_Part((*part.filters, (name, value)), count) for value, count in sorted(buckets.items())]
        values = [*self._values(self.properties[name]), MISSING]
        return [_Part((*part.filters, (name, value))) for value in values]

    def _values(self, field_: Property) -> list[str]:
        if field_.content is None:
            return []
        if field_.type != "relationship":
            return sorted(self.uwazi.thesaurus(field_.content))
        entities = self.uwazi.search(field_.content, (), 0, _asked()["most_in_a_search"])
        return sorted({row["sharedId"] for row in entities.rows if isinstance(row.get("sharedId"), str)})

    def _count(self, part: _Part) -> Page:
        return self.uwazi.search(RECOMMENDATIONS, part.filters, 0, 1)

    def _check(self, part: _Part, counted: Page) -> None:
        """Raise where the filter did not do what it should: an unknown id finds nothing, an unknown field all."""
        if part.expected is None or _is_near(counted.total, part.expected) or _is_capped(counted, part.expected):
            return
        counts = f"{counted.total:,} rows, where the whole search counts {part.expected:,}"
        raise self._fault("filter_without_effect", f"{part}: {counts}: the ids of the site have changed")

    def _read_pages(self, part: _Part, counted: Page) -> None:
        """Read a part until all its rows came: pages move while they are read, so that a row may hide between two."""
        came: set[str] = set()
        total = counted.total
        for again in range(_asked()["most_passes"]):
            # Other pages have other addresses: nobody on the way answers with those that moved.
            ids, totals = self._pass(part, total, _asked()["rows_at_once"] - again)
            came, total = came | ids, totals[-1]
            if len(set(totals)) == 1 and len(ids) >= total:
                return
        if not _is_near(len(came), total):
            raise self._fault("rows_missing", f"{part}: {len(came):,} of {total:,} rows came")
        self.visit.note(ReadIssue("warning", "rows_move", f"{part}: {len(came):,} of {total:,} rows came"))

    def _pass(self, part: _Part, total: int, at_once: int) -> tuple[set[str], list[int]]:
        """All pages once: the ids that came, and how many rows the site said there are. A page that repeats ends it."""
        came: set[str] = set()
        totals = [total]
        start = 0
        while start < min(totals[-1], _asked()["most_in_a_search"]):
            page = self.uwazi.search(RECOMMENDATIONS, part.filters, start, at_once)
            new = self.rows.add(page.rows) - came
            if not new:
                break
            came |= new
            start += len(page.rows)
            totals.append(page.total)
            self.visit.told(len(self.rows), None)
        return came, totals

    def _compare(self, whole: Page) -> None:
        """Raise where fewer rows came than there are by counts that had no part in the splitting."""
        counts = [sum(whole.buckets[name].values()) for name in _asked()["counted_by"] if whole.buckets.get(name)]
        if _is_capped(whole) and not counts:
            raise self._fault("unexpected_answer", "no field counts how many recommendations there are")
        there = max(min(counts, default=0), whole.total)
        if len(self.rows) < there and not _is_near(len(self.rows), there):
            raise self._fault("rows_missing", f"{len(self.rows):,} of {there:,} recommendations came")

    def _fault(self, code: str, detail: str) -> NotFetchedError:
        return NotFetchedError(code, detail, address=self.uwazi.site)


def _is_capped(page: Page, expected: int = 0) -> bool:
    """Whether a search does not give all that it finds. `expected`: what was known before, if that is beyond it."""
    most: int = _asked()["most_in_a_search"]
    return (page.at_least or page.total >= most) and (not expected or expected >= most)


def _is_near(count: int, there: int) -> bool:
    """Whether two counts differ by no more than what people edit in a while; one row is always allowed."""
    return abs(count - there) <= max(1, there * _asked()["few_gone"]) and bool(count or there <= 1)


@cache
def _asked() -> dict[str, Any]:
    return tomllib.loads((files("services.ingest.sources.upr_info") / "queries.toml").read_text(encoding="utf-8"))
