"""Parts of reviews: documents, hearings, the outcome in numbers, the timeline, coverage, follow-up."""

import datetime
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import Field
from sqlalchemy import func, select, tuple_

from services.api.details.briefs import DocumentBrief, HearingBrief, document_brief, hearing_brief
from services.api.details.counts import NOTHING_READ, RECORDS, CountsThreeWays, counts_by_review
from services.api.details.coverage import ReviewCoverage, documents_held, label_shares, labelled_by_review
from services.api.details.documents import RECORDS_OF_REVIEWS
from services.api.details.parts import Part, Setting
from services.api.details.spread import Asked, Makers, Topics, makers_of, topics_of
from services.core.domain.documents import DATA_SETS, DocumentKind
from services.core.domain.reviews import MidTermStatus
from services.core.schemas.models import Public
from services.core.schemas.shapes import Shape
from services.core.store.documents import DOCUMENTS, DocumentRecord
from services.core.store.filtering import as_array
from services.core.store.hearings import HEARINGS, HearingRecord
from services.core.store.ingest import readings_table
from services.core.store.reviews import REVIEWS, ReviewRecord
from services.core.store.statements import statements_table
from services.core.store.states import REVIEW_SESSIONS

Reviews = Sequence[ReviewRecord]
COUNCIL_ADOPTION = "council_adoption"


# What several parts are made of, read once an answer


def documents_by_review(setting: Setting, reviews: Reviews) -> Mapping[str, list[DocumentRecord]]:
    """The documents of each review, by their day and id. One query."""
    return setting.once(_documents_by_review, reviews)


def _documents_by_review(setting: Setting, reviews: Reviews) -> Mapping[str, list[DocumentRecord]]:
    held = DOCUMENTS.read(setting.connection, dict.fromkeys(each for review in reviews for each in review.documents))
    return {
        review.id: sorted((held[each] for each in review.documents if each in held), key=_by_day) for review in reviews
    }


def _by_day(document: DocumentRecord) -> tuple[datetime.date, str]:
    return (document.published_on or datetime.date.max, document.id)


def _hearings_by_review(setting: Setting, reviews: Reviews) -> Mapping[str, list[HearingRecord]]:
    found: dict[str, list[HearingRecord]] = defaultdict(list)
    condition = HEARINGS.table.c.review == func.any(as_array([review.id for review in reviews]))
    for hearing in HEARINGS.where(setting.connection, condition):
        assert hearing.review is not None
        found[hearing.review].append(hearing)
    for held in found.values():
        held.sort(key=lambda hearing: (hearing.date or datetime.date.max, hearing.id))
    return found


@dataclass(frozen=True)
class Letter:
    """What a letter of the High Commissioner says of dates."""

    document: str
    date: datetime.date | None
    suggested_mid_term_year: int | None


def _letters_by_review(setting: Setting, reviews: Reviews) -> Mapping[str, list[Letter]]:
    columns = statements_table.c
    query = select(columns.review, columns.document, columns.date, columns.suggested_mid_term_year).where(
        columns.review == func.any(as_array([review.id for review in reviews])), columns.kind == DocumentKind.LETTER
    )
    found: dict[str, list[Letter]] = defaultdict(list)
    for review, document, date, year in setting.connection.execute(query.order_by(columns.sort_key)):
        found[review].append(Letter(document, date, year))
    return found


def _next_reviews(setting: Setting, reviews: Reviews) -> Mapping[str, ReviewRecord]:
    """The review of the same State in the next cycle, by the id of the one before."""
    columns = REVIEWS.table.c
    wanted = {(review.state_under_review, review.cycle + 1): review.id for review in reviews}
    held = REVIEWS.where(setting.connection, tuple_(columns.state_under_review, columns.cycle).in_(wanted))
    return {wanted[each.state_under_review, each.cycle]: each for each in held}


def _adoption(hearings: Sequence[HearingRecord]) -> HearingRecord | None:
    return next((hearing for hearing in hearings if hearing.kind == COUNCIL_ADOPTION), None)


