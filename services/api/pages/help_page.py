"""How to search, with examples that are links: `/help`."""

from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from services.api.dependencies import desk_of
from services.api.pages.record_page import pages_of
from services.core.pages.rendering import as_page, reader_language
from services.core.pages.words import Words
from services.core.query.fields import field_names

EXAMPLES = ("words", "misspelt", "meaning", "phrase", "without", "either", "brackets", "number", "fields")
"""What is shown of the query language, in this order: `help.{name}` says what it does, `help.{name}_example` is it."""
_VALUES = {
    "from": "from:Spain",
    "to": "to:Peru",
    "type": "type:statements",
    "date": "date:2012..2015",
    "since": "since:2020",
    "until": "until:2012",
    "cycle": "cycle:2..4",
    "session": "session:40..",
    "position": "position:noted",
    "topic": "topic:torture-prevention",
    "sdg": "sdg:16",
    "sdg_target": "sdg_target:16.3",
    "group": "group:women-and-girls",
    "instrument": "instrument:opcat",
    "speaker": "speaker:Peru",
    "document": "document:A-HRC-22-15",
    "language": "language:es",
    "kind": "kind:national_report",
}
"""An example of each field. Values may be codes or names in any language."""


def help_page() -> APIRouter:
    """`/help`."""
    router = APIRouter(include_in_schema=False)
    router.add_api_route("/help", as_page(pages_of, _help), methods=["GET"])
    return router


def _help(request: Request) -> Response:
    language = reader_language(request)
    words, search = Words(language), f"{desk_of(request).settings.search_public_url.rstrip('/')}/search"

    def address(query: str) -> str:
        return f"{search}?{urlencode([('q', query), ('lang', language)])}"

    examples = [words(f"help.{name}_example") for name in EXAMPLES]
    fields = [(name, also, _VALUES[name]) for name, also in field_names().items() if name in _VALUES]
    values: dict[str, Any] = {
        "examples": [
            (words(f"help.{name}"), query, address(query)) for name, query in zip(EXAMPLES, examples, strict=True)
        ],
        "fields": [(name, also, example, address(example)) for name, also, example in fields],
    }
    return pages_of(request).page(request, "own/help.html", language, values)
