"""Kinds within a noun: of hearings, of statements, of observations (those of documents: `DocumentKind`)."""

from collections.abc import Mapping
from enum import StrEnum

from services.core.domain.documents import DocumentKind


class HearingKind(StrEnum):
    """What a meeting was held for."""

    WORKING_GROUP_REVIEW = "working_group_review"
    COUNCIL_ADOPTION = "council_adoption"
    GENERAL_DEBATE = "general_debate"
    THEMATIC_HEARING = "thematic_hearing"


class StatementKind(StrEnum):
    """On which occasion somebody spoke or wrote."""

    PRESENTATION = "presentation"
    DIALOGUE = "dialogue"
    ANSWER = "answer"
    CLOSING = "closing"
    COMMENT = "comment"
    DEBATE = "debate"
    QUESTION = "question"
    LETTER = "letter"


class ObservationKind(StrEnum):
    """What a mechanism said of a State."""

    RECOMMENDATION = "recommendation"
    CONCERN = "concern"


KINDS: Mapping[str, type[StrEnum]] = {
    "documents": DocumentKind,
    "hearings": HearingKind,
    "statements": StatementKind,
    "observations": ObservationKind,
}
"""By noun, the kinds that its records can be of."""