# Documents and hearings


def _documents(setting: Setting, reviews: Reviews) -> Mapping[str, list[Shape]]:
    held = documents_by_review(setting, reviews)
    return {review: [document_brief(each, setting) for each in documents] for review, documents in held.items()}


def _hearings(setting: Setting, reviews: Reviews) -> Mapping[str, list[Shape]]:
    held = setting.once(_hearings_by_review, reviews)
    return {review.id: [hearing_brief(each, setting) for each in held.get(review.id, ())] for review in reviews}


# The outcome in numbers


class TotalsTold(Public):
    """The United Nations' own totals, as one source tells them; null: it does not say."""

    told_by: Literal["council_adoption", "addendum"] = Field(
        description="council_adoption: the President of the Council said so; addendum: the State's own document."
    )
    hearing: str | None = Field(description="Id of the hearing at which it was said.")
    document: str | None = Field(description="Id of the document that says so.")
    recommendations: int | None
    supported: int | None
    noted: int | None


class Outcome(CountsThreeWays):
    """How many recommendations the review has and what the State answered, beside what others say."""

    totals_said: list[TotalsTold] = Field(description="They may count otherwise than we do, or leave some out.")


def _outcome(setting: Setting, reviews: Reviews) -> Mapping[str, Shape]:
    counts = setting.once(_counts_of_reviews, reviews)
    hearings = setting.once(_hearings_by_review, reviews)
    addenda = _totals_of_addenda(setting, documents_by_review(setting, reviews))
    return {
        review.id: {
            **counts.get(review.id, NOTHING_READ),
            "totals_said": [
                *_totals_of_hearings(hearings.get(review.id, ())),
                *(addenda[each] for each in review.documents if each in addenda),
            ],
        }
        for review in reviews
    }


def _counts_of_reviews(setting: Setting, reviews: Reviews) -> Mapping[str, Shape]:
    return counts_by_review(setting.connection, [review.id for review in reviews])


def _totals_of_hearings(hearings: Sequence[HearingRecord]) -> Iterator[Shape]:
    for hearing in hearings:
        if hearing.totals_said:
            yield {"told_by": COUNCIL_ADOPTION, "hearing": hearing.id, "document": None, **hearing.totals_said}


def _totals_of_addenda(setting: Setting, documents: Mapping[str, Sequence[DocumentRecord]]) -> Mapping[str, Shape]:
    """Of each addendum that tells totals, what it tells. They are kept with what was read of the file."""
    addenda = [each for held in documents.values() for each in held if each.kind == DocumentKind.ADDENDUM]
    current = [file["sha256"] for each in addenda for file in each.files if file["current"]]
    columns = readings_table.c
    totals = columns.reading["totals"]
    query = select(columns.document, totals).where(
        columns.sha256 == func.any(as_array(current)), func.jsonb_typeof(totals) == "object"
    )
    told = {row[0]: row[1] for row in setting.connection.execute(query.order_by(columns.source))}
    return {
        document: {"told_by": str(DocumentKind.ADDENDUM), "hearing": None, "document": document, **said}
        for document, said in told.items()
    }


# The timeline


class TimelineEntry(Public):
    """Something of the review that has a date."""

    date: datetime.date
    kind: str = Field(
        description="review, working_group_adoption (of its report), council_adoption (of the outcome), next_review, "
        "or the kind of a document that was published, such as addendum, council_decision, letter, mid_term_report.",
        examples=["council_adoption"],
    )
    hearing: str | None = Field(description="Id of the hearing.")
    document: str | None = Field(description="Id of the document.")
    review: str | None = Field(description="Id of the next review.")


def _timeline(setting: Setting, reviews: Reviews) -> Mapping[str, list[Shape]]:
    documents = documents_by_review(setting, reviews)
    hearings = setting.once(_hearings_by_review, reviews)
    letters = setting.once(_letters_by_review, reviews)
    following = setting.once(_next_reviews, reviews)
    found = {}
    for review in reviews:
        entries = [
            *_of_review(review, hearings.get(review.id, ())),
            *_of_documents(documents[review.id], letters.get(review.id, ())),
        ]
        if (after := following.get(review.id)) is not None and after.date is not None:
            entries.append(_entry(after.date, "next_review", review=after.id))
        found[review.id] = sorted(entries, key=lambda entry: entry["date"])
    return found


