"""Topics: what people ask for, across all vocabularies. Their definition is a table of facts, not a record."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import Field

from services.api.details.labels import LabelBrief, LabelCounts, counts_of_labels, label_brief
from services.api.details.parts import Part, Setting
from services.api.details.spread import (
    Answers,
    AnswersOfState,
    AnswersOfYear,
    Asked,
    Held,
    Makers,
    everything_held,
    makers_of,
    no_answers,
    over_time,
    told_states,
)
from services.core.domain.identifiers import label_id
from services.core.schemas.models import Public
from services.core.schemas.shapes import Shape
from services.core.store.vocabularies import detailed_vocabulary, label_family

TOPIC = "topic"
_JOINED = {"themes": "ohchr-theme", "issues": "upr-info-issue", "instruments": "instrument"}
"""What a topic joins, and the vocabulary that it is of."""


class Topic(Public):
    """A topic, and what tells that a record is about it (docs/vocabularies.md)."""

    id: str = Field(description="What the filter `topic` takes.", examples=["torture-prevention"])
    url: str = Field(description="Permalink.")
    label: str = Field(description="Id of the label that records carry.", examples=["topic:torture-prevention"])
    name: str = Field(examples=["Torture prevention"])
    names: dict[str, str] = Field(description="Names by language: en, es, fr, pt.")
    about: str = Field(description="What belongs to it, in English.")
    themes: list[LabelBrief] = Field(description="OHCHR's themes that it joins, of all generations.")
    issues: list[LabelBrief] = Field(description="UPR Info's issues that it joins.")
    instruments: list[LabelBrief] = Field(description="Instruments that it joins.")
    phrases: list[str] = Field(
        description="What texts say of it, in English, Spanish and French, all of which are looked for in all texts. "
        "`a|b`: one or the other; `a?`: or nothing; `...3`: up to three words between.",
        examples=[["torture|tortured", "NPM|NPMs"]],
    )
    exceptions: list[str] = Field(description="Where the text says this, its phrases count for nothing.")
    unless: list[str] = Field(description="Where the text says this, a theme or issue alone counts for nothing.")


class TopicInCycle(Answers):
    """How many recommendations of one cycle are on the topic."""

    cycle: int
    all: int = Field(description="All recommendations of the cycle that are held, on whatever topic.")
    share: float = Field(description="0 to 1: how many of them are on the topic.", examples=[0.054])
    url: str = Field(description="The list of those on the topic.")


class TopicOverTime(Public):
    """The recommendations on the topic, over time."""

    by_cycle: list[TopicInCycle] = Field(description="Cycles of which any recommendation is held.")
    by_year: list[AnswersOfYear] = Field(description="By the year of the review. Years without any are left out.")


@dataclass(frozen=True)
class TopicEntry:
    """A topic's entry in the table."""

    id: str
    entry: Mapping[str, Any]


@cache
def topics() -> Mapping[str, TopicEntry]:
    """All topics by slug, in the order of their slugs."""
    table = detailed_vocabulary(TOPIC)
    return {slug: TopicEntry(slug, table[slug]) for slug in sorted(table)}


def topic_shape(topic: TopicEntry, setting: Setting) -> Shape:
    """The public shape of a topic."""
    entry = topic.entry
    return {
        "id": topic.id,
        "url": setting.permalink("topics", topic.id),
        "label": label_id(TOPIC, topic.id),
        "name": setting.names.pick(entry["names"], topic.id),
        "names": entry["names"],
        "about": entry["about"],
        **{name: _labels(scheme, entry.get(name, ()), setting) for name, scheme in _JOINED.items()},
        "phrases": entry["phrases"],
        "exceptions": entry.get("except", []),
        "unless": entry.get("unless", []),
    }


def _labels(scheme: str, codes: Iterable[str], setting: Setting) -> list[Shape]:
    """Labels with those of other generations."""
    families = (sorted(label_family(label_id(scheme, code))) for code in codes)
    return [label_brief(label, setting) for label in dict.fromkeys(label for family in families for label in family)]


def _counts(setting: Setting, entries: Sequence[TopicEntry]) -> Mapping[str, Shape]:
    counts = counts_of_labels(setting, [label_id(TOPIC, each.id) for each in entries])
    return {each.id: counts[label_id(TOPIC, each.id)] for each in entries}


def _over_time(setting: Setting, entries: Sequence[TopicEntry]) -> Mapping[str, Shape]:
    held = setting.once(_held, entries).by_cycle
    found = {}
    for each in entries:
        asked = _asked(setting, each)
        by_cycle, by_year = over_time(asked)
        cycles = [
            {
                "cycle": cycle,
                **(answers := by_cycle.get(cycle, no_answers())),
                "all": held[cycle],
                "share": round(answers["total"] / held[cycle], 4),
                "url": asked.url(("cycle", str(cycle))),
            }
            for cycle in sorted(held)
        ]
        found[each.id] = {"by_cycle": cycles, "by_year": by_year}
    return found


def _recommenders(setting: Setting, entries: Sequence[TopicEntry]) -> Mapping[str, Shape]:
    return {each.id: makers_of(_asked(setting, each)) for each in entries}


def _received(setting: Setting, entries: Sequence[TopicEntry]) -> Mapping[str, list[Shape]]:
    held = setting.once(_held, entries)
    return {each.id: told_states(_asked(setting, each), held) for each in entries}


def _asked(setting: Setting, entry: TopicEntry) -> Asked:
    return Asked(setting, [(TOPIC, entry.id)])


def _held(setting: Setting, _: Sequence[TopicEntry]) -> Held:
    return everything_held(setting.connection)


TOPIC_PARTS = (
    Part("counts", LabelCounts, "How many records are about it, and their lists.", _counts, 4),
    Part("over_time", TopicOverTime, "Its recommendations by cycle and year.", _over_time, 2, alone=True),
    Part("recommenders", Makers, "Who made its recommendations.", _recommenders, 1, alone=True),
    Part(
        "received",
        list[AnswersOfState],
        "Which States got how many on it: all States of which any recommendation is held.",
        _received,
        2,
        alone=True,
    ),
)
