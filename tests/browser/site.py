"""The two services whose pages people see, as processes, at the addresses by which their pages link to each other."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.browser.kinds import Held, PageKind
from tests.up.programs import free_ports, running, wait_until

READY_SECONDS = 180


@dataclass(frozen=True)
class PageSite:
    """Their addresses."""

    api: str
    search: str

    def home(self, kind: PageKind) -> str:
        """The address of the service whose page it is."""
        return self.api if kind.service == "api" else self.search

    def address(self, kind: PageKind, path: str, language: str | None = None) -> str:
        """The whole address of a page."""
        asked = f"{'&' if '?' in path else '?'}lang={language}" if language else ""
        return f"{self.home(kind)}{path}{asked}"

    @property
    def origins(self) -> tuple[str, str]:
        return self.api, self.search

    @contextmanager
    def held(self) -> Iterator[Held]:
        """What it holds."""
        with httpx.Client(base_url=self.api, timeout=60) as client:
            yield Held(client)


@contextmanager
def page_site(database_url: str, folder: Path) -> Iterator[PageSite]:
    """Both services on one database, ready."""
    api_port, search_port = free_ports(2)
    site = PageSite(f"http://127.0.0.1:{api_port}", f"http://127.0.0.1:{search_port}")
    environment = {
        "UPR_DATABASE_URL": database_url,
        "UPR_DATA_DIR": str(folder),
        "UPR_API_PORT": str(api_port),
        "UPR_SEARCH_PORT": str(search_port),
        "UPR_PUBLIC_URL": site.api,
        "UPR_SEARCH_PUBLIC_URL": site.search,
        "UPR_RATE_LIMIT": "0",
        "UPR_LOG_LEVEL": "warning",
    }
    with ExitStack() as stack:
        for name in ("api", "search"):
            program = running(["services.cli", name, "serve"], environment, f"pages-{os.getpid()}-{name}-{api_port}")
            stack.enter_context(program)
        wait_until(lambda: all(map(_is_ready, site.origins)), READY_SECONDS, lambda: f"not ready: {site}")
        yield site


def _is_ready(address: str) -> bool:
    try:
        return httpx.get(f"{address}/readyz", timeout=5).status_code == 200
    except httpx.HTTPError:
        return False
