"""What a source is: somebody's site (or a folder) that an adapter searches for what we want to read.

An adapter finds; it neither reads documents nor writes records. What it finds is fetched, kept by its hash, read in the
sandbox by the parser or data set that its bytes tell, compared with what is held, and only then stored (`pipeline.py`).
"""

import datetime
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sqlalchemy import Engine

from services.ingest.fetching.outcomes import Fetched, NotFetchedError
from services.ingest.reading import ReadIssue


@dataclass(frozen=True, slots=True)
class Found:
    """One file that a source has, or should have.

    `address`: where it is fetched, and who it is from one run to the next. `name`: what people call it, in reports
    and Issues ("A/HRC/22/15 (en)"). `kinds`: what its bytes may be (`Fetched.kind`). `symbol` and `language`, where
    the source tells them: a file that turns out to be another document is an Issue. `may_be_missing`: an address made
    by rule, of which it is no news that nothing is there. `kept`: the file itself, where the adapter put it together
    from answers that it fetched (the pages of an API); then nothing more is fetched.
    """

    address: str
    name: str
    kinds: frozenset[str]
    symbol: str | None = None
    language: str | None = None
    may_be_missing: bool = False
    kept: Path | None = None
    most_bytes: int | None = None


class Fetch(Protocol):
    """Asks for one address with all manners (docs/ingest.md). Raises `NotFetchedError`."""

    def __call__(
        self,
        address: str,
        *,
        kinds: frozenset[str],
        most_bytes: int | None = None,
        headers: Mapping[str, str] | None = None,
        may_be_missing: bool = False,
    ) -> Fetched:
        """The file at `address`, if it is one of `kinds`. `most_bytes`: more than the usual bound, for an export.

        `may_be_missing`: as in `Found`; a web page in the place of a document then says that there is none.
        """
        ...


@dataclass(frozen=True)
class Visit:
    """What an adapter has at hand while it searches.

    `sites`: the addresses of `source.yml`, by name, without a slash at the end; an operator may have put mirrors in
    their place. `since`: only what is newer is wanted, where the source can tell. `engine`: to read what is held
    (reviews, their sessions, symbols cited). `folder`: for files that the adapter puts together; kept for a resumed
    run. `note`: tells an Issue. `told`: tells people how far the search is (done, of how many or None). `unread`: tells
    which part (a State's page, say) could not be searched, and why: the run goes on, takes nothing for gone that it did
    not find, and says that some was not read.
    """

    sites: Mapping[str, str]
    since: datetime.date | None
    engine: Engine
    fetch: Fetch
    folder: Path
    note: Callable[[ReadIssue], None]
    told: Callable[[int, int | None], None]
    unread: Callable[[str, NotFetchedError], None]


class Adapter(Protocol):
    """Searches one source."""

    name: str
    """The folder's name, which `upr ingest run` takes."""

    def find(self, visit: Visit) -> Iterator[Found]:
        """Everything that the source has, in the same order each time, found while it is asked for.

        Raises `NotFetchedError` where the search itself cannot go on; a part that cannot be searched is `unread`.
        """
        ...
