"""What kinds of events there are: of each a sample as a webhook carries it, and the JSON Schema of its body."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import Field, create_model

from services.core.domain.changes import SINGULAR, Cause, Match
from services.core.schemas.events import webhook_body
from services.core.schemas.examples import event_example, record_example
from services.core.schemas.models import RECORD_MODELS, Event, Public
from services.core.schemas.shapes import Shape
from services.core.store.changes import ChangeRecord

_NOUNS = {singular: noun for noun, singular in SINGULAR.items()}
_POSITION_CHANGED = "recommendation.position_changed"
_MATCHES = {"created": Match.ENTERED, "deleted": Match.LEFT}
_MEANINGS = {
    "created": "A {noun} that was not there before.",
    "updated": "A {noun} says something else than before.",
    "deleted": "A {noun} is no more; `data` is its last shape.",
    "replaced": "A {noun} has another id now; `changed.id` says which it had.",
    "position_changed": "The State under review has answered, or answers otherwise than before.",
}


class DescribedEventType(Public):
    """A kind of event, with a sample."""

    type: str = Field(examples=[_POSITION_CHANGED])
    description: str
    noun: str = Field(description="What its records are called in addresses.", examples=["recommendations"])
    sample: dict[str, Any] = Field(description="A body as a webhook has it.")


class EventTypeWithSchema(DescribedEventType):
    """A kind of event, with a sample and the JSON Schema of its body."""

    json_schema: dict[str, Any] = Field(description="JSON Schema (2020-12) of the body of a webhook of this type.")


class EventTypeList(Public):
    """All kinds of events that there are today."""

    data: list[DescribedEventType]
    total: int


def event_type(name: str, public_url: str) -> Shape:
    """What there is to say of a type."""
    singular, _, verb = name.partition(".")
    return {
        "type": name,
        "description": _MEANINGS[verb].format(noun=singular),
        "noun": _NOUNS[singular],
        "sample": sample_body(name, public_url),
    }


def sample_body(name: str, public_url: str, event_id: str = "evt_3f2a9c1b5d7e8f0a1b2c3d4e", seq: int = 4711) -> Shape:
    """The body of a webhook about an invented record."""
    singular, _, verb = name.partition(".")
    noun, told = _NOUNS[singular], event_example()
    data = told["data"] if name == _POSITION_CHANGED else record_example(noun)
    change = ChangeRecord(
        type=name,
        cause=Cause.PUBLICATION,
        effective_on=None,
        noun=noun,
        subject=data["id"],
        data=data,
        changed=told["changed"] if name == _POSITION_CHANGED else _changed(verb, data),
        terms_before=(),
        terms_after=(),
        seq=seq,
        id=event_id,
        occurred_at=Event.model_validate(told).occurred_at,
    )
    return webhook_body(change, public_url, _MATCHES.get(verb, Match.STAYED))


def _changed(verb: str, data: Mapping[str, Any]) -> dict[str, list[Any]]:
    if verb == "deleted":
        return {"reason": [None, "no_source_holds_it"]}
    if verb == "replaced":
        return {"id": [f"{data['review']}~0123456789", data["id"]]}
    if verb == "updated":
        name = next(each for each in ("text", "title", "names", "date", "cycle") if data.get(each))
        return {name: [None, data[name]]}
    return {}


@cache
def body_schema(name: str) -> Shape:
    """The JSON Schema of a webhook of this type. Further members may come."""
    record = RECORD_MODELS[_NOUNS[name.partition(".")[0]]]
    told = create_model("Event", __base__=Event, data=(record, Field(description="The record's public shape.")))
    body = create_model(
        "Webhook",
        __base__=Public,
        type=(str, Field(json_schema_extra={"const": name})),
        timestamp=(str, Field(json_schema_extra={"format": "date-time"})),
        data=(told, Field(description="The event, as the feed has it.")),
    )
    schema = body.model_json_schema(mode="serialization")
    for definition in (schema, *schema.get("$defs", {}).values()):
        definition.pop("additionalProperties", None)  # our own shapes are exact; readers take what is added
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
