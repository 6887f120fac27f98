"""The annexes of the Commission's press releases: `…/2024/264A.asp` beside `…/2024/264.asp`."""

import datetime
import re
import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from importlib.resources import files
from typing import Any

from sqlalchemy import select

from services.core.domain.documents import DocumentKind
from services.core.store.documents import documents_table
from services.ingest.fetching.outcomes import Fetched, NotFetchedError
from services.ingest.parsers.iachr_words import tells_of_hearing
from services.ingest.sources.base import Found, Visit
from services.ingest.sources.iachr_hearings.adapter import HTML, fetched

_ANNEX = re.compile(r"/(\d{4})/0*(\d{1,3})A\.asp", re.IGNORECASE)
_ORIGINAL = "es"


class IachrPress:
    """Finds annexes: those that are held, and those of releases since, year by year.

    A year of which an annex is held is walked from there on if it is this or the last one, and no more if it is older.
    """

    name = "iachr_press"

    def __init__(self, today: Callable[[], datetime.date] = datetime.date.today) -> None:
        self._today = today

    def find(self, visit: Visit) -> Iterator[Found]:
        """The annexes that sum up hearings. Raises `NotFetchedError` where the host refuses."""
        known = _known(visit)
        this_year = self._today().year
        first = visit.since.year if visit.since else releases()["first_year"]
        years = range(first, this_year + 1)
        for done, year in enumerate(years):
            visit.told(done, len(years))
            for number in known.get(year, ()):
                yield from self._annex(visit, year, number, is_known=True)
            if year >= this_year - 1 or year not in known:
                yield from self._walk(visit, year, max(known.get(year, (0,))))

    def _walk(self, visit: Visit, year: int, after: int) -> Iterator[Found]:
        missing, number = 0, after + 1
        while missing < releases()["gap"]:
            page = fetched(visit, _address(visit, _ORIGINAL, year, f"{number:03d}"))
            is_there = isinstance(page, Fetched) and b"/prensa/" in page.path.read_bytes()
            missing = 0 if is_there else missing + 1
            if isinstance(page, Fetched) and tells_of_hearing(page.path.read_bytes()):
                yield from self._annex(visit, year, number, is_known=False)
            number += 1

    def _annex(self, visit: Visit, year: int, number: int, *, is_known: bool) -> Iterator[Found]:
        seen: set[str] = set()
        for language in releases()["folder"]:
            address = _address(visit, language, year, f"{number:03d}A")
            name = f"Press release {number}A/{year} ({language})"
            answer = fetched(visit, address)
            if isinstance(answer, NotFetchedError) and is_known:
                yield Found(address, name, HTML)
            if isinstance(answer, Fetched) and answer.sha256 not in seen:
                seen.add(answer.sha256)
                if tells_of_hearing(answer.path.read_bytes()):
                    yield Found(address, name, HTML, kept=answer.path)


def _address(visit: Visit, language: str, year: int, number: str) -> str:
    rules = releases()
    folder = rules["folder"][language]
    address: str = rules["address"]
    return address.format(site=visit.sites["oas"], language=language, folder=folder, year=year, number=number)


def _known(visit: Visit) -> dict[int, list[int]]:
    """The numbers of the releases of which an annex is held, by year."""
    columns = documents_table.c
    query = select(columns.address).where(
        columns.kind == DocumentKind.IACHR_PRESS_RELEASE, columns.address.is_not(None)
    )
    found: dict[int, list[int]] = {}
    with visit.engine.connect() as connection:
        for address in connection.scalars(query):
            if annex := _ANNEX.search(address):
                found.setdefault(int(annex[1]), []).append(int(annex[2]))
    return {year: sorted(numbers) for year, numbers in found.items()}


@cache
def releases() -> dict[str, Any]:
    """Where releases are (`releases.toml`)."""
    file = files("services.ingest.sources.iachr_press") / "releases.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))
