"""Every kind of page by axe-core (WCAG 2.2 AA and best practices), on a narrow and a wide screen, in light and dark."""

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.kinds import KINDS, PageKind
from tests.browser.site import PageSite
from tests.browser.watched import too_wide, watched

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
ASKED = {"runOnly": {"type": "tag", "values": RULES}, "preload": False, "resultTypes": ["violations"]}
LANGUAGES = ("es", "en")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_nothing_stands_in_anybodys_way(browser: "Browser", axe: str, site: PageSite, kind: PageKind) -> None:
    with site.held() as held:
        paths = kind.addresses(held, 2)[:2]
    if not paths and kind.sparse:
        pytest.skip(f"not run: the store holds no {kind.name}")
    assert paths
    for number, (width, scheme) in enumerate(((320, "light"), (320, "dark"), (1280, "light"), (1280, "dark"))):
        options: dict[str, Any] = {"color_scheme": scheme, "expected_status": kind.status}
        with watched(browser, site.origins, width=width, **options) as seen:
            seen.page.goto(site.address(kind, paths[number % len(paths)], LANGUAGES[number % 2]))
            assert not too_wide(seen.page)
            seen.check()
            assert not violations(seen.page, axe), seen.page.url


def violations(page: "Page", axe: str) -> list[str]:
    """What axe-core has against a page: the rule, why, and where."""
    page.evaluate(axe)
    told = page.evaluate("(asked) => axe.run(document, asked)", ASKED)
    return [
        f"{each['id']}: {each['help']}: {json.dumps([node['html'][:200] for node in each['nodes'][:3]])}"
        for each in told["violations"]
    ]
