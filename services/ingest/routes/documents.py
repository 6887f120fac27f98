"""Documents that somebody sends to be read."""

import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from services.core.domain.errors import (
    ForbiddenError,
    InvalidBodyError,
    NotFoundError,
    UnauthorizedError,
    UnreadableDocumentError,
    UnsupportedMediaTypeError,
    UprError,
)
from services.core.runtime.keys import BEARER, Key, Scope, key_with
from services.core.runtime.parameters import described, single
from services.core.runtime.problem_examples import Responses, problems
from services.core.runtime.web import JsonAnswer
from services.core.schemas.models import Public
from services.ingest.arriving import MEDIA_TYPES, arrived
from services.ingest.datasets import data_set_for
from services.ingest.routes.requests import asked, engine_of
from services.ingest.uploads import FOLDER, Received, Uploads

PATH = "/v1/ingest/documents"
_ID = "upl_[0-9a-f]{20}"
_MAGIC = (b"PK\x03\x04", bytes.fromhex("d0cf11e0a1b11ae1"))
_PDF_WITHIN = 1024

routes = APIRouter(prefix="/v1/ingest", tags=["ingest"], dependencies=[Depends(BEARER)])

Sender = Annotated[Key, Depends(key_with(Scope.INGEST_WRITE))]

EXAMPLES: dict[str, dict[str, Any]] = {
    "send_document": {
        "summary": "A report that waits to be read",
        "value": {
            "id": "upl_4f1c09a2b7d35e8812fa",
            "status": "waiting",
            "name": "A_HRC_22_15_E.pdf",
            "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "bytes": 412_007,
            "code": None,
            "detail": None,
            "document": None,
            "run": None,
            "created_at": "2026-11-22T10:00:00Z",
            "finished_at": None,
        },
    },
}
EXAMPLES["get_sent_document"] = {
    "summary": "The same report, read",
    "value": {
        **EXAMPLES["send_document"]["value"],
        "status": "loaded",
        "document": "A-HRC-22-15",
        "run": "run_5f3c1d0e8b9a4c7d",
        "finished_at": "2026-11-22T10:00:09Z",
    },
}


class Upload(Public):
    """A document that was sent, and what became of it."""

    id: str = Field(pattern=f"^{_ID}$", examples=["upl_4f1c09a2b7d35e8812fa"])
    status: Literal["waiting", "read", "loaded", "refused", "quarantined"] = Field(
        description="`waiting` to be read; `loaded`: it changed what is held; `read`: it told nothing new; `refused`, "
        "and `quarantined`: `code` and `detail` say why."
    )
    name: str = Field(examples=["A_HRC_22_15_E.pdf"])
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    bytes: int = Field(ge=1)
    code: str | None = Field(examples=["truncated_pdf"])
    detail: str | None
    document: str | None = Field(description="Id of the document that it is, where it is one.")
    run: str | None = Field(description="Id of the run that read it: `/v1/ingest/issues?run=…` has its issues.")
    created_at: datetime.datetime
    finished_at: datetime.datetime | None


_BINARY = {"schema": {"type": "string", "format": "binary"}}
_FORM = {
    "schema": {
        "type": "object",
        "required": ["file"],
        "properties": {"file": {"type": "string", "format": "binary", "description": "The document."}},
    }
}
_BODY = {
    "required": True,
    "description": "A form with the file in it, or the file itself. Its bytes decide what it is.",
    "content": {"multipart/form-data": _FORM, **dict.fromkeys(MEDIA_TYPES, _BINARY)},
}


def _problems(*errors: UprError) -> Responses:
    return problems(
        UnauthorizedError("This needs an API key: send the header `Authorization: Bearer upr_…`."),
        ForbiddenError("The API key does not have the scope ingest:write.", scope="ingest:write"),
        *errors,
    )


@routes.post(
    "/documents",
    status_code=202,
    operation_id="send_document",
    summary="Send a document to be read",
    responses={
        202: {"model": Upload, "description": "It waits to be read, or the same bytes were sent before."},
        **_problems(
            UnsupportedMediaTypeError("The file is neither a document nor an export of a database that is read."),
            InvalidBodyError("The form holds 0 files; one is taken at a time, in the field `file`."),
            UnreadableDocumentError("empty_file", "The file is empty."),
        ),
    },
    openapi_extra={
        "requestBody": _BODY,
        "parameters": [described("name", "Name of the file, where the body is the file itself.", {"type": "string"})],
    },
)
async def send_document(request: Request, sender: Sender) -> Response:
    """The file is read in the background: ask `Location` what became of it. The same bytes are read once."""
    uploads = _uploads(request)
    place = await run_in_threadpool(uploads.new_file)
    content_type = request.headers.get("content-type", "")
    try:
        received = await arrived(content_type, single(asked(request), "name"), request.stream(), place)
    except ClientDisconnect:
        return Response(status_code=400)  # which nobody hears
    try:
        held = await run_in_threadpool(_taken, uploads, received, sender)
    finally:
        received.path.unlink(missing_ok=True)
    return JsonAnswer(_shape(held), status_code=202, headers={"Location": f"{PATH}/{held['id']}"})


def _taken(uploads: Uploads, received: Received, sender: Key) -> Any:
    if not received.size:
        raise UnreadableDocumentError("empty_file", "The file is empty.")
    with received.path.open("rb") as stream:
        head = stream.read(_PDF_WITHIN)
    if not (b"%PDF-" in head or head.startswith(_MAGIC) or data_set_for(received.path)):
        raise UnsupportedMediaTypeError("The file is neither a document nor an export of a database that is read.")
    return uploads.take(received, sender.id)


@routes.get(
    "/documents/{upload_id}",
    operation_id="get_sent_document",
    summary="What became of a document that was sent",
    responses={200: {"model": Upload}, **_problems(NotFoundError("There is no upload upl_00000000000000000000."))},
)
def get_sent_document(
    request: Request,
    sender: Sender,  # noqa: ARG001 - who may
    upload_id: Annotated[str, Path(description="Id of the upload.", json_schema_extra={"pattern": f"^{_ID}$"})],
) -> Response:
    """`waiting` until it has been read."""
    held = _uploads(request).find(upload_id)
    if held is None:
        raise NotFoundError(f"There is no upload {upload_id[:60]}.")
    return JsonAnswer(_shape(held))


def _uploads(request: Request) -> Uploads:
    return Uploads(engine_of(request), request.app.state.settings.data_dir / FOLDER)


def _shape(held: Any) -> dict[str, Any]:
    return {name: held[name] for name in Upload.model_fields}
