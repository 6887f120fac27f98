"""Every word of the interface, in four languages, with numbers and dates as people write them there."""

import datetime
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton
from babel.lists import format_list
from babel.numbers import format_decimal, format_percent
from markupsafe import Markup, escape

from services.core.pages.bidi import kept_to_itself
from services.core.schemas.names import LANGUAGES

LANGUAGE_NAMES = {"en": "English", "es": "Español", "fr": "Français", "pt": "Português"}
"""What each language calls itself."""

Message = Mapping[str, Any]
"""A text by language, or by language and plural form (`one`, `other` …: CLDR's categories)."""


@cache
def messages() -> Mapping[str, Message]:
    """`words*.toml`, by the names of the messages (`search.found`)."""
    files = sorted(Path(__file__).parent.glob("words*.toml"))
    tables = [table for file in files for table in tomllib.loads(file.read_text("utf-8")).items()]
    return {f"{group}.{name}": message for group, several in tables for name, message in several.items()}


class Words:
    """The interface's words in one language. Templates call it: `words("search.found", n=3)`."""

    def __init__(self, language: str) -> None:
        self.language = language if language in LANGUAGES else "en"
        self._locale = Locale.parse(self.language)

    def __call__(self, name: str, /, **values: object) -> str:
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
        return _written(number, self.language)

    def share(self, share: float) -> str:
        """`83 %` in Spanish, `83%` in English, of 0.83; nothing is rounded to none or all of it."""
        return _written_share(min(max(share, 0.01), 0.99) if 0 < share < 1 else share, self.language)

    def percent(self, share: float) -> str:
        """`98,4 %` in Spanish, `98.4%` in English."""
        form = "#,##0.#%" if self.language in ("en", "pt") else "#,##0.#\u00a0%"
        return str(format_percent(share, format=form, locale=self._locale))

    def date(self, day: str | datetime.date | None) -> str:
        """`1 de noviembre de 2012`, from a date or its ISO form; nothing for none."""
        if not day:
            return ""
        day = datetime.date.fromisoformat(day[:10]) if isinstance(day, str) else day
        return str(format_date(day, format="long", locale=self._locale))

    def day(self, text: str) -> str:
        """A date, a month or a year in ISO form: `1 de noviembre de 2012`, `mayo de 2012`, `2012`."""
        if len(text) == 10:
            return self.date(text)
        if len(text) == 7:
            month = datetime.date.fromisoformat(f"{text}-01")
            return str(format_skeleton("yMMMM", month, locale=self._locale))
        return text

    def listed(self, several: Sequence[str]) -> str:
        """`a, b y c`."""
        return str(format_list(list(several), "standard", locale=self._locale)) if several else ""

    def either(self, several: Sequence[str]) -> str:
        """`a, b o c`."""
        return str(format_list(list(several), "or", locale=self._locale)) if several else ""

    def language_name(self, code: str) -> str:
        """What this language calls another one; the code where nobody knows it."""
        return _language_name(code, self.language)


@lru_cache(maxsize=1_000)
def _language_name(code: str, language: str) -> str:
    try:
        return str(Locale.parse(code, sep="-").get_display_name(language) or code)
    except (ValueError, UnknownLocaleError):
        return code


@lru_cache(maxsize=20_000)  # a page writes hundreds, and most are small
def _written(number: float, language: str) -> str:
    return str(format_decimal(number, locale=language))


@lru_cache(maxsize=1_000)
def _written_share(share: float, language: str) -> str:
    return str(format_percent(share, locale=language))
