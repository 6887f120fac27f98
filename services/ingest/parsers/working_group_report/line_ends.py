"""Printed lines joined to running text."""

import re
from collections.abc import Iterable

_HYPHEN_AT_END = re.compile(r"\w[-‐‑]$")
_SUSPENDED = re.compile(r"(?:and|or|to|y|o|et|ou|as well as)\b")
"""After a hyphen that stands for a word to come ("short- and medium-term")."""


def joined(lines: Iterable[str]) -> str:
    """Lines in one. A word that a line's end breaks at its hyphen is whole again; the hyphen stays.

    Reports are set without automatic hyphenation: a hyphen at a line's end belongs to the word ("gender-based").
    """
    text = ""
    for line in lines:
        glued = _HYPHEN_AT_END.search(text[-2:]) and line[:1].isalnum() and not _SUSPENDED.match(line)
        text = text + line if glued or not text else f"{text} {line}"
    return text
