"""Errors as RFC 9457 problem documents, the same on every path of every service.

A problem has `type` (an address that names the kind of fault and tells more of it), `title`, `status`, `detail`,
`instance` (the id of the request, also in the X-Request-Id header and in our logs), `code` (what a program branches
on) and whatever else the error carries.
"""

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
import psycopg
import sqlalchemy.exc
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import State
from starlette.exceptions import HTTPException
from starlette.types import Scope

from services.core.domain.errors import InvalidBodyError, InvalidParameterError, UnavailableError, UprError

log = structlog.get_logger(__name__)

PROBLEM_MEDIA_TYPE = "application/problem+json"
DATABASE_AWAY = (psycopg.OperationalError, sqlalchemy.exc.OperationalError, sqlalchemy.exc.TimeoutError)
"""No connection, a broken one, a statement that was cancelled, or all connections of the pool taken for too long."""
SECONDS_UNTIL_RETRY = "5"
"""What Retry-After says while something that the service depends on is away, unless it says itself."""

FaultPage = Callable[[Scope, UprError, Mapping[str, str]], Response | None]
"""Makes the page of an error, with these headers; None where no page is wanted."""

PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "title": "Problem",
    "description": "What went wrong (RFC 9457). Problems may have further members.",
    "required": ["type", "title", "status", "detail", "instance", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri", "description": "Names the kind of fault; can be opened."},
        "title": {"type": "string", "description": "The kind of fault in a few words, always the same."},
        "status": {"type": "integer", "description": "The HTTP status."},
        "detail": {"type": "string", "description": "What is wrong with this very request."},
        "instance": {"type": "string", "description": "The id of this request, for asking about it."},
        "code": {"type": "string", "description": "The kind of fault, for programs to branch on."},
        "parameter": {"type": "string", "description": "The parameter at fault, where it is one."},
        "errors": {
            "type": "array",
            "description": "Each fault, where there can be several.",
            "items": {
                "type": "object",
                "required": ["detail"],
                "properties": {
                    "detail": {"type": "string"},
                    "parameter": {"type": "string", "description": "The parameter at fault."},
                    "pointer": {"type": "string", "description": "JSON Pointer to the fault in the body."},
                },
            },
        },
    },
    "additionalProperties": True,
}

