"""What people come for, done in a browser: in two languages, with and without scripts, on a phone and on a desk.

Find what a State was told on a topic, open one of it, see its position history and its source, make the dossier and
download it. On UPR_TEST_STORE it is Peru and the prevention of torture, on the samples a State that they invent.
"""

import io
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import docx
import httpx
import pytest

from services.core.pages.words import Words
from tests.browser.conftest import Subject
from tests.browser.site import PageSite
from tests.browser.watched import Watched, too_wide, watched

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

pytestmark = pytest.mark.browser

SIZES = pytest.mark.parametrize("width", [360, 1280])
SCRIPTS = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
TONGUES = pytest.mark.parametrize("language", ["es", "en"])


class Visitor:
    """Somebody with a browser who looks for something."""

    def __init__(self, seen: Watched, site: PageSite, subject: Subject, language: str, *, scripts: bool) -> None:
        self.page: Page = seen.page
        self.seen = seen
        self.site = site
        self.subject = subject
        self.language = language
        self.words = Words(language)
        self.scripts = scripts

    def look_around(self) -> None:
        """Every page that is met is in the language asked for, as wide as the screen, and does nothing it must not."""
        self.page.wait_for_load_state()
        assert self.page.locator("html").get_attribute("lang") == self.language
        assert not too_wide(self.page)
        self.seen.check()

    def follow(self, link: "Locator") -> None:
        """Click a link, and look at where it leads."""
        link.first.scroll_into_view_if_needed()
        link.first.click()
        self.look_around()

    def search(self) -> None:
        """From the first page of the host to what is held on the words."""
        self.page.goto(f"{self.site.api}/?lang={self.language}")
        self.look_around()
        words = self.subject.words[self.language]
        self.page.locator("main input[type=search]").fill(words)
        self.page.locator("main form[role=search] button").first.click()
        self.look_around()
        assert self.page.locator("#q").input_value() == words
        assert self.page.locator("ol.hits > li").count()

    def take_what_is_suggested(self) -> None:
        """As it is typed, links to what there is come up below the box; the arrow keys reach them."""
        box = self.page.locator("#q")
        box.fill("")
        box.press_sequentially(self.subject.words[self.language][:7], delay=20)
        suggestion = self.page.locator("#suggestions a").first
        suggestion.wait_for()
        box.press("ArrowDown")
        assert suggestion.evaluate("(each) => each === document.activeElement")
        suggestion.press("Escape")
        assert self.page.locator("#suggestions a").count() == 0
        box.fill(self.subject.words[self.language])

    def narrow(self) -> None:
        """Recommendations to the State on the topic alone: by type, then by facets with their counts."""
        self.follow(self.page.locator(".types a[href*='type=recommendations']"))
        for name, value in (("state_under_review", self.subject.state), ("topic", self.subject.topic)):
            self.choose(name, value)
        address = urlsplit(self.page.url)
        told = httpx.get(self.page.url, headers={"Accept": "application/json"}).json()
        assert parse_qs(address.query)["state_under_review"] == [self.subject.state]
        assert self.page.locator("#results").inner_text() == self.words("search.found", n=told["total"])
        assert self.page.locator("ol.hits > li").count() == len(told["hits"]) > 0

    def choose(self, name: str, value: str) -> None:
        """Click the value of a facet; its count is how many there are then."""
        link = self.page.locator(f"#facet-{name} li a[href*='{name}={value}']")
        if not link.count():
            self.open_facet(name)
            self.follow(self.page.locator(f"#facet-{name} p a"))  # all values
        self.open_facet(name)
        count = link.locator(".count").inner_text()
        self.follow(link)
        assert self.page.locator("#results").inner_text() == self.words("search.found", n=_number(count))
        assert self.page.locator(".chips li").count() >= 2

    def open_facet(self, name: str) -> None:
        if self.page.locator(f"#facet-{name}").get_attribute("open") is None:
            self.page.locator(f"#facet-{name} > summary").click()

    def open_one(self) -> None:
        """A recommendation: what the State answered, and where all of it stands."""
        self.follow(self.page.locator("ol.hits h3 a"))
        assert urlsplit(self.page.url).path.startswith(f"/recommendations/{self.subject.state}-")
        assert self.page.locator("blockquote").first.inner_text().strip()
        record = urlsplit(self.page.url).path
        held = httpx.get(f"{self.site.api}/v1{record}", params={"lang": self.language}).json()
        assert self.page.locator("ol.timeline li").count() == len(held["positions"]) > 0

    def see_its_source(self) -> None:
        """The document that holds it, and back."""
        recommendation = self.page.url
        self.follow(self.page.locator("main a[href*='/documents/']"))
        assert self.page.locator("h1").inner_text().strip()
        self.page.goto(recommendation)
        self.look_around()

    def make_the_dossier(self) -> None:
        """The dossier of the State on the topic is a link away, and says how many recommendations it holds."""
        self.follow(self.page.locator(f"main a[href*='/dossier/{self.subject.state}/{self.subject.topic}']"))
        told = httpx.get(f"{self.site.api}/v1{self.dossier}", params={"lang": self.language}).json()
        assert self.page.locator("section h3 a[href*='/recommendations/']").count() == told["answers"]["total"] > 0

    @property
    def dossier(self) -> str:
        return f"/dossiers/{self.subject.state}/{self.subject.topic}"

    def download(self, suffix: str) -> bytes:
        """The file behind a link of the page, as the browser keeps it."""
        with self.page.expect_download() as under_way:
            self.page.locator(f"main a[href*='.{suffix}']").first.click()
        file = under_way.value
        assert file.suggested_filename.endswith(f".{suffix}")
        content = Path(file.path()).read_bytes()
        self.seen.check()
        return content


