"""What to search for, while it is typed: `/v1/suggest`."""

import time

from fastapi import APIRouter, Request, Response

from services.core.runtime.conditional import unchanged, version_of
from services.core.runtime.parameters import parameters_of
from services.core.runtime.web import JsonAnswer
from services.core.schemas.names import Names
from services.search.answers import desk_of, milliseconds_since
from services.search.documented import suggest_responses
from services.search.models import SuggestAnswer
from services.search.parameters import read_suggest_query, suggest_parameters
from services.search.suggestions import Suggestions

router = APIRouter()


@router.get(
    "/v1/suggest",
    operation_id="suggest",
    summary="Suggest what to search for",
    tags=["suggest"],
    responses=suggest_responses(SuggestAnswer),
    openapi_extra={"parameters": suggest_parameters()},
)
def suggest(request: Request) -> Response:
    """Labels, States, organisations, symbols, numbers and phrases that what is typed may mean, each with its search.

    Counts are exact at `dataset.version`.
    """
    started = time.perf_counter()
    desk = desk_of(request)
    suggestions: Suggestions = request.app.state.suggestions
    reference = desk.reference.get()
    query = read_suggest_query(parameters_of(request))
    cursor, found = suggestions.version()
    if (held := unchanged(request, version_of(request, cursor, reference.names_hash, found, weak=True))) is not None:
        return held
    names = Names(reference, query.language)
    cursor, told = desk.cutoff.within(lambda: suggestions.suggest(query.q, names, query.noun, query.limit))
    address = f"{desk.settings.search_public_url.rstrip('/')}/v1/search"
    return JsonAnswer(
        {
            "q": query.q,
            "suggestions": [each.shape(address, query.of_searches) for each in told],
            "took_ms": milliseconds_since(started),
            "dataset": desk.datasets.at(cursor, reference),
        },
        headers=version_of(request, cursor, reference.names_hash, found, weak=True).headers()
        | {"Content-Language": query.language},
    )
