"""Organisations that the project's file of facts knows: whatever name a document uses, one id.

`sources/organisations/organisations.toml` holds their ids and names, each with its origin.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from services.core.domain.organisations import organisation_id


def known_organisation(public_id: str) -> str:
    """The id of the organisation that this id is another name of; the id itself where none is known.

    A national institution is known by its State's code and any of its names; without the code by those names alone that
    no other State's has (`distinctive`).
    """
    return _ids_by_name().get(public_id, public_id)


@cache
def organisation_facts() -> Mapping[str, Any]:
    """The file of facts: `source` by name, and `organisation`, a list."""
    file = files("services.ingest.sources.organisations") / "organisations.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))


@cache
def _ids_by_name() -> Mapping[str, str]:
    found: dict[str, str] = {}
    for told in organisation_facts()["organisation"]:
        for name in told["names"]:
            found[organisation_id(name["name"], told.get("institution_of"))] = told["id"]
            if name.get("distinctive"):
                found[organisation_id(name["name"])] = told["id"]
    return found
