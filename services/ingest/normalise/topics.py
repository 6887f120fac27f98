"""Which topics a record has: by phrases in its text, by instruments that it names, by labels that others gave it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache

from services.core.domain.identifiers import label_id
from services.core.store.vocabularies import detailed_vocabulary, label_family
from services.ingest.normalise.instruments import instruments_of_words
from services.ingest.normalise.phrases import Found, PhraseBook, split_words


class _Tells(Enum):
    OF_IT = "phrases"
    NOT_OF_IT = "except"
    OF_SOMETHING_ELSE = "unless"


_Sign = tuple[str, _Tells]


def topics_of(text: str, label_ids: Iterable[str] = ()) -> frozenset[str]:
    """Codes of the topics (scheme `topic`) of a text that carries these labels. English, Spanish and French."""
    words = split_words(text)
    named = (label_id("instrument", code) for code in instruments_of_words(words))
    return topics_of_words(words, (*label_ids, *named))


def topics_of_words(words: list[str], label_ids: Iterable[str]) -> frozenset[str]:
    """The same for words that `split_words` gave; the instruments that they name are among the labels."""
    tables = _tables()
    found = tables.book.find(words)
    something_else = {each.name[0] for each in found if each.name[1] is _Tells.OF_SOMETHING_ELSE}
    return frozenset(_by_phrases(found)) | frozenset(
        topic
        for label in label_ids
        for topic in tables.topics_of_label.get(label, ())
        if topic not in something_else or label.startswith("instrument:")
    )


def _by_phrases(found: list[Found[_Sign]]) -> Iterator[str]:
    exceptions: dict[str, list[Found[_Sign]]] = defaultdict(list)
    for each in found:
        if each.name[1] is _Tells.NOT_OF_IT:
            exceptions[each.name[0]].append(each)
    for each in found:
        topic, tells = each.name
        if tells is _Tells.OF_IT and not any(
            other.start <= each.start and each.end <= other.end for other in exceptions[topic]
        ):
            yield topic


@dataclass(frozen=True, slots=True)
class _Tables:
    book: PhraseBook[_Sign]
    topics_of_label: Mapping[str, frozenset[str]]


@cache
def _tables() -> _Tables:
    topics: dict[str, set[str]] = defaultdict(set)
    for topic, entry in detailed_vocabulary("topic").items():
        for code in entry.get("themes", ()):
            for label in label_family(label_id("ohchr-theme", code)):
                topics[label].add(topic)
        for code in entry.get("issues", ()):
            topics[label_id("upr-info-issue", code)].add(topic)
        for code in entry.get("instruments", ()):
            topics[label_id("instrument", code)].add(topic)
    return _Tables(PhraseBook(_phrases()), {label: frozenset(codes) for label, codes in topics.items()})


def _phrases() -> Iterator[tuple[_Sign, str]]:
    for topic, entry in detailed_vocabulary("topic").items():
        for tells in _Tells:
            yield from (((topic, tells), phrase) for phrase in entry.get(tells.value, ()))
