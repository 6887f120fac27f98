"""From a State's name as printed to its ISO 3166 alpha-3 code."""

import re
import unicodedata
from functools import lru_cache

import countrynames


@lru_cache(maxsize=8192)
def resolve_state(name: str) -> str | None:
    """The alpha-3 code of the State that `name` means, in English, Spanish or French; None if it is none we know.

    Never guesses: fuzzy matching is off, so a misprint is None and becomes an Issue.
    """
    folded = re.sub(r"\s+", " ", unicodedata.normalize("NFKC", name)).strip(" .,;*")
    return countrynames.to_code_3(folded, fuzzy=False) if folded else None
