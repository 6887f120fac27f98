"""What can be done with a list beside reading it: take it as a file, follow it, cite it."""

from typing import Any
from urllib.parse import urlencode

from fastapi import Request

from services.core.pages.addresses import Address
from services.core.pages.words import Words
from services.core.query.filters import FILTERS
from services.core.query.tree import Query
from services.search.answers import desk_of
from services.search.pages.facets import MORE, chips
from services.search.routes.exports import MOST_ROWS
from services.search.routes.search import Answered

_EXPORTED = ("csv", "xlsx")
_OF_PAGES = (MORE, "page", "per_page", "facets", "facet_sort", "facet_limit")
"""What a page is asked for, and an export is not."""


def list_tools(request: Request, told: Answered, here: Address, words: Words) -> dict[str, Any]:
    """`uses`: labels and addresses; `citation`: how to cite the list; `citation_forms`: where it is in other forms.

    A list without words is one of the API's, which exports it whole and knows its citation in all forms.
    """
    settings, asked = desk_of(request).settings, told.query.request
    api, search = settings.public_url.rstrip("/"), settings.search_public_url.rstrip("/")
    uses = [(words("search.as_json"), str(here.leaving_out(MORE).at(f"{search}/v1/search")))]
    forms = None
    if asked.type and not _asks_more_than_filters(asked.query):
        filters = urlencode([pair for pair in here.pairs if pair[0] in FILTERS or pair[0] == "lang"])
        uses += [(words(f"search.as_{form}"), f"{api}/v1/{asked.type}.{form}?{filters}") for form in _EXPORTED]
        forms = f"{api}/v1/{asked.type}/citation?{filters}"
    else:
        cut = "_cut" if told.shape["total"] > MOST_ROWS else ""
        exported = here.leaving_out(*_OF_PAGES)
        uses += [
            (words(f"search.as_{form}{cut}", rows=MOST_ROWS), str(exported.at(f"{search}/v1/search.{form}")))
            for form in _EXPORTED
        ]
    followed = urlencode([pair for pair in here.pairs if pair[0] in FILTERS or pair[0] in ("q", "type", "lang")])
    uses.append((words("search.follow"), f"{api}/follow?{followed}"))
    return {"uses": uses, "citation": _citation(told, here, words, search), "citation_forms": forms}


def _asks_more_than_filters(query: Query) -> bool:
    return bool(query.text.strip())


def _citation(told: Answered, here: Address, words: Words, search: str) -> str:
    """How to cite the list: what was asked, how many records, which state of the data, and the address that asks."""
    asked, shape = told.query.request, told.shape
    parts = [words("search.title_of", query=asked.query.text.strip())] if asked.query.text.strip() else []
    parts += [told.names.of_filter_value("type", asked.type)] if asked.type else []
    parts += [chip.label for chip in chips(here, asked, words, told.names)]
    kept = here.only([*FILTERS, "q", "type", "strict"])
    return words(
        "search.citation",
        title="; ".join(parts) or words("search.all_types"),
        records=words("search.found", n=shape["total"]),
        date=words.date(shape["dataset"]["as_of"]),
        version=shape["dataset"]["version"],
        address=str(kept.at(f"{search}/search")),
    )