@SIZES
@SCRIPTS
@TONGUES
def test_what_a_state_was_told_and_answered(
    browser: "Browser", site: PageSite, subject: Subject, language: str, width: int, *, scripts: bool
) -> None:
    options = {"java_script_enabled": scripts, "locale": language, "accept_downloads": True}
    with watched(browser, site.origins, width=width, **options) as seen:
        visitor = Visitor(seen, site, subject, language, scripts=scripts)
        visitor.search()
        if scripts:
            visitor.take_what_is_suggested()
        visitor.narrow()
        visitor.open_one()
        visitor.see_its_source()
        visitor.make_the_dossier()
        word = visitor.download("docx")
        assert zipfile.ZipFile(io.BytesIO(word)).testzip() is None
        assert len(docx.Document(io.BytesIO(word)).paragraphs) > 3
        assert visitor.download("pdf").startswith(b"%PDF-")


def _number(text: str) -> int:
    return int("".join(filter(str.isdigit, text)))


@SIZES
def test_by_keyboard_alone(browser: "Browser", site: PageSite, subject: Subject, width: int) -> None:
    """Nothing takes a mouse: the way past the header, the box, the types, the facets, the results."""
    with watched(browser, site.origins, width=width) as seen:
        page = seen.page
        page.goto(f"{site.search}/search?lang=en")
        page.keyboard.press("Tab")
        assert page.locator(":focus").get_attribute("href") == "#content"
        check_seen(page)
        page.keyboard.press("Enter")
        met = tab_to(page, "#q")
        assert len(met) < 3, f"the way past the header leads to the box, not to {met}"
        page.keyboard.type(subject.words["en"])
        page.keyboard.press("Enter")
        page.wait_for_url("**q=*")
        tab_to(page, ".types a[href*='type=recommendations']")
        page.keyboard.press("Enter")
        page.wait_for_url("**type=recommendations*")
        tab_to(page, "#facet-topic summary")
        page.keyboard.press("Enter")
        tab_to(page, "#facet-position summary")
        page.keyboard.press("Enter")
        tab_to(page, "#facet-position a")
        page.keyboard.press("Enter")
        page.wait_for_url("**position=*")
        tab_to(page, "ol.hits h3 a")
        page.keyboard.press("Enter")
        page.wait_for_url("**/recommendations/**")
        seen.check()


def tab_to(page: "Page", target: str, most: int = 150) -> list[str]:
    """Press Tab until the focus is on a target; what it was on before. Wherever it is, it can be seen."""
    met: list[str] = []
    while not page.evaluate("(target) => document.activeElement.matches(target)", target):
        assert len(met) < most, f"{target} was not reached: {met}"
        page.keyboard.press("Tab")
        check_seen(page)
        met.append(page.evaluate("document.activeElement.outerHTML.slice(0, 80)"))
    return met


def check_seen(page: "Page") -> None:
    """What has the focus is on the screen and marked."""
    told = page.evaluate(
        """() => {
          const focused = document.activeElement, box = focused.getBoundingClientRect();
          const style = getComputedStyle(focused);
          return {
            what: focused.outerHTML.slice(0, 120),
            marked: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
            there: box.width > 0 && box.right > 0 && box.left < innerWidth && box.bottom > 0 && box.top < innerHeight,
          };
        }"""
    )
    assert told["marked"], told
    assert told["there"], told
