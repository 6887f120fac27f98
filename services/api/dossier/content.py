"""Puts a dossier together: a fixed number of queries, however much there is."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any

from sqlalchemy import ColumnElement

from services.api.details.briefs import hearing_brief
from services.api.details.counts import counts_of, sum_of
from services.api.details.likeness import likeness, name_others, weights_of
from services.api.details.parts import Setting
from services.api.details.related import NEARLY_THE_SAME
from services.api.details.reviews import REVIEW_PARTS
from services.api.details.states import STATE_PARTS
from services.api.details.topics import TopicEntry
from services.core.domain.identifiers import normalised_text
from services.core.query.filters import parse_filters
from services.core.schemas.shapes import Shape, shape_of, with_address
from services.core.store.filtering import conditions
from services.core.store.hearings import HEARINGS
from services.core.store.paging import list_page
from services.core.store.recommendations import RECOMMENDATIONS, RecommendationRecord
from services.core.store.reviews import REVIEWS
from services.core.store.states import StateRecord
from services.core.store.tables import AGGREGATES

MOST_STATEMENTS = 200
_LOADS = {part.name: part.load for part in (*STATE_PARTS, *REVIEW_PARTS) if part.name in ("reviews", "follow_up")}
_COVERAGE = next(part.load for part in STATE_PARTS if part.name == "coverage")


def dossier_of(setting: Setting, state: StateRecord, topic: TopicEntry) -> Shape:
    """All that is held of a State on a topic, but for the address and the dataset, which the edge adds."""
    return _Author(setting, state, topic).write()


@dataclass(frozen=True)
class _Author:
    """What a dossier is written from."""

    setting: Setting
    state: StateRecord
    topic: TopicEntry

    def write(self) -> Shape:
        names = self.setting.names
        cycles = [self._cycle(review) for review in self._reviews]
        return {
            "state": names.state(self.state.id),
            "topic": {
                "id": self.topic.id,
                "url": self.setting.permalink("topics", self.topic.id),
                "name": names.pick(self.topic.entry["names"], self.topic.id),
            },
            "answers": sum_of(cycle["answers"] for cycle in cycles),
            "cycles": cycles,
            "said_again": said_again(self._recommendations),
            "cycles_not_read": self._coverage["cycles_not_read"],
            "pledges": self._shapes("pledges"),
            "statements": self._statements(),
            "hearings": self._hearings(),
            "follow_up": self._follow_up(),
        }

    @cached_property
    def _reviews(self) -> Sequence[Shape]:
        reviews: Sequence[Shape] = _LOADS["reviews"](self.setting, [self.state])[self.state.id]
        return reviews

    @cached_property
    def _coverage(self) -> Shape:
        coverage: Shape = _COVERAGE(self.setting, [self.state])[self.state.id]
        return coverage

    @cached_property
    def _recommendations(self) -> list[RecommendationRecord]:
        found = RECOMMENDATIONS.where(self.setting.connection, *self._on_topic("recommendations"))
        return sorted(found, key=lambda record: record.sort_key)

    def _on_topic(self, noun: str) -> list[ColumnElement[bool]]:
        return conditions(self._filters(noun))

    def _filters(self, noun: str) -> Any:
        asked = [("state_under_review", self.state.id), ("topic", self.topic.id)]
        return parse_filters(noun, asked, self.setting.names.reference.vocabulary)

    def _cycle(self, review: Shape) -> Shape:
        told = [record for record in self._recommendations if record.review == review["id"]]
        was_read = review["recommendations"]["records"] is not None
        covered = {each["review"]: each["documents"] for each in self._coverage["reviews"]}
        return {
            "cycle": review["cycle"],
            "review": review["id"],
            "url": review["url"],
            "date": review["date"],
            "answers": counts_of((each.position, each.position_detail) for each in told) if was_read else None,
            "recommendations": [self._shape("recommendations", record) for record in told],
            "missing": covered[review["id"]]["missing"],
        }

    def _shape(self, noun: str, record: Any) -> Shape:
        return with_address(noun, shape_of(noun, record, self.setting.names), self.setting.public_url)

    def _shapes(self, noun: str) -> list[Shape]:
        records = AGGREGATES[noun].where(self.setting.connection, *self._on_topic(noun))
        return [self._shape(noun, record) for record in records]

    def _statements(self) -> Shape:
        page = list_page(
            self.setting.connection, self._filters("statements"), sort="-date", cursor=None, limit=MOST_STATEMENTS
        )
        return {"total": page.total, "data": [self._shape("statements", record) for record in page.records]}

    def _hearings(self) -> list[Shape]:
        held = HEARINGS.where(self.setting.connection, HEARINGS.table.c.states.contains([self.state.id]))
        held.sort(key=lambda hearing: (hearing.date is None, hearing.date, hearing.id))
        return [hearing_brief(hearing, self.setting) for hearing in held]

    def _follow_up(self) -> Shape | None:
        if not self._reviews:
            return None
        latest = REVIEWS.one(self.setting.connection, self._reviews[-1]["id"])
        follow_up: Shape | None = _LOADS["follow_up"](self.setting, [latest])[self._reviews[-1]["id"]]
        return follow_up


def said_again(recommendations: Sequence[RecommendationRecord]) -> list[Shape]:
    """Groups of recommendations of several cycles that say the same or nearly so, in the order of their numbers."""
    texts = {record.id: normalised_text(record.text) for record in recommendations}
    weights = weights_of(texts.values())
    words = {record_id: Counter(text.split()) for record_id, text in texts.items()}
    groups = _Groups(record.id for record in recommendations)
    for one, other in combinations(recommendations, 2):
        if one.text_language != other.text_language or not _may_be_alike(words[one.id], words[other.id]):
            continue
        alike = texts[one.id] == texts[other.id] or (
            not name_others(one.label_ids, other.label_ids)
            and likeness(words[one.id], words[other.id], weights) >= NEARLY_THE_SAME
        )
        if alike:
            groups.join(one.id, other.id)
    cycles = {record.id: record.cycle for record in recommendations}
    found = [(sorted({cycles[each] for each in ids}), ids) for ids in groups.several()]
    return [{"cycles": of_cycles, "ids": ids} for of_cycles, ids in found if len(of_cycles) > 1]


def _may_be_alike(some: Mapping[str, int], others: Mapping[str, int]) -> bool:
    """What is quick to see: two texts of which one has twice the other's words have too little in common."""
    fewer, more = sorted((len(some), len(others)))
    return fewer * 2 >= more


class _Groups:
    """What was found to belong together, directly or through others."""

    def __init__(self, ids: Iterable[str]) -> None:
        self._group = {each: [each] for each in ids}

    def join(self, one: str, other: str) -> None:
        """Put two into one group, with all that are in theirs."""
        kept, given = self._group[one], self._group[other]
        if kept is not given:
            kept += given
            for each in given:
                self._group[each] = kept

    def several(self) -> list[list[str]]:
        """The groups of more than one, each in the order of the ids as they came."""
        place = {each: at for at, each in enumerate(self._group)}
        once = {id(group): group for group in self._group.values()}
        return [sorted(group, key=place.__getitem__) for group in once.values() if len(group) > 1]
