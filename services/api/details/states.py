"""Parts of States: their reviews with answers, what they received and made, coverage."""

import datetime
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from pydantic import Field
from sqlalchemy import column, func, select

from services.api.details.briefs import HearingBrief, hearing_brief
from services.api.details.counts import (
    NOTHING_READ,
    RECORDS,
    Counts,
    CountsThreeWays,
    counts_by_review,
    no_counts,
    sum_of,
)
from services.api.details.coverage import ReviewCoverage
from services.api.details.parts import Part, Setting
from services.api.details.reviews import coverage_of_reviews
from services.api.details.spread import Asked, Makers, Topics, makers_of, topics_of
from services.core.schemas.models import Public
from services.core.schemas.shapes import Shape
from services.core.store.filtering import as_array
from services.core.store.hearings import HEARINGS
from services.core.store.metadata import plain_text
from services.core.store.recommendations import recommendations_table
from services.core.store.reviews import REVIEWS, ReviewRecord
from services.core.store.states import StateRecord

States = Sequence[StateRecord]
MOST_HEARINGS = 50


class ReviewOfState(Public):
    """A review of the State in short."""

    id: str = Field(examples=["PER-2"])
    url: str = Field(description="Permalink.")
    cycle: int
    session: int | None
    date: datetime.date | None
    adopted_on: datetime.date | None = Field(description="Day on which the Working Group adopted its report.")
    recommendations: CountsThreeWays


class CycleCounts(Public):
    """Counts of one cycle."""

    cycle: int
    recommendations: Counts


class CountsByCycle(Public):
    """Recommendations (records, not State by State), together and by cycle. Cycles without any are left out."""

    recommendations: Counts | None = Field(description="Null: none is held.")
    by_cycle: list[CycleCounts]
    url: str = Field(description="Address of the list of them.")


class CoverageOfReview(ReviewCoverage):
    """What is held of one review."""

    review: str = Field(examples=["PER-2"])


class StateCoverage(Public):
    """What is held of a State."""

    reviews: list[CoverageOfReview]
    cycles_not_read: list[int] = Field(
        description="Cycles before the latest review that is held of which no document was read."
    )


class HearingsOfState(Public):
    """Meetings at which the State's matters were heard: of the United Nations, and of the Inter-American Commission."""

    total: int = Field(description="How many there are; more than are shown, where there are very many.")
    data: list[HearingBrief] = Field(description="The latest first.")
    url: str = Field(description="The list of them.")


def _reviews_by_state(setting: Setting, states: States) -> Mapping[str, list[ReviewRecord]]:
    columns = REVIEWS.table.c
    found: dict[str, list[ReviewRecord]] = defaultdict(list)
    of_these = columns.state_under_review == func.any(as_array([state.id for state in states]))
    for review in REVIEWS.where(setting.connection, of_these):
        found[review.state_under_review].append(review)
    for reviews in found.values():
        reviews.sort(key=lambda review: review.cycle)
    return found


def _counts(setting: Setting, states: States) -> Mapping[str, Shape]:
    reviews = setting.once(_reviews_by_state, states)
    return counts_by_review(setting.connection, [review.id for held in reviews.values() for review in held])


def _reviews(setting: Setting, states: States) -> Mapping[str, list[Shape]]:
    reviews = setting.once(_reviews_by_state, states)
    counts = setting.once(_counts, states)
    return {
        state.id: [
            {
                "id": review.id,
                "url": setting.permalink("reviews", review.id),
                "cycle": review.cycle,
                "session": review.session,
                "date": review.date,
                "adopted_on": review.adopted_on,
                "recommendations": counts.get(review.id, NOTHING_READ),
            }
            for review in reviews.get(state.id, ())
        ]
        for state in states
    }


def _received(setting: Setting, states: States) -> Mapping[str, Shape]:
    reviews = setting.once(_reviews_by_state, states)
    counts = setting.once(_counts, states)
    return {
        state.id: _by_cycle(
            ((review.cycle, counts[review.id][RECORDS]) for review in reviews.get(state.id, ()) if review.id in counts),
            setting.address(f"recommendations?state_under_review={state.id}"),
        )
        for state in states
    }


