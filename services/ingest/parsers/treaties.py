"""Treaties by their titles, as the vocabulary of instruments names them (`facts/vocabularies/instruments.toml`)."""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from services.ingest.normalise.states import folded_name

_NUMBER = re.compile(r"^\d{1,2}\s*\.?\s*(?:-?\s*[a-z]\b)?\s*\.?\s*")
_CHAPTER = re.compile(r"^UNTC ([IVX]+-\d{1,2}(?:-[a-z])?)$")


@dataclass(frozen=True, slots=True)
class Treaty:
    """A treaty: its abbreviation (`OPCAT`) and, where it has one, its number in the UN Treaty Collection (`IV-9-b`)."""

    code: str
    name: str
    number: str | None

    @property
    def subject(self) -> str:
        """The subject of facts about it."""
        return f"treaty:{self.code}"


def treaty_titled(title: str) -> Treaty | None:
    """The treaty of this title, in English, Spanish or French, with or without its number in the Collection."""
    folded = folded_name(title)
    return _by_title().get(folded) or _by_title().get(folded_name(_NUMBER.sub("", title.strip())))


@cache
def _by_title() -> dict[str, Treaty]:
    file = files("services.core.store") / "facts" / "vocabularies" / "instruments.toml"
    found: dict[str, Treaty] = {}
    for code, told in tomllib.loads(file.read_text(encoding="utf-8")).items():
        number = _CHAPTER.match(told["source"])
        treaty = Treaty(code.upper(), told["names"]["en"], number[1] if number else None)
        found |= {folded_name(name): treaty for name in told["names"].values()}
    return found
