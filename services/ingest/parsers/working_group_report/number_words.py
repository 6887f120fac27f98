"""Numbers that reports write out: sessions ("its fourteenth session") and delegations ("fifty-two delegations")."""

import re

_ORDINALS = (
    *("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"),
    *("eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth"),
    *("sixteenth", "seventeenth", "eighteenth", "nineteenth"),
)
_CARDINALS = (
    *("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen"),
    *("sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
_TENTHS = {"twentieth": 20, "thirtieth": 30, "fortieth": 40, "fiftieth": 50}


def ordinal(words: str) -> int | None:
    """`fourteenth`, `twenty-first` or `14th` as a number; None for anything else."""
    plain = _joined(words)
    if digits := re.fullmatch(r"(\d+)-?(?:st|nd|rd|th)", plain):
        return int(digits[1])
    return _TENTHS.get(plain) or _compound(plain, _ORDINALS)


def cardinal(words: str) -> int | None:
    """`52`, `fifty` or `fifty-two` as a number; None for anything else."""
    plain = _joined(words)
    return int(plain) if plain.isdecimal() else _TENS.get(plain) or _compound(plain, _CARDINALS)


def _joined(words: str) -> str:
    return re.sub(r"[\s-]+", "-", words.strip().lower())


def _compound(plain: str, units: tuple[str, ...]) -> int | None:
    tens, _, unit = plain.rpartition("-")
    if unit not in units or (tens and tens not in _TENS):
        return None
    return _TENS.get(tens, 0) + units.index(unit) + 1
