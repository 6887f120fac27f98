"""A page in Chromium that notes whatever a page of ours must never do."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:  # Playwright may not be there
    from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, Request, Response

_TELL_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`securitypolicyviolation: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`));
"""


class Watched:
    """One page of the browser, and its faults so far.

    Faults are: a request to anywhere but the services, a cookie, an error or warning on the console, a violation of
    the page's security policy, an exception of a script, a dialog.
    """

    def __init__(self, page: "Page", origins: Sequence[str], expected_status: int = 200) -> None:
        self.page = page
        self.faults: list[str] = []
        self._origins = {urlsplit(origin).netloc for origin in origins}
        self._expected = expected_status
        page.on("console", self._heard)
        page.on("pageerror", lambda fault: self.faults.append(f"exception: {fault}"))
        page.on("dialog", self._asked)
        page.on("request", self._requested)
        page.on("response", self._answered)

    def check(self) -> None:
        """Fail if there was any."""
        cookies = self.page.context.cookies()
        assert not cookies, cookies
        assert not self.faults, f"{self.page.url}: {self.faults}"

    def _heard(self, message: "ConsoleMessage") -> None:
        if message.type in ("error", "warning") and not self._is_expected(message):
            self.faults.append(f"console: {message.text}")

    def _is_expected(self, message: "ConsoleMessage") -> bool:
        """Chromium tells on the console of each answer that is a fault, also of the page itself."""
        return self._expected >= 400 and f"status of {self._expected}" in message.text

    def _asked(self, dialog: "Dialog") -> None:
        self.faults.append(f"dialog: {dialog.message[:80]}")
        dialog.dismiss()

    def _requested(self, request: "Request") -> None:
        parts = urlsplit(request.url)
        if parts.netloc not in self._origins and not request.url.startswith("data:,"):
            self.faults.append(f"request to {request.url[:200]}")

    def _answered(self, response: "Response") -> None:
        if response.status >= 400 and response.status != self._expected:
            self.faults.append(f"{response.status} from {response.url[:200]}")
        if "set-cookie" in response.headers:
            self.faults.append(f"a cookie from {response.url[:200]}")


@contextmanager
def watched(
    browser: "Browser", origins: Sequence[str], *, width: int = 1280, expected_status: int = 200, **options: Any
) -> Iterator[Watched]:
    """A page in a context of its own (nothing is kept from one to the next), as wide as asked for."""
    height = 740 if width < 600 else 900
    context = browser.new_context(viewport={"width": width, "height": height}, **options)
    context.set_default_timeout(20_000)
    context.add_init_script(_TELL_VIOLATIONS)
    try:
        yield Watched(context.new_page(), origins, expected_status)
    finally:
        context.close()


def too_wide(page: "Page") -> list[str]:
    """The elements that make the page wider than the screen; none where it is not."""
    found: list[str] = page.evaluate(
        """() => {
          const width = document.documentElement.clientWidth;
          if (document.documentElement.scrollWidth <= width) return [];
          return [...document.querySelectorAll("body *")]
            .filter((each) => each.getBoundingClientRect().right > width + 1)
            .map((each) => `${each.tagName.toLowerCase()}.${each.className}: ${each.textContent.slice(0, 60)}`)
            .slice(0, 5).concat(["wider than the screen"]);
        }"""
    )
    return found
