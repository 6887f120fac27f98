"""What the OpenAPI document says of every operation alike: problems that any request can meet, headers, vocabularies.

Routes declare what is theirs. What the middleware and the runtime answer is added here, so that no route forgets it.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from services.core.domain.errors import InvalidBodyError, UnavailableError, UprError
from services.core.runtime.problem_examples import problems
from services.core.runtime.problems import (
    PROBLEM_SCHEMA,
    BodyTooLargeError,
    HeadersTooLargeError,
    InternalFaultError,
    MalformedRequestError,
    RateLimitedError,
    RequestTimeoutError,
    UriTooLongError,
)
from services.core.schemas.filter_values import value_components

Document = dict[str, Any]

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


def _header(description: str, schema: Mapping[str, Any], example: str, *, always: bool = False) -> dict[str, Any]:
    header = {"description": description, "schema": dict(schema), "example": example}
    return {**header, "required": True} if always else header


_TEXT = {"type": "string"}
_HEADERS: dict[str, tuple[str, dict[str, Any]]] = {
    "RequestId": (
        "X-Request-Id",
        _header("Id of this request: the one that was sent, or a new one.", _TEXT, "5f3c1d0e8b9a4c7d", always=True),
    ),
    "RateLimit": (
        "RateLimit",
        _header("Requests left (`r`), and seconds until all are back (`t`).", _TEXT, '"requests";r=1187;t=1'),
    ),
    "RateLimitPolicy": (
        "RateLimit-Policy",
        _header("Requests (`q`) that one caller may make in so many seconds (`w`).", _TEXT, '"requests";q=1200;w=60'),
    ),
    "RetryAfter": (
        "Retry-After",
        _header("Seconds until it makes sense to ask again.", {"type": "integer", "minimum": 0}, "5"),
    ),
    "ETag": (
        "ETag",
        _header("Version of the answer; send it back in `If-None-Match`.", _TEXT, '"3f2a9c1b5d7e8f0a1b2c"'),
    ),
    "LastModified": (
        "Last-Modified",
        _header("When something in it changed last; for `If-Modified-Since`.", _TEXT, "Sat, 21 Nov 2026 10:30:00 GMT"),
    ),
    "CacheControl": (
        "Cache-Control",
        _header("Who may keep the answer: anybody, who asks again before showing it.", _TEXT, "public, no-cache"),
    ),
    "Link": (
        "Link",
        _header(
            "Addresses by their relation (RFC 8288): `next` page, `canonical` permalink, `alternate` form.",
            _TEXT,
            '<http://127.0.0.1:8000/recommendations/PER-2-116.17>; rel="canonical"',
        ),
    ),
    "ContentDisposition": (
        "Content-Disposition",
        _header("Name to keep the file under.", _TEXT, 'attachment; filename="openupr-reviews-4711-9f86d081.csv"'),
    ),
    "Dataset": (
        "OpenUPR-Dataset",
        _header("Version of the data that the file was written from.", _TEXT, "4711-9f86d081"),
    ),
    "Found": (
        "OpenUPR-Found",
        _header("Records that the search found.", {"type": "integer", "minimum": 0}, "12929"),
    ),
    "Rows": (
        "OpenUPR-Rows",
        _header("How many of them the file holds, the first ones.", {"type": "integer", "minimum": 0}, "10000"),
    ),
    "Authenticate": ("WWW-Authenticate", _header("How to authenticate.", _TEXT, "Bearer")),
    "Allow": ("Allow", _header("Methods that the path takes.", _TEXT, "GET, HEAD, OPTIONS")),
}
_ON_EVERY_ANSWER = ("RequestId", "RateLimit", "RateLimitPolicy")
_OF_READING = ("ETag", "LastModified", "CacheControl", "Link")
_OF_STATUS = {401: ("Authenticate",), 405: ("Allow",), 429: ("RetryAfter",), 503: ("RetryAfter",)}
_OF_ANY_REQUEST: Mapping[str, type[UprError]] = {
    "MalformedRequest": MalformedRequestError,
    "UriTooLong": UriTooLongError,
    "TooManyRequests": RateLimitedError,
    "HeadersTooLarge": HeadersTooLargeError,
    "InternalError": InternalFaultError,
    "Unavailable": UnavailableError,
}
_OF_A_BODY: Mapping[str, type[UprError]] = {
    "RequestTimeout": RequestTimeoutError,
    "BodyTooLarge": BodyTooLargeError,
    "InvalidBody": InvalidBodyError,
}
_NOT_MODIFIED = "NotModified"


def complete(document: Document, *, examples: Mapping[str, Any], conditional: bool) -> None:
    """Add to an OpenAPI document what holds for every operation.

    `examples` become components. What is named as an operation is an example of how that one answers, also with
    `_with_parts` or a status, such as `_300`, behind the name.
    `conditional`: what anyone may read carries entity tags, so 304 is an answer.
    """
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas["Problem"] = PROBLEM_SCHEMA
    components["responses"] = {}
    for method, operation in operations_of(document):
        reading = conditional and method == "get" and "security" not in operation
        _add_common_responses(operation, components["responses"], reading=reading)
        for status, response in operation["responses"].items():
            if "$ref" not in response:
                _add_headers(status, response, reading=reading)
                _add_examples(operation["operationId"], status, response, examples)
    _link_lists_to_records(document, examples)
    components["headers"] = {name: _HEADERS[name][1] for name in sorted(_referred_to("headers", document))}
    if examples:
        components["examples"] = {name: {"value": value} for name, value in examples.items()}
    for name in sorted(_referred_to("schemas", document) - schemas.keys()):
        schemas[name] = value_components()[name]


def _add_examples(operation_id: str, status: str, response: dict[str, Any], examples: Mapping[str, Any]) -> None:
    """Show how the operation answers, where the route shows nothing itself, and what a record's parts look like."""
    if status.isdigit() and int(status) < 300:
        named = {"sample": operation_id, "with_parts": f"{operation_id}_with_parts"}
    else:
        named = {"sample": f"{operation_id}_{status}"}
    found = {what: _component("examples", name) for what, name in named.items() if name in examples}
    for media_type, media in response.get("content", {}).items() if found else ():
        if is_text(media_type):
            own = media.get("examples", {})
            media["examples"] = own | {what: example for what, example in found.items() if what not in own}


