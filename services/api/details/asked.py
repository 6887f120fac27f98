"""The parameters `include` and `fields`: what an answer shows of each record."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from services.api.details.catalogue import PLAIN_MODELS, parts_of_noun
from services.api.details.parts import Part
from services.core.domain.errors import InvalidParameterError
from services.core.runtime.parameters import Parameters, invalid
from services.core.schemas.shapes import Shape

INCLUDE, FIELDS = "include", "fields"
EVERYTHING = "all"


@dataclass(frozen=True)
class Asked:
    """What is shown of each record: these members alone (None: all), and these parts besides."""

    parts: tuple[Part, ...] = ()
    fields: frozenset[str] | None = None

    def cut(self, shape: Shape) -> Shape:
        """The shape without the members that are not asked for, in its own order."""
        if self.fields is None:
            return shape
        return {name: value for name, value in shape.items() if name in self.fields}


def read_asked(noun: str, parameters: Parameters, *, of_one: bool = False) -> Asked:
    """What a request asks to see. `of_one`: of one record alone, which can have every part.

    Raises `InvalidParameterError`, which names the parameter and the value.
    """
    parts = _read_parts(noun, parameters, of_one=of_one)
    named = _names(parameters, FIELDS)
    members = PLAIN_MODELS[noun].model_fields
    for name in named or ():
        if name not in members:
            raise invalid(FIELDS, name, f"some of {', '.join(members)}, with commas between them{_hint(noun, name)}")
    fields = None if named is None else frozenset((*named, *(part.name for part in parts)))
    return Asked(parts, fields)


def _hint(noun: str, name: str) -> str:
    return f"; `{name}` is asked for by `include`" if any(part.name == name for part in parts_of_noun(noun)) else ""


def _read_parts(noun: str, parameters: Parameters, *, of_one: bool) -> tuple[Part, ...]:
    named = _names(parameters, INCLUDE) or ()
    known = {part.name: part for part in parts_of_noun(noun)}
    chosen = {part.name for part in known.values() if of_one or not part.alone} if EVERYTHING in named else set()
    for name in named:
        if name not in known and name != EVERYTHING:
            raise invalid(INCLUDE, name, f"some of {', '.join((*known, EVERYTHING))}, with commas between them")
        if name in known and known[name].alone and not of_one:
            raise InvalidParameterError(
                f"`{INCLUDE}={name}` is for one record: too much for the rows of a list.", parameter=INCLUDE
            )
    return tuple(part for name, part in known.items() if name in chosen or name in named)


def _names(parameters: Parameters, parameter: str) -> Sequence[str] | None:
    """The names that a parameter lists, each once; None where it is not given. Raises `InvalidParameterError`."""
    values = [value for name, value in parameters if name == parameter]
    names = list(dict.fromkeys(text.strip() for value in values for text in value.split(",")))
    if values and names == [""]:
        raise invalid(parameter, "", "names, with commas between them")
    return [name for name in names if name] if values else None


def without_asked(parameters: Parameters) -> Parameters:
    """The other parameters."""
    return [pair for pair in parameters if pair[0] not in (INCLUDE, FIELDS)]


def asked_parameters(noun: str, *, of_one: bool = False) -> list[dict[str, Any]]:
    """`include` and `fields`, for the OpenAPI document."""
    parts = [part for part in parts_of_noun(noun) if of_one or not part.alone]
    fields = "These members alone, and what `include` names. Separated by commas, or repeated."
    described = [_list_of_names(FIELDS, fields, list(PLAIN_MODELS[noun].model_fields))]
    if parts:
        told = " ".join(f"`{part.name}`: {part.meaning}" for part in parts)
        include = f"Parts to add to the record. {told} `{EVERYTHING}`: all of them. Separated by commas, or repeated."
        described.insert(0, _list_of_names(INCLUDE, include, [*(part.name for part in parts), EVERYTHING]))
    return described


def _list_of_names(name: str, description: str, names: list[str]) -> dict[str, Any]:
    schema = {"type": "array", "items": {"type": "string", "enum": names}, "minItems": 1}
    return {
        "name": name,
        "in": "query",
        "required": False,
        "description": description,
        "schema": schema,
        "style": "form",
        "explode": False,
    }
