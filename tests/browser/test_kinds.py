"""No page is forgotten: what looks at every kind of page looks at all that the services have."""

from services.api.app import create_app as create_api
from services.api.settings import ApiSettings
from services.search.app import create_app as create_search
from services.search.settings import SearchSettings
from tests.browser.kinds import KINDS, LEADS_ON, NO_PAGES, routes_beside_the_documented

NOWHERE = "postgresql://nobody@127.0.0.1:1/none"


def test_every_page_of_the_services_is_of_a_kind() -> None:
    """Whoever adds a page adds its kind to `tests/browser/kinds.py`."""
    routes = {
        "api": set(routes_beside_the_documented(create_api(ApiSettings(), NOWHERE))),
        "search": set(routes_beside_the_documented(create_search(SearchSettings(), NOWHERE))),
    }
    for service, found in routes.items():
        listed = {kind.route for kind in KINDS if kind.service == service}
        assert found - NO_PAGES.keys() - LEADS_ON.get(service, {}).keys() == listed
    assert NO_PAGES.keys() <= routes["api"] | routes["search"]


def test_kinds_have_names_of_their_own() -> None:
    names = [kind.name for kind in KINDS]
    assert len(names) == len(set(names))
