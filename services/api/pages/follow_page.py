"""How to follow a search or a record: `/follow` with the parameters of a search gives the addresses of its feeds, and
the command that makes a webhook for it."""

import json
import shlex
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from services.api.calendars import CALENDAR_FILTERS
from services.api.dependencies import desk_of
from services.api.pages.record_page import pages_of
from services.api.parameters import read_interest
from services.api.phrases import filters_in_words
from services.api.saved_searches import FollowedSearch
from services.core.domain.changes import DEFAULT_CAUSES
from services.core.pages.rendering import as_page, reader_language
from services.core.pages.words import Words
from services.core.query.filters import FILTERS
from services.core.runtime.parameters import Parameters
from services.core.schemas.names import Names
from services.core.store.engine import snapshot

_RECEIVER = "https://example.org/hook"
_ANSWERS = "recommendation.position_changed"


def follow_page() -> APIRouter:
    """`/follow`."""
    router = APIRouter(include_in_schema=False)
    router.add_api_route("/follow", as_page(pages_of, _follow), methods=["GET"])
    return router


def _follow(request: Request) -> Response:
    desk, language = desk_of(request), reader_language(request)
    given = [pair for pair in request.query_params.multi_items() if pair[0] != "lang" and pair[1].strip()]
    reference = desk.reference.get()
    with snapshot(desk.engine) as connection:
        read_interest(given, reference.vocabulary, FollowedSearch(connection, reference.vocabulary))
    names, words = Names(reference, language), Words(language)
    api, search = (each.rstrip("/") for each in (desk.settings.public_url, desk.settings.search_public_url))
    asked, in_language = urlencode(given), urlencode([*given, ("lang", language)])
    dated = [pair for pair in given if pair[0] in CALENDAR_FILTERS]
    values: dict[str, Any] = {
        "asked": _in_words(given, names, words),
        "search": f"{search}/search?{in_language}",
        "atom": f"{api}/v1/changes.atom?{in_language}",
        "json_feed": f"{api}/v1/changes.json-feed?{in_language}",
        "answers": f"{api}/v1/changes.atom?{urlencode([*given, ('event_type', _ANSWERS), ('lang', language)])}"
        if dict(given).get("type", "recommendations") == "recommendations"
        else None,
        "calendar": f"{api}/v1/calendar.ics?{urlencode([*dated, ('lang', language)])}",
        "calendar_of": filters_in_words(_several(dated), names),
        "changes": f"{api}/v1/changes?{asked}",
        "webhook": webhook_command(given, api),
        "causes": ", ".join(map(str, DEFAULT_CAUSES)),
    }
    return pages_of(request).page(request, "own/follow.html", language, values)


def webhook_command(asked: Parameters, api: str) -> str:
    """The command that makes an endpoint for what is asked, ready for a shell."""
    words = {name: value for name, value in asked if name in ("q", "type", "saved_search")}
    filters = {name: several for name, several in _several(asked).items() if name in FILTERS}
    body = json.dumps({"url": _RECEIVER, **words, **({"filters": filters} if filters else {})}, ensure_ascii=False)
    return (
        f"curl -X POST {shlex.quote(f'{api}/v1/webhooks/endpoints')} \\\n"
        f"  -H \"Authorization: Bearer $KEY\" -H 'Content-Type: application/json' \\\n"
        f"  -d {shlex.quote(body)}"
    )


def _several(asked: Parameters) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in asked:
        found.setdefault(name, []).append(value)
    return found


def _in_words(asked: Parameters, names: Names, words: Words) -> str:
    """What is followed, for people; empty where it is everything."""
    told = dict(asked)
    parts = [words("search.title_of", query=told["q"])] if told.get("q") else []
    parts += [names.of_filter_value("type", told["type"])] if told.get("type") else []
    filters = {name: values for name, values in _several(asked).items() if name in FILTERS}
    parts += [
        words("understood.filter", filter=words(f"filter.{name}"), values=words.either(_called(name, values, names)))
        if words.has(f"filter.{name}")
        else filters_in_words({name: values}, names)
        for name, values in filters.items()
    ]
    return "; ".join(parts)


def _called(name: str, values: list[str], names: Names) -> list[str]:
    return [names.of_filter_value(name, value) for value in values]
