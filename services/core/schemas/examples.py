"""Examples for the OpenAPI documents: shapes as the sample documents make them (`samples/`), of an invented State."""

from functools import cache
from importlib.resources import files

import orjson

from services.core.schemas.shapes import Shape


def record_example(noun: str) -> Shape:
    """A whole record of a noun. A test holds it to the model."""
    return _examples()[noun]


def event_example() -> Shape:
    """A change that the feed and webhooks carry: a State answers what it left pending."""
    return _examples()["event"]


def paragraph_example() -> Shape:
    """A row of a mid-term report. A test holds it to the model."""
    return _examples()["paragraph"]


@cache
def _examples() -> dict[str, Shape]:
    examples: dict[str, Shape] = orjson.loads((files("services.core.schemas") / "examples.json").read_bytes())
    return examples
