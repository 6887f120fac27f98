"""Whom within a State a text addresses or speaks of: parliament, judiciary, local government, police …"""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

from services.core.query.phrases import Found, PhraseBook, split_words
from services.core.store.vocabularies import detailed_vocabulary


class AddresseeSign(NamedTuple):
    """What a phrase tells of an addressee: `is_meant` is False for words in which its phrases count for nothing."""

    code: str
    is_meant: bool


def addressees_in(text: str) -> frozenset[str]:
    """Codes of the addressees that the text names (scheme `addressee`). English, Spanish and French."""
    return addressees_told(_book().find(split_words(text)))


def addressees_told(found: Sequence[Found[AddresseeSign]]) -> frozenset[str]:
    """Codes of the addressees that these phrases of `addressee_phrases` tell of."""
    exceptions = [each for each in found if not each.name.is_meant]
    return frozenset(
        each.name.code
        for each in found
        if each.name.is_meant
        and not any(other.name.code == each.name.code and other.covers(each) for other in exceptions)
    )


@cache
def _book() -> PhraseBook[AddresseeSign]:
    return PhraseBook(addressee_phrases())


def addressee_phrases() -> Iterator[tuple[AddresseeSign, str]]:
    """The phrases that tell of addressees, each with what it tells."""
    for code, entry in detailed_vocabulary("addressee").items():
        for phrase in (*entry.get("phrases", ()), *entry.get("abbreviations", ())):
            yield AddresseeSign(code, is_meant=True), phrase
        yield from ((AddresseeSign(code, is_meant=False), phrase) for phrase in entry.get("except", ()))
