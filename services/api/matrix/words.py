"""What matrices are worded in, from `words.toml`, and the order of their themes, from `order.csv`."""

import csv
import datetime
import io
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from babel import Locale
from babel.dates import format_date

_FOLDER = files("services.api.matrix")
_LOCALES = {"en": "en-GB", "es": "es-ES", "fr": "fr-FR", "pt": "pt-BR"}


@dataclass(frozen=True)
class Words:
    """The words of one language (`en`, `es`, `fr`, `pt`)."""

    language: str

    def __call__(self, term: str, **values: object) -> str:
        """A term, filled in. Raises `KeyError` where there is no such term."""
        return terms()[term][self.language].format(**values)

    def has(self, term: str) -> bool:
        """Whether there is such a term."""
        return term in terms()

    @property
    def locale(self) -> str:
        """The language as it is written here: `en-GB`, since the UN's documents are in British spelling."""
        return locale_of(self.language)

    def day(self, day: datetime.date) -> str:
        """`21 November 2026`, as the language writes it."""
        return str(format_date(day, "long", locale=Locale.parse(self.locale, sep="-")))

    def language_name(self, code: str) -> str:
        """What this language calls another."""
        return str(Locale(self.language).languages.get(code, code))


def locale_of(language: str) -> str:
    """The same of any language's code: itself where we do not know better."""
    return _LOCALES.get(language, language)


@cache
def terms() -> Mapping[str, Mapping[str, str]]:
    """All terms, each by language."""
    return tomllib.loads((_FOLDER / "words.toml").read_text(encoding="utf-8"))


@cache
def label_places() -> Mapping[str, int]:
    """The place of each theme and issue among the headings, by the label's id.

    `origin` in the table says where a place is from: `list`, the order of the codes that OHCHR's first lists print
    (A1 to H1); `kin`, a theme of later lists, which have no codes, put by us behind the older one it goes on from;
    `alphabet`, UPR Info's order of issues, with those that say little last.
    """
    text = (_FOLDER / "order.csv").read_text(encoding="utf-8")
    return {row["label"]: place for place, row in enumerate(csv.DictReader(io.StringIO(text)))}
