"""Whole filtered lists as files: `/v1/{noun}.csv`, `.ndjson` and `.xlsx`, and lists asked for in such a format."""

from contextlib import closing

from fastapi import APIRouter, Request, Response

from services.api.dependencies import desk_of
from services.api.documented import export_responses
from services.api.opening import opening
from services.api.parameters import export_parameters, read_export_query
from services.core.runtime.exports import FORMATS, Format, Provenance, file_answer, write_export
from services.core.runtime.negotiation import preferred_media_type
from services.core.runtime.parameters import parameters_of
from services.core.runtime.web import links
from services.core.schemas.names import Names
from services.core.schemas.shapes import shape_of, with_address
from services.core.store.paging import count_records, every_record
from services.core.store.tables import AGGREGATES

_JSON = "application/json"


def export_routes() -> APIRouter:
    """`GET /v1/{noun}.{suffix}` for every noun and format."""
    router = APIRouter()
    for noun in AGGREGATES:
        for form in FORMATS:
            _add_export(router, noun, form)
    return router


def _add_export(router: APIRouter, noun: str, form: Format) -> None:
    @router.get(
        f"/v1/{noun}.{form.suffix}",
        operation_id=f"export_{noun}_as_{form.suffix}",
        summary=f"All {noun} that meet the filters, as {form.suffix.upper()}",
        tags=["exports"],
        response_class=Response,
        responses=export_responses(form),
        openapi_extra={"parameters": export_parameters(noun)},
    )
    def export_records(request: Request) -> Response:
        """Every record of the list, each with its permalink. The same comes from the list itself by `Accept`."""
        return export_list(request, noun, form)


def wanted_format(request: Request) -> Format | None:
    """The format that `Accept` would rather have than JSON; None: JSON, also for readers that take none of them."""
    by_type = {form.media_type.partition(";")[0]: form for form in FORMATS}
    wanted = preferred_media_type(request.headers.get("accept"), (_JSON, *by_type))
    return by_type.get(wanted or _JSON)


def export_list(request: Request, noun: str, form: Format) -> Response:
    """All records of a list as a file."""
    desk = desk_of(request)
    with opening(request) as opened:
        connection, reference, data = opened.connection, opened.reference, opened.dataset
        query = read_export_query(noun, parameters_of(request), reference.vocabulary)
        if (held := opened.held()) is not None:
            return held
        url, names = desk.settings.public_url, Names(reference, query.language)
        address = f"{url.rstrip('/')}/v1/{noun}" + (f"?{request.url.query}" if request.url.query else "")
        total = count_records(connection, query.filters)
        provenance = Provenance(noun, address, data["version"], data["as_of"], total)
        with closing(every_record(connection, query.filters, sort=query.sort, shown=True)) as records:
            shapes = (with_address(noun, shape_of(noun, record, names), url) for record in records)
            file = write_export(form, shapes, provenance)
    headers = {
        "Content-Disposition": f'attachment; filename="openupr-{noun}-{data["version"]}.{form.suffix}"',
        "Content-Language": query.language,
        "OpenUPR-Dataset": data["version"],
    }
    return file_answer(file, form.media_type, headers | opened.version.headers() | links(alternate=address))
