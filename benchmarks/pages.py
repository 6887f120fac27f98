"""How large pages are, how long the service takes for them beside the JSON of the same, and how long a slow line does.

    python -m benchmarks.pages [--store FOLDER] [--each N] [--rounds N] [--only TEXT]

Of every kind of page (`tests/browser/kinds.py`) so many addresses: the largest States, reviews and dossiers, and
others from all over. FOLDER is a data folder with something loaded, which nothing else uses meanwhile; without it UPR
Info's rows and the reports of ../shared/data are loaded.

- Size: the page and its styles and scripts as they come over the line (gzip, which is all that browsers ask of plain
  HTTP), at most 60 kB.
- Server: HTML and JSON asked in turn over one connection each; p95 of the HTML at most 1.5 times that of the JSON and
  15 ms.
- Slow line: Chromium that keeps nothing from before, at 400 kbit/s with 200 ms of latency; usable (painted, and the
  document and its scripts complete) within 2 s. Not run where there is no Chromium or no Playwright.

The exit status is 1 where anything is missed.
"""

import argparse
import gzip
import http.client
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from selectolax.lexbor import LexborHTMLParser

from benchmarks.datasets import UPR_INFO
from benchmarks.loading import REPORTS
from benchmarks.serving import connected, filled
from benchmarks.webhooks import missed, must
from services.core.runtime.postgres import embedded_postgres
from tests.browser.conftest import CHROMIUM
from tests.browser.kinds import KINDS, PageKind
from tests.browser.site import PageSite, page_site

MOST_BYTES = 60_000
TIMES_JSON, MORE_MILLISECONDS = 1.5, 15.0
USABLE_SECONDS = 2.0
LINE = {"offline": False, "latency": 200, "downloadThroughput": 400_000 / 8, "uploadThroughput": 400_000 / 8}
_HTML = {"Accept": "text/html", "Accept-Encoding": "gzip"}
_JSON = {"Accept": "application/json", "Accept-Encoding": "gzip"}
_SLOW_EACH = 2
_USABLE = """() => {
  const painted = performance.getEntriesByName("first-contentful-paint")[0];
  const complete = performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd;
  return painted && Math.max(painted.startTime, complete) / 1000;
}"""


@dataclass
class Measured:
    """What was met of one kind of page: bytes of each, milliseconds of each request, seconds until usable."""

    kind: PageKind
    sizes: list[int]
    html: list[float]
    json: list[float]
    usable: list[float]

    def print(self) -> None:
        """A row of the table, and what is missed."""
        allowed = TIMES_JSON * _p95(self.json) + MORE_MILLISECONDS if self.json else None
        told = (
            f"{_p50(self.json):6.1f} {_p95(self.json):6.1f} {allowed:7.1f}"
            if allowed
            else f"{'-':>6} {'-':>6} {'-':>7}"
        )
        usable = f"{statistics.median(self.usable):5.2f} {max(self.usable):5.2f}" if self.usable else "    -     -"
        print(
            f"{self.kind.name:<23} {statistics.median(self.sizes) / 1000:6.1f} {max(self.sizes) / 1000:6.1f}   "
            f"{_p50(self.html):6.1f} {_p95(self.html):6.1f}   {told}   {usable}",
            flush=True,
        )
        name = self.kind.name
        must(f"{name}: {MOST_BYTES / 1000:.0f} kB", held=max(self.sizes) <= MOST_BYTES)
        must(f"{name}: server time", held=allowed is None or _p95(self.html) <= allowed)
        must(f"{name}: usable within {USABLE_SECONDS:.0f} s", held=max(self.usable, default=0) <= USABLE_SECONDS)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--store", type=Path)
    options.add_argument("--each", type=int, default=12)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--only", default="")
    given = options.parse_args()
    with ExitStack() as stack:
        folder = given.store or Path(stack.enter_context(tempfile.TemporaryDirectory(dir="/tmp")))
        url = stack.enter_context(embedded_postgres(folder / "postgres"))
        if given.store is None:
            files = [*sorted(UPR_INFO.glob("*.csv")), *sorted(REPORTS.glob("*.pdf"))]
            filled(url, files, folder).dispose()
        site = stack.enter_context(page_site(url, folder))
        slow_line = stack.enter_context(SlowLine(site))
        print(f"{'':<23} kB, most   HTML p50    p95   JSON p50    p95 allowed   usable s, most")
        for kind in KINDS:
            if given.only in kind.name:
                _measure(kind, site, slow_line, given.each, given.rounds)
    return 1 if missed else 0


