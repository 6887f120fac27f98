"""Every file under a folder or an S3 prefix that may be a document or a data set."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import fsspec

from services.ingest.fetching.outcomes import NotFetchedError
from services.ingest.reading import ReadIssue
from services.ingest.sources.base import Found, Visit
from services.ingest.sources.web_pages import printable

_KINDS = frozenset({"pdf", "docx", "doc_ole2", "xlsx", "csv", "json"})
_MOST_BYTES = 2**30
"""An export of UHRI may be among the files."""
_UNFINISHED = (".part", ".partial", ".tmp", ".crdownload", ".filepart")
_SETTLED_SECONDS = 60.0
"""A file of this machine that was changed later may still be on its way."""
_MOST_LEVELS = 40
_LONGEST_ADDRESS = 2_000

Entry = Mapping[str, Any]


class Folder:
    """Finds files by their place; what they are is told by their bytes. Folders within it are searched, links are not.

    Files on their way are left for the next visit: names that begin with a dot or end as unfinished downloads do, and
    local files that were changed within the last minute.
    """

    name = "folder"

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now

    def find(self, visit: Visit) -> Iterator[Found]:
        """All files, folder by folder in the order of their names.

        Raises `NotFetchedError`: `folder_not_found`, `folder_not_readable`, `no_driver`.
        """
        address = visit.sites["folder"]
        place = _Place(address)
        count = 0
        for entry in place.files(visit.note):
            if self._is_on_its_way(entry) or not _is_since(entry, visit):
                continue
            found = _found(place, entry)
            if found is None:
                visit.note(ReadIssue("error", "unusable_name", f"{_name(entry)!a}: no UTF-8, or too long"))
                continue
            count += 1
            yield found
            visit.told(count, None)

    def _is_on_its_way(self, entry: Entry) -> bool:
        name = _name(entry)
        changed = entry.get("mtime")
        is_young = isinstance(changed, int | float) and self._now() - changed < _SETTLED_SECONDS
        return is_young or name.startswith(".") or name.lower().endswith(_UNFINISHED)


class _Place:
    """A folder in a file system. Raises `NotFetchedError` where there is none."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.scheme = urlsplit(address).scheme
        try:
            self._files, root = fsspec.core.url_to_fs(unquote(address))
        except (ImportError, ValueError) as error:
            raise NotFetchedError("no_driver", f"{self.scheme}:// cannot be read: {error}", address=address) from error
        self.root = str(root)

    def files(self, note: Callable[[ReadIssue], None]) -> Iterator[Entry]:
        """Its files. A folder within it that cannot be read is noted, and the others still come."""
        try:
            entries = self._listed(self.root)
        except FileNotFoundError as error:
            hint = 'there is no such folder; UPR_SOURCE_SITES=\'{"folder": {"folder": "file:///…"}}\' names another'
            raise NotFetchedError("folder_not_found", hint, address=self.address) from error
        except OSError as error:
            raise NotFetchedError("folder_not_readable", _why(error), address=self.address) from error
        yield from self._within(entries, note, 1)

    def _within(self, entries: list[Entry], note: Callable[[ReadIssue], None], level: int) -> Iterator[Entry]:
        for entry in entries:
            if entry.get("islink") or _name(entry).startswith("."):
                continue
            if entry["type"] == "file":
                yield entry
            elif entry["type"] == "directory" and level < _MOST_LEVELS:
                yield from self._within(self._noted(entry["name"], note), note, level + 1)

    def _noted(self, folder: str, note: Callable[[ReadIssue], None]) -> list[Entry]:
        try:
            return self._listed(folder)
        except OSError as error:
            note(ReadIssue("error", "folder_not_readable", f"{folder}: {_why(error)}"))
            return []

    def _listed(self, folder: str) -> list[Entry]:
        # A prefix in S3 may list itself, as an object without a name.
        entries = self._files.ls(folder, detail=True, refresh=True)
        return sorted((each for each in entries if each["name"].rstrip("/") != folder), key=lambda each: each["name"])


def _found(place: _Place, entry: Entry) -> Found | None:
    """The file; None where its place cannot be written as an address."""
    path = str(entry["name"])
    try:
        address = f"{place.scheme}://{quote(path)}"
    except UnicodeEncodeError:
        return None
    name = printable(path.removeprefix(place.root).lstrip("/"))
    return Found(address, name, _KINDS, most_bytes=_MOST_BYTES) if len(address) <= _LONGEST_ADDRESS else None


def _is_since(entry: Entry, visit: Visit) -> bool:
    """Whether the file is as new as is asked for, where its place tells when it was changed."""
    if visit.since is None:
        return True
    changed = entry.get("mtime")
    if isinstance(changed, int | float):
        return time.strftime("%Y-%m-%d", time.gmtime(changed)) >= visit.since.isoformat()
    modified = entry.get("LastModified")
    return modified is None or modified.date() >= visit.since


def _name(entry: Entry) -> str:
    return str(entry["name"]).rstrip("/").rpartition("/")[2]


def _why(error: OSError) -> str:
    return error.strerror or str(error) or type(error).__name__
