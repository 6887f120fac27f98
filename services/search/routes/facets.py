"""The values of one facet, to look among: `/v1/facets/{name}`."""

import time
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from services.core.runtime.conditional import unchanged
from services.core.runtime.parameters import parameters_of
from services.core.runtime.web import JsonAnswer
from services.core.schemas.names import Names
from services.search.answers import asked_in_time, desk_of, facet_labels, facet_shape, milliseconds_since, version_at
from services.search.catalogue import values_called
from services.search.documented import facet_responses
from services.search.engines.base import FacetCounts
from services.search.models import FacetAnswer
from services.search.parameters import COUNTED, facet_parameters, read_facet_query

router = APIRouter()

FacetName = Annotated[
    str, Path(description="Name of the facet.", json_schema_extra={"enum": list(COUNTED)}, examples=["topic"])
]


@router.get(
    "/v1/facets/{name}",
    operation_id="get_facet",
    summary="Look among the values of a facet",
    tags=["facets"],
    responses=facet_responses(FacetAnswer),
    openapi_extra={"parameters": facet_parameters()},
)
def get_facet(request: Request, name: FacetName) -> Response:
    """The values of one facet with exact counts, of all records or of those that a search finds.

    The counts ignore the facet's own filter. `q` looks among what the values are called.
    """
    started = time.perf_counter()
    desk = desk_of(request)
    reference = desk.reference.get()
    query = read_facet_query(name, parameters_of(request), reference.vocabulary)
    if (held := unchanged(request, version_at(request, desk.engine.cursor(), reference))) is not None:
        return held
    cursor, result = asked_in_time(desk, lambda: desk.engine.search(query.search.request))
    names = Names(reference, query.search.language)
    labels = facet_labels(desk, result.facets, names)[name]
    counts = result.facets[name]
    if query.q.strip():
        meant = values_called(reference, name, labels, query.q, labels)
        counts = FacetCounts(tuple(pair for pair in counts.values if pair[0] in meant), counts.unlabelled)
    return JsonAnswer(
        {
            "name": name,
            **facet_shape(name, counts, labels, query.order),
            "total": result.total,
            "took_ms": milliseconds_since(started),
            "interpreted": query.search.request.query.interpreted_with(result.readings),
            "dataset": desk.datasets.at(cursor, reference),
        },
        headers=version_at(request, cursor, reference).headers() | {"Content-Language": query.search.language},
    )
