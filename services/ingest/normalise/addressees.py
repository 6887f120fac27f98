"""Whom within a State a text addresses or speaks of: parliament, judiciary, local government, police …"""

from collections.abc import Iterator
from functools import cache

from services.core.store.vocabularies import detailed_vocabulary
from services.ingest.normalise.phrases import PhraseBook, split_words

_Sign = tuple[str, bool]
"""An addressee's code, and whether the phrase tells of it or takes it back."""


def addressees_in(text: str) -> frozenset[str]:
    """Codes of the addressees that the text names (scheme `addressee`). English, Spanish and French."""
    return addressees_of_words(split_words(text))


def addressees_of_words(words: list[str]) -> frozenset[str]:
    """The same for words that `split_words` gave."""
    found = _book().find(words)
    taken_back = [each for each in found if not each.name[1]]
    return frozenset(
        each.name[0]
        for each in found
        if each.name[1]
        and not any(
            other.name[0] == each.name[0] and other.start <= each.start and each.end <= other.end
            for other in taken_back
        )
    )


@cache
def _book() -> PhraseBook[_Sign]:
    return PhraseBook(_phrases())


def _phrases() -> Iterator[tuple[_Sign, str]]:
    for code, entry in detailed_vocabulary("addressee").items():
        yield from (((code, True), phrase) for phrase in (*entry.get("phrases", ()), *entry.get("abbreviations", ())))
        yield from (((code, False), phrase) for phrase in entry.get("except", ()))
