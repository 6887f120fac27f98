"""Numbers that reports write out: sessions ("its fourteenth session") and delegations ("fifty-two delegations").

French reports write sessions out ("sa quarante-huitième session"), Spanish ones print digits ("48º").
"""

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
_FRENCH_UNITS = (
    *("un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix"),
    *("onze", "douze", "treize", "quatorze", "quinze", "seize", "dix-sept", "dix-huit", "dix-neuf"),
)
_FRENCH_TENS = {"vingt": 20, "trente": 30, "quarante": 40, "cinquante": 50, "soixante": 60}
_SPANISH_ORDINALS = (
    *("primer", "segund", "tercer", "cuart", "quint", "sext", "séptim", "octav", "noven", "décim"),
    *("undécim", "duodécim", "decimotercer", "decimocuart", "decimoquint"),
    *("decimosext", "decimoséptim", "decimoctav", "decimonoven", "vigésim"),
)
_HUNDRED = re.compile(r"one-hundred(?:-and)?(?:-|$)")
_IRREGULAR = {"première": 1, "premier": 1, "seconde": 2, "second": 2}


def ordinal(words: str) -> int | None:
    """`fourteenth`, `twenty-first`, `14th`, `quarante-huitième` as a number; None for anything else."""
    plain = _joined(words)
    if digits := re.fullmatch(r"(\d+)-?(?:st|nd|rd|th|e|re|er|º|ª)", plain):
        return int(digits[1])
    return _TENTHS.get(plain) or _compound(plain, _ORDINALS) or _french_ordinal(plain) or _spanish_ordinal(plain)


def _spanish_ordinal(plain: str) -> int | None:
    """`tercer`, `décimo`, `duodécimo`, `decimotercer`: reports of the first sessions write them out."""
    stem = plain.removesuffix("o").removesuffix("a")
    return _SPANISH_ORDINALS.index(stem) + 1 if stem in _SPANISH_ORDINALS else None


def _french_ordinal(plain: str) -> int | None:
    """`quarante-huitième`, `vingt-et-unième`: the cardinal with a changed end."""
    if plain in _IRREGULAR:
        return _IRREGULAR[plain]
    if not plain.endswith("ième"):
        return None
    stem = plain.removesuffix("ième").replace("-et-", "-")
    for cardinal_stem in (stem, f"{stem}e", stem.removesuffix("u"), f"{stem.removesuffix('v')}f"):
        if number := _french_cardinal(cardinal_stem):
            return number
    return None


def _french_cardinal(plain: str) -> int | None:
    if plain in _FRENCH_UNITS:
        return _FRENCH_UNITS.index(plain) + 1
    tens, _, unit = plain.partition("-")
    if tens not in _FRENCH_TENS or (unit and unit not in _FRENCH_UNITS):
        return None
    return _FRENCH_TENS[tens] + (_FRENCH_UNITS.index(unit) + 1 if unit else 0)


def cardinal(words: str) -> int | None:
    """`52`, `fifty`, `fifty-two` or `one hundred and two` as a number; None for anything else."""
    plain = _joined(words)
    if hundred := _HUNDRED.match(plain):
        rest = plain[hundred.end() :]
        return 100 + (cardinal(rest) or 0) if not rest or cardinal(rest) else None
    return int(plain) if plain.isdecimal() else _TENS.get(plain) or _compound(plain, _CARDINALS)


def _joined(words: str) -> str:
    return re.sub(r"[\s-]+", "-", words.strip().lower())


def _compound(plain: str, units: tuple[str, ...]) -> int | None:
    tens, _, unit = plain.rpartition("-")
    if unit not in units or (tens and tens not in _TENS):
        return None
    return _TENS.get(tens, 0) + units.index(unit) + 1
