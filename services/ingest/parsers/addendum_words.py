"""The words around numbers and answers in addenda, in three languages (`lookups/addendum_words.toml`)."""

import re
import tomllib
from functools import cache
from importlib.resources import files

_NAME = re.compile(r"(?<!\(\?P)<([a-z_]+)>")


def words(name: str) -> str:
    """A pattern, in a group that captures nothing, for all that the entry `name` lists."""
    alternatives = "|".join(_table()[name])
    return f"(?:{_NAME.sub(lambda found: words(found[1]), alternatives)})"


def compiled(pattern: str) -> re.Pattern[str]:
    """A pattern in which `<name>` stands for the words of that name. Case does not matter."""
    return re.compile(_NAME.sub(lambda found: words(found[1]), pattern), re.IGNORECASE)


@cache
def _table() -> dict[str, list[str]]:
    source = files("services.ingest.normalise.lookups") / "addendum_words.toml"
    return tomllib.loads(source.read_text(encoding="utf-8"))
