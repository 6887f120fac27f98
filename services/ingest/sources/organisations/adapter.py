"""The project's file of facts about organisations, as a source: it comes with the version that is installed."""

from collections.abc import Iterator
from importlib.resources import as_file, files

from services.ingest.sources.base import Found, Visit

_FILE = "organisations.toml"


class OrganisationFile:
    """Finds the file."""

    name = "organisations"

    def find(self, visit: Visit) -> Iterator[Found]:  # noqa: ARG002 - as every adapter's
        """The one file."""
        with as_file(files("services.ingest.sources.organisations") / _FILE) as path:
            yield Found(f"openupr:{_FILE}", _FILE, frozenset({"text"}), kept=path)
