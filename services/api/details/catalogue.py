"""Which parts each noun has, and how they are added to shapes."""

from collections.abc import Mapping, Sequence
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, create_model

from services.api.details.documents import DOCUMENT_PARTS, ORGANISATION_PARTS
from services.api.details.hearings import HEARING_PARTS, STATEMENT_PARTS
from services.api.details.labels import LABEL_PARTS
from services.api.details.parts import Part, Setting
from services.api.details.related import RECOMMENDATION_PARTS
from services.api.details.reviews import REVIEW_PARTS
from services.api.details.states import STATE_PARTS
from services.api.details.topics import TOPIC_PARTS, Topic
from services.core.schemas.models import RECORD_MODELS, Dataset, NextPage, Public
from services.core.schemas.shapes import Shape

PARTS: Mapping[str, tuple[Part, ...]] = {
    "states": STATE_PARTS,
    "reviews": REVIEW_PARTS,
    "documents": DOCUMENT_PARTS,
    "recommendations": RECOMMENDATION_PARTS,
    "hearings": HEARING_PARTS,
    "statements": STATEMENT_PARTS,
    "organisations": ORGANISATION_PARTS,
    "labels": LABEL_PARTS,
    "topics": TOPIC_PARTS,
}
"""The parts of each noun that has any."""


def parts_of_noun(noun: str) -> tuple[Part, ...]:
    """The parts that a noun's records can have."""
    return PARTS.get(noun, ())


def add_parts(setting: Setting, shapes: Sequence[Shape], records: Sequence[Any], parts: Sequence[Part]) -> None:
    """Put these parts into the shapes of records, which stand in the same order; null where a record has none."""
    for part in parts:
        found = part.load(setting, records)
        for shape in shapes:
            shape[part.name] = found.get(shape["id"])


PLAIN_MODELS: Mapping[str, type[BaseModel]] = {**RECORD_MODELS, "topics": Topic}
"""The model of each noun's shape, without parts."""


def _with_parts(noun: str) -> type[BaseModel]:
    """The model of a noun's shape with its parts, which are there where they are asked for."""
    model = PLAIN_MODELS[noun]
    members: dict[str, Any] = {}
    for part in parts_of_noun(noun):
        meaning = f"With `include={part.name}`: {part.meaning}"
        if part.name in model.model_fields:
            plain = model.model_fields[part.name]
            meaning = f"{plain.description or 'Id.'} {meaning}"
            members[part.name] = (_either(plain.annotation, part.model), Field(description=meaning))
        else:
            members[part.name] = (part.model | None, Field(None, description=meaning))
    if not members:
        return model
    return create_model(f"{model.__name__}WithParts", __base__=model, __doc__=model.__doc__, **members)


def _either(plain: Any, whole: Any) -> Any:
    """One or the other; of two lists a list of both, which generated clients read more easily."""
    if get_origin(plain) is get_origin(whole) is list:
        return list[get_args(plain)[0] | get_args(whole)[0]]  # type: ignore[misc]
    return plain | whole


MODELS_WITH_PARTS: Mapping[str, type[BaseModel]] = {noun: _with_parts(noun) for noun in PLAIN_MODELS}
"""The model of each noun's shape as lists and details show it."""


def _sparse(noun: str) -> type[BaseModel]:
    """The model of a noun's shape that `fields` cut: what is there is as it is elsewhere. For the OpenAPI document."""
    description = f"One of the {noun} with the members alone that `fields` and `include` name."
    options = ConfigDict(json_schema_extra=lambda schema: schema.pop("required", None))
    members = {"__doc__": description, "__module__": __name__, "model_config": options}
    return type(f"Sparse{PLAIN_MODELS[noun].__name__}", (MODELS_WITH_PARTS[noun],), members)


SPARSE_MODELS: Mapping[str, type[BaseModel]] = {noun: _sparse(noun) for noun in PLAIN_MODELS}
"""The model of each noun's shape where `fields` chose members."""


def page_model(name: str, row: Any, rows: str) -> type[BaseModel]:
    """The model of one page of a list. `rows` says of what, in the plural."""
    return create_model(
        name,
        __base__=Public,
        __doc__=f"One page of {rows}.",
        data=(list[row], ...),
        total=(int, ...),
        page=(NextPage, ...),
        dataset=(Dataset, ...),
    )


def record_answer(noun: str) -> Any:
    """What a record alone is shown as: whole, or with the members alone that `fields` chose."""
    return MODELS_WITH_PARTS[noun] | SPARSE_MODELS[noun]


def list_answer(noun: str) -> Any:
    """What a list is shown as: whole records, or the members alone that `fields` chose."""
    pages = [
        page_model(f"{name}List", model, noun)
        for name, model in (
            (PLAIN_MODELS[noun].__name__, MODELS_WITH_PARTS[noun]),
            (SPARSE_MODELS[noun].__name__, SPARSE_MODELS[noun]),
        )
    ]
    return pages[0] | pages[1]
