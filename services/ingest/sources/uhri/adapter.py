"""The one file that UHRI exports everything to."""

from collections.abc import Iterator

from services.ingest.sources.base import Found, Visit

_KINDS = frozenset({"json"})
_MOST_BYTES = 2**30
"""The English export had 365 to 400 MB in 2025 and 2026."""


class UhriExport:
    """Finds the full export in English.

    It is asked for on condition that it has changed. What of it is loaded with `--since` is decided by its rows
    (`PublicationDateOnUhri`), review by review and document by document, each whole.
    """

    name = "uhri"

    def find(self, visit: Visit) -> Iterator[Found]:
        """The export."""
        yield Found(
            address=f"{visit.sites['exports']}/export-full-en.json",
            name="UHRI, full export (en)",
            kinds=_KINDS,
            language="en",
            most_bytes=_MOST_BYTES,
        )
        visit.told(1, 1)
