"""Labels: those that documents print, under the ids of our vocabularies, and those that rules give."""

import re
from collections.abc import Iterable
from functools import cache
from typing import Any

from services.core.domain.identifiers import label_id, slug
from services.core.query.phrases import Found, PhraseBook, split_words
from services.core.store.recommendations import LabelEntry
from services.core.store.vocabularies import find_entry
from services.ingest.normalise.action_category import action_category
from services.ingest.normalise.addressees import AddresseeSign, addressee_phrases, addressees_told
from services.ingest.normalise.instruments import InstrumentSign, instrument_phrases, instruments_told
from services.ingest.normalise.topics import TopicSign, topic_phrases, topics_told

BY_RULE = "rule"
_GOALS_AND_TARGETS = frozenset({"sdg", "sdg-target"})
_TARGET = re.compile(
    r"(?:goal|target|sdg|ods|meta|objetivo|objectif|cible)?\s*(\d{1,2})(?:\.(\w{1,2}))?\b", re.IGNORECASE
)
_ACTION = re.compile(r"[1-5]\b")


def canonical_label(scheme: str, printed: str, code: str | None = None) -> str:
    """The id of the entry that a document prints so: the vocabulary's own, whichever spelling, language or generation.

    An entry that no vocabulary knows gets the slug of its printed words.
    """
    if scheme in _GOALS_AND_TARGETS and (number := _TARGET.match((code or printed).strip(" -"))):
        goal, target = str(int(number[1])), (number[2] or "").lower()
        return label_id("sdg-target", f"{goal}.{target}") if target else label_id("sdg", goal)
    if scheme == "action" and (category := _ACTION.match((code or printed).strip())):
        return label_id(scheme, category[0])
    entry = find_entry(scheme, printed, code)
    return entry.id if entry else label_id(scheme, slug(printed))


def rule_labels(
    text: str, language: str = "en", label_ids: Iterable[str] = (), *, asks: bool = True
) -> tuple[LabelEntry, ...]:
    """The labels that rules give to a text: instruments, addressees, topics, action category, goals of its targets.

    `label_ids` are the labels that others gave it: topics rest on them, too, and an action category among them stands.
    `asks`: whether the text asks the State to do something, as recommendations and pledges do; what is said in a
    dialogue has no action category.
    """
    held = tuple(label_ids)
    given = _told_by_phrases(text, held)
    given.update([_goal(label) for label in held if label.startswith("sdg-target:")])
    if asks and not any(label.startswith("action:") for label in held):
        category = action_category(text, language)
        if category is not None:
            given.add(label_id("action", str(category)))
    given.difference_update(held)
    return tuple([LabelEntry(label=label, assigned_by=BY_RULE) for label in sorted(given)])


def _told_by_phrases(text: str, held: tuple[str, ...]) -> set[str]:
    """Instruments, addressees and topics, found in one walk through the text."""
    words = split_words(text)
    found: dict[type, list[Found[Any]]] = {InstrumentSign: [], AddresseeSign: [], TopicSign: []}
    for each in _book().find(words):
        found[type(each.name)].append(each)
    told = {label_id("instrument", code) for code in instruments_told(found[InstrumentSign], words)}
    topics = topics_told(found[TopicSign], (*held, *told))
    told.update([label_id("addressee", code) for code in addressees_told(found[AddresseeSign])])
    told.update([label_id("topic", code) for code in topics])
    return told


@cache
def _book() -> PhraseBook[InstrumentSign | AddresseeSign | TopicSign]:
    return PhraseBook((*instrument_phrases(), *addressee_phrases(), *topic_phrases()))


def _goal(target: str) -> str:
    """The goal that a target belongs to."""
    return label_id("sdg", target.partition(":")[2].partition(".")[0])
