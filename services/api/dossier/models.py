"""The public shape of a dossier."""

import datetime

from pydantic import Field

from services.api.details.briefs import HearingBrief
from services.api.details.counts import Counts
from services.api.details.reviews import FollowUp
from services.core.schemas.models import Dataset, Pledge, Public, Recommendation, Statement
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


class StatementsOnTopic(Public):
    """What was said on the topic in the State's reviews: the latest first."""

    total: int = Field(description="How many there are; more than are shown, where there are very many.")
    data: list[Statement]


class Dossier(Public):
    """All that is held of one State on one topic."""

    url: str = Field(description="Permalink.")
    state: StateName
    topic: DossierTopic
    answers: Counts | None = Field(
        description="Of all cycles together. Null: nothing that lists recommendations was read."
    )
    cycles: list[DossierCycle] = Field(description="The first cycle first.")
    said_again: list[SaidAgain]
    cycles_not_read: list[int] = Field(description="Cycles of which no document was read: gaps, and not zeros.")
    pledges: list[Pledge]
    statements: StatementsOnTopic
    hearings: list[HearingBrief] = Field(description="All hearings of the State that are held, whatever their topic.")
    follow_up: FollowUp | None = Field(description="What came after the latest review, and the next one.")
    dataset: Dataset
