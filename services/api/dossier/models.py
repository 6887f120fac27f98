"""The public shape of a dossier."""

import datetime
from typing import Literal

from pydantic import Field

from services.api.details.briefs import DocumentBrief
from services.api.details.counts import Counts
from services.api.details.reviews import FollowUp
from services.core.schemas.models import Dataset, Fact, Hearing, Pledge, Public, Recommendation, Statement
from services.core.schemas.names import StateName


class DossierTopic(Public):
    """What the dossier is about."""

    id: str = Field(examples=["torture-prevention"])
    url: str = Field(description="Permalink.")
    name: str = Field(examples=["Torture prevention"])


class DossierCycle(Public):
    """What the State was told in one of its reviews, and what it answered."""

    cycle: int
    review: str = Field(examples=["PER-2"])
    url: str = Field(description="Permalink of the review.")
    date: datetime.date | None
    answers: Counts | None = Field(
        description="Of the recommendations on the topic. Null: no document that lists recommendations was read."
    )
    recommendations: list[Recommendation]
    missing: list[str] = Field(description="Kinds of documents of the review of which none was read.")


class SaidAgain(Public):
    """Recommendations that say the same, or nearly the same, in more than one cycle."""

    cycles: list[int] = Field(examples=[[1, 2]])
    ids: list[str]
    since: datetime.date | None = Field(description="Day of the review in which it was said first.")
    recommending_states: list[StateName] = Field(description="All who said it, in the order in which they did.")


class SaidToBeDone(Public):
    """A recommendation of which the State says that it is implemented, or being implemented."""

    id: str
    detail: Literal["implemented", "in_process"]
    phrase: str | None = Field(description="The State's words, as printed.")
    symbol: str | None = Field(description="Document in which it says so.")
    paragraph: str | None
    effective_on: datetime.date | None
    document: str | None = Field(description="Id of the document that told us.")


class StatementsOnTopic(Public):
    """What was said on the topic in the State's reviews: the latest first."""

    total: int = Field(description="How many there are; more than are shown, where there are very many.")
    data: list[Statement]


class FactsOfState(Public):
    """Dated facts about the State, with their sources."""

    on_topic: list[Fact] = Field(description="On treaties and institutions that the topic is about.")
    others: list[Fact]


class HearingsOfDossier(Public):
    """Hearings of the State."""

    of_reviews: list[Hearing] = Field(description="Reviews in the Working Group, adoptions in the Council, debates.")
    on_topic: list[Hearing] = Field(
        description="Thematic hearings of the Inter-American Commission whose title or summary speaks of the topic, "
        "those of the whole region among them."
    )
    others: int = Field(description="How many more thematic hearings are held, which do not speak of it.")
    in_region: bool = Field(description="Whether the State is one of those that the Inter-American Commission hears.")


class DateAhead(Public):
    """Something to come, as far as it is known."""

    kind: Literal["next_review", "council_adoption", "answers", "mid_term_report"] = Field(
        description="answers: the State has still to answer `count` recommendations on the topic, before the Council "
        "adopts the outcome; mid_term_report: the High Commissioner's letter hopes for it by the end of `year`."
    )
    date: datetime.date | None
    starts_on: datetime.date | None = Field(description="First day of the session, where the day is not known.")
    ends_on: datetime.date | None
    year: int | None
    cycle: int | None
    session: int | None = Field(description="Of the Working Group.")
    count: int | None


class ReviewNotRead(Public):
    """A review that has been, by the calendar of the cycles, and of which nothing was read."""

    cycle: int
    session: int | None
    date: datetime.date | None
    starts_on: datetime.date | None
    ends_on: datetime.date | None


class Dossier(Public):
    """All that is held of one State on one topic."""

    url: str = Field(description="Permalink.")
    state: StateName
    topic: DossierTopic
    answers: Counts | None = Field(
        description="Of all cycles together. Null: nothing that lists recommendations was read."
    )
    cycles: list[DossierCycle] = Field(description="The first cycle first.")
    said_to_be_done: list[SaidToBeDone]
    said_again: list[SaidAgain]
    cycles_not_read: list[int] = Field(description="Cycles of which no document was read: gaps, and not zeros.")
    reviews_not_read: list[ReviewNotRead] = Field(description="The same, with what the calendar says of later ones.")
    pledges: list[Pledge]
    statements: StatementsOnTopic
    documents: list[DocumentBrief] = Field(description="In which what is told here stands.")
    facts: FactsOfState
    facts_not_held: list[str] = Field(
        description="Subjects of facts that the topic is about and of which none of the State is held.",
        examples=[["treaty:OPCAT", "npm"]],
    )
    hearings: HearingsOfDossier
    follow_up: FollowUp | None = Field(description="What came after the latest review, and the next one.")
    dates_ahead: list[DateAhead] = Field(description="From the day of the data on, the nearest first.")
    dataset: Dataset
