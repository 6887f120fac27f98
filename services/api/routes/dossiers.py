"""Dossiers: `/v1/dossiers/{state}/{topic}`, as JSON, as a Word document and as a PDF."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from services.api.dependencies import desk_of
from services.api.details.topics import topics
from services.api.dossier.content import dossier_of
from services.api.dossier.models import Dossier
from services.api.dossier.pdf_document import PDF_TYPE, write_pdf
from services.api.dossier.telling import Telling, telling_of
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


@dataclass(frozen=True)
class Form:
    """A form of the dossier to be worked with. `suffix` ends the address and the file's name."""

    suffix: str
    media_type: str
    name: str
    write: Callable[[IO[bytes], Telling, dict[str, Any]], None]


def _write_word_document(file: IO[bytes], telling: Telling, told: dict[str, Any]) -> None:
    from services.api.dossier.word_document import write_word_document  # noqa: PLC0415 - 6 MB until one is written

    write_word_document(file, telling, told)


FORMS = (
    Form("docx", WORD_TYPE, "Word document", _write_word_document),
    Form("pdf", PDF_TYPE, "PDF", write_pdf),
)


def _add_form(form: Form) -> None:
    content = {form.media_type: {"schema": {"type": "string", "format": "binary"}}}

    @router.get(
        f"/v1/dossiers/{{state}}/{{topic}}/document.{form.suffix}",
        operation_id=f"get_dossier_as_{form.suffix}",
        summary=f"Get a dossier as a {form.name}",
        response_class=Response,
        responses={200: {"description": "With numbered references.", "content": content}, **_PROBLEMS},
        openapi_extra={"parameters": [LANGUAGE_PARAMETER]},
    )
    def get_dossier_in_form(request: Request, state: StateId, topic: TopicId) -> Response:
        """To be worked with: for a statement in the Council, or a hearing of the Inter-American Commission."""
        told = told_dossier(request, state, topic, parameters_of(request))
        return dossier_file(told, form) if isinstance(told, ToldDossier) else told


for _form in FORMS:
    _add_form(_form)


def dossier_file(told: "ToldDossier", form: Form) -> Response:
    """A dossier as a file. Raises `UnavailableError` where too many are being written."""
    telling = telling_of(told.shape, told.names)
    version = told.shape["dataset"]["version"]
    subject = f"{told.shape['state']['code']}-{told.shape['topic']['id']}"
    name = f"openupr-{subject}-{told.names.language}-{version}.{form.suffix}"
    about = {"Content-Disposition": f'attachment; filename="{name}"', "OpenUPR-Dataset": version}
    file = written(lambda file: form.write(file, telling, told.shape["dataset"]))
    return file_answer(file, form.media_type, told.headers | about)


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
        shape = dossier_of(setting, record, entry, datetime.fromisoformat(opened.dataset["as_of"]).date())
    address = f"{desk.settings.public_url.rstrip('/')}/dossier/{record.id}/{entry.id}"
    headers = opened.version.headers() | links(canonical=address) | {"Content-Language": language}
    return ToldDossier({"url": address, **shape, "dataset": opened.dataset}, setting.names, headers)
