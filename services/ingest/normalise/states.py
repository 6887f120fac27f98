"""From a State's name as printed to its ISO 3166 alpha-3 code.

`core/query/state_names.csv` holds the names of the United Nations' members and observers: as UN documents print them in
English, Spanish and French, ISO 3166-1's, and CLDR's in these languages and Portuguese.
`lookups/state_misprints.toml` holds what UN documents print by mistake, with where it was seen, and what people write
in lists of their own.
"""

import csv
import re
import tomllib
import unicodedata
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

_LOOKUPS = "services.ingest.normalise.lookups"
_NOT_WORD = re.compile(r"[\W_]+")
_CODE_LIKE = 4
"""Names up to that long are looked up with their spaces: without them, letters of two words would make a name."""

_LONGEST_NAME = 80
_ARTICLE = re.compile(r"(?:(?:de )?(?:la|los|las|l)|del|des|du|el|le|les)\s")
_TURNED = re.compile(r"^([^()]{3,40}?)\s*\(([^()]{3,60})\)$")
"""The kind of State after its name: "Corée (République de)"."""

_OPENING_ARTICLE = re.compile(r"(?:the|el|la|los|las|le|les)\s+|l[’']", re.IGNORECASE)
_LANGUAGES = ("en", "es", "fr", "pt")


@lru_cache(maxsize=8192)
def resolve_state(name: str) -> str | None:
    """The alpha-3 code of the State that `name` means in English, Spanish, French or Portuguese; None if none we know.

    Never guesses: a name that is not in our tables is nobody's, and only members and observers of the United Nations
    are there (so not Hong Kong, nor the European Union).
    """
    stripped = " ".join(name.split()).strip(" .,;*")
    if len(stripped) > _LONGEST_NAME:
        return None
    return known_state(name) or (known_state(stripped) if stripped != name else None)


def known_state(name: str) -> str | None:
    """The code of a name in our own table, misprints included, whatever its spaces (PDF text has "ofVenezuela")."""
    folded = folded_name(name)
    found = _names().get(folded) or _unspaced_names().get(folded.replace(" ", ""))
    if found is None and (article := _ARTICLE.match(folded)):
        found = _names().get(folded[article.end() :])
    if found is None and (turned := _TURNED.match(name.strip())):
        found = _names().get(folded_name(f"{turned[2]} {turned[1]}"))
    return found


def folded_name(name: str) -> str:
    """What two spellings of a name have in common: no case, accents, punctuation or leading "the"."""
    plain = name.replace("&", " and ") if "&" in name else name
    if not plain.isascii():
        plain = "".join(c for c in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(c))
    return _NOT_WORD.sub(" ", plain.casefold()).strip().removeprefix("the ")


def leading_state(text: str) -> tuple[str, int] | None:
    """The State whose name opens `text` ("The Holy See noted …"), and where its name ends. The longest name wins."""
    article = _OPENING_ARTICLE.match(text)
    start = article.end() if article else 0
    if not may_open_name(text):
        return None
    words = list(re.finditer(r"[^\s]+", text[start : start + _LONGEST_NAME]))
    for count in range(min(len(words), _longest()), 0, -1):
        name = text[start : start + words[count - 1].end()]
        bare = name.rstrip(".,:;’'")
        code = known_state(bare) or known_state(bare.removesuffix("’s").removesuffix("'s"))
        if code:
            return code, start + len(bare)
    return None


def may_open_name(text: str) -> bool:
    """Whether `text` (after an article) begins as a State's name in our table does, whatever its spaces."""
    folded = folded_name(text[:_LONGEST_NAME])
    if _opens_name(folded):
        return True
    article = _ARTICLE.match(folded)
    return article is not None and _opens_name(folded[article.end() :])


def _opens_name(folded: str) -> bool:
    first, *rest = folded.split(" ", 2)
    return first in _first_words() or (bool(rest) and first + rest[0] in _first_words())


@cache
def _names() -> dict[str, str]:
    with (files("services.core.query") / "state_names.csv").open(encoding="utf-8") as table:
        names = {folded_name(row["name"]): row["state"] for row in csv.DictReader(table)}
    for kind in ("misprint", "spoken"):
        names |= {folded_name(each["printed"]): each["state"] for each in _lookup()[kind]}
    return names | _sample_names()


def _sample_names() -> dict[str, str]:
    """Names of the invented States of the sample documents."""
    with (files("services.core.store") / "facts" / "sample_states.csv").open(encoding="utf-8") as table:
        return {folded_name(row[f"name_{lang}"]): row["iso3"] for row in csv.DictReader(table) for lang in _LANGUAGES}


@cache
def _unspaced_names() -> dict[str, str]:
    return {name.replace(" ", ""): code for name, code in _names().items() if len(name) >= _CODE_LIKE}


def _lookup() -> dict[str, Any]:
    return tomllib.loads((files(_LOOKUPS) / "state_misprints.toml").read_text(encoding="utf-8"))


@cache
def _first_words() -> frozenset[str]:
    """The first words of names, and the first two in one ("unitedkingdom"), for names that lost or gained a space."""
    names = [name.split(" ", 2) for name in _names()]
    return frozenset(["".join(words[:count]) for words in names for count in (1, 2)])


@cache
def _longest() -> int:
    return max(name.count(" ") + 1 for name in _names())
