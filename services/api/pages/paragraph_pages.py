"""Paragraphs of documents for people: `/documents/{id}/paragraphs`, and each of them at its permalink.

Programs are led to the JSON, which tells the same.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from services.api.dependencies import desk_of
from services.api.pages.record_page import pages_of
from services.api.routes.paragraphs import told_paragraph, told_paragraphs
from services.api.routes.records import Told, not_there, redirect
from services.core.pages.addresses import Address
from services.core.pages.rendering import as_page, reader_language, wants_page
from services.core.pages.words import Words
from services.core.runtime.parameters import Parameters
from services.core.schemas.names import Names
from services.core.schemas.paragraphs import paragraph_permalink
from services.core.schemas.shapes import Shape, shape_of, with_address
from services.core.store.documents import DOCUMENTS
from services.core.store.engine import single_queries
from services.core.store.paragraphs import ParagraphRecord, paragraphs_beside

_ALL = "/documents/{record_id}/paragraphs"


def paragraph_pages() -> APIRouter:
    """The paragraphs of a document, and each of them."""
    router = APIRouter(include_in_schema=False)
    router.add_api_route(_ALL, _permalink(_list), methods=["GET"])
    router.add_api_route(f"{_ALL}/{{anchor}}", _permalink(_one), methods=["GET"])
    return router


def _permalink(draw: Callable[[Request], Response]) -> Callable[[Request], Response]:
    page = as_page(pages_of, draw)

    def permalink(request: Request) -> Response:
        if wants_page(request):
            return page(request)
        asked = request.path_params
        below = "/".join(["/paragraphs", *([asked["anchor"]] if "anchor" in asked else [])])
        return redirect(request, "documents", asked["record_id"], 307, below=below)

    return permalink


def _one(request: Request) -> Response:
    asked = request.path_params
    told = told_paragraph(request, asked["record_id"], asked["anchor"], _parameters(request))
    if not isinstance(told, Told):
        return told
    paragraph = told.shape
    with single_queries(desk_of(request).engine) as connection:
        document = _document(request, connection, told.names)
        beside = paragraphs_beside(connection, paragraph["document"], paragraph["language"], paragraph["id"])
    before, after = (_neighbour(request, each) for each in beside)
    values = {
        **_frame(request, told, [("lang", told.names.language)]),
        "record": paragraph,
        "document": document,
        "before": before,
        "after": after,
    }
    return pages_of(request).page(request, "own/paragraph.html", told.names.language, values, headers=told.headers)


def _list(request: Request) -> Response:
    told = told_paragraphs(request, request.path_params["record_id"], _parameters(request))
    if not isinstance(told, Told):
        return told
    with single_queries(desk_of(request).engine) as connection:
        document = _document(request, connection, told.names)
    values = {
        **_frame(request, told, _parameters(request)),
        "document": document,
        "paragraphs": told.shape["data"],
        "total": told.shape["total"],
        "following": told.shape["page"]["next"],
        **_narrowing(_first_page(request), document, told.names),
    }
    return pages_of(request).page(request, "own/paragraphs.html", told.names.language, values, headers=told.headers)


def _parameters(request: Request) -> Parameters:
    """What was asked for, in the reader's language, which is read once."""
    given = [pair for pair in request.query_params.multi_items() if pair[0] != "lang"]
    return [*given, ("lang", reader_language(request))]


def _frame(request: Request, told: Told, asked: Parameters) -> dict[str, Any]:
    """What every page around a record or a list needs."""
    public_url = desk_of(request).settings.public_url.rstrip("/")
    return {
        "noun": "paragraphs",
        "dataset": told.dataset,
        "called": told.names.of_filter_value,
        "json": f"{public_url}/v1{quote(request.url.path, safe='/~')}?{urlencode(asked)}",
        "cite": None,
        "follow": None,
    }


def _document(request: Request, connection: Connection, names: Names) -> Shape:
    """The document that is asked for. Raises `GoneError` and `NotFoundError` where it has gone meanwhile."""
    record_id = request.path_params["record_id"]
    record = DOCUMENTS.one(connection, record_id)
    if record is None:
        raise not_there(connection, "documents", record_id)
    return with_address("documents", shape_of("documents", record, names), desk_of(request).settings.public_url)


def _neighbour(request: Request, paragraph: ParagraphRecord | None) -> Shape | None:
    if paragraph is None:
        return None
    url = paragraph_permalink(desk_of(request).settings.public_url, paragraph.document, paragraph.id)
    return {"url": url, "number": paragraph.number}


def _first_page(request: Request) -> Address:
    """The address of the list as it was asked for, from its first page on."""
    given = pages_of(request).address(request.url.path, tuple(request.query_params.multi_items()))
    return given.leaving_out("cursor")


def _narrowing(here: Address, document: Shape, names: Names) -> dict[str, Any]:
    """The filters that are set, each with the address without it; and the languages there are to choose from."""
    words = Words(names.language)
    held = sorted({file["language"] for file in document["files"] if file["language"]})
    choices = [code for code in held if ("language", code) not in here.pairs] if len(held) > 1 else []
    set_ = [pair for pair in here.pairs if pair[0] in ("language", "recommendation")]
    return {
        "chips": [(_called(name, value, words), str(here.without(name, value))) for name, value in set_],
        "choices": [(words.language_name(code), str(here.setting("language", code))) for code in choices],
    }


def _called(name: str, value: str, words: Words) -> str:
    return words.language_name(value) if name == "language" else words("paragraph.citing", recommendation=value)
