"""Dossiers: `/v1/dossiers/{state}/{topic}`, as JSON and as a Word document."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from services.api.dependencies import desk_of
from services.api.details.topics import topics
from services.api.dossier.content import dossier_of
from services.api.dossier.models import Dossier
from services.api.opening import opening
from services.api.parameters import LANGUAGE_PARAMETER, read_language
from services.api.routes.records import not_there
from services.api.word_files import WORD_TYPE
from services.core.domain.errors import (
    InvalidParameterError,
    NotFoundError,
    UnavailableError,
    UnknownParameterError,
)
from services.core.query.filters import ID_PATTERN
from services.core.runtime.exports import file_answer, written
from services.core.runtime.parameters import Parameters, parameters_of
from services.core.runtime.problem_examples import problems
from services.core.runtime.web import JsonAnswer, links
from services.core.schemas.names import Names
from services.core.schemas.shapes import Shape
from services.core.store.states import STATES

router = APIRouter(tags=["dossiers"])

_Id = Path(json_schema_extra={"pattern": f"^{ID_PATTERN}$"})
StateId = Annotated[str, _Id]
TopicId = Annotated[str, _Id]
_PROBLEMS = problems(
    NotFoundError("There is no topic torture."),
    UnknownParameterError("There is no parameter 'colour' here"),
    InvalidParameterError("`lang` cannot be “de”: expected one of en, es, fr, pt."),
    UnavailableError("The database does not answer at the moment."),
)
_FILE = {"content": {WORD_TYPE: {"schema": {"type": "string", "format": "binary"}}}}


@dataclass(frozen=True)
class ToldDossier:
    """A dossier, the names it is told with, and the headers that go with it."""

    shape: Shape
    names: Names
    headers: dict[str, str]


@router.get(
    "/v1/dossiers/{state}/{topic}",
    operation_id="get_dossier",
    summary="Get all that is held of a State on a topic",
    responses={200: {"description": "The dossier.", "model": Dossier}, **_PROBLEMS},
    openapi_extra={"parameters": [LANGUAGE_PARAMETER]},
)
def get_dossier(request: Request, state: StateId, topic: TopicId) -> Response:
    """Cycle by cycle what it was told and answered, what was said again, and what is missing."""
    told = told_dossier(request, state, topic, parameters_of(request))
    return JsonAnswer(told.shape, headers=told.headers) if isinstance(told, ToldDossier) else told


@router.get(
    "/v1/dossiers/{state}/{topic}/document.docx",
    operation_id="get_dossier_as_docx",
    summary="Get a dossier as a Word document",
    response_class=Response,
    responses={200: {"description": "A Word document with numbered references.", **_FILE}, **_PROBLEMS},
    openapi_extra={"parameters": [LANGUAGE_PARAMETER]},
)
def get_dossier_as_docx(request: Request, state: StateId, topic: TopicId) -> Response:
    """To be worked with: for a statement in the Council, or a hearing of the Inter-American Commission."""
    told = told_dossier(request, state, topic, parameters_of(request))
    if isinstance(told, Response):
        return told
    from services.api.dossier.word_document import write_word_document  # noqa: PLC0415 - 6 MB until one is written

    version = told.shape["dataset"]["version"]
    name = f"openupr-{told.shape['state']['code']}-{told.shape['topic']['id']}-{told.names.language}-{version}.docx"
    file = written(lambda file: write_word_document(file, told.shape, told.names))
    about = {"Content-Disposition": f'attachment; filename="{name}"', "OpenUPR-Dataset": version}
    return file_answer(file, WORD_TYPE, told.headers | about)


def told_dossier(request: Request, state: str, topic: str, parameters: Parameters) -> ToldDossier | Response:
    """A dossier, or 304 where the reader holds it. Raises `NotFoundError`, and faults of parameters."""
    desk, language = desk_of(request), read_language(parameters)
    entry = topics().get(topic.removeprefix("topic:"))
    if entry is None:
        raise NotFoundError(f"There is no topic {topic[:120]}; /v1/topics lists them.")
    with opening(request) as opened:
        record = STATES.one(opened.connection, state)
        if record is None:
            raise not_there(opened.connection, "states", state)
        if (held := opened.held()) is not None:
            return held
        setting = opened.setting(language)
        shape = dossier_of(setting, record, entry)
    address = f"{desk.settings.public_url.rstrip('/')}/dossier/{record.id}/{entry.id}"
    headers = opened.version.headers() | links(canonical=address) | {"Content-Language": language}
    return ToldDossier({"url": address, **shape, "dataset": opened.dataset}, setting.names, headers)
