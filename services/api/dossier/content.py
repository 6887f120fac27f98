"""Puts a dossier together: a fixed number of queries, however much there is."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_

from services.api.details.briefs import document_brief
from services.api.details.counts import counts_of, sum_of
from services.api.details.parts import Setting
from services.api.details.reviews import REVIEW_PARTS
from services.api.details.states import STATE_PARTS
from services.api.details.topics import TopicEntry
from services.api.dossier.dates import dates_ahead, planned_reviews, reviews_not_read
from services.api.dossier.said_again import said_again
from services.api.dossier.told_of_topic import hearings_on, is_on_topic, subjects_of
from services.core.domain.kinds import HearingKind
from services.core.domain.positions import PositionDetail
from services.core.query.filters import parse_filters
from services.core.schemas.shapes import Shape, shape_of, with_address
from services.core.store.documents import DOCUMENTS
from services.core.store.filtering import conditions
from services.core.store.hearings import HEARINGS, HearingRecord
from services.core.store.paging import list_page
from services.core.store.recommendations import RECOMMENDATIONS, RecommendationRecord, current_position
from services.core.store.reviews import REVIEWS, ReviewRecord
from services.core.store.states import StateRecord
from services.core.store.tables import AGGREGATES

MOST_STATEMENTS = 200
_LOADS = {part.name: part.load for part in (*STATE_PARTS, *REVIEW_PARTS) if part.name in ("reviews", "follow_up")}
_COVERAGE = next(part.load for part in STATE_PARTS if part.name == "coverage")
_DONE = (PositionDetail.IMPLEMENTED, PositionDetail.IN_PROCESS)
_OAS = "oas"
"""The bloc of those whose matters the Inter-American Commission hears."""


def dossier_of(setting: Setting, state: StateRecord, topic: TopicEntry, as_of: datetime.date) -> Shape:
    """All that is held of a State on a topic, but for the address and the dataset, which the edge adds.

    `as_of`: the day of the data; what is to come is told from it on, so that the same data tell the same.
    """
    return _Author(setting, state, topic, as_of).write()


@dataclass(frozen=True)
class _Author:
    """What a dossier is written from."""

    setting: Setting
    state: StateRecord
    topic: TopicEntry
    as_of: datetime.date

    def write(self) -> Shape:
        names = self.setting.names
        cycles = [self._cycle(review) for review in self._reviews]
        pledges, statements = self._shapes("pledges"), self._statements()
        follow_up = self._follow_up()
        planned = planned_reviews(self.state.id, self._held_reviews)
        return {
            "state": names.state(self.state.id),
            "topic": {
                "id": self.topic.id,
                "url": self.setting.permalink("topics", self.topic.id),
                "name": names.pick(self.topic.entry["names"], self.topic.id),
            },
            "answers": sum_of(cycle["answers"] for cycle in cycles),
            "cycles": cycles,
            "said_to_be_done": self._said_to_be_done(),
            "said_again": [self._repeated(group) for group in said_again(self._recommendations)],
            "pledges": pledges,
            "statements": statements,
            "documents": self._documents([*pledges, *statements["data"]]),
            "facts": self._facts(),
            "facts_not_held": [each for each in subjects_of(self.topic) if each not in self._subjects],
            "hearings": self._hearings(),
            "follow_up": follow_up,
            "dates_ahead": dates_ahead(planned, follow_up, cycles[-1]["answers"] if cycles else None, self.as_of),
            "cycles_not_read": self._coverage["cycles_not_read"],
            "reviews_not_read": reviews_not_read(planned, self.as_of),
        }

    @cached_property
    def _reviews(self) -> Sequence[Shape]:
        reviews: Sequence[Shape] = _LOADS["reviews"](self.setting, [self.state])[self.state.id]
        return reviews

    @cached_property
    def _held_reviews(self) -> dict[int, ReviewRecord]:
        held = REVIEWS.read(self.setting.connection, [review["id"] for review in self._reviews])
        return {record.cycle: record for record in held.values()}

    @cached_property
    def _coverage(self) -> Shape:
        coverage: Shape = _COVERAGE(self.setting, [self.state])[self.state.id]
        return coverage

    @cached_property
    def _recommendations(self) -> list[RecommendationRecord]:
        found = RECOMMENDATIONS.where(self.setting.connection, *self._on_topic("recommendations"))
        return sorted(found, key=lambda record: record.sort_key)

    @cached_property
    def _subjects(self) -> frozenset[str]:
        return frozenset(fact["subject"] for fact in self.state.facts)

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

    def _said_to_be_done(self) -> list[Shape]:
        done = [record for record in self._recommendations if record.position_detail in _DONE]
        return [self._done(record) for record in done]

    def _done(self, record: RecommendationRecord) -> Shape:
        entry = current_position(record.positions)
        told = ("phrase", "symbol", "paragraph", "effective_on", "document")
        return {
            "id": record.id,
            "detail": record.position_detail,
            **{name: entry[name] if entry else None for name in told},  # type: ignore[literal-required]
        }

    def _repeated(self, group: Sequence[RecommendationRecord]) -> Shape:
        codes = dict.fromkeys(code for record in group for code in record.recommending_states)
        return {
            "cycles": sorted({record.cycle for record in group}),
            "ids": [record.id for record in group],
            "since": min((record.date for record in group if record.date), default=None),
            "recommending_states": [self.setting.names.state(code) for code in codes],
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

    def _documents(self, said: Sequence[Shape]) -> list[Shape]:
        """The documents in which something of the dossier stands, in the order of their ids."""
        of_recommendations = (document for record in self._recommendations for document in record.documents)
        of_facts = (source["document"] for fact in self.state.facts for source in fact["sources"])
        wanted = sorted({*of_recommendations, *of_facts, *(each["document"] for each in said)})
        held = DOCUMENTS.read(self.setting.connection, wanted)
        return [document_brief(held[each], self.setting) for each in wanted if each in held]

    def _facts(self) -> Shape:
        """The facts that are about the topic, and the others."""
        on_topic = [fact for fact in self.state.facts if is_on_topic(fact["subject"], self.topic)]
        others = [fact for fact in self.state.facts if not is_on_topic(fact["subject"], self.topic)]
        return {"on_topic": on_topic, "others": others}

    def _hearings(self) -> Shape:
        columns = HEARINGS.table.c
        thematic = columns.kind == HearingKind.THEMATIC_HEARING
        wanted = columns.states.contains([self.state.id])
        in_region = _OAS in self.state.blocs
        if in_region:  # of hearings of the whole region no State is told
            wanted = or_(wanted, and_(thematic, func.cardinality(columns.states) == 0))
        held = HEARINGS.where(self.setting.connection, wanted)
        held.sort(key=lambda hearing: (hearing.date is None, hearing.date, hearing.id))
        of_reviews = [each for each in held if each.kind != HearingKind.THEMATIC_HEARING]
        others = [each for each in held if each.kind == HearingKind.THEMATIC_HEARING]
        on_topic = hearings_on(others, self.topic)
        return {
            "of_reviews": self._shapes_of(of_reviews),
            "on_topic": self._shapes_of(on_topic),
            "others": len(others) - len(on_topic),
            "in_region": in_region,
        }

    def _shapes_of(self, hearings: Sequence[HearingRecord]) -> list[Shape]:
        return [self._shape("hearings", hearing) for hearing in hearings]

    def _follow_up(self) -> Shape | None:
        if not self._reviews:
            return None
        latest = self._held_reviews[self._reviews[-1]["cycle"]]
        follow_up: Shape | None = _LOADS["follow_up"](self.setting, [latest])[latest.id]
        return follow_up
