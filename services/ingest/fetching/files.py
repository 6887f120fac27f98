"""The same as `fetcher`, for files of folders and S3 prefixes: no manners are owed there, and no guard is needed.

An operator says which folder a source is; only what lies in it is read, whatever an address or a link says.
"""

import datetime
import os
import posixpath
import stat
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

import fsspec

from services.core.store.archive import Archive, Incoming
from services.ingest.fetching.codes import FetchError
from services.ingest.fetching.intake import NOT_MODIFIED, Wanted
from services.ingest.fetching.kept import FETCHED, UNCHANGED, Kept, Resource, Response
from services.ingest.fetching.kinds import is_whole, kind_of
from services.ingest.fetching.outcomes import Fetched

SCHEMES = frozenset({"file", "s3"})
_STEP = 1024 * 1024
_OK = 200


class Files:
    """Takes files out of folders. Threads may share it."""

    def __init__(self, archive: Archive, kept: Kept, folders: Sequence[str]) -> None:
        """`folders`: the addresses that files may lie under, `file:///…` or `s3://bucket/…`."""
        self._archive = archive
        self._kept = kept
        self._folders = tuple(_Place(folder) for folder in folders)

    def take(self, wanted: Wanted, resource: Resource | None) -> Fetched:
        """The file at an address, of which we know `resource`. Raises `FetchError`."""
        address = wanted.address
        place = self._place(address)
        response = Response(address, address, "due" if resource else "first", datetime.datetime.now(datetime.UTC))
        with self._kept.noting(response):
            try:
                return self._taken(place, resource, response, wanted)
            except FileNotFoundError as fault:
                raise FetchError("missing", f"{address} is no longer there.") from fault
            except ImportError as fault:
                raise FetchError("no_driver", f"{place.scheme}:// cannot be read: {fault}") from fault
            except (OSError, ValueError) as fault:
                why = getattr(fault, "strerror", None) or str(fault)
                raise FetchError("not_readable", f"{address} cannot be read: {why}") from fault

    def _place(self, address: str) -> "_Place":
        try:
            place = _Place(address)
        except ValueError as fault:
            raise FetchError("refused_address", f"{address[:200]} cannot be read.") from fault
        if not any(place.lies_in(folder) for folder in self._folders):
            raise FetchError("refused_address", f"{address[:200]} does not lie in the folder of the source.")
        return place

    def _taken(self, place: "_Place", resource: Resource | None, response: Response, wanted: Wanted) -> Fetched:
        kinds, most_bytes = wanted.kinds or frozenset(), wanted.most_bytes
        files, _ = fsspec.core.url_to_fs(f"{place.scheme}://")
        info = files.info(place.path)
        if info.get("type") != "file" or not stat.S_ISREG(info.get("mode", stat.S_IFREG)):
            raise FetchError("not_readable", f"{place.path} is no file.")
        if int(info["size"]) > most_bytes:
            raise FetchError("too_large", f"The file has {info['size']} bytes, more than {most_bytes}.")
        response.headers = {"etag": _state(info)}
        if resource is not None and self._is_held(resource, response.headers["etag"], kinds):
            return self._unchanged(resource, response)
        with files.open(place.path, "rb", block_size=_STEP) as file, self._archive.receiving() as incoming:
            self._copy(file, incoming, int(info["size"]))
            return self._judged(incoming, resource, response, kinds)

    def _is_held(self, resource: Resource, etag: str, kinds: frozenset[str]) -> bool:
        same = resource.sha256 is not None and (resource.headers or {}).get("etag") == etag
        return same and resource.kind in kinds and self._archive.path(resource.sha256 or "").exists()

    def _unchanged(self, resource: Resource, response: Response) -> Fetched:
        response.outcome, response.status = UNCHANGED, NOT_MODIFIED
        response.kind, response.sha256, response.size = resource.kind, resource.sha256, resource.size
        return _fetched(self._archive, response)

    def _copy(self, file: Any, incoming: Incoming, size: int) -> None:
        while part := file.read(_STEP):
            incoming.write(part)
            if incoming.size > size:
                break
        if incoming.size != size:
            raise FetchError("incomplete", "The file is being written.")
        incoming.flush()

    def _judged(
        self, incoming: Incoming, resource: Resource | None, response: Response, kinds: frozenset[str]
    ) -> Fetched:
        response.status, response.size, response.kind = _OK, incoming.size, kind_of(incoming.path)
        if incoming.size == 0:
            raise FetchError("empty_answer", "The file is empty.")
        if response.kind not in kinds:
            raise FetchError("wrong_type", f"The file is {response.kind}, not {', '.join(sorted(kinds))}.")
        if not is_whole(incoming.path, response.kind):
            raise FetchError("incomplete", f"The {response.kind.upper()} file is cut off.")
        response.sha256 = incoming.sha256
        incoming.keep()
        same = resource is not None and resource.sha256 == response.sha256
        response.outcome = UNCHANGED if same else FETCHED
        return _fetched(self._archive, response)


class _Place:
    """Where an address points, with no way around left in it."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self.scheme = parts.scheme
        path = posixpath.normpath(unquote(f"{parts.netloc}{parts.path}"))
        self.path = os.path.realpath(path) if parts.scheme == "file" else path

    def lies_in(self, folder: "_Place") -> bool:
        """Whether this is a folder or something in it."""
        return self.scheme == folder.scheme and f"{self.path}/".startswith(f"{folder.path.rstrip('/')}/")


def _state(info: Mapping[str, Any]) -> str:
    """What changes when the file does: S3's own word, or when and how large it was written, and which file it is."""
    told = info.get("ETag") or f"{info.get('mtime')}-{info.get('ino')}"
    return f"{told}-{info['size']}"


def _fetched(archive: Archive, response: Response) -> Fetched:
    assert response.sha256 is not None
    return Fetched(
        address=response.address,
        final_address=response.asked,
        status=response.status or _OK,
        headers=response.headers or {},
        sha256=response.sha256,
        path=archive.path(response.sha256),
        kind=response.kind or "unknown",
        size=response.size or 0,
        unchanged=response.outcome == UNCHANGED,
    )
