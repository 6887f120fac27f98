"""What a search finds, as a file: `/v1/search.csv`, `.ndjson` and `.xlsx`.

Rows and columns are those of the API's exports of the same records. A search without words is a list: the API exports
it whole, however long. With words the first `MOST_ROWS` are written, in the order asked for; what is left out is said.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import IO, Any

from fastapi import APIRouter, Request, Response

from services.core.runtime.conditional import unchanged
from services.core.runtime.exports import ANY, FORMATS, RECORD_TYPE, Format, Provenance, file_answer, write_export
from services.core.runtime.parameters import parameters_of
from services.core.runtime.web import links
from services.core.schemas.names import Names
from services.core.schemas.shapes import Shape, with_address
from services.core.store.reference import Reference
from services.search.answers import desk_of, version_at
from services.search.dependencies import Desk
from services.search.documented import export_responses
from services.search.engines.base import IndexMissingError, SearchRequest, SearchResult
from services.search.parameters import SearchQuery, export_parameters, read_export_query

MOST_ROWS = 10_000
"""Rows of an export: relevance is worked out anew for each page of hits, so that more would take too long."""
_TRIES = 3


def export_routes() -> APIRouter:
    """`GET /v1/search.{suffix}` for every format."""
    router = APIRouter()
    for form in FORMATS:
        _add_export(router, form)
    return router


def _add_export(router: APIRouter, form: Format) -> None:
    @router.get(
        f"/v1/search.{form.suffix}",
        operation_id=f"export_search_as_{form.suffix}",
        summary=f"What a search finds, as {form.suffix.upper()}",
        tags=["exports"],
        response_class=Response,
        responses=export_responses(form),
        openapi_extra={"parameters": export_parameters()},
    )
    def export_search(request: Request) -> Response:
        """Every record found, each with its permalink, in the order asked for; of more than 10,000 the first.

        `OpenUPR-Found` says how many there are, `OpenUPR-Rows` how many of them the file holds.
        """
        return _export(request, form)


def _export(request: Request, form: Format) -> Response:
    desk = desk_of(request)
    reference = desk.reference.get()
    query = read_export_query(parameters_of(request), reference.vocabulary)
    if (held := unchanged(request, version_at(request, desk.engine.cursor(), reference))) is not None:
        return held
    address = f"{desk.settings.search_public_url.rstrip('/')}/v1/search"
    address += f"?{request.url.query}" if request.url.query else ""
    cursor, file, told = _written_at_one_state(desk, query, reference, form, address)
    cut = told.found is not None
    name = f"openupr-search-{told.noun}-{told.version}" + (f"-first-{told.total}-of-{told.found}" if cut else "")
    headers = {
        "Content-Disposition": f'attachment; filename="{name}.{form.suffix}"',
        "Content-Language": query.language,
        "OpenUPR-Dataset": told.version,
        "OpenUPR-Found": str(told.found if cut else told.total),
        "OpenUPR-Rows": str(told.total),
    }
    version = version_at(request, cursor, reference)
    return file_answer(file, form.media_type, headers | version.headers() | links(alternate=address))


def _written_at_one_state(
    desk: Desk, query: SearchQuery, reference: Reference, form: Format, address: str
) -> tuple[int, IO[bytes], Provenance]:
    """The change at which the index stood, and the file; written anew where it moved on meanwhile.

    Raises `IndexMissingError` where it never stood still.
    """
    names = Names(reference, query.language)
    for _ in range(_TRIES):
        cursor = desk.engine.cursor()
        if cursor is None:
            break
        first = _asked(desk, query.request)
        data, rows = desk.datasets.at(cursor, reference), min(first.total, MOST_ROWS)
        found = first.total if first.total > rows else None
        told = Provenance(query.request.type or ANY, address, data["version"], data["as_of"], rows, found)
        file = write_export(form, _shapes(desk, query.request, first, rows, names), told)
        if desk.engine.cursor() == cursor:
            return cursor, file, told
        file.close()
    raise IndexMissingError("The search index is being built.")


def _shapes(desk: Desk, asked: SearchRequest, first: SearchResult, rows: int, names: Names) -> Iterator[Shape]:
    """The records of all pages of hits, as the API shows them."""
    result, left = first, rows
    for page in range(1, -(-rows // asked.per_page) + 1):
        if page > 1:
            result = _asked(desk, replace(asked, page=page))
        for hit in result.hits[:left]:
            record: dict[str, Any] = with_address(hit.type, names.localise(hit.record), desk.settings.public_url)
            yield record if asked.type else {RECORD_TYPE: hit.type, **record}
        left -= len(result.hits)


def _asked(desk: Desk, request: SearchRequest) -> SearchResult:
    return desk.cutoff.within(lambda: desk.engine.search(request))
