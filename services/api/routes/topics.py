"""Topics: `/v1/topics` and `/v1/topics/{slug}`."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from services.api.dependencies import desk_of
from services.api.details.asked import asked_parameters, read_asked, without_asked
from services.api.details.catalogue import add_parts, list_answer, record_answer
from services.api.details.topics import TopicEntry, topic_shape, topics
from services.api.opening import opening
from services.api.parameters import CURSOR_PARAMETER, LANGUAGE_PARAMETER, read_language, read_page_size
from services.api.routes.records import Told, next_address
from services.core.domain.errors import (
    InvalidCursorError,
    InvalidParameterError,
    NotFoundError,
    UnavailableError,
    UnknownParameterError,
)
from services.core.runtime.parameters import Parameters, described_number, parameters_of, single
from services.core.runtime.problem_examples import problems
from services.core.runtime.web import JsonAnswer, links
from services.core.store.paging import DEFAULT_LIMIT, MAX_LIMIT, binding_of, read_cursor, write_cursor

router = APIRouter()

NOUN = "topics"
_FAULTS = (
    UnknownParameterError("There is no parameter 'colour' here"),
    InvalidParameterError("`lang` cannot be “de”: expected one of en, es, fr, pt."),
    UnavailableError("The database does not answer at the moment."),
)
Slug = Annotated[
    str,
    Path(
        description="The topic's id, as the filter `topic` takes it.",
        json_schema_extra={"pattern": "^(topic:)?[a-z0-9]+(-[a-z0-9]+)*$"},
    ),
]


@router.get(
    "/v1/topics",
    operation_id="list_topics",
    summary="List topics",
    tags=[NOUN],
    responses={
        200: {"description": "One page of topics.", "model": list_answer(NOUN)},
        **problems(*_FAULTS, InvalidCursorError("The cursor is not one that this list gave out; start without it.")),
    },
    openapi_extra={
        "parameters": [
            described_number("limit", "Entries a page.", least=1, most=MAX_LIMIT, otherwise=DEFAULT_LIMIT),
            CURSOR_PARAMETER,
            LANGUAGE_PARAMETER,
            *asked_parameters(NOUN),
        ]
    },
)
def list_topics(request: Request) -> Response:
    """What people ask for, and which themes, issues, instruments and phrases tell of it, in the order of the ids."""
    desk = desk_of(request)
    parameters = parameters_of(request)
    asked = read_asked(NOUN, parameters)
    language, limit = read_language(without_asked(parameters)), read_page_size(parameters)
    cursor, binding = single(parameters, "cursor"), binding_of(NOUN)
    after = read_cursor(cursor, binding)[1] if cursor is not None else ""
    entries = [entry for entry in topics().values() if entry.id > after]
    with opening(request) as opened:
        if (held := opened.held()) is not None:
            return held
        setting = opened.setting(language)
        shapes = [topic_shape(entry, setting) for entry in entries[:limit]]
        add_parts(setting, shapes, entries[:limit], asked.parts)
    more = len(entries) > limit
    following = next_address(desk, request, write_cursor(binding, "", entries[limit - 1].id) if more else None)
    return JsonAnswer(
        {
            "data": [asked.cut(shape) for shape in shapes],
            "total": len(topics()),
            "page": {"next": following},
            "dataset": opened.dataset,
        },
        headers=opened.version.headers() | links(next=following) | {"Content-Language": language},
    )


@router.get(
    "/v1/topics/{slug}",
    operation_id="get_topic",
    summary="Get one topic",
    tags=[NOUN],
    responses={
        200: {"description": "The topic.", "model": record_answer(NOUN)},
        **problems(*_FAULTS, NotFoundError("There is no topic torture.")),
    },
    openapi_extra={"parameters": [LANGUAGE_PARAMETER, *asked_parameters(NOUN, of_one=True)]},
)
def get_topic(request: Request, slug: Slug) -> Response:
    """A topic has no history: what it joins changes with the version of OpenUPR, and records are labelled anew."""
    told = told_topic(request, slug, parameters_of(request))
    return JsonAnswer(told.shape, headers=told.headers) if isinstance(told, Told) else told


def told_topic(request: Request, slug: str, parameters: Parameters) -> Told | Response:
    """A topic as it is shown, or 304 where the reader holds it. Raises `NotFoundError`, and faults of parameters."""
    asked, language = read_asked(NOUN, parameters, of_one=True), read_language(parameters)
    entry = _entry(slug)
    with opening(request) as opened:
        if (held := opened.held()) is not None:
            return held
        setting = opened.setting(language)
        shape = topic_shape(entry, setting)
        add_parts(setting, [shape], [entry], asked.parts)
    headers = opened.version.headers() | links(canonical=shape["url"]) | {"Content-Language": language}
    return Told(asked.cut(shape), setting.names, opened.dataset, headers)


def _entry(slug: str) -> TopicEntry:
    entry = topics().get(slug.removeprefix("topic:"))
    if entry is None:
        raise NotFoundError(f"There is no topic {slug[:120]}.")
    return entry
