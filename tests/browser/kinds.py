"""Every kind of page there is, with addresses of each on any store: what tests and the benchmark go through."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal
from urllib.parse import urlencode, urlsplit

import httpx

from services.api.details.catalogue import parts_of_noun
from services.core.store.tables import AGGREGATES

RECORD_NOUNS = (*AGGREGATES, "topics")
_BY_SIZE = {"states": "state_under_review", "reviews": "review", "topics": "topic"}
"""Nouns of which the largest are those that most recommendations are of."""


class Held:
    """What a store holds, asked of its API."""

    def __init__(self, api: httpx.Client) -> None:
        self._api = api

    def json(self, path: str, **parameters: Any) -> Any:
        """A good answer."""
        answer = self._api.get(path, params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def records(self, noun: str, number: int) -> list[str]:
        """Ids of so many records of a noun: the largest, or some from all over the first hundreds."""
        if noun in _BY_SIZE:
            return self._largest(_BY_SIZE[noun])[:number]
        rows = self.json(f"/v1/{noun}", limit=200)["data"]
        return [row["id"] for row in rows[:: max(len(rows) // number, 1)]][:number]

    def subjects(self, number: int) -> list[tuple[str, str]]:
        """The States and topics of which most is held."""
        grouped = self._groups("state_under_review,topic")
        return [(state, topic) for state, topic in grouped if state and topic][:number]

    @cached_property
    def words(self) -> list[str]:
        """Longer words that stand in recommendations."""
        texts = " ".join(row["text"][:2_000] for row in self.json("/v1/recommendations", limit=50)["data"])
        return list(dict.fromkeys(word for word in texts.split() if word.isalpha() and 5 < len(word) < 20))

    def _largest(self, dimension: str) -> list[str]:
        return [value for (value,) in self._groups(dimension) if value]

    def _groups(self, dimensions: str) -> list[tuple[str | None, ...]]:
        told = self.json("/v1/statistics/recommendations", group_by=dimensions, limit=100)
        return [
            tuple(value["value"] if value else None for value in group["values"].values()) for group in told["groups"]
        ]


Addresses = Callable[[Held, int], Sequence[str]]


@dataclass(frozen=True)
class PageKind:
    """One kind of page.

    `route` is what its service answers it at, `addresses` gives so many paths of pages of this kind, as far as the
    store has them, `json` the path of the same resource as JSON (None: there is none), `status` what it is answered
    with. A kind that shows nothing of its own kind on a small store is `sparse`: there may be no such page.
    """

    name: str
    service: Literal["api", "search"]
    route: str
    addresses: Addresses
    json: Callable[[str], str] | None = None
    status: int = 200
    sparse: bool = False


def _of_record(noun: str) -> PageKind:
    return PageKind(
        noun,
        "api",
        f"/{noun}/{{record_id}}",
        lambda held, number: [f"/{noun}/{record_id}" for record_id in held.records(noun, number)],
        json=lambda path: f"/v1{path}{'?include=all' if parts_of_noun(noun) else ''}",
        sparse=noun in ("observations", "pledges", "organisations", "statements", "labels"),
    )


def _dossiers(held: Held, number: int) -> list[str]:
    return [f"/dossier/{state}/{topic}" for state, topic in held.subjects(number)]


def _searches(held: Held, number: int) -> list[str]:
    return ["/search", *(f"/search?{urlencode({'q': word})}" for word in held.words[: number - 1])]


def _narrowed(held: Held, number: int) -> list[str]:
    states = held.records("states", number)
    return [f"/search?{urlencode({'type': 'recommendations', 'state_under_review': state})}" for state in states]


def _followed(held: Held, number: int) -> list[str]:
    states = held.records("states", number)
    return [f"/follow?{urlencode({'q': 'torture', 'state_under_review': state})}" for state in states]


def _lists_of_paragraphs(held: Held, number: int) -> list[str]:
    rows = held.json("/v1/documents", limit=200, include="records")["data"]
    return [f"/documents/{row['id']}/paragraphs" for row in rows if row["records"]["paragraphs"]["count"]][:number]


def _paragraphs(held: Held, number: int) -> list[str]:
    listed = [held.json(f"/v1{path}", limit=5)["data"] for path in _lists_of_paragraphs(held, number)]
    return [urlsplit(row["url"]).path for rows in listed for row in rows[-1:]]


def _always(path: str) -> Addresses:
    """One page that is there whatever is held."""
    return lambda _held, _number: [path]


def _itself(path: str) -> str:
    """Where the address of the page is that of the JSON, too: what is accepted decides."""
    return path


def _below_v1(path: str) -> str:
    """Where the JSON has the address of the page, below the version."""
    return f"/v1{path}"


KINDS: Sequence[PageKind] = (
    PageKind("home", "api", "/", _always("/")),
    PageKind("search", "search", "/search", _searches, json=_itself),
    PageKind("search, narrowed", "search", "/search", _narrowed, json=_itself),
    PageKind("search, nothing found", "search", "/search", _always("/search?q=xylophone+qwerty&cycle=4")),
    PageKind("search, fault", "search", "/search", _always("/search?cycle=x"), status=400),
    PageKind("help", "api", "/help", _always("/help")),
    PageKind("about", "api", "/about", _always("/about")),
    PageKind("coverage", "api", "/coverage", _always("/coverage")),
    PageKind("follow", "api", "/follow", _followed),
    *map(_of_record, RECORD_NOUNS),
    PageKind(
        "paragraphs", "api", "/documents/{record_id}/paragraphs", _lists_of_paragraphs, json=_below_v1, sparse=True
    ),
    PageKind(
        "paragraph", "api", "/documents/{record_id}/paragraphs/{anchor}", _paragraphs, json=_below_v1, sparse=True
    ),
    PageKind("statistics", "api", "/statistics", _always("/statistics"), json=_below_v1),
    PageKind("not there", "api", "/states/{record_id}", _always("/states/XXX"), status=404),
    PageKind(
        "dossier",
        "api",
        "/dossier/{state}/{topic}",
        _dossiers,
        json=lambda path: f"/v1/dossiers{urlsplit(path).path.removeprefix('/dossier')}",
    ),
)

_ASSETS = "styles and scripts of pages"
_OPERATORS = "for operators and programs"
_FILE = "leads to a file"
NO_PAGES = {
    "/openapi.json": _OPERATORS,
    "/healthz": _OPERATORS,
    "/readyz": _OPERATORS,
    "/metrics": _OPERATORS,
    "/problems/{code}": "JSON that explains a code of a problem document",
    "/docs": "Swagger UI, with its own styles and scripts: for developers",
    "/docs/assets/{asked_edition}/{name}": _ASSETS,
    "/pages/assets/{edition}/{name}": _ASSETS,
    "/search/assets/{edition}/{name}": _ASSETS,
    "/reviews/{record_id}/matrix": _FILE,
    "/reviews/{record_id}/matrix.docx": _FILE,
    "/reviews/{record_id}/matrix.xlsx": _FILE,
    "/documents/{record_id}/files/{sha256}": _FILE,
    "/dossier/{state}/{topic}.docx": _FILE,
    "/dossier/{state}/{topic}.pdf": _FILE,
}
"""What is in no OpenAPI document though it is no page, and what it is."""
LEADS_ON = {"search": {"/": "to the search page"}}
"""By service, what is a page of another one and only leads to a page here."""


def routes_beside_the_documented(app: Any) -> Iterator[str]:
    """The paths that an app answers and its OpenAPI document does not tell of: pages, and `NO_PAGES`."""
    for route in getattr(app, "routes", ()):
        if (included := getattr(route, "original_router", None)) is not None:
            yield from routes_beside_the_documented(included)
        elif not getattr(route, "include_in_schema", True):
            yield route.path
