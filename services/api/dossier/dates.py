"""What lies ahead of a State, and the reviews that must have been and of which nothing was read."""

import datetime
from collections.abc import Iterator, Mapping, Sequence

from services.core.domain.positions import Position
from services.core.schemas.shapes import Shape
from services.core.store.review_calendar import SessionDays, planned_sessions, session_days
from services.core.store.reviews import ReviewRecord

_UNKNOWN = SessionDays(None, None)


def planned_reviews(state: str, held: Mapping[int, ReviewRecord]) -> list[Shape]:
    """A State's reviews by cycle: as they are held, else as the calendar of the cycles has them."""
    sessions = {cycle: session for (code, cycle), session in planned_sessions().items() if code == state}
    return [_planned(cycle, held.get(cycle), sessions.get(cycle)) for cycle in sorted({*sessions, *held})]


def _planned(cycle: int, review: ReviewRecord | None, planned: int | None) -> Shape:
    session = (review.session if review else None) or planned
    days = session_days().get(session or 0, _UNKNOWN)
    return {
        "cycle": cycle,
        "review": review.id if review else None,
        "session": session,
        "date": review.date if review else None,
        "starts_on": days.starts_on,
        "ends_on": days.ends_on,
    }


def reviews_not_read(reviews: Sequence[Shape], today: datetime.date) -> list[Shape]:
    """Those that have been, by the calendar, and of which nothing is held."""
    missing = [each for each in reviews if each["review"] is None and _is_over(each, today)]
    return [{name: value for name, value in each.items() if name != "review"} for each in missing]


def _is_over(planned: Shape, today: datetime.date) -> bool:
    """Whether a review has been, as far as its days are known."""
    last = planned["date"] or planned["ends_on"]
    return last is not None and last < today


def dates_ahead(
    reviews: Sequence[Shape], follow_up: Shape | None, answers: Shape | None, today: datetime.date
) -> list[Shape]:
    """What is to come: the next review, the adoption, answers that are awaited, the mid-term report that is hoped for.

    `answers`: counts of the latest review's recommendations on the topic. Those without any day come last.
    """
    found = [*_of_reviews(reviews, today), *_after_review(follow_up, answers, today)]
    return sorted(found, key=lambda each: (_day_of(each) is None, _day_of(each) or today))


def _of_reviews(reviews: Sequence[Shape], today: datetime.date) -> Iterator[Shape]:
    """The next one, without days where the calendar does not go so far; what comes after it nobody knows."""
    ahead = [each for each in reviews if not _is_over(each, today)]
    past = max((each["cycle"] for each in reviews if _is_over(each, today)), default=0)
    for each in ahead:
        if each["cycle"] > past:
            days = {name: each[name] for name in ("cycle", "session", "date", "starts_on", "ends_on")}
            yield _ahead("next_review", **days)
            return
    if past:
        yield _ahead("next_review", cycle=past + 1)


def _after_review(follow_up: Shape | None, answers: Shape | None, today: datetime.date) -> Iterator[Shape]:
    if follow_up is None:
        return
    adopted_on = follow_up["adopted_on"]
    if adopted_on is not None and adopted_on >= today:
        yield _ahead("council_adoption", date=adopted_on)
    elif adopted_on is None and answers and answers[Position.PENDING]:
        yield _ahead("answers", count=answers[Position.PENDING])
    mid_term = follow_up["mid_term"]
    if mid_term["suggested_by"] and mid_term["suggested_by"] >= today.year and mid_term["report"] is None:
        yield _ahead("mid_term_report", year=mid_term["suggested_by"])


def _ahead(kind: str, **known: object) -> Shape:
    unknown = dict.fromkeys(("date", "starts_on", "ends_on", "year", "cycle", "session", "count"))
    return {"kind": kind, **unknown, **known}


def _day_of(ahead: Shape) -> datetime.date | None:
    if ahead["year"]:
        return datetime.date(ahead["year"], 12, 31)
    day: datetime.date | None = ahead["date"] or ahead["starts_on"]
    return day
