"""Tables of the accreditation of national human rights institutions, where the operator keeps them."""

from collections.abc import Iterator

from services.ingest.sources.base import Found, Visit
from services.ingest.sources.tables import tables_at


class NhriTables:
    """Finds the tables; what they are, their columns say."""

    name = "nhri_status"

    def find(self, visit: Visit) -> Iterator[Found]:
        """Every table there. Raises `NotFetchedError` where the folder is not there."""
        return tables_at(visit.sites["tables"], visit)
