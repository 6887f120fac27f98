"""What the OpenAPI document says of answers: an example of each success, and the problems each route can have."""

import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

import orjson

from services.api.feed import ChangesGoneError, FeedRestoredError
from services.api.live import TooManyWaitingError
from services.core.domain.changes import SINGULAR
from services.core.domain.errors import (
    ForbiddenError,
    GoneError,
    InvalidCursorError,
    InvalidParameterError,
    NotFoundError,
    UnauthorizedError,
    UnavailableError,
    UnknownParameterError,
    UprError,
)
from services.core.runtime.exports import FORMATS, Format, Provenance, write_export
from services.core.runtime.openapi import headers_named, is_text
from services.core.runtime.problem_examples import Responses, problems
from services.core.schemas.examples import event_example, paragraph_example, record_example
from services.core.schemas.shapes import Shape

_ADDRESS = "http://127.0.0.1:8000"
_DATASET: dict[str, Any] = {"version": "4711-9f86d081", "as_of": "2026-11-21T10:30:00.654321Z", "cursor": 4711}
_EPOCH = "5d41402abc4b"
_CURSOR = "DWCylDQgWyJhMzJkIiwiWENNLTAwMDAwNC0wMDAwMjIuMDAwMDAxIiwiWENNLTQtMjIuMSJd"
_STATISTICS = {
    "group_by": ["topic", "position"],
    "groups": [
        {
            "values": {
                "topic": {"value": "torture-prevention", "label": "Prevention of torture"},
                "position": {"value": "supported", "label": "supported"},
            },
            "count": 29,
            "url": f"{_ADDRESS}/v1/recommendations?state_under_review=PER&topic=torture-prevention&position=supported",
        },
        {"values": {"topic": None, "position": {"value": "noted", "label": "noted"}}, "count": 4, "url": None},
    ],
    "groups_total": 2,
    "total": 33,
    "unlabelled": {"topic": 4, "position": 0},
    "dataset": _DATASET,
}
_TELLING = {"recommendations": "text", "statements": "text", "pledges": "text", "states": "name", "labels": "name"}
"""Which member the examples of `fields` show besides the id."""
_CITING = "doc-3f2a9c1b5d7e"
_AWAY = UnavailableError("The database does not answer at the moment.")


def examples() -> dict[str, Any]:
    """Of each answer one example, by the name that the routes refer to it by."""
    event = event_example()
    page = _page([event], f"changes?limit=1&after={event['seq']}&epoch={_EPOCH}")
    found: dict[str, Any] = {"changes": {**page, "dataset": {**_DATASET, "epoch": _EPOCH}}}
    found["changes_stream"] = f"id: {event['seq']}\ndata: {orjson.dumps(event).decode()}\n\n"
    found["statistics"] = _STATISTICS
    found |= json.loads((files("services.api") / "examples.json").read_bytes())
    found["paragraph"] = paragraph_example()
    found["paragraphs"] = {**_page([paragraph_example()], f"documents/{_CITING}/paragraphs?limit=1"), "total": 42}
    for noun, singular in SINGULAR.items():
        found |= _examples_of(noun, singular, record_example(noun))
    cited = found["citation"]
    found |= {f"citation_{name}": cited[name] for name in ("text", "bibtex")}
    return {**found, "citation_csl_json": [cited["csl_json"]]}


def _examples_of(noun: str, singular: str, record: Shape) -> dict[str, Any]:
    """A record alone, in a list, cut by `fields`, and in the exports that can be read."""
    page = {**_page([record], f"{noun}?limit=1&cursor={_CURSOR}"), "total": 42}
    cut = {name: record[name] for name in ("id", _TELLING.get(noun, "updated_at"))}
    found: dict[str, Any] = {
        singular: record,
        noun: page,
        f"{singular}_fields": cut,
        f"{noun}_fields": {**page, "data": [cut], "page": {"next": None}, "total": 1},
    }
    origin = Provenance(noun, f"{_ADDRESS}/v1/{noun}?id={record['id']}", _DATASET["version"], _DATASET["as_of"], 1)
    for form in FORMATS:
        if is_text(form.media_type.partition(";")[0]):
            with write_export(form, [record], origin) as file:
                found[f"export_{noun}_as_{form.suffix}"] = file.read().decode()
    return found


def _page(rows: list[Any], next_page: str) -> dict[str, Any]:
    return {"data": rows, "page": {"next": f"{_ADDRESS}/v1/{next_page}"}, "dataset": _DATASET}


def list_responses(noun: str, model: Any) -> Responses:
    """Of a list: one page of it, and what can be wrong with the parameters."""
    cut = {"fields": f"{noun}_fields"} if noun in SINGULAR else {}
    return {
        200: _success(f"One page of {noun}.", model, noun, **cut),
        **problems(
            UnknownParameterError("There is no parameter 'colour' here"),
            InvalidParameterError("`limit` cannot be “0”: expected a whole number from 1 to 200."),
            InvalidCursorError("The cursor is not one that this list gave out; start again without it."),
            _AWAY,
        ),
    }