def _of_review(review: ReviewRecord, hearings: Sequence[HearingRecord]) -> Iterator[Shape]:
    held = next((hearing.id for hearing in hearings if hearing.kind == "working_group_review"), None)
    if review.date is not None:
        yield _entry(review.date, "review", hearing=held)
    if review.adopted_on is not None:
        yield _entry(review.adopted_on, "working_group_adoption")
    for hearing in hearings:
        if hearing.kind == COUNCIL_ADOPTION and hearing.date is not None:
            yield _entry(hearing.date, COUNCIL_ADOPTION, hearing=hearing.id)


def _of_documents(documents: Sequence[DocumentRecord], letters: Sequence[Letter]) -> Iterator[Shape]:
    dated = {letter.document: letter.date for letter in letters}
    for document in documents:
        day = document.published_on or dated.get(document.id)
        if day is not None and document.kind not in DATA_SETS:
            yield _entry(day, document.kind, document=document.id)


def _entry(
    date: datetime.date,
    kind: str,
    *,
    hearing: str | None = None,
    document: str | None = None,
    review: str | None = None,
) -> Shape:
    return {"date": date, "kind": kind, "hearing": hearing, "document": document, "review": review}


# Coverage


def coverage_of_reviews(setting: Setting, reviews: Reviews) -> Mapping[str, Shape]:
    """Of each review, the members of `ReviewCoverage`."""
    documents = documents_by_review(setting, reviews)
    counts = setting.once(_counts_of_reviews, reviews)
    labelled = labelled_by_review(setting.connection, [review.id for review in reviews])
    totals = {review: ways[RECORDS]["total"] for review, ways in counts.items()}
    return {
        review.id: {
            "documents": documents_held(review, documents[review.id]),
            "recommendations": totals.get(review.id, 0),
            "labels": label_shares(labelled.get(review.id, {}), totals.get(review.id, 0)),
        }
        for review in reviews
    }


# Follow-up


class LetterHeld(Public):
    """The High Commissioner's letter after the review."""

    date: datetime.date | None
    document: DocumentBrief


class MidTerm(Public):
    """The voluntary report in the middle between two reviews. It is never overdue."""

    status: MidTermStatus = Field(
        description="submitted: a report of the State was read; suggested: a letter suggests one, and none was read; "
        "not_seen: neither."
    )
    suggested_by: int | None = Field(
        description="The year by which the High Commissioner's letter hopes for it.", examples=[2027]
    )
    report: DocumentBrief | None = Field(description="The State's report, of several the latest.")
    others: list[DocumentBrief] = Field(description="Reports of institutions and organisations, and earlier ones.")


class NextReview(Public):
    """The State's review in the next cycle."""

    id: str = Field(examples=["PER-3"])
    url: str
    cycle: int
    session: int | None
    date: datetime.date | None
    session_starts_on: datetime.date | None
    session_ends_on: datetime.date | None


class FollowUp(Public):
    """What came after the review in the Working Group."""

    adopted_on: datetime.date | None = Field(description="Day on which the Human Rights Council adopted the outcome.")
    adoption: HearingBrief | None = Field(description="The hearing at which it was adopted.")
    decision: DocumentBrief | None = Field(description="The Council's decision.")
    letter: LetterHeld | None
    mid_term: MidTerm
    next_review: NextReview | None = Field(description="Null: no document of it was read.")


