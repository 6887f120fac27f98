"""What the values of filters are called: States, groups of States and labels by their names in any language."""

import difflib
import re
import threading
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from services.core.query.analysis import fold
from services.core.query.concepts import state_names

STATE = "state"
"""The kind of names that States have. Regions and blocs have their own; labels that of their scheme."""
_NO_LETTER = re.compile(r"[\W_]+")
_LONGEST = 80
_LIKENESS = 0.7
_TELLING = 4
"""Letters from which a part of a name may mean it."""


@dataclass(frozen=True, slots=True)
class NamedValue:
    """A value and one of its names."""

    value: str
    name: str


class ValueNames:
    """Names by kind. What of it is asked for is laid out when first asked for. Safe to use from many threads."""

    def __init__(self, named: Mapping[str, Iterable[NamedValue]] | None = None) -> None:
        self._named = {kind: tuple(several) for kind, several in (named or {}).items()}
        self._by_letters: dict[str, dict[str, list[NamedValue]]] = {}
        self._lock = threading.Lock()

    def __eq__(self, other: object) -> bool:
        """Whether all kinds have the same names."""
        return isinstance(other, ValueNames) and self._named == other._named

    __hash__ = None  # type: ignore[assignment]

    def values(self, kind: str, text: str) -> tuple[str, ...]:
        """The values that have this name, whatever its case, accents and marks."""
        found = self._laid_out(kind).get(_letters(text), ())
        return tuple(dict.fromkeys(each.value for each in found))

    def near(self, kind: str, text: str, most: int) -> list[tuple[float, NamedValue]]:
        """The values whose names are most like a text, the likest first, each once, and how like they are (0 to 1).

        A name that holds the text is the last that is like it.
        """
        known, letters = self._laid_out(kind), _letters(text)
        ranked = [
            (difflib.SequenceMatcher(None, letters, near).ratio(), known[near][0])
            for near in difflib.get_close_matches(letters, known, n=4 * most, cutoff=_LIKENESS)
        ]
        if len(letters) >= _TELLING:
            holding = [known[near][0] for near in known if letters in near]
            holding.sort(key=lambda each: each.name == each.value)  # names before codes
            first = {each.value: each for each in reversed(holding)}
            ranked += [(_LIKENESS, each) for each in sorted(first.values(), key=lambda each: len(each.name))]
        once = {each.value: (likeness, each) for likeness, each in reversed(ranked)}
        return sorted(once.values(), key=lambda pair: -pair[0])[:most]

    def _laid_out(self, kind: str) -> Mapping[str, list[NamedValue]]:
        with self._lock:
            if kind not in self._by_letters:
                laid_out: dict[str, list[NamedValue]] = {}
                for each in (*self._named.get(kind, ()), *(_spoken_states() if kind == STATE else ())):
                    laid_out.setdefault(_letters(each.name), []).append(each)
                self._by_letters[kind] = laid_out
            return self._by_letters[kind]


@cache
def fixed_names() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    """The names of values that are few and fixed (`fixed_names.toml`), by filter, value and language."""
    table: dict[str, dict[str, dict[str, str]]] = tomllib.loads(
        (Path(__file__).parent / "fixed_names.toml").read_text("utf-8")
    )
    return table


@cache
def _spoken_states() -> tuple[NamedValue, ...]:
    return tuple(NamedValue(state, name) for state, names in state_names().items() for name in names)


def _letters(text: str) -> str:
    """What all spellings of a name have in common."""
    return _NO_LETTER.sub("", fold(text[:_LONGEST].replace("&", " and ")))
