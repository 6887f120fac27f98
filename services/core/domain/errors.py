"""The one tree of errors that users of OpenUPR can meet.

Each error has a stable `code` (what a program branches on), an HTTP `status`, a `title` (the same for every
occurrence) and a `detail` that names the fault in this one. `core.runtime.web` renders them as RFC 9457 problem
documents, the command line as one line.
"""


class UprError(Exception):
    """Base of every error that is somebody's to know about. Subclasses set all three class attributes."""

    code: str
    status: int
    title: str

    def __init__(self, detail: str, **extensions: object) -> None:
        """`detail` names the fault; `extensions` are further members of the problem document."""
        super().__init__(detail)
        self.detail = detail
        self.extensions = extensions


class UnknownParameterError(UprError):
    """A query parameter that the resource does not have, or that does not apply to its noun."""

    code, status, title = "unknown_parameter", 400, "Unknown query parameter"


class InvalidParameterError(UprError):
    """A value that a known parameter cannot take."""

    code, status, title = "invalid_parameter", 400, "Invalid parameter value"


class InvalidCursorError(UprError):
    """A page cursor that this server did not write, or wrote for another list."""

    code, status, title = "invalid_cursor", 400, "Invalid cursor"


class InvalidQueryError(UprError):
    """A search query that cannot be understood."""

    code, status, title = "invalid_query", 400, "Invalid search query"


class InvalidBodyError(UprError):
    """A request body that is not what the operation takes."""

    code, status, title = "invalid_body", 422, "Invalid request body"


class UnauthorizedError(UprError):
    """No key, or one that is not known, has expired or was revoked."""

    code, status, title = "unauthorized", 401, "A valid API key is needed"


class ForbiddenError(UprError):
    """A valid key without the scope that the operation needs."""

    code, status, title = "forbidden", 403, "The API key does not allow this"


class NotFoundError(UprError):
    """No record under this id, now or ever."""

    code, status, title = "not_found", 404, "Not found"


class GoneError(UprError):
    """A record that was there and was removed."""

    code, status, title = "gone", 410, "The record was removed"


class UnsupportedMediaTypeError(UprError):
    """A body of a type that the operation does not take."""

    code, status, title = "unsupported_media_type", 415, "Unsupported media type"


class RangeNotSatisfiableError(UprError):
    """A range of bytes that begins behind the end of the file."""

    code, status, title = "range_not_satisfiable", 416, "Range not satisfiable"


class RefusedAddressError(UprError):
    """An address that the platform does not call: private, reserved, or of a wrong scheme or port."""

    code, status, title = "refused_address", 422, "This address is not allowed"


class UnavailableError(UprError):
    """Something the service depends on (database, search engine) does not answer."""

    code, status, title = "unavailable", 503, "Temporarily unavailable"


class UnreadableDocumentError(UprError):
    """A document that no parser can read. `code` says why; see docs/ingest.md for the list."""

    code, status, title = "unreadable_document", 422, "The document cannot be read"

    def __init__(self, code: str, detail: str) -> None:
        """`code` is stable, such as `not_a_pdf`, `truncated_pdf`, `empty_file`, `zip_bomb`, `no_recommendations`."""
        super().__init__(detail)
        self.code = code


class SettingsError(UprError):
    """A setting that is missing or cannot be used."""

    code, status, title = "invalid_settings", 500, "Invalid settings"
