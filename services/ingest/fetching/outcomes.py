"""What asking for a file comes to."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from services.core.domain.errors import UprError


@dataclass(frozen=True, slots=True)
class Fetched:
    """A whole file that somebody's server gave us, now in the archive at `path`.

    `kind` is what the bytes are (`pdf`, `docx`, `xlsx`, `html`, `json`, `csv` …), whatever the server calls them.
    `unchanged` where the server said so, or gave the same bytes as last time. `headers` have lower-case names.
    """

    address: str
    final_address: str
    status: int
    headers: Mapping[str, str]
    sha256: str
    path: Path
    kind: str
    size: int
    unchanged: bool


class NotFetchedError(UprError):
    """A file that we did not get. `code` says why, `retry_after` (seconds) when it is worth asking again.

    `missing` where the server says, by any of its ways, that it has no such file; `host_refuses` where nothing else
    of that host should be asked for now (a bot wall, an open circuit, a storm of 429).
    """

    status, title = 502, "A file of another server was not to be had"

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        address: str,
        missing: bool = False,
        host_refuses: bool = False,
        retry_after: float | None = None,
        **extensions: object,
    ) -> None:
        super().__init__(detail, **extensions)
        self.code = code
        self.address = address
        self.missing = missing
        self.host_refuses = host_refuses
        self.retry_after = retry_after
