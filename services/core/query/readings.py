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
    """What a word was read as by a search that forgives. `in_index`: whether the index holds it just as it was typed.

    `words` come with the likeliest first: the fewest typing errors, then the most frequent. `more`: there are others.
    """

    words: tuple[ReadWord, ...] = ()
    more: bool = False
    in_index: bool = True

    @property
    def nearest(self) -> tuple[str, ...]:
        """What stands in for a word that the index does not hold: the words with the fewest typing errors."""
        return () if self.in_index else tuple(each.word for each in self.words if each.typos == self.words[0].typos)

    @property
    def corrections(self) -> tuple[str, ...]:
        """The same where the word is misspelt; where it is the beginning of others, none."""
        return self.nearest if self.words and self.words[0].typos else ()

    @property
    def shown(self) -> dict[str, Any]:
        """It in plain JSON."""
        words = [{"word": each.word, "typos": each.typos} for each in self.words]
        return {"in_index": self.in_index, "words": words, "more": self.more}
