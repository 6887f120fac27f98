"""Tables at an address that the operator sets: one file of a site, or whatever lies in a folder or S3 prefix."""

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlsplit

from services.ingest.sources.base import Found, Visit
from services.ingest.sources.folder.adapter import Folder

_KINDS = frozenset({"csv", "text", "xlsx", "xls", "doc_ole2"})
_MOST_BYTES = 20 * 2**20


def tables_at(address: str, visit: Visit) -> Iterator[Found]:
    """The tables there. Raises `NotFetchedError` where there is no such folder."""
    if urlsplit(address).scheme in ("http", "https"):
        name = urlsplit(address).path.rpartition("/")[2] or address
        yield Found(address, name, _KINDS, most_bytes=_MOST_BYTES)
        return
    for found in Folder().find(replace(visit, sites={"folder": address})):
        yield replace(found, kinds=_KINDS, most_bytes=_MOST_BYTES)
