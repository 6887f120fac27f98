"""The words of reports in Spanish and French, beside the English ones (`languages.toml`)."""

import re
import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

OTHERS = ("es", "fr")
_BLANK = re.compile(r" (?![?*+{\]-])")
"""A blank that is neither optional nor one of a set."""


def in_all_languages(name: str, english: str) -> str:
    """A pattern for `english` and for what the other languages print in its place. It has no groups of its own."""
    return f"(?:{english}|{'|'.join(_words()[name].values())})"


@cache
def patterns(name: str) -> tuple[re.Pattern[str], ...]:
    """The patterns called `name` in Spanish and in French, for matching without regard to case."""
    return tuple(re.compile(words, re.IGNORECASE | re.DOTALL) for words in _words()[name].values())


def search(name: str, english: re.Pattern[str], text: str) -> re.Match[str] | None:
    """The first match of the English pattern, or else of another language's."""
    return next((found for each in (english, *patterns(name)) if (found := each.search(text))), None)


def language_of(lines: Iterable[str]) -> str:
    """The language of a report, by its title and first sentence: `es`, `fr`, else `en`."""
    opening = " ".join(lines)
    for language in OTHERS:
        told = (_words()["title"][language], _words()["first_paragraph"][language])
        if any(re.search(words, opening, re.IGNORECASE) for words in told):
            return language
    return "en"


@cache
def _words() -> dict[str, dict[str, str]]:
    source = files("services.ingest.parsers.working_group_report") / "languages.toml"
    table = tomllib.loads(source.read_text(encoding="utf-8"))
    return {
        row["name"]: {language: _BLANK.sub(r"\\s+", row[language]).replace(" ", r"\s") for language in OTHERS}
        for row in table["words"]
    }
