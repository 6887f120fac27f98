"""The words of OHCHR's matrices, from `ohchr_matrix.toml`, and how words are compared with them."""

import html
import re
import tomllib
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

_ENTITY = re.compile(r"&(?:[a-zA-Z]{2,8}|#\d{1,6});")
_INVISIBLE = str.maketrans(dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff\u00ad"))
_OUTER = " .,;:*-–—•·()[]\"'“”«»"


@dataclass(frozen=True, slots=True)
class Words:
    """What `ohchr_matrix.toml` says, folded.

    `columns`: how a heading begins, and the role of its column; `numbers`: whole headings of columns of numbers;
    `sections`: what opens a list, and its scheme; `no_theme`: what says that no theme follows; `positions`: without
    blanks, with value and detail; `phrases`: the same with blanks.
    """

    columns: tuple[tuple[str, str], ...]
    numbers: frozenset[str]
    sections: dict[str, str]
    no_theme: frozenset[str]
    positions: dict[str, tuple[str, str | None]]
    phrases: frozenset[str]


@cache
def words() -> Words:
    """The words, read once."""
    told = tomllib.loads((files("services.ingest.parsers") / "ohchr_matrix.toml").read_text(encoding="utf-8"))
    return Words(
        tuple((folded(begins), column["role"]) for column in told["columns"] for begins in column["begins"]),
        frozenset(map(folded, told["numbers"]["printed"])),
        {folded(section): scheme for section, scheme in told["sections"].items()},
        frozenset(map(folded, told["no_theme"]["printed"])),
        {
            without_blanks(printed): (entry["position"], entry.get("detail"))
            for entry in told["positions"]
            for printed in entry["printed"]
        },
        frozenset(folded(printed) for entry in told["positions"] for printed in entry["printed"]),
    )


def folded(text: str) -> str:
    """Words as they are compared: one line, without case, accents and outer punctuation."""
    plain = unicodedata.normalize("NFKD", squeezed(text).replace("’", "'")).casefold()
    return "".join(character for character in plain if not unicodedata.combining(character)).strip(_OUTER)


def without_blanks(text: str) -> str:
    """`folded`, and without the blanks."""
    return folded(text).replace(" ", "")


def squeezed(text: str) -> str:
    """One line with single blanks. Literal `&nbsp;` occurs in matrices that were exported from a web page."""
    return " ".join(_ENTITY.sub(lambda found: html.unescape(found[0]), text).translate(_INVISIBLE).split())