PROBLEM_RESPONSE: dict[str, Any] = {
    "description": "The request failed; the problem document says why.",
    "content": {PROBLEM_MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


class MalformedRequestError(UprError):
    """A request that is not proper HTTP or text: broken encoding, NUL bytes, headers that are too long."""

    code, status, title = "malformed_request", 400, "Malformed request"


class MethodNotAllowedError(UprError):
    """A path that exists, but not with this method; the Allow header names those that it has."""

    code, status, title = "method_not_allowed", 405, "Method not allowed"


class RequestTimeoutError(UprError):
    """A request whose body did not arrive in time."""

    code, status, title = "request_timeout", 408, "The request took too long to arrive"


class BodyTooLargeError(UprError):
    """A request body above the limit."""

    code, status, title = "body_too_large", 413, "The request body is too large"


class UriTooLongError(UprError):
    """A path and query above the limit."""

    code, status, title = "uri_too_long", 414, "The request's address is too long"


class RateLimitedError(UprError):
    """More requests in a minute than an address or a key may make; Retry-After says when to go on."""

    code, status, title = "rate_limited", 429, "Too many requests"


class HeadersTooLargeError(UprError):
    """Headers above the limit."""

    code, status, title = "headers_too_large", 431, "The request's headers are too long"


class InternalFaultError(UprError):
    """A fault of the service. The request id finds it in the logs; nothing else is told."""

    code, status, title = "internal_error", 500, "Internal error"


def problem_document(
    error: UprError, *, public_url: str, request_id: str, extensions: Mapping[str, Any] | None = None
) -> bytes:
    """The JSON of the problem that `error` is."""
    members = {
        **error.extensions,
        **(extensions or {}),
        "type": f"{public_url.rstrip('/')}/problems/{error.code}",
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "instance": request_id,
        "code": error.code,
    }
    return orjson.dumps(members, default=str)


def problem_response(scope: Scope, error: UprError, headers: Mapping[str, str] | None = None) -> Response:
    """The answer that tells `error` to whoever sent the request of `scope`: a problem document, or a page where the
    service has pages (`fault_page` of its state) and a browser asked for one.
    """
    state: State = scope["app"].state
    fault_page: FaultPage | None = getattr(state, "fault_page", None)
    if fault_page is not None and (page := fault_page(scope, error, headers or {})) is not None:
        return page
    request_id = scope.get("state", {}).get("request_id", "")
    content = problem_document(error, public_url=state.settings.public_url, request_id=request_id)
    return Response(content, error.status, dict(headers or {}), PROBLEM_MEDIA_TYPE)


def error_of_exception(exception: Exception) -> UprError:
    """The error that an exception means to the reader: database away, a value it cannot hold, or our own fault."""
    if isinstance(exception, UprError):
        return exception
    if isinstance(exception, DATABASE_AWAY):
        return UnavailableError("The database does not answer at the moment.", dependency="database")
    if isinstance(exception, (psycopg.DataError, sqlalchemy.exc.DataError)):
        return InvalidParameterError("A value of the request is out of the range that can be stored.")
    return InternalFaultError("The service failed on this request. Its operators can find it by the request id.")


def response_to_exception(scope: Scope, exception: Exception) -> Response:
    """The answer to a request that ended in `exception`, which is logged where it is not the client's fault."""
    error = error_of_exception(exception)
    if isinstance(error, InternalFaultError) or error.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("request failed", exc_info=exception)
        error = error if isinstance(error, InternalFaultError) else InternalFaultError("The service is not set up.")
    elif error is not exception:
        log.warning("request could not be served", code=error.code, fault=first_line(exception))
    unavailable = error.status == HTTPStatus.SERVICE_UNAVAILABLE
    seconds = str(error.extensions.get("retry_after", SECONDS_UNTIL_RETRY))
    return problem_response(scope, error, {"Retry-After": seconds} if unavailable else None)


def first_line(exception: Exception) -> str:
    """What an exception says, without the parameters and addresses that libraries add. While a database is away, one
    comes with every request: their tracebacks would fill disks and tell nothing more.
    """
    return f"{type(exception).__name__}: {str(exception).partition(chr(10))[0]}"


def install_problem_handlers(app: FastAPI) -> None:
    """Make the app answer every error of routes and routing with a problem document."""
    app.add_exception_handler(UprError, _answer_error)
    app.add_exception_handler(HTTPException, _answer_http_exception)
    app.add_exception_handler(RequestValidationError, _answer_validation_error)


async def _answer_error(request: Request, exception: Exception) -> Response:
    headers = {"WWW-Authenticate": "Bearer"} if getattr(exception, "status", 0) == HTTPStatus.UNAUTHORIZED else None
    response = response_to_exception(request.scope, exception)
    response.headers.update(headers or {})
    return response


async def _answer_http_exception(request: Request, exception: Exception) -> Response:
    """What FastAPI itself raises: no such path, wrong method, a body that is no JSON."""
    assert isinstance(exception, HTTPException)
    path, method = request.scope["path"], request.state.method
    headers = dict(exception.headers or {})
    error: UprError
    if exception.status_code == HTTPStatus.NOT_FOUND:
        error = _http_error(exception, f"There is nothing at {path}.")
    elif exception.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        # What the router says is of the first route of the path alone.
        told = headers.pop("allow", headers.get("Allow", "")).replace("GET", "GET, HEAD")
        methods_of: Callable[[str], list[str]] = getattr(request.app, "methods_of", lambda _: [])
        headers["Allow"] = ", ".join(methods_of(path)) or told
        if method == "OPTIONS":
            return Response(status_code=HTTPStatus.NO_CONTENT, headers=headers)
        error = MethodNotAllowedError(f"{path} does not take {method}.")
    else:
        error = _http_error(exception, str(exception.detail))
    return problem_response(request.scope, error, headers)


def _http_error(exception: HTTPException, detail: str) -> UprError:
    status = HTTPStatus(exception.status_code)
    error = UprError(detail)
    error.status = status.value
    error.code = status.phrase.lower().replace(" ", "_").replace("-", "_").replace("'", "")
    error.title = status.phrase
    return error


async def _answer_validation_error(request: Request, exception: Exception) -> Response:
    """A parameter or a body that is not what the route declares. Values are not repeated: they may be secrets."""
    assert isinstance(exception, RequestValidationError)
    faults = [(fault["loc"], str(fault["msg"])) for fault in exception.errors()]
    in_body = [(location, message) for location, message in faults if location and location[0] == "body"]
    error: UprError
    if in_body and len(in_body) == len(faults):
        errors = [{"pointer": _json_pointer(location[1:]), "detail": message} for location, message in faults]
        error = InvalidBodyError(_told("pointer", errors), errors=errors)
    else:
        errors = [{"parameter": ".".join(map(str, location[1:])), "detail": message} for location, message in faults]
        error = InvalidParameterError(_told("parameter", errors), errors=errors)
    return problem_response(request.scope, error)


def _told(where: str, errors: Sequence[Mapping[str, str]]) -> str:
    return "; ".join(f"{fault[where] or 'body'}: {fault['detail']}" for fault in errors)


def _json_pointer(location: Sequence[Any]) -> str:
    """RFC 6901, as a fragment: `#/filters/0`. FastAPI gives a character's number where the JSON itself is broken."""
    pointer = "#" + "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location)
    return pointer.encode(errors="replace").decode()  # JSON can name half a surrogate pair; UTF-8 cannot
