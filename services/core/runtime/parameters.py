"""Query parameters, read strictly, and described for the OpenAPI document."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from fastapi import Request

from services.core.domain.errors import InvalidParameterError, InvalidQueryError
from services.core.runtime.negotiation import preferred_language
from services.core.schemas.names import LANGUAGES

Parameters = Sequence[tuple[str, str]]
"""The query parameters of a request, in their order."""


def parameters_of(request: Request) -> Parameters:
    """The parameters of a request. Where it names no `lang`, the one its reader's browser prefers, if we have it."""
    given = request.query_params.multi_items()
    if any(name == "lang" for name, _ in given):
        return given
    language = preferred_language(request.headers.get("accept-language"), LANGUAGES)
    return [*given, ("lang", language)] if language else given


def single(parameters: Parameters, name: str) -> str | None:
    """The value of a parameter that is given at most once. Raises `InvalidParameterError`."""
    values = [value for key, value in parameters if key == name]
    if len(values) > 1:
        raise InvalidParameterError(f"`{name}` is given {len(values)} times; it takes one value.", parameter=name)
    return values[0] if values else None


@contextmanager
def query_of(parameter: str) -> Iterator[None]:
    """Within, a fault of a search query names the parameter that holds it."""
    try:
        yield
    except InvalidQueryError as fault:
        fault.extensions.setdefault("parameter", parameter)
        raise


def choice(parameters: Parameters, name: str, known: Sequence[str]) -> str | None:
    """The value of a parameter that takes one of a few. Raises `InvalidParameterError`."""
    value = single(parameters, name)
    if value is not None and value not in known:
        raise invalid(name, value, f"one of {', '.join(known)}")
    return value


def matching(parameters: Parameters, name: str, pattern: str, expected: str) -> str | None:
    """The value of a parameter that has to look like something. Raises `InvalidParameterError`."""
    value = single(parameters, name)
    if value is not None and not re.fullmatch(pattern, value):
        raise invalid(name, value, expected)
    return value


def whole_number(parameters: Parameters, name: str, *, least: int, most: int, otherwise: int) -> int:
    """The value of a parameter that takes a number. Raises `InvalidParameterError`."""
    text = single(parameters, name)
    if text is None:
        return otherwise
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 20 else None
    if number is None or not least <= number <= most:
        raise invalid(name, text, f"a whole number from {least} to {most}")
    return number


def invalid(name: str, value: str, expected: str) -> InvalidParameterError:
    """The error for a value that a parameter cannot take."""
    shown = value if len(value) <= 60 else value[:57] + "…"
    return InvalidParameterError(f"`{name}` cannot be “{shown}”: expected {expected}.", parameter=name)


def described(name: str, description: str, schema: dict[str, Any], *, many: bool = False) -> dict[str, Any]:
    """One query parameter, for the OpenAPI document. `many`: it may be repeated, which means OR."""
    if many:
        schema = {"type": "array", "items": schema}
        description += " Repeat for OR."
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


def described_number(name: str, description: str, *, least: int, most: int, otherwise: int) -> dict[str, Any]:
    """A parameter that takes a whole number, for the OpenAPI document."""
    return described(name, description, {"type": "integer", "minimum": least, "maximum": most, "default": otherwise})
