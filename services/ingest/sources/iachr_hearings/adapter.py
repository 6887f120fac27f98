"""The Commission's pages of hearings, by number and language."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from sqlalchemy import select

from services.core.store.hearings import hearings_table
from services.ingest.fetching.outcomes import Fetched, NotFetchedError
from services.ingest.parsers.iachr_words import tells_of_hearing
from services.ingest.sources.base import Found, Visit

HTML = frozenset({"html"})


class IachrHearings:
    """Finds hearings from the numbers that are known, down and up, until there is none for a while.

    The site answers every number with a page: what tells of no period of sessions is of no hearing.
    """

    name = "iachr_hearings"

    def find(self, visit: Visit) -> Iterator[Found]:
        """The pages of each hearing in the languages that it has. Raises `NotFetchedError` where the host refuses."""
        rules, known = numbers(), _known(visit)
        search = _Search(visit, rules["languages"])
        for number in sorted(number for number, is_wanted in known.items() if is_wanted):
            yield from search.pages(number, is_known=True)
        anchor = rules["anchor"]
        walks = [(max(known, default=anchor - 1), 1)]
        if visit.since is None:
            walks.append((min(known, default=anchor), -1))
        for start, step in walks:
            yield from self._walk(search, start, step)

    def _walk(self, search: "_Search", start: int, step: int) -> Iterator[Found]:
        missing, number = 0, start + step
        while missing < numbers()["gap"] and search.new < numbers()["most_new"] and number > 0:
            found = list(search.pages(number, is_known=False))
            missing = 0 if found else missing + 1
            search.new += bool(found)
            yield from found
            number += step


@dataclass
class _Search:
    """One visit's looking at numbers. `new`: hearings that were not known."""

    visit: Visit
    languages: list[str]
    new: int = 0
    looked: int = 0
    _seen: set[str] = field(default_factory=set)

    def pages(self, number: int, *, is_known: bool) -> Iterator[Found]:
        """The pages of one hearing. Of an unknown number, others are asked for if the first language has it."""
        self.looked += 1
        self.visit.told(self.looked, None)
        for place, language in enumerate(self.languages):
            address = f"{self.visit.sites['oas']}/{numbers()['path'][language]}?Hearing={number}"
            page = self._page(Found(address, f"Hearing {number} ({language})", HTML), is_known=is_known)
            if page is not None:
                yield page
            elif place == 0 and not is_known:
                return

    def _page(self, found: Found, *, is_known: bool) -> Found | None:
        """The page, if it tells of a hearing that no other address gave. One not to be had is asked for again."""
        answer = fetched(self.visit, found.address)
        if answer is None:
            return None
        if isinstance(answer, NotFetchedError):
            return found if is_known else None
        if answer.sha256 in self._seen or not tells_of_hearing(answer.path.read_bytes()):
            return None
        self._seen.add(answer.sha256)
        return Found(found.address, found.name, HTML, kept=answer.path)


def fetched(visit: Visit, address: str) -> Fetched | NotFetchedError | None:
    """A page; None where there is none; the error where it could not be had. Raises it where the host refuses."""
    try:
        return visit.fetch(address, kinds=HTML, may_be_missing=True)
    except NotFetchedError as error:
        if error.host_refuses:
            raise
        return None if error.missing else error


def _known(visit: Visit) -> dict[int, bool]:
    """The numbers of hearings that are held, and whether each is as new as is asked for."""
    columns = hearings_table.c
    query = select(columns.number, columns.date).where(columns.number.is_not(None), columns.iachr_period.is_not(None))
    with visit.engine.connect() as connection:
        rows = connection.execute(query).all()
    since = visit.since
    return {row.number: since is None or row.date is None or row.date >= since for row in rows}


@cache
def numbers() -> dict[str, Any]:
    """How numbers are walked through (`numbers.toml`)."""
    file = files("services.ingest.sources.iachr_hearings") / "numbers.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))