def _made(setting: Setting, states: States) -> Mapping[str, Shape]:
    columns = recommendations_table.c
    codes = as_array([state.id for state in states])
    maker = (
        func.unnest(columns.recommending_states)
        .table_valued(column("code", plain_text()), name="maker")
        .render_derived()
    )
    grouped = (maker.c.code, columns.cycle, columns.position, columns.position_detail)
    query = (
        select(*grouped, func.count())
        .select_from(recommendations_table.join(maker, maker.c.code == func.any(codes)))
        .where(columns.recommending_states.overlap(codes))
        .group_by(*grouped)
    )
    found: dict[str, dict[int, Shape]] = defaultdict(dict)
    for code, cycle, position, detail, count in setting.connection.execute(query):
        counts = found[code].setdefault(cycle, no_counts())
        counts["total"] += count
        counts[position] += count
        if detail is not None:
            counts["by_detail"][detail] += count
    return {
        state.id: _by_cycle(
            found.get(state.id, {}).items(), setting.address(f"recommendations?recommending_state={state.id}")
        )
        for state in states
    }


def _by_cycle(cycles: Iterable[tuple[int, Shape]], url: str) -> Shape:
    held = sorted(cycles, key=lambda each: each[0])
    return {
        "recommendations": sum_of(counts for _, counts in held),
        "by_cycle": [{"cycle": cycle, "recommendations": counts} for cycle, counts in held],
        "url": url,
    }


def _coverage(setting: Setting, states: States) -> Mapping[str, Shape]:
    reviews = setting.once(_reviews_by_state, states)
    everything = [review for held in reviews.values() for review in held]
    covered = coverage_of_reviews(setting, everything)
    return {
        state.id: {
            "reviews": [{"review": review.id, **covered[review.id]} for review in reviews.get(state.id, ())],
            "cycles_not_read": _not_read([review.cycle for review in reviews.get(state.id, ())]),
        }
        for state in states
    }


def _not_read(cycles: Sequence[int]) -> list[int]:
    return [cycle for cycle in range(1, max(cycles, default=1)) if cycle not in cycles]


def _topics(setting: Setting, states: States) -> Mapping[str, Shape]:
    return {state.id: topics_of(_received_by(setting, state)) for state in states}


def _recommenders(setting: Setting, states: States) -> Mapping[str, Shape]:
    return {state.id: makers_of(_received_by(setting, state)) for state in states}


def _received_by(setting: Setting, state: StateRecord) -> Asked:
    return Asked(setting, [("state_under_review", state.id)])


def _hearings(setting: Setting, states: States) -> Mapping[str, Shape]:
    found = {}
    for state in states:
        held = list(HEARINGS.where(setting.connection, HEARINGS.table.c.states.overlap(as_array([state.id]))))
        held.sort(key=lambda hearing: (hearing.date or datetime.date.min, hearing.id), reverse=True)
        found[state.id] = {
            "total": len(held),
            "data": [hearing_brief(each, setting) for each in held[:MOST_HEARINGS]],
            "url": setting.address(f"hearings?state_under_review={state.id}"),
        }
    return found


STATE_PARTS = (
    Part("reviews", list[ReviewOfState], "Its reviews, with recommendations and answers.", _reviews, 2),
    Part("received", CountsByCycle, "Recommendations that it received, by answer and cycle.", _received, 2),
    Part("made", CountsByCycle, "Recommendations that it made to others, by their answers and cycle.", _made, 1),
    Part("coverage", StateCoverage, "What is held and what is not, review by review.", _coverage, 4),
    Part("topics", Topics, "What it was recommended, by topic and cycle.", _topics, 2, alone=True),
    Part("recommenders", Makers, "Who recommended something to it.", _recommenders, 1, alone=True),
    Part("hearings", HearingsOfState, "Its hearings, the latest first.", _hearings, 1, alone=True),
)
