"""Visits to local sites, as adapters get them."""

import datetime
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Engine

from services.ingest.fetching.outcomes import Fetched, NotFetchedError
from services.ingest.reading import ReadIssue
from services.ingest.sources.base import Visit

_BEGINNINGS = ((b"%PDF", "pdf"), (b"PK\x03\x04", "docx"), (b"{", "json"), (b"[", "json"), (b"<", "html"))


@dataclass
class PlainFetch:
    """Fetches without manners: for tests of what adapters find, whose sites are on this machine."""

    folder: Path

    def __call__(
        self,
        address: str,
        *,
        kinds: frozenset[str],
        most_bytes: int | None = None,
        headers: Mapping[str, str] | None = None,
        may_be_missing: bool = False,
    ) -> Fetched:
        try:
            with httpx.Client(follow_redirects=True, timeout=10, verify=False) as client:
                answer = client.get(address, headers=dict(headers or {}))
        except httpx.HTTPError as fault:
            raise NotFetchedError("unreachable", str(fault), address=address) from fault
        if "cf-mitigated" in answer.headers:
            raise NotFetchedError("challenged", "a bot wall", address=address, host_refuses=True)
        if answer.status_code != 200:
            missing = answer.status_code in {404, 410}
            raise NotFetchedError("http_status", str(answer.status_code), address=address, missing=missing)
        if most_bytes is not None and len(answer.content) > most_bytes:
            raise NotFetchedError("too_large", f"{len(answer.content):,} bytes", address=address)
        kind = next((name for begin, name in _BEGINNINGS if answer.content.lstrip().startswith(begin)), "unknown")
        if kind not in kinds:
            raise NotFetchedError("unexpected_kind", kind, address=address, missing=may_be_missing and kind == "html")
        return self._kept(address, answer, kind)

    def _kept(self, address: str, answer: httpx.Response, kind: str) -> Fetched:
        sha256 = hashlib.sha256(answer.content).hexdigest()
        path = self.folder / sha256
        path.write_bytes(answer.content)
        return Fetched(
            address=address,
            final_address=str(answer.url),
            status=answer.status_code,
            headers=dict(answer.headers),
            sha256=sha256,
            path=path,
            kind=kind,
            size=len(answer.content),
            unchanged=False,
        )


@dataclass
class Visiting:
    """A visit, and what the adapter told in it."""

    visit: Visit
    issues: list[ReadIssue] = field(default_factory=list)
    told: list[tuple[int, int | None]] = field(default_factory=list)

    @property
    def codes(self) -> list[str]:
        return [issue.code for issue in self.issues]


def visiting(
    tmp_path: Path, sites: Mapping[str, str], engine: Engine | None = None, since: datetime.date | None = None
) -> Visiting:
    """A visit to `sites`. Adapters that read nothing of the store need no `engine`."""
    kept, folder = tmp_path / "fetched", tmp_path / "visit"
    kept.mkdir(exist_ok=True)
    folder.mkdir(exist_ok=True)
    issues: list[ReadIssue] = []
    told: list[tuple[int, int | None]] = []
    unused: Any = engine
    visit = Visit(
        sites=sites,
        since=since,
        engine=unused,
        fetch=PlainFetch(kept),
        folder=folder,
        note=issues.append,
        told=lambda done, total: told.append((done, total)),
        unread=lambda part, error: issues.append(ReadIssue("error", "not_searched", f"{part}: {error.code}")),
    )
    return Visiting(visit, issues, told)