def is_text(media_type: str) -> bool:
    """Whether an example of it can be read: JSON, XML, other text."""
    return media_type.startswith("text/") or media_type.endswith(("json", "xml", "bibtex"))


def _link_lists_to_records(document: Document, examples: Mapping[str, Any]) -> None:
    """Tell that what a list shows, or what was created, is found under its id by the operations below the list.

    The id in the list's example is that of the operations' examples.
    """
    for path, item in document["paths"].items():
        # Of what anybody may create, only one's own is for trying things out.
        method, status, place = ("post", "201", "") if "post" in item else ("get", "200", "/data/0")
        for below, operations in document["paths"].items() if "{" not in path else ():
            found = re.fullmatch(re.escape(path) + r"/\{(\w+)\}(?:/[a-z.]+)?", below)
            answer = item.get(method, {"responses": {}})["responses"].get(status)
            if found is None or answer is None:
                continue
            member, known = _known_by(found[1], answer, examples)
            for operation in operations.values() if member else ():
                _show_id(operation, found[1], known)
                answer.setdefault("links", {})[operation["operationId"]] = {
                    "operationId": operation["operationId"],
                    "parameters": {found[1]: f"$response.body#{place}/{member}"},
                }


def _known_by(parameter: str, answer: Mapping[str, Any], examples: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Which member of a list's rows, or of what was created, is the parameter's value, and what the example has."""
    shown = answer.get("content", {}).get("application/json", {}).get("examples", {}).get("sample")
    value = examples[shown["$ref"].rpartition("/")[2]] if shown else {}
    row: dict[str, Any] = next(iter(value.get("data", [value])), {})
    member = next((name for name in ("id", parameter) if name in row), None if row else "id")
    return member, None if member is None else row.get(member)


def _show_id(operation: Mapping[str, Any], parameter: str, known: str | None) -> None:
    for each in operation.get("parameters", ()):
        if each["name"] == parameter and each["in"] == "path" and known is not None:
            each["example"] = known


def _add_common_responses(operation: dict[str, Any], components: dict[str, Any], *, reading: bool) -> None:
    told = operation["responses"]
    common = {**_OF_ANY_REQUEST, **(_OF_A_BODY if "requestBody" in operation else {})}
    for name, error in common.items():
        if str(error.status) not in told:
            told[str(error.status)] = _component("responses", name)
            components.setdefault(name, _problem_component(error))
    if reading:
        told["304"] = _component("responses", _NOT_MODIFIED)
        components.setdefault(_NOT_MODIFIED, _not_modified())
    operation["responses"] = dict(sorted(told.items()))


def _problem_component(error: type[UprError]) -> dict[str, Any]:
    response = problems(error(f"{error.title}."))[error.status]
    _add_headers(str(error.status), response, reading=False)
    return response


def _not_modified() -> dict[str, Any]:
    response: dict[str, Any] = {"description": "The reader holds this version already: there is no body."}
    _add_headers("304", response, reading=True)
    return response


def _add_headers(status: str, response: dict[str, Any], *, reading: bool) -> None:
    succeeds = status.startswith("2")
    names = [
        *_ON_EVERY_ANSWER,
        *(_OF_READING if reading and (succeeds or status == "304") else ()),
        *(("ContentDisposition",) if succeeds and _is_a_file(response) else ()),
        *(_OF_STATUS.get(int(status), ()) if status.isdigit() else ()),
    ]
    response["headers"] = {**headers_named(*names), **response.get("headers", {})}


def headers_named(*names: str) -> dict[str, Any]:
    """The headers of an answer, by names of components, as a route declares them: `Dataset`, `Found`, `Rows` …"""
    return {_HEADERS[name][0]: _component("headers", name) for name in names}


def _is_a_file(response: Mapping[str, Any]) -> bool:
    """Whether the answer comes in a form that readers keep as a file: then it has a name."""
    return any("json" not in media_type for media_type in response.get("content", {}))


def _component(kind: str, name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/{kind}/{name}"}


def operations_of(document: Document) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each operation with its method in lower case."""
    for item in document["paths"].values():
        for method, operation in item.items():
            if method in METHODS:
                yield method, operation


def _referred_to(kind: str, document: Document) -> set[str]:
    """Names of the components of a kind that a document refers to."""
    written = orjson.dumps(document, option=orjson.OPT_NON_STR_KEYS).decode()
    return set(re.findall(rf'"#/components/{kind}/(\w+)"', written))
