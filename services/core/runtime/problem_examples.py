"""Problem documents as the OpenAPI documents of all services show them: one response a status, an example of each."""

from typing import Any

from services.core.domain.errors import UprError
from services.core.runtime.problems import PROBLEM_MEDIA_TYPE, PROBLEM_RESPONSE

Responses = dict[int | str, dict[str, Any]]

_ADDRESS = "http://127.0.0.1:8000"


def problems(*errors: UprError) -> Responses:
    """The problem responses that these errors are; several of one status stand together."""
    found: Responses = {}
    for error in errors:
        known = found.setdefault(error.status, {"description": "", "content": {PROBLEM_MEDIA_TYPE: {"examples": {}}}})
        meaning = " ".join((type(error).__doc__ or error.title).split())
        known["description"] = f"{known['description']} {meaning}".strip()
        media = known["content"][PROBLEM_MEDIA_TYPE]
        media["schema"] = PROBLEM_RESPONSE["content"][PROBLEM_MEDIA_TYPE]["schema"]
        media["examples"][error.code] = {"summary": error.title, "value": _problem(error)}
    return found


def _problem(error: UprError) -> dict[str, Any]:
    return {
        **error.extensions,
        "type": f"{_ADDRESS}/problems/{error.code}",
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "instance": "5f3c1d0e8b9a4c7d9e2f1a0b3c4d5e6f",
        "code": error.code,
    }
