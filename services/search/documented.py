"""What the OpenAPI document says of answers: an example of each, and the problems that each route can have."""

from importlib.resources import files
from typing import Any

import orjson

from services.core.domain.errors import (
    GoneError,
    InvalidParameterError,
    InvalidQueryError,
    NotFoundError,
    UnavailableError,
    UnknownParameterError,
)
from services.core.runtime.exports import Format
from services.core.runtime.openapi import headers_named, is_text
from services.core.runtime.problem_examples import Responses, problems

_USUAL = (
    UnknownParameterError("There is no parameter 'colour' here"),
    InvalidParameterError("`position` cannot be “maybe”: expected one of noted, pending, supported."),
    UnavailableError("There is no search index yet."),
)
_UNCLEAR = InvalidQueryError("the query has more than 32 words")


def examples() -> dict[str, Any]:
    """Of each answer one example, by the name that the routes refer to it by."""
    found: dict[str, Any] = orjson.loads((files("services.search") / "examples.json").read_bytes())
    return found


def search_responses(model: type) -> Responses:
    """Of a search: a page of hits."""
    return {200: _success("One page of hits.", model, "search"), **problems(*_USUAL, _UNCLEAR)}


def export_responses(form: Format) -> Responses:
    """Of an export: the file."""
    media_type = form.media_type.partition(";")[0]
    schema = {"type": "string"} if is_text(media_type) else {"type": "string", "format": "binary"}
    return {
        200: {
            "description": form.description,
            "content": {media_type: {"schema": schema}},
            "headers": headers_named("ContentDisposition", "Dataset", "Found", "Rows"),
        },
        **problems(*_USUAL, _UNCLEAR),
    }


def facet_responses(model: type) -> Responses:
    """Of a facet: its values."""
    missing = NotFoundError("There is no facet colour; there are topic, position, type.")
    return {200: _success("The values of the facet.", model, "facet"), **problems(*_USUAL, _UNCLEAR, missing)}


def suggest_responses(model: type) -> Responses:
    """Of suggestions: the likeliest first."""
    return {200: _success("The suggestions, the likeliest first.", model, "suggestions"), **problems(*_USUAL)}


def similar_responses(model: type) -> Responses:
    """Of recommendations that are like one: those, its new id, or that there is none."""
    missing = NotFoundError("There is no recommendation PER-9-1.1.")
    removed = GoneError("The recommendation PER-2-1.1 was removed: not_in_final.", reason="not_in_final")
    moved = {
        "description": "The recommendation has another id now.",
        "headers": {"Location": {"description": "Where it is.", "schema": {"type": "string"}}},
    }
    success = _success("Recommendations like it, the likest first.", model, "similar")
    return {200: success, 308: moved, **problems(*_USUAL, missing, removed)}


def _success(description: str, model: type, example: str) -> dict[str, Any]:
    content = {"application/json": {"examples": {"sample": {"$ref": f"#/components/examples/{example}"}}}}
    return {"description": description, "model": model, "content": content}
