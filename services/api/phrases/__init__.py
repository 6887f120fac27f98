"""What the API says in words to people, in its languages: `{subject}.toml` beside this file.

Each entry has a text for every language; `{names}` in braces are filled in.
"""

import datetime
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from babel.dates import format_date
from babel.lists import format_list

from services.core.schemas.names import LANGUAGES, Names

_LOCALES = {"en": "en_GB", "es": "es", "fr": "fr", "pt": "pt_BR"}
"""English dates as the United Nations writes them: 27 December 2012."""

_MOST_NAMED = 3
"""Of more than one above this, the rest is counted: `Mexico, Spain and 5 others`."""


class Phrases:
    """The entries of one file by their dotted names."""

    def __init__(self, subject: str) -> None:
        text = (files(__name__) / f"{subject}.toml").read_text(encoding="utf-8")
        self.entries: Mapping[str, Mapping[str, str]] = dict(_entries(tomllib.loads(text)))

    def __contains__(self, name: str) -> bool:
        return name in self.entries

    def say(self, name: str, language: str, /, **values: object) -> str:
        """The text of an entry. Raises `KeyError` where there is none."""
        return self.entries[name][language].format(**values)


@cache
def phrases(subject: str) -> Phrases:
    """The phrases of a subject, read once."""
    return Phrases(subject)


def _entries(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Mapping[str, str]]]:
    for name, value in table.items():
        if set(value) == set(LANGUAGES):
            yield f"{prefix}{name}", value
        else:
            yield from _entries(value, f"{prefix}{name}.")


def listed(items: Sequence[str], language: str, style: Literal["standard", "or"] = "standard") -> str:
    """`Mexico, Spain and Chile`."""
    return format_list(list(items), style, locale=_LOCALES[language])


def a_few(items: Sequence[str], language: str) -> str:
    """`Mexico, Spain, Chile and 5 others`: all of them where they are few."""
    if len(items) <= _MOST_NAMED + 1:
        return listed(items, language)
    others = phrases("general").say("others", language, number=len(items) - _MOST_NAMED)
    return listed([*items[:_MOST_NAMED], others], language)


def day_in_words(day: datetime.date, language: str) -> str:
    """`27 December 2012`."""
    return format_date(day, "long", locale=_LOCALES[language])


def filters_in_words(values: Mapping[str, Sequence[str]], names: Names) -> str:
    """`State under review: Peru or Chile; position: noted`; empty where nothing is filtered."""
    apart = "\N{NO-BREAK SPACE}; " if names.language == "fr" else "; "
    return apart.join(
        f"{filter_in_words(name, names.language)}{_colon(names.language)}"
        + listed([names.of_filter_value(name, value) for value in chosen], names.language, "or")
        for name, chosen in values.items()
    )


def filter_in_words(name: str, language: str) -> str:
    """What to call a filter or a dimension; its name where it has no words yet."""
    words = phrases("filters")
    return words.say(f"filter.{name}", language) if f"filter.{name}" in words else name.replace("_", " ")


def _colon(language: str) -> str:
    return "\N{NO-BREAK SPACE}: " if language == "fr" else ": "
