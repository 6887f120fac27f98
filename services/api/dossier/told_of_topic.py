"""What is about a topic without carrying its label: facts by their subject, hearings by their words."""

from collections.abc import Iterable, Sequence
from functools import cache

from services.api.details.topics import TopicEntry, topics
from services.core.query.phrases import PhraseBook, split_words
from services.core.store.hearings import HearingRecord
from services.core.store.vocabularies import detailed_vocabulary

_TREATY = "treaty:"
_EVERY_TREATY = "treaty-ratification"
_SUBJECTS = {
    "nhri_status": ("nhri",),
    "nmirf": ("implementation-and-follow-up",),
    "nmirf:set_up": ("implementation-and-follow-up",),
}
"""Topics of the subjects that are no treaties."""
_MECHANISM = ("npm", "opcat")
"""National preventive mechanisms are what the Optional Protocol to the Convention against Torture asks for (art. 3)."""
_KEPT_UP = "UNTC IV-"
"""How the sources of instruments begin whose parties tables of facts tell: human rights treaties of the Collection."""


def subjects_of(topic: TopicEntry) -> tuple[str, ...]:
    """The subjects of facts that are about a topic, the treaties first; not those that no table of facts tells."""
    instruments = topic.entry.get("instruments", ())
    treaties = [f"{_TREATY}{code.upper()}" for code in instruments if _is_kept_up(code)]
    mechanism = [_MECHANISM[0]] if _MECHANISM[1] in instruments else []
    return (*treaties, *mechanism, *(subject for subject, its_topics in _SUBJECTS.items() if topic.id in its_topics))


def is_on_topic(subject: str, topic: TopicEntry) -> bool:
    """Whether facts on this subject are about the topic."""
    if topic.id == _EVERY_TREATY and subject.startswith(_TREATY):
        return True
    code = subject.removeprefix(_TREATY).lower()
    return subject in subjects_of(topic) or code in topic.entry.get("instruments", ())


def _is_kept_up(code: str) -> bool:
    return str(detailed_vocabulary("instrument")[code]["source"]).startswith(_KEPT_UP)


def hearings_on(hearings: Iterable[HearingRecord], topic: TopicEntry) -> list[HearingRecord]:
    """The hearings whose title or summary, in any language, has one of the topic's phrases, or names its instruments.

    Hearings carry no labels. Names of instruments are looked for in their short forms and full names.
    """
    return [each for each in hearings if any(_speaks_of(text, topic.id) for text in _words_of(each))]


def _words_of(hearing: HearingRecord) -> Sequence[str]:
    return [*filter(None, [hearing.title]), *hearing.titles.values(), *hearing.summaries.values()]


def _speaks_of(text: str, topic: str) -> bool:
    found = _book(topic).find(split_words(text))
    exceptions = [each for each in found if not each.name]
    return any(each.name and not any(other.covers(each) for other in exceptions) for each in found)


@cache
def _book(topic: str) -> PhraseBook[bool]:
    """The phrases of a topic (True) and those in which they count for nothing (False)."""
    entry = topics()[topic].entry
    instruments = detailed_vocabulary("instrument")
    named = [
        " ".join(word for word in split_words(form) if word.isalnum())
        for code in entry.get("instruments", ())
        for form in (*instruments[code].get("abbreviations", ()), *instruments[code]["names"].values())
    ]
    phrases = [*entry["phrases"], *named]
    return PhraseBook([*((True, each) for each in phrases), *((False, each) for each in entry.get("except", ()))])
