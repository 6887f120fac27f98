"""Lists and details of every noun."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Annotated, TypeVar
from urllib.parse import quote, urlencode, urlsplit

from fastapi import APIRouter, Path, Request, Response
from sqlalchemy import Connection
from starlette.responses import RedirectResponse

from services.api.dependencies import Desk, desk_of
from services.api.details.asked import Asked, asked_parameters, read_asked, without_asked
from services.api.details.catalogue import add_parts, list_answer, record_answer
from services.api.details.parts import Setting
from services.api.documented import detail_responses, list_responses
from services.api.parameters import LANGUAGE_PARAMETER, list_parameters, read_language, read_list_query
from services.api.routes.exports import export_list, wanted_format
from services.core.domain.changes import SINGULAR
from services.core.domain.errors import GoneError, InvalidParameterError, NotFoundError, UprError
from services.core.query.filters import FILTERS, ID_PATTERN, Vocabulary
from services.core.runtime.conditional import is_conditional, unchanged, version_of
from services.core.runtime.parameters import Parameters, parameters_of
from services.core.runtime.web import JsonAnswer, links
from services.core.schemas.dataset import dataset
from services.core.schemas.models import NumberedParts
from services.core.schemas.names import Names
from services.core.schemas.shapes import Shape, permalink, shape_of, with_address
from services.core.store.changes import head_and_time
from services.core.store.detail import read_detail
from services.core.store.engine import single_queries, snapshot
from services.core.store.former_ids import bearer_of, parts_of, removal_reason
from services.core.store.paging import list_page
from services.core.store.records import Stored
from services.core.store.tables import AGGREGATES

T = TypeVar("T")
_SAFE_IN_IDS = "~:"
_OF_CITATIONS = ("group_by", "lang")
"""What citations of lists and counts take besides filters."""

RecordId = Annotated[
    str,
    Path(
        description="Public id of the record, or one that it bore before.",
        json_schema_extra={"pattern": f"^{ID_PATTERN}$"},
    ),
]


def list_routes() -> APIRouter:
    """`GET /v1/{noun}` for every noun."""
    router = APIRouter()
    for noun in AGGREGATES:
        _add_list(router, noun)
    return router


def detail_routes() -> APIRouter:
    """`GET /v1/{noun}/{id}` for every noun."""
    router = APIRouter()
    for noun in AGGREGATES:
        _add_detail(router, noun)
    return router


def _add_list(router: APIRouter, noun: str) -> None:
    @router.get(
        f"/v1/{noun}",
        operation_id=f"list_{noun}",
        summary=f"List {noun}",
        tags=[noun],
        responses=list_responses(noun, list_answer(noun)),
        openapi_extra={"parameters": [*list_parameters(noun), *asked_parameters(noun)]},
    )
    def list_records(request: Request) -> Response:
        """Page by page, with an exact total. With `Accept` for another format: all of them as a file."""
        if (form := wanted_format(request)) is not None:
            return export_list(request, noun, form)
        desk, parameters = desk_of(request), parameters_of(request)
        asked, rest = read_asked(noun, parameters), without_asked(parameters)
        query = understood(desk, lambda vocabulary: read_list_query(noun, rest, vocabulary))
        with _reading(desk, asked) as connection:
            if is_conditional(request) and (held := _unchanged(desk, request, connection)) is not None:
                return held
            page = list_page(
                connection,
                query.filters,
                sort=query.sort,
                cursor=query.cursor,
                limit=query.limit,
                shown=not asked.parts,  # parts may look at what records hold
            )
            reference = desk.reference.as_of(connection, page.seq)
            setting = Setting(connection, Names(reference, query.language), desk.settings.public_url)
            shapes = _shapes(noun, page.records, asked, setting)
        following = next_address(desk, request, page.next_cursor)
        version = version_of(request, page.seq, reference.names_hash, modified=page.as_of)
        return JsonAnswer(
            {
                "data": shapes,
                "total": page.total,
                "page": {"next": following},
                "dataset": dataset(page.seq, page.as_of, reference),
            },
            headers=version.headers()
            | links(next=following, describedby=citation_address(desk, request))
            | {"Content-Language": query.language},
        )


def understood(desk: Desk, read: Callable[[Vocabulary], T]) -> T:
    """What `read` makes of a request by the vocabulary that is at hand; by the newest, where it cannot.

    Not to be called by who holds a connection: it may need one.
    """
    try:
        return read(desk.reference.get().vocabulary)
    except InvalidParameterError:  # it may name what is new
        return read(desk.reference.newest().vocabulary)


def _reading(desk: Desk, asked: Asked) -> AbstractContextManager[Connection]:
    """A connection for an answer: its records take one query, their parts more."""
    return snapshot(desk.engine) if asked.parts else single_queries(desk.engine)


def _unchanged(desk: Desk, request: Request, connection: Connection) -> Response | None:
    """304 where the reader holds the list as it is."""
    seq, as_of = head_and_time(connection)
    reference = desk.reference.as_of(connection, seq)
    return unchanged(request, version_of(request, seq, reference.names_hash, modified=as_of))


def _shapes(noun: str, records: Sequence[Stored], asked: Asked, setting: Setting) -> list[Shape]:
    """What is shown of some records."""
    url, names = setting.public_url, setting.names
    shapes = [with_address(noun, shape_of(noun, record, names), url) for record in records]
    add_parts(setting, shapes, records, asked.parts)
    return shapes if asked.fields is None else [asked.cut(shape) for shape in shapes]


def next_address(desk: Desk, request: Request, cursor: str | None) -> str | None:
    """The absolute address of the page after this one."""
    if cursor is None:
        return None
    rest = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
    return f"{desk.settings.public_url.rstrip('/')}{request.url.path}?{urlencode([*rest, ('cursor', cursor)])}"


def citation_address(desk: Desk, request: Request) -> str:
    """Where it says how to cite this list or these counts, whatever the page."""
    asked = [pair for pair in request.query_params.multi_items() if pair[0] in FILTERS or pair[0] in _OF_CITATIONS]
    address = f"{desk.settings.public_url.rstrip('/')}{request.url.path}/citation"
    return f"{address}?{urlencode(asked)}" if asked else address


def _add_detail(router: APIRouter, noun: str) -> None:
    singular = SINGULAR[noun]
    responses = detail_responses(noun, record_answer(noun))
    if noun == "recommendations":
        responses[300] = {"description": "The number holds several recommendations.", "model": NumberedParts}
    if noun in ("recommendations", "hearings"):
        responses[308] = {
            "description": f"The {singular} has another id now.",
            "headers": {"Location": {"description": "Where it is.", "schema": {"type": "string"}}},
        }

    @router.get(
        f"/v1/{noun}/{{record_id}}",
        operation_id=f"get_{singular}",
        summary=f"Get one {singular}",
        tags=[noun],
        responses=responses,
        openapi_extra={"parameters": [LANGUAGE_PARAMETER, *asked_parameters(noun, of_one=True)]},
    )
    def get_record(request: Request, record_id: RecordId) -> Response:
        """By its id. `Link` has its permalink, and where it says how to cite it."""
        told = told_record(request, noun, record_id, parameters_of(request))
        match told:
            case Moved():
                return redirect(request, noun, told.record_id, 308)
            case Parts():
                return JsonAnswer({"id": record_id, "parts": told.shapes}, status_code=300)
            case Told():
                return JsonAnswer(told.shape, headers=told.headers)
        return told


@dataclass(frozen=True)
class Told:
    """A record as it is shown, and the headers that go with it."""

    shape: Shape
    names: Names
    dataset: Shape
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Moved:
    """The id is a former one: this is the record's now."""

    record_id: str


