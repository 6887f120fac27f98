"""`/v1/statistics`: all recommendations at a glance."""

from fastapi import APIRouter, Request, Response

from services.api.dependencies import desk_of
from services.api.opening import opening
from services.api.overview import Overview
from services.api.parameters import LANGUAGE_PARAMETER, read_language
from services.api.routes.records import Told
from services.core.domain.errors import InvalidParameterError, UnavailableError, UnknownParameterError
from services.core.runtime.parameters import Parameters, parameters_of
from services.core.runtime.problem_examples import problems
from services.core.runtime.web import JsonAnswer

router = APIRouter()
_FAULTS = (
    UnknownParameterError("There is no parameter 'colour' here"),
    InvalidParameterError("`lang` cannot be “de”: expected one of en, es, fr, pt."),
    UnavailableError("The database does not answer at the moment."),
)


@router.get(
    "/v1/statistics",
    operation_id="get_overview",
    summary="Count all recommendations, at a glance",
    tags=["statistics"],
    responses={200: {"description": "The counts.", "model": Overview}, **problems(*_FAULTS)},
    openapi_extra={"parameters": [LANGUAGE_PARAMETER]},
)
def get_overview(request: Request) -> Response:
    """By cycle, year and topic, by those who made them and those who got them. What the page `/statistics` shows."""
    told = told_overview(request, parameters_of(request))
    return JsonAnswer(told.shape, headers=told.headers) if isinstance(told, Told) else told


def told_overview(request: Request, parameters: Parameters) -> Told | Response:
    """The overview, or 304 where the reader holds it. Raises faults of parameters."""
    desk, language = desk_of(request), read_language(parameters)
    with opening(request) as opened:
        if (held := opened.held()) is not None:
            return held
        setting = opened.setting(language)
        counted = desk.overviews.get(opened.dataset["cursor"], setting)
    headers = opened.version.headers() | {"Content-Language": language}
    return Told({**counted, "dataset": opened.dataset}, setting.names, opened.dataset, headers)
