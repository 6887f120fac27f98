"""Documents are hostile. Whatever they say is text on every page, and does nothing to the rest of it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import httpx
import pytest

from services.core.store.engine import make_engine
from tests.browser.hostile import SHORT, write_hostile_records
from tests.browser.kinds import KINDS, PageKind
from tests.browser.site import PageSite, page_site
from tests.browser.watched import too_wide, watched
from tests.postgres_fixtures import FreshDatabases

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

_ALIVE = """() => {
  const found = [];
  for (const each of document.querySelectorAll("*")) {
    const tag = each.tagName.toLowerCase();
    if (["img", "iframe", "object", "embed", "style", "base", "textarea", "b"].includes(tag)) found.push(tag);
    if (tag === "script" && !each.src.endsWith("/suggest.js")) found.push(each.outerHTML.slice(0, 80));
    for (const { name, value } of each.attributes) {
      if (name.startsWith("on") || name === "style" || name === "autofocus") found.push(`${tag} ${name}=${value}`);
      if (["href", "src", "action", "formaction", "xlink:href"].includes(name) && value !== "data:,"
          && !/^https?:$/.test(new URL(value, document.baseURI).protocol)) found.push(`${tag} ${name}=${value}`);
      if (["src", "action"].includes(name) && value.startsWith("//")) found.push(`${tag} ${name}=${value}`);
    }
  }
  if (window.hurt) found.push("a script ran");
  return found;
}"""
"""What is more than text: elements and attributes that none of our pages have, addresses that run something."""

_TURNED = """() => {
  const found = [], range = document.createRange();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const strange = /[\\u0590-\\u08ff\\u202a-\\u202e\\u2066-\\u2069]/;
  while (walker.nextNode()) {
    const node = walker.currentNode, marks = [...node.data.matchAll(/[\\u202a-\\u202e\\u2066-\\u2069]/g)];
    const closing = marks.filter(([mark]) => mark === "\\u202c" || mark === "\\u2069").length;
    if (closing * 2 < marks.length && !node.parentElement.closest(".text")) found.push(`open: ${node.data}`);
    const place = node.data.search(/[A-Za-z]{2}/);
    if (place < 0 || strange.test(node.data) || node.parentElement.closest("mark, .text, blockquote, q, svg")) continue;
    const [first, second] = [0, 1].map((step) => {
      range.setStart(node, place + step);
      range.setEnd(node, place + step + 1);
      return range.getBoundingClientRect();
    });
    if (first.width && first.top === second.top && first.left > second.left) found.push(node.data.trim().slice(0, 80));
  }
  return found;
}"""
"""Words of the page that are shown from right to left since a text before them said so."""


@pytest.fixture(scope="module")
def hostile_site(fresh_databases: FreshDatabases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageSite]:
    with fresh_databases() as url:
        engine = make_engine(url, pool_size=1)
        with engine.begin() as connection:
            write_hostile_records(connection)
        engine.dispose()
        with page_site(url, tmp_path_factory.mktemp("hostile")) as site:
            yield site


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_whatever_a_document_says_is_text(browser: "Browser", hostile_site: PageSite, kind: PageKind) -> None:
    with hostile_site.held() as held:
        paths = kind.addresses(held, 8)
    for number, path in enumerate(paths):
        width = 1280 if number % 2 else 360
        with watched(browser, hostile_site.origins, width=width, expected_status=kind.status) as seen:
            seen.page.goto(hostile_site.address(kind, path, ("es", "en", "fr", "pt")[number % 4]))
            check_inert(seen.page)
            seen.check()


def test_whatever_is_asked_for_is_text(browser: "Browser", hostile_site: PageSite) -> None:
    for text in SHORT:
        with watched(browser, hostile_site.origins, width=360) as seen:
            seen.page.goto(f"{hostile_site.search}/search?{urlencode({'q': text, 'lang': 'en'})}")
            assert seen.page.locator("#q").input_value().startswith(text.strip()[:5])
            check_inert(seen.page)
            seen.check()


def test_files_are_made_of_it_all_the_same(hostile_site: PageSite) -> None:
    """A text that no XML could hold does not keep anybody from the dossier."""
    with hostile_site.held() as held:
        for state, topic in held.subjects(3):
            for suffix in ("docx", "pdf"):
                answer = httpx.get(f"{hostile_site.api}/v1/dossiers/{state}/{topic}/document.{suffix}", timeout=60)
                assert answer.status_code == 200, answer.text[:500]


def check_inert(page: "Page") -> None:
    assert page.evaluate(_ALIVE) == []
    assert not too_wide(page)
    assert page.evaluate(_TURNED) == []