@dataclass(frozen=True)
class Parts:
    """The id is of a number that holds several recommendations."""

    shapes: list[Shape]


def told_record(request: Request, noun: str, record_id: str, parameters: Parameters) -> Told | Moved | Parts | Response:
    """What an id stands for, or 304 where the reader holds it.

    Raises `GoneError`, `NotFoundError`, and the faults of parameters.
    """
    desk = desk_of(request)
    language, asked = read_language(parameters), read_asked(noun, parameters, of_one=True)
    with _reading(desk, asked) as connection:
        detail = read_detail(connection, noun, record_id)
        reference = desk.reference.as_of(connection, detail.seq)
        names, record = Names(reference, language), detail.record
        if record is None:
            return _elsewhere(connection, desk, noun, record_id, names)
        if asked.parts:  # any change may be one of a part
            version = version_of(request, detail.seq, reference.names_hash, modified=detail.as_of)
        else:
            modified = max(record.updated_at, reference.changed_at)
            version = version_of(request, record.revision, record.updated_at, reference.names_hash, modified=modified)
        if (held := unchanged(request, version)) is not None:
            return held
        (shape,) = _shapes(noun, [record], asked, Setting(connection, names, desk.settings.public_url))
    canonical = permalink(desk.settings.public_url, noun, record_id)
    address = f"{desk.settings.public_url.rstrip('/')}/v1/{noun}/{record_id}/citation"
    headers = version.headers() | links(canonical=canonical, describedby=address) | {"Content-Language": language}
    return Told(shape, names, dataset(detail.seq, detail.as_of, reference), headers)


def _elsewhere(connection: Connection, desk: Desk, noun: str, record_id: str, names: Names) -> Moved | Parts:
    """What an id stands for that no record bears: a record with a new id, or parts. Raises for one that is gone."""
    bearer = bearer_of(connection, noun, record_id)
    if bearer is not None:
        return Moved(bearer)
    if noun == "recommendations":
        parts = parts_of(connection, record_id)
        if parts:
            shapes = [shape_of(noun, AGGREGATES[noun].from_row(row), names) for row in parts]
            return Parts([with_address(noun, shape, desk.settings.public_url) for shape in shapes])
    raise not_there(connection, noun, record_id)


def not_there(connection: Connection, noun: str, record_id: str) -> UprError:
    """The error for an id that no record bears: one that was removed is told from one that never was."""
    reason = removal_reason(connection, noun, record_id)
    if reason is not None:
        return GoneError(f"The {SINGULAR[noun]} {record_id} was removed: {reason}.", reason=reason)
    return NotFoundError(f"There is no {SINGULAR[noun]} {record_id[:120]}.")


def redirect(request: Request, noun: str, record_id: str, status: int, below: str = "") -> Response:
    """To a record, or what is `below` it, on the host that was asked and the path under which the public reaches us."""
    base = urlsplit(desk_of(request).settings.public_url).path.rstrip("/")
    query = f"?{request.url.query}" if request.url.query else ""
    address = f"{base}/v1/{noun}/{quote(record_id, safe=_SAFE_IN_IDS)}{quote(below, safe='/~')}"
    return RedirectResponse(f"{address}{query}", status_code=status)