def detail_responses(noun: str, model: Any) -> Responses:
    """Of one record: the record, that there is none, or that it was removed."""
    singular = SINGULAR[noun]
    return {
        200: _success(f"The {singular}.", model, singular, fields=f"{singular}_fields"),
        **problems(
            UnknownParameterError("There is no parameter 'colour' here"),
            InvalidParameterError("`lang` cannot be “de”: expected one of en, es, fr, pt."),
            NotFoundError(f"There is no {singular} PER-9-1.1."),
            GoneError(f"The {singular} PER-2-1.1 was removed: not_in_final.", reason="not_in_final"),
            _AWAY,
        ),
    }


def export_responses(form: Format) -> Responses:
    """Of an export: the file, and what can be wrong with the parameters."""
    media_type = form.media_type.partition(";")[0]
    return {
        200: {
            "description": form.description,
            "content": {media_type: {"schema": _schema_of_a_file(media_type)}},
            "headers": headers_named("ContentDisposition", "Dataset"),
        },
        **problems(
            UnknownParameterError("An export is the whole filtered list: `limit` does not apply to it."),
            InvalidParameterError("`cycle` cannot be “x”: expected a whole number."),
            _AWAY,
        ),
    }


def statistics_responses(model: type) -> Responses:
    """Of statistics: the counts, and what can be wrong with the parameters."""
    return {
        200: _success("The counts.", model, "statistics"),
        **problems(
            UnknownParameterError("There is no parameter 'colour' here"),
            InvalidParameterError("`group_by` cannot be “colour”: expected one of topic, position, cycle."),
            _AWAY,
        ),
    }


def citation_responses(model: type, forms: Mapping[str, str]) -> Responses:
    """Of a citation: all its forms, or one of them. `forms` are media types by the names of the forms."""
    responses = {
        200: _success("The citation.", model, "citation"),
        **problems(
            UnknownParameterError("There is no parameter 'colour' here"),
            InvalidParameterError("`format` cannot be “ris”: expected one of json, text, bibtex, csl-json."),
            _AWAY,
        ),
    }
    for name, media_type in forms.items():
        shown = {"sample": {"$ref": f"#/components/examples/citation_{name.replace('-', '_')}"}}
        responses[200]["content"][media_type] = {"schema": _schema_of_a_file(media_type), "examples": shown}
    return responses


def file_responses(description: str, media_types: Sequence[str], *errors: UprError) -> Responses:
    """Of what is no JSON: its media types, and what can be wrong with the parameters."""
    content = {media_type: {"schema": _schema_of_a_file(media_type)} for media_type in media_types}
    return {
        200: {"description": description, "content": content},
        **problems(UnknownParameterError("There is no parameter 'colour' here"), *errors, _AWAY),
    }


def paragraph_responses(model: type) -> Responses:
    """Of one paragraph: the paragraph."""
    return {
        200: _success("The paragraph.", model, "paragraph"),
        **problems(
            UnknownParameterError("There is no parameter 'colour' here"),
            InvalidParameterError("`lang` cannot be “de”: expected one of en, es, fr, pt."),
            _AWAY,
        ),
    }


def part_responses(singular: str) -> Responses:
    """Of what stands below a record: that there is none, or that it was removed."""
    return problems(
        NotFoundError(f"There is no {singular} PER-9-1.1."),
        GoneError(f"The {singular} PER-2-1.1 was removed: not_in_final.", reason="not_in_final"),
    )


def feed_responses(model: type, stream: str) -> Responses:
    """Of the feed: one page of changes, or a stream of that media type."""
    found = _success("The changes after a number, or each as it comes.", model, "changes")
    streamed = {"sample": {"$ref": "#/components/examples/changes_stream"}}
    found["content"][stream] = {"schema": {"type": "string"}, "examples": streamed}
    gone = ChangesGoneError("Changes are kept from 4700 on.", oldest=4700, cursor=4711, exports={})
    restored = FeedRestoredError(
        "What you have up to change 4800 is not what is held here.", cursor=4711, epoch=_EPOCH, exports={}
    )
    return {
        200: found,
        **problems(
            gone,
            restored,
            TooManyWaitingError("5000 readers wait for changes; no more are taken."),
            UnknownParameterError("There is no parameter 'colour' here"),
            InvalidParameterError("`after` cannot be “x”: expected a whole number from 0 to 9223372036854775807."),
            _AWAY,
        ),
    }


def _schema_of_a_file(media_type: str) -> dict[str, Any]:
    """What somebody else's format looks like to a client: JSON of some kind, a text, or bytes."""
    if media_type.endswith("csl+json"):
        return {"type": "array", "items": {"type": "object"}}
    if media_type.endswith("+json"):
        return {"type": "object"}
    if media_type.startswith("text/") or media_type.endswith(("xml", "bibtex", "x-ndjson")):
        return {"type": "string"}
    return {"type": "string", "format": "binary"}


def _success(description: str, model: Any, sample: str, **others: str) -> dict[str, Any]:
    """The answer with its examples by what they show."""
    names = {"sample": sample, **others}
    shown = {name: {"$ref": f"#/components/examples/{example}"} for name, example in names.items()}
    return {"description": description, "model": model, "content": {"application/json": {"examples": shown}}}


def with_key_problems(*errors: type[UprError]) -> Responses:
    """What can go wrong where a key is needed, for the OpenAPI document."""
    several: list[type[UprError]] = [UnauthorizedError, ForbiddenError, *errors]
    return problems(*(error(f"{error.title}.") for error in several))
