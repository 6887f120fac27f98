"""Every word of the interface, in four languages, with numbers and dates as people write them there."""

import datetime
import tomllib
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import format_decimal
from markupsafe import Markup, escape

from services.core.pages.bidi import kept_to_itself
from services.core.schemas.names import LANGUAGES

LANGUAGE_NAMES = {"en": "English", "es": "Español", "fr": "Français", "pt": "Português"}
"""What each language calls itself."""

Message = Mapping[str, Any]
"""A text by language, or by language and plural form (`one`, `other` …: CLDR's categories)."""


@cache
def messages() -> Mapping[str, Message]:
    """`words.toml`, by the names of the messages (`search.found`)."""
    tables = tomllib.loads(Path(__file__).with_name("words.toml").read_text("utf-8"))
    return {f"{group}.{name}": message for group, several in tables.items() for name, message in several.items()}


class Words:
    """The interface's words in one language. Templates call it: `words("search.found", n=3)`."""

    def __init__(self, language: str) -> None:
        self.language = language if language in LANGUAGES else "en"
        self._locale = Locale.parse(self.language)

    def __call__(self, name: str, **values: object) -> str:
        """The message with its values set in, escaped where any of them is mark-up. `n` chooses the plural form.

        Raises `KeyError` for a message that there is not: a fault of the template.
        """
        message = messages()[name][self.language]
        if not isinstance(message, str):
            form = self._locale.plural_form(int(str(values["n"])))
            message = message.get(form, message["other"])
        told = {key: self._told(value) for key, value in values.items()}
        if any(isinstance(value, Markup) for value in told.values()):
            return Markup(escape(message)).format(**told)  # noqa: S704 - escaped, and so is what is set in
        return str(message.format(**told))

    def _told(self, value: object) -> object:
        if isinstance(value, int):
            return self.number(value)
        return kept_to_itself(value) if isinstance(value, str) else value

    def has(self, name: str) -> bool:
        """Whether there is such a message."""
        return name in messages()

    def number(self, number: float) -> str:
        """`12.929` in Spanish, `12,929` in English."""
        return str(format_decimal(number, locale=self._locale))

    def date(self, day: str | datetime.date | None) -> str:
        """`1 de noviembre de 2012`, from a date or its ISO form; nothing for none."""
        if not day:
            return ""
        day = datetime.date.fromisoformat(day[:10]) if isinstance(day, str) else day
        return str(format_date(day, format="long", locale=self._locale))

    def language_name(self, code: str) -> str:
        """What this language calls another one; the code where nobody knows it."""
        return _language_name(code, self.language)


@lru_cache(maxsize=1_000)
def _language_name(code: str, language: str) -> str:
    try:
        return str(Locale.parse(code, sep="-").get_display_name(language) or code)
    except (ValueError, UnknownLocaleError):
        return code