def _measure(kind: PageKind, site: PageSite, slow_line: "SlowLine", each: int, rounds: int) -> None:
    with site.held() as held:
        paths = kind.addresses(held, each)
    if not paths:
        print(f"{kind.name:<23} the store holds none")
        return
    measured = Measured(kind, [], [], [], [])
    with connected(site.home(kind)) as pages, connected(site.home(kind)) as programs:
        for number in range(rounds + 1):
            for path in paths:
                milliseconds, body = _asked(pages, _in_spanish(path), _HTML, kind.status)
                if number == 0:  # the first of each warms up, and is weighed
                    measured.sizes.append(len(body) + _assets(site.home(kind), body))
                else:
                    measured.html.append(milliseconds)
                if kind.json is not None:
                    milliseconds, _ = _asked(programs, _in_spanish(kind.json(path)), _JSON, kind.status)
                    measured.json += [milliseconds] if number else []
    measured.usable = [
        slow_line.usable(site.address(kind, path, "es")) for path in paths[:_SLOW_EACH] if slow_line.is_there
    ]
    measured.print()


def _in_spanish(path: str) -> str:
    return f"{path}{'&' if '?' in path else '?'}lang=es"


def _asked(
    connection: http.client.HTTPConnection, path: str, headers: dict[str, str], status: int
) -> tuple[float, bytes]:
    """How long the whole answer took in milliseconds, and its body as it came."""
    started = time.perf_counter()
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    taken = (time.perf_counter() - started) * 1000
    assert answer.status == status, (path, answer.status, body[:300])
    return taken, body


def _assets(home: str, page: bytes) -> int:
    """Bytes of the styles and scripts of a page."""
    html = LexborHTMLParser(gzip.decompress(page) if page[:2] == b"\x1f\x8b" else page)
    named = [
        each.attributes.get("href") or each.attributes.get("src") for each in html.css("link[rel=stylesheet], script")
    ]
    return sum(_weight(home, name) for name in named if name)


@cache
def _weight(home: str, path: str) -> int:
    with connected(home) as connection:
        return len(_asked(connection, urlsplit(path).path, _HTML, 200)[1])


class SlowLine:
    """Chromium at the end of a slow line, where there is one."""

    def __init__(self, site: PageSite) -> None:
        self._site = site
        self._stack = ExitStack()
        self.is_there = False

    def __enter__(self) -> "SlowLine":
        try:
            from playwright.sync_api import sync_playwright  # noqa: PLC0415 - it may not be there
        except ImportError:
            print("slow line: not run, Playwright is not installed")
            return self
        if CHROMIUM is None:
            print("slow line: not run, there is no chromium on this machine")
            return self
        playwright = self._stack.enter_context(sync_playwright())
        self._browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        self._stack.callback(self._browser.close)
        self.is_there = True
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def usable(self, address: str) -> float:
        """Seconds from the click until somebody can read and type."""
        context = self._browser.new_context(viewport={"width": 360, "height": 740})
        try:
            page = context.new_page()
            line = context.new_cdp_session(page)
            line.send("Network.enable")
            line.send("Network.emulateNetworkConditions", LINE)
            page.goto(address, wait_until="load")
            return float(page.wait_for_function(_USABLE).json_value())
        finally:
            context.close()


def _p50(times: Sequence[float]) -> float:
    return statistics.median(times)


def _p95(times: Sequence[float]) -> float:
    return sorted(times)[max(int(len(times) * 0.95 + 0.5) - 1, 0)]


if __name__ == "__main__":
    sys.exit(main())
