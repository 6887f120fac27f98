"""Takes the body of an upload piece by piece: written to disk and hashed as it comes, never held in memory."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from services.core.domain.errors import InvalidBodyError, UnsupportedMediaTypeError
from services.ingest.uploads import Received

MEDIA_TYPES = (
    "application/pdf",
    "application/msword",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/json",
    "text/csv",
    "application/octet-stream",
)
"""What a body may be that is the file itself. Its bytes decide what it is."""

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

_FORM = "multipart/form-data"


async def arrived(content_type: str, name: str | None, body: AsyncIterator[bytes], place: Path) -> Received:
    """Write what a request sends to `place`. `name` is what the file is called where the body is nothing but the file.

    Raises `UnsupportedMediaTypeError`, `InvalidBodyError`, and what `body` raises; then nothing is left at `place`.
    """
    media_type, options = parse_options_header(content_type)
    kind = media_type.decode("latin-1")
    with place.open("xb") as stream:
        file = _ArrivingFile(stream, name)
        try:
            if kind == _FORM:
                await _take_form(file, options.get(b"boundary", b""), body)
            elif kind in MEDIA_TYPES:
                async for piece in body:
                    file.write(piece)
            else:
                taken = ", ".join((_FORM, *MEDIA_TYPES))
                raise UnsupportedMediaTypeError(f"The body may be {taken}; not {kind[:100] or 'of no type'}.")
        except BaseException:
            place.unlink()
            raise
    return Received(place, file.sha256, file.size, file.name or "document")


class _ArrivingFile:
    """The file, as far as it has come."""

    def __init__(self, stream: BinaryIO, name: str | None) -> None:
        self.name = name
        self.size = 0
        self._stream = stream
        self._hash = hashlib.sha256()

    def write(self, piece: bytes) -> None:
        self._stream.write(piece)
        self._hash.update(piece)
        self.size += len(piece)

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


async def _take_form(file: _ArrivingFile, boundary: bytes, body: AsyncIterator[bytes]) -> None:
    form = _Form(file)
    try:
        parser = MultipartParser(boundary, form.callbacks)
        async for piece in body:
            parser.write(piece)
        parser.finalize()
    except (FormParserError, ValueError) as error:
        raise InvalidBodyError(f"The form cannot be read: {str(error)[:200]}") from error
    if form.files != 1:
        raise InvalidBodyError(f"The form holds {form.files} files; one is taken at a time, in the field `file`.")
    if not form.ended:
        raise InvalidBodyError("The form is cut off: its last boundary is missing.")


class _Form:
    """What a form's parts are told to. The one with a file name is the file; others are ignored."""

    def __init__(self, file: _ArrivingFile) -> None:
        self.files = 0
        self.ended = False
        self._file = file
        self._field, self._value = bytearray(), bytearray()
        self._in_file = False

    @property
    def callbacks(self) -> "MultipartCallbacks":
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._field.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
            "on_header_end": self._header,
            "on_part_data": self._data,
            "on_end": self._end,
        }

    def _begin(self) -> None:
        self._in_file = False

    def _header(self) -> None:
        name, value = bytes(self._field).lower(), bytes(self._value)
        self._field.clear()
        self._value.clear()
        if name != b"content-disposition":
            return
        filename = parse_options_header(value)[1].get(b"filename")
        if filename is not None:
            self.files += 1
            self._in_file = self.files == 1
            self._file.name = self._file.name or filename.decode("utf-8", "replace")

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._in_file:
            self._file.write(data[start:end])

    def _end(self) -> None:
        self.ended = True
