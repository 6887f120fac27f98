"""The latest changes as feeds for newsreaders: `/v1/changes.atom`, `/v1/changes.json-feed`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection, select

from services.api.change_filters import changes_that_meet
from services.api.dependencies import desk_of
from services.api.documented import file_responses
from services.api.feeds.entries import News, entry_of
from services.api.feeds.formats import FEED_FORMS, FeedForm
from services.api.parameters import MAX_SEQ, feed_parameters, read_feed_query
from services.api.phrases import filters_in_words, listed, phrases
from services.core.domain.changes import DEFAULT_CAUSES, Cause
from services.core.domain.errors import InvalidParameterError, UnknownParameterError
from services.core.query.filters import FilterSet, Vocabulary, parse_filters
from services.core.runtime.conditional import unchanged, version_of
from services.core.runtime.negotiation import preferred_media_type
from services.core.runtime.parameters import (
    Parameters,
    described,
    described_number,
    invalid,
    parameters_of,
    whole_number,
)
from services.core.runtime.web import links
from services.core.schemas.events import event
from services.core.schemas.names import Names
from services.core.schemas.shapes import moment_text
from services.core.store.changes import ChangeRecord, change_from_row, changes_table, head_and_time
from services.core.store.engine import snapshot

ENTRIES = 50
_JSON = "application/json"
_DOES_NOT_APPLY = ("after", "limit")


@dataclass(frozen=True)
class NewsQuery:
    """What a feed is asked for. `asked` are the filters without the values that mean the same in other generations."""

    filters: FilterSet
    asked: Mapping[str, Sequence[str]]
    event_types: frozenset[str]
    causes: tuple[str, ...]
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


def wanted_feed(request: Request) -> FeedForm | None:
    """The feed that `Accept` would rather have than JSON; None: JSON."""
    by_type = {form.media_type: form for form in FEED_FORMS}
    wanted = preferred_media_type(request.headers.get("accept"), (_JSON, *by_type))
    return by_type.get(wanted or _JSON)


def latest_changes(request: Request, form: FeedForm) -> Response:
    """The newest changes that meet the filters, in words."""
    desk = desk_of(request)
    with snapshot(desk.engine) as connection:
        seq, as_of = head_and_time(connection)
        reference = desk.reference.as_of(connection, seq)
        query = read_news_query(parameters_of(request), reference.vocabulary)
        found = _newest(connection, query)
    updated = found[0].occurred_at if found else as_of
    # Names may change as well as entries; what else happens in the store does not matter to this feed.
    version = version_of(
        request,
        [change.seq for change in found],
        updated,
        reference.names_hash,
        modified=max(updated, reference.changed_at),
    )
    if (held := unchanged(request, version)) is not None:
        return held
    names, home = Names(reference, query.language), desk.settings.public_url.rstrip("/")
    address = f"{home}/v1/changes.{form.suffix}"
    more = len(found) > ENTRIES
    found = found[:ENTRIES]
    following = _address(address, request, before=found[-1].seq) if more else None
    news = News(
        title=_title(query, names),
        address=_address(address, request),
        page=_address(address, request, before=query.before if query.before < MAX_SEQ else None),
        next_page=following,
        home=home,
        updated=moment_text(updated),
        language=query.language,
        entries=[entry_of(names.localise(event(change, home)), names) for change in found],
    )
    headers = version.headers() | links(next=following) | {"Content-Language": query.language}
    return Response(form.write(news), headers=headers, media_type=f"{form.media_type}; charset=utf-8")


def _newest(connection: Connection, query: NewsQuery) -> list[ChangeRecord]:
    columns = changes_table.c
    conditions = changes_that_meet(query.filters, query.event_types)
    if set(query.causes) != set(Cause):
        conditions.append(columns.cause.in_(query.causes))
    newest = select(changes_table).where(columns.seq < query.before, *conditions).order_by(columns.seq.desc())
    return [change_from_row(row._mapping) for row in connection.execute(newest.limit(ENTRIES + 1))]


def _title(query: NewsQuery, names: Names) -> str:
    words = phrases("feeds")
    title = words.say("feed.title", names.language)
    told = filters_in_words(query.asked, names)
    return words.say("feed.filtered", names.language, title=title, filters=told) if told else title


def _address(base: str, request: Request, *, before: int | None = None) -> str:
    asked = [(name, value) for name, value in request.query_params.multi_items() if name != "before"]
    asked += [("before", str(before))] if before is not None else []
    return f"{base}?{urlencode(asked)}" if asked else base


def read_news_query(parameters: Parameters, vocabulary: Vocabulary) -> NewsQuery:
    """Raises `InvalidParameterError` and `UnknownParameterError`, which name the parameter."""
    for name in _DOES_NOT_APPLY:
        if any(given == name for given, _ in parameters):
            raise UnknownParameterError(f"A feed is the latest changes: `{name}` does not apply to it.", parameter=name)
    causes = tuple(dict.fromkeys(value for name, value in parameters if name == "cause"))
    if unknown := [each for each in causes if each not in set(Cause)]:
        raise invalid("cause", unknown[0], f"one of {', '.join(Cause)}")
    shared = [pair for pair in parameters if pair[0] not in ("before", "cause")]
    query = read_feed_query(shared, vocabulary)
    filters = [pair for pair in shared if pair[0] not in ("lang", "event_type")]
    return NewsQuery(
        filters=query.filters,
        asked=parse_filters(None, filters, replace(vocabulary, families={})).values,
        event_types=query.event_types,
        causes=causes or tuple(DEFAULT_CAUSES),
        before=whole_number(parameters, "before", least=1, most=MAX_SEQ, otherwise=MAX_SEQ),
        language=query.language,
    )


def news_parameters() -> list[dict[str, Any]]:
    """The parameters of feeds, for the OpenAPI document."""
    by_default = listed([str(each) for each in DEFAULT_CAUSES], "en")
    return [
        *(each for each in feed_parameters() if each["name"] not in _DOES_NOT_APPLY),
        described(
            "cause",
            f"Why changes were made; {by_default} if not given.",
            {"type": "string", "enum": [str(each) for each in Cause]},
            many=True,
        ),
        described_number(
            "before", "Number (`seq`) of a change: the older ones.", least=1, most=MAX_SEQ, otherwise=MAX_SEQ
        ),
    ]
