"""What is known of a source: its `source.yml`, checked.

title: Reports of the Working Group
sites: {documents: "https://docs.example.org"}
cadence: 1 day
rate: {requests_per_second: 1, at_once: 1}
least: {found: 100}
hold: {gone: 0.02, changed: 0.1}
notes:
  observed: ["a missing symbol answers 200 with a web page"]
  inferred: ["drafts disappear when the report is published"]
"""

import datetime
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from services.core.domain.errors import SettingsError

FILE = "source.yml"

_UNITS = {"minute": 60, "hour": 3_600, "day": 86_400, "week": 604_800}
_CADENCE = re.compile(rf"([1-9]\d{{0,3}}) ({'|'.join(_UNITS)})s?")
_SITE = re.compile(r"(https?|s3|file)://[^\s/?#]*[^\s?#]*")


def _cadence(told: object) -> object:
    match = _CADENCE.fullmatch(told) if isinstance(told, str) else None
    if match is None:
        raise ValueError(f"expected a number of {', '.join(f'{unit}s' for unit in _UNITS)}, such as `1 day`")
    return datetime.timedelta(seconds=int(match[1]) * _UNITS[match[2]])


def _site(told: object) -> object:
    if not (isinstance(told, str) and _SITE.fullmatch(told)):
        raise ValueError("expected an address, such as `https://docs.example.org`")
    return told.rstrip("/")


Cadence = Annotated[datetime.timedelta, BeforeValidator(_cadence)]
Site = Annotated[str, BeforeValidator(_site)]
Share = Annotated[float, Field(ge=0, le=1)]
Words = Annotated[str, Field(min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Rate(_Strict):
    """How much we ask of each of the source's hosts, where its robots.txt does not ask for less."""

    requests_per_second: float = Field(default=1.0, gt=0, le=50)
    at_once: int = Field(default=1, ge=1, le=16)


class Least(_Strict):
    """What a whole run must find, or it is held. 0: there may be nothing at times, as in a folder."""

    found: int = Field(ge=0)


class Hold(_Strict):
    """The shares (0 to 1) of what is held of the source that one run may lose or change, or it is held."""

    gone: Share = 0.02
    changed: Share = 0.1


class Notes(_Strict):
    """What the adapter rests on: seen at the real site, or concluded from something else."""

    observed: tuple[Words, ...] = ()
    inferred: tuple[Words, ...] = ()


class Description(_Strict):
    """What is known of a source. `sites`: its addresses by the names that the adapter uses, without a slash at the end.

    `cadence`: how often a scheduled run looks at it. `contact`: whom to write to there. `terms`: under which conditions
    it may be used, or where they stand.
    """

    title: Words
    sites: Mapping[str, Site]
    cadence: Cadence
    rate: Rate = Rate()
    least: Least
    hold: Hold = Hold()
    notes: Notes = Notes()
    contact: str | None = None
    terms: str | None = None


def read_description(file: Path) -> Description:
    """The description in a file. Raises `SettingsError`, which names the file and the field."""
    try:
        told = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as fault:
        raise SettingsError(f"{file}: {fault.strerror}") from fault
    except (yaml.YAMLError, UnicodeDecodeError) as fault:
        raise SettingsError(f"{file}: no YAML: {' '.join(str(fault).split())}") from fault
    if not isinstance(told, dict):
        raise SettingsError(f"{file}: expected fields such as `title: …`")
    try:
        return Description.model_validate(told)
    except ValidationError as faults:
        raise SettingsError("; ".join(f"{file}: {fault}" for fault in _faults(faults))) from faults


def with_mirrors(name: str, description: Description, mirrors: Mapping[str, Mapping[str, str]]) -> Description:
    """The description with the addresses that an operator put in the place of the source's own.

    `mirrors`: by source and site (the setting `source_sites`). Raises `SettingsError` for a site that the source does
    not have, and for what is no address.
    """
    given = mirrors.get(name, {})
    if unknown := sorted(given.keys() - description.sites.keys()):
        known = ", ".join(sorted(description.sites))
        raise SettingsError(f"UPR_SOURCE_SITES: the source {name} has no site {unknown[0]!r}; it has {known}")
    try:
        sites = {**description.sites, **{site: _site(address) for site, address in given.items()}}
    except ValueError as fault:
        raise SettingsError(f"UPR_SOURCE_SITES: {name}: {fault}") from fault
    return description.model_copy(update={"sites": sites})


def _faults(faults: ValidationError) -> Iterator[str]:
    for fault in faults.errors():
        field = ".".join(map(str, fault["loc"]))
        message: Any = fault["msg"]
        yield f"{field}: {message.removeprefix('Value error, ')}"
