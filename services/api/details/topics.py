"""Topics: what people ask for, across all vocabularies. Their definition is a table of facts, not a record."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import Field

from services.api.details.labels import LabelBrief, LabelCounts, counts_of_labels, label_brief
from services.api.details.parts import Part, Setting
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


TOPIC_PARTS = (Part("counts", LabelCounts, "How many records are about it, and their lists.", _counts, 4),)
