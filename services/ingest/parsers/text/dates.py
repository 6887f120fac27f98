"""Days as pages and tables print them, in English, Spanish, Portuguese and French."""

import datetime
import re
from functools import cache

from babel import Locale

_LANGUAGES = ("en", "es", "pt", "fr")
_DAY_FIRST = re.compile(
    r"\b(\d{1,2})(?:st|nd|rd|th|er|º|°)?\s+(?:of\s+|de\s+)?([^\W\d_]{3,12})\.?,?\s+(?:del?\s+)?(\d{4})\b"
)
_MONTH_FIRST = re.compile(r"\b([^\W\d_]{3,12})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})\b")
_FIGURES = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4})")
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}")


def day_printed(text: str) -> str | None:
    """The day that a text is, ISO 8601: `14 Sep 2006`, `September 14, 2006`, `14.09.2006` (day first), `2006-09-14`.

    None where it is anything else, or a day that never was.
    """
    words = text.strip().rstrip(".")
    if _ISO.fullmatch(words):
        return _day(*map(int, words.split("-")))
    if figures := _FIGURES.fullmatch(words):
        return _day(int(figures[3]), int(figures[2]), int(figures[1]))
    for pattern in (_DAY_FIRST, _MONTH_FIRST):
        if (found := pattern.fullmatch(words)) and (day := _named(found)):
            return day
    return None


def first_day(text: str) -> str | None:
    """The first day in a text that is written with the month's name, ISO 8601."""
    found = sorted((each.start(), each) for pattern in (_DAY_FIRST, _MONTH_FIRST) for each in pattern.finditer(text))
    return next((day for _, each in found if (day := _named(each))), None)


def _named(found: re.Match[str]) -> str | None:
    month, day = (found[2], found[1]) if found.re is _DAY_FIRST else (found[1], found[2])
    number = _months().get(month.casefold())
    return _day(int(found[3]), number, int(day)) if number else None


def _day(year: int, month: int, day: int) -> str | None:
    try:
        return datetime.date(year, month, day).isoformat()
    except ValueError:
        return None


@cache
def _months() -> dict[str, int]:
    """The months by their names and abbreviations (Unicode CLDR), without full stops."""
    found: dict[str, int] = {"setiembre": 9, "set": 9, "sept": 9}
    for language in _LANGUAGES:
        for context in ("format", "stand-alone"):
            for width in ("wide", "abbreviated"):
                names = Locale(language).months[context][width]
                found |= {name.casefold().rstrip("."): number for number, name in names.items()}
    return found