def _follow_up(setting: Setting, reviews: Reviews) -> Mapping[str, Shape]:
    documents = documents_by_review(setting, reviews)
    hearings = setting.once(_hearings_by_review, reviews)
    letters = setting.once(_letters_by_review, reviews)
    following = setting.once(_next_reviews, reviews)
    numbers = [str(each.session) for each in following.values() if each.session]
    sessions = {
        each.number: each
        for each in REVIEW_SESSIONS.where(setting.connection, REVIEW_SESSIONS.key_column.in_(list(map(int, numbers))))
    }
    found = {}
    for review in reviews:
        adoption = _adoption(hearings.get(review.id, ()))
        after = following.get(review.id)
        session = sessions.get(after.session) if after is not None and after.session else None
        found[review.id] = {
            "adopted_on": adoption.date if adoption else None,
            "adoption": hearing_brief(adoption, setting) if adoption else None,
            "decision": _latest(documents[review.id], DocumentKind.COUNCIL_DECISION, setting),
            "letter": _letter(documents[review.id], letters.get(review.id, ()), setting),
            "mid_term": _mid_term(documents[review.id], letters.get(review.id, ()), setting),
            "next_review": after
            and {
                "id": after.id,
                "url": setting.permalink("reviews", after.id),
                "cycle": after.cycle,
                "session": after.session,
                "date": after.date,
                "session_starts_on": session.starts_on if session else None,
                "session_ends_on": session.ends_on if session else None,
            },
        }
    return found


def _latest(documents: Sequence[DocumentRecord], kind: DocumentKind, setting: Setting) -> Shape | None:
    of_kind = [each for each in documents if each.kind == kind]
    return document_brief(of_kind[-1], setting) if of_kind else None


def _letter(documents: Sequence[DocumentRecord], letters: Sequence[Letter], setting: Setting) -> Shape | None:
    of_kind = [each for each in documents if each.kind == DocumentKind.LETTER]
    if not of_kind:
        return None
    dates = {letter.document: letter.date for letter in letters}
    document = of_kind[-1]
    return {
        "date": document.published_on or dates.get(document.id),
        "document": document_brief(document, setting),
    }


def _mid_term(documents: Sequence[DocumentRecord], letters: Sequence[Letter], setting: Setting) -> Shape:
    reports = [each for each in documents if each.kind == DocumentKind.MID_TERM_REPORT]
    of_the_state = [each for each in reports if each.author_kind in (None, "state")]
    report = of_the_state[-1] if of_the_state else None
    suggested = [letter.suggested_mid_term_year for letter in letters if letter.suggested_mid_term_year is not None]
    return {
        "status": _status(report, suggested),
        "suggested_by": suggested[-1] if suggested else None,
        "report": document_brief(report, setting) if report else None,
        "others": [document_brief(each, setting) for each in reports if each is not report],
    }


def _status(report: DocumentRecord | None, suggested: Sequence[int]) -> MidTermStatus:
    if report is not None:
        return MidTermStatus.SUBMITTED
    return MidTermStatus.SUGGESTED if suggested else MidTermStatus.NOT_SEEN


# Recommendations by topic and by those who made them


def _topics(setting: Setting, reviews: Reviews) -> Mapping[str, Shape]:
    return {review.id: topics_of(Asked(setting, [("review", review.id)])) for review in reviews}


def _recommenders(setting: Setting, reviews: Reviews) -> Mapping[str, Shape]:
    return {review.id: makers_of(Asked(setting, [("review", review.id)])) for review in reviews}


REVIEW_PARTS = (
    Part("documents", list[DocumentBrief], "The documents that were read, in the order of their days.", _documents, 1),
    Part("hearings", list[HearingBrief], "The meetings: in the Working Group, and in the Council.", _hearings, 1),
    Part("outcome", Outcome, "Recommendations and answers, counted three ways, beside others' totals.", _outcome, 4),
    Part("timeline", list[TimelineEntry], "What has a date, in order.", _timeline, 4),
    Part("coverage", ReviewCoverage, "What is held and what is not.", coverage_of_reviews, 3),
    Part("follow_up", FollowUp, "What came after it.", _follow_up, 5),
    RECORDS_OF_REVIEWS,
    Part("topics", Topics, "What was recommended in it, by topic.", _topics, 2, alone=True),
    Part("recommenders", Makers, "Who recommended something in it.", _recommenders, 1, alone=True),
)
