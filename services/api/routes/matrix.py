"""The matrix of a review as a file: `/v1/reviews/{id}/matrix` by `Accept`, `.docx` and `.xlsx` by name."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import IO
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from services.api.dependencies import desk_of
from services.api.documented import part_responses
from services.api.matrix import workbook
from services.api.matrix.content import Matrix, Origin, matrix_of
from services.api.opening import opening
from services.api.parameters import LANGUAGE_PARAMETER, read_language
from services.api.routes.records import RecordId, not_there, redirect
from services.api.word_files import WORD_TYPE
from services.core.domain.errors import InvalidParameterError, UnavailableError, UnknownParameterError
from services.core.runtime.exports import file_answer, written
from services.core.runtime.negotiation import preferred_media_type
from services.core.runtime.parameters import parameters_of
from services.core.runtime.problem_examples import Responses, problems
from services.core.runtime.web import links
from services.core.schemas.names import Names
from services.core.schemas.shapes import permalink
from services.core.store.documents import DOCUMENTS
from services.core.store.recommendations import RECOMMENDATIONS, recommendations_table
from services.core.store.reviews import REVIEWS


@dataclass(frozen=True)
class Form:
    """A form of the matrix. `suffix` ends the address and the file's name."""

    suffix: str
    media_type: str
    description: str
    write: Callable[[IO[bytes], Matrix], None]


def _write_word_document(file: IO[bytes], matrix: Matrix) -> None:
    from services.api.matrix.word_document import write_word_document  # noqa: PLC0415 - 6 MB until one is written

    write_word_document(file, matrix)


DOCX = Form("docx", WORD_TYPE, "A Word document.", _write_word_document)
XLSX = Form("xlsx", workbook.MEDIA_TYPE, "A workbook.", workbook.write_workbook)
FORMS = (DOCX, XLSX)
"""The forms, the first for readers that take any or none of them."""


def matrix_routes() -> APIRouter:
    """The routes of the matrix in all its forms, and its permalinks without the version."""
    router = APIRouter()
    _add_matrix(router)
    for form in FORMS:
        _add_form(router, form)
    for ending in ("", *(f".{form.suffix}" for form in FORMS)):
        _add_permalink(router, f"/matrix{ending}")
    return router


def _responses(*forms: Form) -> Responses:
    content = {form.media_type: {"schema": {"type": "string", "format": "binary"}} for form in forms}
    return {
        200: {"description": " Or: ".join(form.description for form in forms), "content": content},
        **problems(
            UnknownParameterError("There is no parameter 'colour' here"),
            InvalidParameterError("`lang` cannot be “de”: expected one of en, es, fr, pt."),
            UnavailableError("Too many exports are being written at the moment."),
        ),
        **part_responses("review"),
    }


def _add_matrix(router: APIRouter) -> None:
    @router.get(
        "/v1/reviews/{record_id}/matrix",
        operation_id="get_matrix",
        summary="Get the matrix of a review: its recommendations by theme",
        tags=["exports"],
        response_class=Response,
        responses=_responses(*FORMS),
        openapi_extra={"parameters": [LANGUAGE_PARAMETER]},
    )
    def get_matrix(request: Request, record_id: RecordId) -> Response:
        """In the form that `Accept` likes best: a Word document, or a workbook."""
        by_type = {form.media_type: form for form in FORMS}
        liked = preferred_media_type(request.headers.get("accept"), tuple(by_type))
        return _answer(request, record_id, by_type.get(liked or "", DOCX))


def _add_form(router: APIRouter, form: Form) -> None:
    @router.get(
        f"/v1/reviews/{{record_id}}/matrix.{form.suffix}",
        operation_id=f"get_matrix_as_{form.suffix}",
        summary=f"Get the matrix of a review as {form.suffix.upper()}",
        tags=["exports"],
        response_class=Response,
        responses=_responses(form),
        openapi_extra={"parameters": [LANGUAGE_PARAMETER]},
    )
    def get_matrix_in_form(request: Request, record_id: RecordId) -> Response:
        """All recommendations of the review once, by theme, with positions, goals, and a column to fill in."""
        return _answer(request, record_id, form)


def _add_permalink(router: APIRouter, below: str) -> None:
    @router.get(f"/reviews/{{record_id}}{below}", include_in_schema=False)
    def permalink_of_matrix(request: Request, record_id: str) -> Response:
        return redirect(request, "reviews", record_id, 307, below=below)


def _answer(request: Request, record_id: str, form: Form) -> Response:
    """The matrix as a file: four queries, however many recommendations there are."""
    desk = desk_of(request)
    language = read_language(parameters_of(request))
    with opening(request) as opened:
        review = REVIEWS.one(opened.connection, record_id)
        if review is None:
            raise not_there(opened.connection, "reviews", record_id)
        if (held := opened.held()) is not None:
            return held
        read = DOCUMENTS.read(opened.connection, review.documents)
        recommendations = RECOMMENDATIONS.where(opened.connection, recommendations_table.c.review == review.id)
    url = desk.settings.public_url.rstrip("/")
    told = opened.dataset["version"]
    origin = Origin(
        told,
        datetime.fromisoformat(opened.dataset["as_of"]),
        address=f"{url}/v1/reviews/{review.id}/matrix.{form.suffix}?{urlencode({'lang': language})}",
        records=f"{url}/v1/recommendations?{urlencode({'review': review.id, 'lang': language})}",
        public_url=url,
    )
    documents = [read[each] for each in review.documents if each in read]
    matrix = matrix_of(review, recommendations, documents, Names(opened.reference, language), origin)
    headers = {
        "Content-Disposition": f'attachment; filename="openupr-{review.id}-matrix-{language}-{told}.{form.suffix}"',
        "Content-Language": language,
        "OpenUPR-Dataset": told,
    }
    headers |= opened.version.headers() | links(canonical=origin.address, up=permalink(url, "reviews", review.id))
    return file_answer(written(lambda file: form.write(file, matrix)), form.media_type, headers)
