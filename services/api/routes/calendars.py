"""The dates of reviews for people's calendars: `/v1/calendar.ics`."""

from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from services.api.calendars import CALENDAR_FILTERS, happenings, write_calendar
from services.api.dependencies import desk_of
from services.api.documented import file_responses
from services.api.opening import opening
from services.api.parameters import LANGUAGE_PARAMETER, filter_parameters, read_language
from services.core.domain.errors import InvalidParameterError
from services.core.query.filters import parse_filters
from services.core.runtime.parameters import parameters_of
from services.core.schemas.names import Names

router = APIRouter()
_MEDIA_TYPE = "text/calendar"


@router.get(
    "/v1/calendar.ics",
    operation_id="read_calendar",
    summary="The dates of reviews as iCalendar",
    tags=["calendars"],
    response_class=Response,
    responses=file_responses(
        "An iCalendar object to subscribe to.",
        [_MEDIA_TYPE],
        InvalidParameterError("`region` cannot be “x”: expected one of africa, asia-pacific, eastern-europe."),
    ),
    openapi_extra={
        "parameters": [
            *(each for each in filter_parameters("reviews") if each["name"] in CALENDAR_FILTERS),
            LANGUAGE_PARAMETER,
        ]
    },
)
def read_calendar(request: Request) -> Response:
    """Reviews, the adoption of reports by the Working Group and of outcomes by the Council, sessions.

    And mid-term reports in the years by which the High Commissioner's letters hope for them: they are voluntary, and
    never overdue. All take whole days.
    """
    desk, parameters = desk_of(request), parameters_of(request)
    language = read_language(parameters)
    with opening(request) as opened:
        filters = [pair for pair in parameters if pair[0] != "lang"]
        chosen = parse_filters("reviews", filters, opened.reference.vocabulary)
        if (held := opened.held()) is not None:
            return held
        names = Names(opened.reference, language)
        found = happenings(opened.connection, chosen, names, desk.settings.public_url)
    query = urlencode(request.query_params.multi_items())
    address = f"{desk.settings.public_url.rstrip('/')}/v1/calendar.ics" + (f"?{query}" if query else "")
    headers = opened.version.headers() | {
        "Content-Language": language,
        "Content-Disposition": 'inline; filename="openupr.ics"',
    }
    content = write_calendar(found, chosen.values, names, address)
    return Response(content, headers=headers, media_type=f"{_MEDIA_TYPE}; charset=utf-8")
