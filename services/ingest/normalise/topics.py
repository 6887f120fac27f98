"""Which topics a record has: by phrases in its text, by instruments that it names, by labels that others gave it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum
from functools import cache
from typing import NamedTuple

from services.core.domain.identifiers import label_id
from services.core.query.phrases import Found, PhraseBook, split_words
from services.core.store.vocabularies import detailed_vocabulary, label_family
from services.ingest.normalise.instruments import instruments_in


class _Tells(Enum):
    OF_IT = "phrases"
    NOT_OF_IT = "except"
    OF_SOMETHING_ELSE = "unless"


_OF_IT, _NOT_OF_IT, _SOMETHING_ELSE = _Tells


class TopicSign(NamedTuple):
    """What a phrase tells of a topic: that it is meant, that it is not, or why others gave its labels."""

    code: str
    tells: _Tells


def topics_of(text: str, label_ids: Iterable[str] = ()) -> frozenset[str]:
    """Codes of the topics (scheme `topic`) of a text that carries these labels. English, Spanish and French."""
    named = (label_id("instrument", code) for code in instruments_in(text))
    return topics_told(_book().find(split_words(text)), (*label_ids, *named))


def topics_told(found: Sequence[Found[TopicSign]], label_ids: Iterable[str]) -> frozenset[str]:
    """Codes of the topics that these phrases of `topic_phrases` tell of, and these labels.

    The instruments that the text names are among the labels.
    """
    something_else = {each.name.code for each in found if each.name.tells is _SOMETHING_ELSE}
    by_label = (
        topic
        for label in label_ids
        for topic in _topics_of_labels().get(label, ())
        if topic not in something_else or label.startswith("instrument:")
    )
    return frozenset((*_by_phrases(found), *by_label))


def _by_phrases(found: Sequence[Found[TopicSign]]) -> Iterator[str]:
    exceptions = [each for each in found if each.name.tells is _NOT_OF_IT]
    for each in found:
        code = each.name.code
        if each.name.tells is _OF_IT and not any(
            other.name.code == code and other.covers(each) for other in exceptions
        ):
            yield code


@cache
def _topics_of_labels() -> Mapping[str, frozenset[str]]:
    topics: dict[str, set[str]] = defaultdict(set)
    for topic, entry in detailed_vocabulary("topic").items():
        for code in entry.get("themes", ()):
            for label in label_family(label_id("ohchr-theme", code)):
                topics[label].add(topic)
        for code in entry.get("issues", ()):
            topics[label_id("upr-info-issue", code)].add(topic)
        for code in entry.get("instruments", ()):
            topics[label_id("instrument", code)].add(topic)
    return {label: frozenset(codes) for label, codes in topics.items()}


@cache
def _book() -> PhraseBook[TopicSign]:
    return PhraseBook(topic_phrases())


def topic_phrases() -> Iterator[tuple[TopicSign, str]]:
    """The phrases that tell of topics, each with what it tells."""
    for topic, entry in detailed_vocabulary("topic").items():
        for tells in _Tells:
            yield from ((TopicSign(topic, tells), phrase) for phrase in entry.get(tells.value, ()))
