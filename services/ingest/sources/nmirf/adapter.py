"""Scorecards of national mechanisms for implementation, reporting and follow-up, where the operator keeps them."""

from collections.abc import Iterator

from services.ingest.sources.base import Found, Visit
from services.ingest.sources.tables import tables_at


class NmirfTables:
    """Finds the tables; what they are, their columns say."""

    name = "nmirf"

    def find(self, visit: Visit) -> Iterator[Found]:
        """Every table there. Raises `NotFetchedError` where the folder is not there."""
        return tables_at(visit.sites["tables"], visit)
