"""Recommendations that are related to one: said again, said by others, said before on the same topics.

All candidates are recommendations to the same State, some hundreds, found by an index; how like two texts are is worked
out here. No extension of PostgreSQL is needed for it, and nothing grows with the other States' recommendations.
"""

import datetime
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field
from sqlalchemy import select

from services.api.details.documents import DOCUMENTS_OF_RECOMMENDATIONS
from services.api.details.labels import LabelBrief, label_brief
from services.api.details.likeness import likeness, name_others, weights_of
from services.api.details.parts import Part, Setting
from services.core.domain.identifiers import normalised_text
from services.core.domain.positions import Position, PositionDetail
from services.core.schemas.models import Public
from services.core.schemas.names import StateName, in_language
from services.core.schemas.shapes import Shape
from services.core.store.recommendations import RECOMMENDATIONS, RecommendationRecord, recommendations_table

MOST_OF_A_KIND = 20
"""How many of each kind are shown."""
NEARLY_THE_SAME = 0.75
"""Likeness from which on texts are nearly the same. A judgement; no pairs were coded to measure it by."""
_TOPIC = "topic:"

Why = Literal["same_text", "nearly_same_text", "same_topic"]


class RelatedRecommendation(Public):
    """A recommendation to the same State, and why it is shown."""

    id: str = Field(examples=["PER-1-52.3"])
    url: str = Field(description="Permalink.")
    review: str
    cycle: int
    date: datetime.date | None
    number: str | None
    text: str
    text_language: str
    recommending_states: list[StateName]
    position: Position
    position_detail: PositionDetail | None
    why: list[Why] = Field(
        description="same_text: the same letters and digits; nearly_same_text: as like as `likeness` says, with no "
        "other instruments; same_topic: the topics in `topics` are labels of both."
    )
    likeness: float | None = Field(
        description="How much of the words is common, rare words counting more: 0 to 1. Null: in another language.",
        examples=[0.92],
    )
    topics: list[LabelBrief] = Field(description="Topics that both have.")


class RelatedGroup(Public):
    """Recommendations that are related in one way, the most like first."""

    total: int = Field(description="How many there are.")
    data: list[RelatedRecommendation] = Field(description=f"{MOST_OF_A_KIND} at most.")


class RelatedRecommendations(Public):
    """Recommendations to the same State that are related to this one."""

    in_other_cycles: RelatedGroup = Field(description="The same or nearly the same text in other reviews of the State.")
    in_the_same_review: RelatedGroup = Field(description="The same or nearly the same text in this review.")
    earlier_on_the_topics: RelatedGroup = Field(description="Of earlier reviews, with a topic in common.")


@dataclass(frozen=True)
class _Candidate:
    """A recommendation beside the one that is asked about."""

    id: str
    review: str
    cycle: int
    sort_key: str
    same: bool
    likeness: float | None
    topics: tuple[str, ...]

    @property
    def says_the_same(self) -> bool:
        return self.same or (self.likeness is not None and self.likeness >= NEARLY_THE_SAME)

    @property
    def why(self) -> list[str]:
        text = ["same_text"] if self.same else ["nearly_same_text"] if self.says_the_same else []
        return [*text, *(["same_topic"] if self.topics else [])]


def _related(setting: Setting, recommendations: Sequence[RecommendationRecord]) -> Mapping[str, Shape]:
    return {each.id: _related_to(setting, each) for each in recommendations}


def _related_to(setting: Setting, record: RecommendationRecord) -> Shape:
    candidates = _candidates(setting, record)
    groups = {
        "in_other_cycles": _chosen(candidates, lambda each: each.says_the_same and each.review != record.review),
        "in_the_same_review": _chosen(candidates, lambda each: each.says_the_same and each.review == record.review),
        "earlier_on_the_topics": _chosen(candidates, lambda each: bool(each.topics) and each.cycle < record.cycle),
    }
    shown = {each.id for group in groups.values() for each in group[:MOST_OF_A_KIND]}
    held = RECOMMENDATIONS.read(setting.connection, shown)
    return {
        name: {"total": len(group), "data": [_shape(held[each.id], each, setting) for each in group[:MOST_OF_A_KIND]]}
        for name, group in groups.items()
    }


def _chosen(candidates: Iterable[_Candidate], belongs: Callable[[_Candidate], bool]) -> list[_Candidate]:
    """Those that say the same first, then those with most in common."""
    found = [each for each in candidates if belongs(each)]
    return sorted(
        found,
        key=lambda each: (not each.says_the_same, -len(each.topics), -(each.likeness or 0.0), each.sort_key),
    )


def _candidates(setting: Setting, record: RecommendationRecord) -> list[_Candidate]:
    columns = recommendations_table.c
    wanted = (columns.id, columns.review, columns.cycle, columns.sort_key, columns.text, columns.text_language)
    of_the_state = columns.state_under_review == record.state_under_review
    rows = setting.connection.execute(select(*wanted, columns.label_ids).where(of_the_state)).all()
    texts = {row.id: normalised_text(row.text) for row in rows}
    weights = weights_of(texts.values())
    own = normalised_text(record.text)
    own_words, own_topics = Counter(own.split()), _of(record.label_ids, _TOPIC)
    found = []
    for row in rows:
        if row.id == record.id:
            continue
        comparable = row.text_language == record.text_language and not name_others(row.label_ids, record.label_ids)
        like = likeness(own_words, Counter(texts[row.id].split()), weights) if comparable else None
        topics = tuple(sorted(own_topics & _of(row.label_ids, _TOPIC)))
        found.append(_Candidate(row.id, row.review, row.cycle, row.sort_key, texts[row.id] == own, like, topics))
    return found


def _of(labels: Iterable[str], scheme: str) -> set[str]:
    return {label for label in labels if label.startswith(scheme)}


def _shape(record: RecommendationRecord, candidate: _Candidate, setting: Setting) -> dict[str, Any]:
    text, language, _ = in_language(setting.names.language, record.text, record.text_language, record.translations)
    return {
        "id": record.id,
        "url": setting.permalink("recommendations", record.id),
        "review": record.review,
        "cycle": record.cycle,
        "date": record.date,
        "number": record.number,
        "text": text,
        "text_language": language,
        "recommending_states": [setting.names.state(code) for code in record.recommending_states],
        "position": record.position,
        "position_detail": record.position_detail,
        "why": candidate.why,
        "likeness": candidate.likeness,
        "topics": [label_brief(label, setting) for label in candidate.topics],
    }


RECOMMENDATION_PARTS = (
    DOCUMENTS_OF_RECOMMENDATIONS,
    Part(
        "related",
        RelatedRecommendations,
        "Recommendations to the same State that say the same, or are on the same topics, and why.",
        _related,
        2,
        alone=True,
    ),
)
