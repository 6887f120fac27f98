"""The latest changes as feeds for newsreaders: `/v1/changes.atom`, `/v1/changes.json-feed`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from services.api.dependencies import desk_of
from services.api.documented import file_responses
from services.api.feed import changes_before
from services.api.feeds.entries import News, entry_of
from services.api.feeds.formats import FEED_FORMS, FeedForm
from services.api.matching import Interest
from services.api.parameters import MAX_SEQ, FindSaved, feed_parameters, read_interest, read_language
from services.api.phrases import filters_in_words, listed, phrases
from services.api.saved_searches import FollowedSearch
from services.core.domain.changes import DEFAULT_CAUSES, Cause
from services.core.domain.errors import InvalidParameterError, UnknownParameterError
from services.core.query.filters import FILTERS, Vocabulary, parse_filters
from services.core.runtime.conditional import unchanged, version_of
from services.core.runtime.parameters import (
    Parameters,
    described,
    described_number,
    parameters_of,
    whole_number,
)
from services.core.runtime.web import links
from services.core.schemas.events import event
from services.core.schemas.names import Names
from services.core.schemas.shapes import moment_text
from services.core.store.changes import head_and_time
from services.core.store.engine import snapshot

ENTRIES = 50
_DOES_NOT_APPLY = ("after", "limit", "wait")


@dataclass(frozen=True)
class NewsQuery:
    """What a feed is asked for.

    `asked` is what its title tells: filters without the values that mean the same in other generations, and words.
    """

    interest: Interest
    asked: Mapping[str, Sequence[str]]
    before: int
    language: str


def feed_routes() -> APIRouter:
    """`GET /v1/changes.{suffix}` for every form."""
    router = APIRouter()
    for form in FEED_FORMS:
        _add_feed(router, form)
    return router


def _add_feed(router: APIRouter, form: FeedForm) -> None:
    @router.get(
        f"/v1/changes.{form.suffix}",
        operation_id=f"read_changes_as_{form.suffix.replace('-', '_')}",
        summary=f"The latest changes as {form.description.rstrip('.')}",
        tags=["feeds"],
        response_class=Response,
        responses=file_responses(
            f"{form.description} Fifty entries, the newest first.",
            [form.media_type],
            InvalidParameterError("`cause` cannot be “x”: expected one of publication, backfill, correction, merge."),
        ),
        openapi_extra={"parameters": news_parameters()},
    )
    def read_changes(request: Request) -> Response:
        """For newsreaders: what happened in words. Programs read `/v1/changes`, which misses nothing.

        History that is loaded late (`backfill`) is left out unless `cause` asks for it. The same comes from
        `/v1/changes` itself by `Accept`.
        """
        return latest_changes(request, form)


def latest_changes(request: Request, form: FeedForm) -> Response:
    """The newest changes that meet the filters, in words."""
    desk = desk_of(request)
    with snapshot(desk.engine) as connection:
        seq, as_of = head_and_time(connection)
        reference = desk.reference.as_of(connection, seq)
        followed = FollowedSearch(connection, reference.vocabulary)
        query = read_news_query(parameters_of(request), reference.vocabulary, followed)
        found = changes_before(connection, query.interest, reference, before=query.before, limit=ENTRIES)
    updated = found.changes[0][0].occurred_at if found.changes else as_of
    # Names may change as well as entries; what else happens in the store does not matter to this feed.
    version = version_of(
        request,
        [(change.seq, match) for change, match in found.changes],
        [query.asked, followed.name],
        updated,
        reference.names_hash,
        modified=max(updated, reference.changed_at),
    )
    if (held := unchanged(request, version)) is not None:
        return held
    names, home = Names(reference, query.language), desk.settings.public_url.rstrip("/")
    address = f"{home}/v1/changes.{form.suffix}"
    following = None if found.following is None else _address(address, request, before=found.following)
    news = News(
        title=_title(query, names, followed.name),
        address=_address(address, request),
        page=_address(address, request, before=query.before if query.before < MAX_SEQ else None),
        next_page=following,
        home=home,
        updated=moment_text(updated),
        language=query.language,
        entries=[entry_of(names.localise(event(change, home, match)), names) for change, match in found.changes],
    )
    headers = version.headers() | links(next=following) | {"Content-Language": query.language}
    return Response(form.write(news), headers=headers, media_type=f"{form.media_type}; charset=utf-8")


def _title(query: NewsQuery, names: Names, saved_search: str | None) -> str:
    words = phrases("feeds")
    title = words.say("feed.title", names.language)
    told = filters_in_words(query.asked, names)
    told = "; ".join(filter(None, [saved_search, told]))
    return words.say("feed.filtered", names.language, title=title, filters=told) if told else title


def _address(base: str, request: Request, *, before: int | None = None) -> str:
    asked = [(name, value) for name, value in request.query_params.multi_items() if name != "before"]
    asked += [("before", str(before))] if before is not None else []
    return f"{base}?{urlencode(asked)}" if asked else base


def read_news_query(parameters: Parameters, vocabulary: Vocabulary, saved: FindSaved) -> NewsQuery:
    """Raises `InvalidParameterError`, `InvalidQueryError` and `UnknownParameterError`, which name the parameter."""
    for name in _DOES_NOT_APPLY:
        if any(given == name for given, _ in parameters):
            raise UnknownParameterError(f"A feed is the latest changes: `{name}` does not apply to it.", parameter=name)
    shared = [pair for pair in parameters if pair[0] != "before"]
    interest = read_interest(shared, vocabulary, saved)
    return NewsQuery(
        interest=replace(interest, causes=interest.causes or frozenset(DEFAULT_CAUSES)),
        asked=_asked(shared, vocabulary),
        before=whole_number(parameters, "before", least=1, most=MAX_SEQ, otherwise=MAX_SEQ),
        language=read_language(parameters),
    )


def _asked(parameters: Parameters, vocabulary: Vocabulary) -> Mapping[str, Sequence[str]]:
    in_words = {name: [value] for name, value in parameters if name in ("q", "type") and value.strip()}
    filters = [pair for pair in parameters if pair[0] in FILTERS]
    return {**in_words, **parse_filters(None, filters, replace(vocabulary, families={})).values}


def news_parameters() -> list[dict[str, Any]]:
    """The parameters of feeds, for the OpenAPI document."""
    by_default = listed([str(each) for each in DEFAULT_CAUSES], "en")
    kept = [each for each in feed_parameters() if each["name"] not in (*_DOES_NOT_APPLY, "cause")]
    why = f"Why changes were made; {by_default} if not given."
    return [
        *kept,
        described("cause", why, {"type": "string", "enum": [str(each) for each in Cause]}, many=True),
        described_number(
            "before", "Number (`seq`) of a change: the older ones.", least=1, most=MAX_SEQ, otherwise=MAX_SEQ
        ),
    ]
