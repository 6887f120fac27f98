"""Uwazi's API: templates, thesauri, and searches with their counts.

A search that is wrong answers 200 with nothing, and one that finds much tells neither how much nor gives all of it.
So nothing here is believed before it was compared (`adapter.py`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import orjson

from services.ingest.fetching.outcomes import NotFetchedError
from services.ingest.sources.base import Fetch

MISSING = "missing"
"""The value that stands for rows without one, in filters and buckets."""
_NO_VALUE = "any"
"""A bucket of all rows with some value."""

_KINDS = frozenset({"json"})
_MOST_BYTES = 50_000_000
"""500 rows take some 3 MB."""
_HEADERS = {"Accept": "application/json", "Content-Language": "en"}
_IN_ORDER = {"sort": "creationDate", "order": "asc"}

Filters = tuple[tuple[str, str], ...]
"""Property and value, each."""


@dataclass(frozen=True, slots=True)
class Property:
    """A field of a template. `content`: the full id of the thesaurus or template that its values are from."""

    name: str
    type: str
    content: str | None


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a search. `total` is how many there are; `at_least`: there are that many or more.

    `buckets`: by property and value, how many rows of the search have it.
    """

    rows: tuple[Mapping[str, Any], ...]
    total: int
    at_least: bool
    buckets: Mapping[str, Mapping[str, int]]


class Uwazi:
    """Asks one site. Raises `NotFetchedError`; `unexpected_answer` where the answer is not shaped as ever."""

    def __init__(self, site: str, fetch: Fetch) -> None:
        self.site = site
        self._fetch = fetch

    def properties(self, template: str) -> tuple[Property, ...]:
        """The fields of a template. Raises `NotFetchedError` (`unknown_template`) where no template has this id."""
        address = f"{self.site}/api/templates"
        for row in _rows(self._read(address), address):
            if row.get("_id") == template:
                return tuple(_properties(row))
        raise NotFetchedError("unknown_template", f"the site has no template {template}", address=address)

    def thesaurus(self, thesaurus: str) -> tuple[str, ...]:
        """The ids of its values, those of groups too. None where the site has no thesaurus of this full id."""
        address = f"{self.site}/api/thesauris"
        for row in _rows(self._read(address), address):
            if row.get("_id") == thesaurus:
                return tuple(_ids(row.get("values")))
        return ()

    def search(self, template: str, filters: Filters, start: int, limit: int) -> Page:
        """Rows of a template, from the `start`-th in the order in which they were made."""
        asked = {
            "types": _json([template]),
            "filters": _json({name: {"values": [value]} for name, value in filters}),
            "from": str(start),
            "limit": str(limit),
            **_IN_ORDER,
        }
        address = f"{self.site}/api/search?{urlencode(asked, quote_via=quote)}"
        told = self._read(address)
        rows, total = _rows(told, address), told.get("totalRows")
        if not isinstance(total, int):
            raise _unexpected(address, "no totalRows")
        return Page(tuple(rows), total, told.get("relation") == "gte", _buckets(told))

    def _read(self, address: str) -> Mapping[str, Any]:
        fetched = self._fetch(address, kinds=_KINDS, most_bytes=_MOST_BYTES, headers=_HEADERS)
        return _object(fetched.path, address)


def _object(path: Path, address: str) -> Mapping[str, Any]:
    try:
        told = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        raise _unexpected(address, f"no JSON: {error}") from error
    if not isinstance(told, dict):
        raise _unexpected(address, "no object")
    return told


def _rows(told: Mapping[str, Any], address: str) -> list[Mapping[str, Any]]:
    rows = told.get("rows")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise _unexpected(address, "no rows")
    return rows


def _properties(template: Mapping[str, Any]) -> Iterator[Property]:
    properties = template.get("properties")
    for each in properties if isinstance(properties, list) else ():
        name, content = _member(each, "name"), _member(each, "content")
        if isinstance(name, str):
            yield Property(name, str(_member(each, "type")), content if isinstance(content, str) else None)


def _ids(values: object) -> Iterator[str]:
    for value in values if isinstance(values, list) else ():
        if within := _member(value, "values"):
            yield from _ids(within)
        elif isinstance(own := _member(value, "id"), str):
            yield own


def _buckets(told: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    counted = _member(told.get("aggregations"), "all")
    if not isinstance(counted, dict):
        return {}
    return {name: dict(_counts(_member(each, "buckets"))) for name, each in counted.items()}


def _counts(buckets: object) -> Iterator[tuple[str, int]]:
    """Values and how many rows of this search have them; of a group its values, since it counts them again."""
    for bucket in buckets if isinstance(buckets, list) else ():
        key, count = _member(bucket, "key"), _member(_member(bucket, "filtered"), "doc_count")
        if values := _member(bucket, "values"):
            yield from _counts(values)
        elif isinstance(key, str) and key != _NO_VALUE and isinstance(count, int) and count > 0:
            yield key, count


def _member(told: object, name: str) -> Any:
    """A member of an object; None of anything else."""
    return told.get(name) if isinstance(told, dict) else None


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


def _unexpected(address: str, what: str) -> NotFetchedError:
    return NotFetchedError("unexpected_answer", f"the API answers otherwise than it did: {what}", address=address)
