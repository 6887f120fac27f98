"""The list of the Subcommittee on Prevention of Torture, on OHCHR's site."""

from collections.abc import Iterator

from services.ingest.sources.base import Found, Visit

_PATH = "es/treaty-bodies/spt/national-preventive-mechanisms"


class NpmPage:
    """Finds the page of the list, in Spanish, in which many mechanisms have their names."""

    name = "npm_list"

    def find(self, visit: Visit) -> Iterator[Found]:
        """The one page."""
        yield Found(f"{visit.sites['ohchr']}/{_PATH}", "National preventive mechanisms (es)", frozenset({"html"}))
