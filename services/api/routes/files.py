"""The original bytes of documents: `/v1/documents/{id}/files/{sha256}`."""

import re
from datetime import UTC, datetime
from pathlib import Path as FilePath
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from starlette.responses import FileResponse

from services.api.dependencies import Desk, desk_of
from services.api.documented import part_responses
from services.api.routes.records import RecordId, not_there, redirect
from services.core.domain.documents import DATA_SETS, address_of_symbol
from services.core.domain.errors import NotFoundError, RangeNotSatisfiableError, UnavailableError
from services.core.runtime.conditional import Version, unchanged
from services.core.runtime.problem_examples import problems
from services.core.store.archive import FOLDER, Archive
from services.core.store.documents import DOCUMENTS, DocumentRecord, FileEntry
from services.core.store.engine import snapshot

router = APIRouter()

_SHOWN_IN_BROWSERS = frozenset({"application/pdf"})
"""Media types that a browser shows by itself, so that `#page=16` works; all others are saved."""
_RANGES = re.compile(r"bytes=(?:\d{1,18}-\d{0,18}|-\d{1,18})")

Sha256 = Annotated[
    str, Path(description="SHA-256 of the file, from the document's `files`.", pattern=r"^[0-9a-f]{64}$")
]

_MEDIA_TYPES = (
    "application/octet-stream",
    "application/pdf",
    "application/msword",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
)
_BYTES = {media_type: {"schema": {"type": "string", "format": "binary"}} for media_type in _MEDIA_TYPES}
_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file as it was read.", "content": _BYTES},
    206: {"description": "The part of it that `Range` asks for.", "content": _BYTES},
    **problems(
        RangeNotSatisfiableError("The file has 26955 bytes."),
        UnavailableError("The database does not answer at the moment."),
    ),
    **part_responses("document"),
}


@router.get(
    "/v1/documents/{record_id}/files/{sha256}",
    operation_id="get_file",
    summary="Get the original file of a document",
    tags=["documents"],
    response_class=Response,
    responses=_RESPONSES,
)
def get_file(request: Request, record_id: RecordId, sha256: Sha256) -> Response:
    """The bytes as they were read, under the name they had; `ETag` is the hash. One range of bytes can be asked for.

    404 where they are not kept here; `original` is then the document's address at the United Nations, if it has one.
    Data sets of others are not passed on.
    """
    desk = desk_of(request)
    with snapshot(desk.engine) as connection:
        document = DOCUMENTS.one(connection, record_id)
        if document is None:
            raise not_there(connection, "documents", record_id)
    file = next((each for each in document.files if each["sha256"] == sha256), None)
    if file is None:
        raise NotFoundError(f"The document {record_id} has no file {sha256}.", original=_original(document))
    kept = _kept(desk, document, file)
    version = Version(sha256, _day(kept))
    if (held := unchanged(request, version)) is not None:
        return held
    _check_range(request, kept.stat().st_size)
    headers = version.headers() | {"X-Content-Type-Options": "nosniff", "Content-Language": file["language"]}
    return FileResponse(
        kept,
        headers=headers,
        media_type=file["media_type"],
        filename=file["name"],
        content_disposition_type="inline" if file["media_type"] in _SHOWN_IN_BROWSERS else "attachment",
    )


@router.get("/documents/{record_id}/files/{sha256}", include_in_schema=False)
def permalink_of_file(request: Request, record_id: str, sha256: str) -> Response:
    """The permalink of a file, without a version."""
    return redirect(request, "documents", record_id, 307, below=f"/files/{sha256}")


def _kept(desk: Desk, document: DocumentRecord, file: FileEntry) -> FilePath:
    """Where the bytes are. Raises `NotFoundError` where they are not at hand, or not ours to pass on."""
    if document.kind in DATA_SETS:
        raise NotFoundError(f"{document.id} is what a data set of others says; ask its publisher for it.")
    path = Archive(desk.settings.data_dir / FOLDER).path(file["sha256"])
    if not path.is_file():
        original = _original(document)
        where = f" The original is at {original}." if original else ""
        raise NotFoundError(f"The bytes of {file['name']} are not kept here.{where}", original=original)
    return path


def _original(document: DocumentRecord) -> str | None:
    return address_of_symbol(document.symbol) if document.symbol else None


def _day(path: FilePath) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _check_range(request: Request, size: int) -> None:
    """Let one range pass that is in the file; others are as none (RFC 9110, 14.2).

    Raises `RangeNotSatisfiableError` for one that begins behind the end.
    """
    asked = request.headers.get("range", "").replace(" ", "")
    if not asked:
        return
    first, _, last = asked.removeprefix("bytes=").partition("-")
    if not _RANGES.fullmatch(asked) or (first and last and int(first) > int(last)):
        # The library answers malformed ranges with an error of its own.
        request.scope["headers"] = [pair for pair in request.scope["headers"] if pair[0] != b"range"]
    elif (first and int(first) >= size) or (not first and int(last) == 0):
        raise RangeNotSatisfiableError(f"The file has {size} bytes.", size=size)
