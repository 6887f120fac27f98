"""Paragraphs of documents, and the paragraphs that cite a recommendation."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from sqlalchemy import ColumnElement, Connection

from services.api.dependencies import desk_of
from services.api.details.catalogue import page_model
from services.api.documented import list_responses, paragraph_responses, part_responses
from services.api.opening import opening
from services.api.parameters import CURSOR_PARAMETER, LANGUAGE_PARAMETER, read_language, read_page_size
from services.api.routes.records import RecordId, Told, next_address, not_there, redirect
from services.core.domain.errors import NotFoundError, UnknownParameterError
from services.core.query.filters import MAX_VALUES, Vocabulary, filter_for
from services.core.runtime.conditional import unchanged, version_of
from services.core.runtime.parameters import Parameters, described, described_number, invalid, parameters_of, single
from services.core.runtime.web import JsonAnswer, links
from services.core.schemas.dataset import dataset
from services.core.schemas.filter_values import value_schema
from services.core.schemas.names import Names
from services.core.schemas.paragraphs import Paragraph, paragraph_shape
from services.core.store.changes import head_and_time
from services.core.store.documents import DOCUMENTS
from services.core.store.engine import snapshot
from services.core.store.former_ids import bearer_of, parts_of
from services.core.store.paging import DEFAULT_LIMIT, MAX_LIMIT, binding_of, read_cursor, write_cursor
from services.core.store.paragraphs import (
    citing,
    in_languages,
    of_document,
    of_kinds,
    one_paragraph,
    paragraph_id,
    paragraph_page,
)
from services.core.store.recommendations import RECOMMENDATIONS

router = APIRouter()

PARAGRAPH_LIST = page_model("ParagraphList", Paragraph, "paragraphs")


@dataclass(frozen=True)
class _Filter:
    """A filter of a list of paragraphs: the shared filter that reads its values, and what it asks of a paragraph."""

    reads_as: str
    meaning: str
    values: str


_FILTERS = {
    "language": _Filter("language", "Language of the file.", "code of a language"),
    "recommendation": _Filter("id", "Recommendation that the paragraph cites.", "id of a recommendation"),
    "kind": _Filter("kind", "Kind of the document, such as mid_term_report.", "kind of document"),
}
Anchor = Annotated[
    str,
    Path(description="Language of the file and number in it.", json_schema_extra={"example": "en.22.1"}),
]
Condition = Callable[[Connection], ColumnElement[bool]]
"""What paragraphs are listed, besides what the filters say. Raises where there is nothing that could have any."""
_CLAUSES = {"language": in_languages, "recommendation": citing, "kind": of_kinds}
_OF_A_DOCUMENT = ("language", "recommendation")
_OF_A_RECOMMENDATION = ("language", "kind")


def _parameters(filters: Sequence[str]) -> list[dict[str, Any]]:
    return [
        *(
            described(
                name,
                f"{_FILTERS[name].meaning} Value: {_FILTERS[name].values}.",
                value_schema(_FILTERS[name].reads_as, "documents"),
                many=True,
            )
            for name in filters
        ),
        described_number("limit", "Entries a page.", least=1, most=MAX_LIMIT, otherwise=DEFAULT_LIMIT),
        CURSOR_PARAMETER,
        LANGUAGE_PARAMETER,
    ]


@router.get(
    "/v1/documents/{record_id}/paragraphs",
    operation_id="list_paragraphs",
    summary="List the paragraphs of a document",
    tags=["documents"],
    responses={**list_responses("paragraphs", PARAGRAPH_LIST), **part_responses("document")},
    openapi_extra={"parameters": _parameters(_OF_A_DOCUMENT)},
)
def list_paragraphs(request: Request, record_id: RecordId) -> Response:
    """In the order of the document; one file after the other where it is held in several languages.

    Documents that are read as text have paragraphs: national reports, compilations, summaries, mid-term reports,
    implementation plans, letters.
    """

    return _answer(told_paragraphs(request, record_id, parameters_of(request)))


def told_paragraphs(request: Request, record_id: str, parameters: Parameters) -> Told | Response:
    """One page of a document's paragraphs, or 304 where the reader holds it.

    Raises `GoneError`, `NotFoundError`, and the faults of parameters.
    """

    def condition(connection: Connection) -> ColumnElement[bool]:
        if DOCUMENTS.one(connection, record_id) is None:
            raise not_there(connection, "documents", record_id)
        return of_document(record_id)

    return _told_list(request, condition, _OF_A_DOCUMENT, parameters)


@router.get(
    "/v1/documents/{record_id}/paragraphs/{anchor}",
    operation_id="get_paragraph",
    summary="Get one paragraph of a document",
    tags=["documents"],
    responses={**paragraph_responses(Paragraph), **part_responses("document")},
    openapi_extra={"parameters": [LANGUAGE_PARAMETER]},
)
def get_paragraph(request: Request, record_id: RecordId, anchor: Anchor) -> Response:
    """By the language of the file and the number in it, `en.12`."""
    return _answer(told_paragraph(request, record_id, anchor, parameters_of(request)))


def told_paragraph(request: Request, record_id: str, anchor: str, parameters: Parameters) -> Told | Response:
    """The paragraph of a document at an anchor, or 304 where the reader holds it.

    Raises `GoneError`, `NotFoundError`, and the faults of parameters.
    """
    desk = desk_of(request)
    language = read_language(parameters)
    file_language, _, place = anchor.partition(".")
    with opening(request) as opened:
        if (held := opened.held()) is not None:
            return held
        record = one_paragraph(opened.connection, paragraph_id(record_id, file_language, place))
        if record is None:
            if DOCUMENTS.one(opened.connection, record_id) is None:
                raise not_there(opened.connection, "documents", record_id)
            raise NotFoundError(f"The document {record_id[:120]} has no paragraph {anchor[:60]}.")
    names = Names(opened.reference, language)
    shape = paragraph_shape(record, names, desk.settings.public_url)
    return Told(shape, names, opened.dataset, opened.version.headers())


@router.get(
    "/v1/recommendations/{record_id}/citations",
    operation_id="list_citations",
    summary="List the paragraphs that cite a recommendation",
    tags=["recommendations"],
    responses={**list_responses("paragraphs", PARAGRAPH_LIST), **part_responses("recommendation")},
    openapi_extra={"parameters": _parameters(_OF_A_RECOMMENDATION)},
)
def list_citations(request: Request, record_id: RecordId) -> Response:
    """Of all documents that are read as text: what was reported of a recommendation since it was made."""
    desk = desk_of(request)
    with snapshot(desk.engine) as connection:
        wanted = [record_id]
        if RECOMMENDATIONS.one(connection, record_id) is None:
            if bearer := bearer_of(connection, "recommendations", record_id):
                return redirect(request, "recommendations", bearer, 308, below="/citations")
            wanted = [row.id for row in parts_of(connection, record_id)]
            if not wanted:
                raise not_there(connection, "recommendations", record_id)
    parameters = parameters_of(request)
    return _answer(_told_list(request, lambda _: citing(wanted), _OF_A_RECOMMENDATION, parameters))


def _answer(told: Told | Response) -> Response:
    return JsonAnswer(told.shape, headers=told.headers) if isinstance(told, Told) else told


def _told_list(
    request: Request, condition: Condition, filters: Sequence[str], parameters: Parameters
) -> Told | Response:
    """One page of the paragraphs that meet a condition and the request's filters."""
    desk = desk_of(request)
    language, limit = read_language(parameters), read_page_size(parameters)
    with snapshot(desk.engine) as connection:
        seq, as_of = head_and_time(connection)
        reference = desk.reference.as_of(connection, seq)
        values = _read_filters(parameters, filters, reference.vocabulary)
        binding = binding_of("paragraphs", request.url.path.removeprefix("/v1"), sorted(values.items()))
        cursor = single(parameters, "cursor")
        after = read_cursor(cursor, binding)[1] if cursor is not None else None
        version = version_of(request, seq, reference.names_hash, modified=as_of)
        if (held := unchanged(request, version)) is not None:
            return held
        where = [condition(connection), *(_CLAUSES[name](chosen) for name, chosen in values.items())]
        page = paragraph_page(connection, where=where, after=after, limit=limit)
    names, url = Names(reference, language), desk.settings.public_url
    following = next_address(desk, request, write_cursor(binding, "", page.last) if page.last else None)
    told_dataset = dataset(seq, as_of, reference)
    shape = {
        "data": [paragraph_shape(record, names, url) for record in page.records],
        "total": page.total,
        "page": {"next": following},
        "dataset": told_dataset,
    }
    return Told(shape, names, told_dataset, version.headers() | links(next=following))


def _read_value(name: str, text: str, vocabulary: Vocabulary) -> str:
    known = filter_for(None, _FILTERS[name].reads_as)
    if known.choices:
        return known.read_for("documents", text, vocabulary)
    return known.read(name, text, vocabulary)


def _read_filters(parameters: Parameters, known: Sequence[str], vocabulary: Vocabulary) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, text in parameters:
        if name in {"limit", "cursor", "lang"}:
            continue
        if name not in known:
            raise UnknownParameterError(f"There is no parameter `{name[:60]}` here.", parameter=name)
        value = _read_value(name, text, vocabulary)
        found.setdefault(name, []).append(value)
        if len(found[name]) > MAX_VALUES:
            raise invalid(name, text, f"at most {MAX_VALUES} values")
    return found
