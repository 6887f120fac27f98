"""Text as LaTeX writes it, for the fields of BibTeX entries."""

import re
import tomllib
import unicodedata
from functools import cache
from importlib.resources import files

_LETTER = re.compile(r"(.)([\u0300-\u036f]*)", re.DOTALL)


def in_latex(text: str) -> str:
    """The same text with its special signs escaped and its accents as commands; control characters become blanks.

    What Latin script does not have stays as it is, in UTF-8.
    """
    plain = "".join(" " if unicodedata.category(each) in ("Cc", "Zl", "Zp") else each for each in text)
    letters = _LETTER.finditer(unicodedata.normalize("NFD", plain))
    return unicodedata.normalize("NFC", "".join(_in_latex(*match.groups()) for match in letters))


def _in_latex(letter: str, marks: str) -> str:
    table = _table()
    plain = table["special"].get(letter) or table["symbol"].get(letter, letter)
    if not marks:
        return plain
    accents = table["accent"]
    if not letter.isascii() or not letter.isalpha() or not all(mark in accents for mark in marks):
        return unicodedata.normalize("NFC", plain + marks)
    # The dot of an i or a j goes where an accent stands above it.
    written = f"\\{letter}" if letter in "ij" and _stands_above(marks) else letter
    for mark in marks:
        written = f"{accents[mark]}{{{written}}}"
    return f"{{{written}}}"


def _stands_above(marks: str) -> bool:
    return any(unicodedata.combining(mark) == 230 for mark in marks)


@cache
def _table() -> dict[str, dict[str, str]]:
    table: dict[str, dict[str, str]] = tomllib.loads((files(__package__) / "latex.toml").read_text(encoding="utf-8"))
    return table
