"""What a typed word was read as: the words of an index that were looked for in its place, or beside it."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ReadWord:
    """A word of the index, and how many typing errors part it from what was typed. Of none, that is its beginning."""

    word: str
    typos: int


@dataclass(frozen=True, slots=True)
class Reading:
    """What a word was read as by a search that forgives: the words that a strict one would not have found.

    `words` come with the likeliest first: the fewest typing errors, then the most frequent. `more`: there are others.
    `as_typed`: a strict search finds the word, too: itself, an inflection, or another form of a concept it names.
    """

    words: tuple[ReadWord, ...] = ()
    more: bool = False
    as_typed: bool = True

    @property
    def corrections(self) -> tuple[str, ...]:
        """What stands in for a word that is not found as it was typed: the nearest. None where it begins a word."""
        fewest = 0 if self.as_typed or not self.words else self.words[0].typos
        return tuple(each.word for each in self.words if fewest and each.typos == fewest)

    @property
    def shown(self) -> dict[str, Any]:
        """It in plain JSON."""
        words = [{"word": each.word, "typos": each.typos} for each in self.words]
        return {"words": words, "more": self.more, "as_typed": self.as_typed}
