"""What can happen to a record, and why it is told."""

from enum import StrEnum


class Cause(StrEnum):
    """Why a change was made.

    `publication`: a source newer than what was held. `backfill`: the source is history, loaded late. `correction`: the
    same source read better. `merge`: two records turned out to be one.
    """

    PUBLICATION = "publication"
    BACKFILL = "backfill"
    CORRECTION = "correction"
    MERGE = "merge"


DEFAULT_CAUSES = (Cause.PUBLICATION, Cause.CORRECTION, Cause.MERGE)
"""What an endpoint hears unless it asks otherwise: everything but history that is loaded late."""


class Match(StrEnum):
    """How a change met what somebody asks for: the record came to meet it, met it before and after, or ceased to.

    Without anything asked for, a record that is made enters, and one that is deleted leaves.
    """

    ENTERED = "entered"
    STAYED = "stayed"
    LEFT = "left"


SINGULAR = {
    "states": "state",
    "reviews": "review",
    "documents": "document",
    "recommendations": "recommendation",
    "pledges": "pledge",
    "observations": "observation",
    "hearings": "hearing",
    "statements": "statement",
    "organisations": "organisation",
    "labels": "label",
}
"""Nouns as they stand in addresses, and as they stand in event types."""

_EVERY_NOUN = tuple(
    f"{singular}.{verb}" for singular in SINGULAR.values() for verb in ("created", "updated", "deleted")
)
EVENT_TYPES = (*_EVERY_NOUN, "recommendation.replaced", "recommendation.position_changed", "hearing.replaced")
"""All event types there are today. Receivers ignore types they do not know."""


def type_matches(wanted: frozenset[str], event_type: str) -> bool:
    """Whether someone who asked for these types hears of this one.

    Who asks for `recommendation.updated` also hears `recommendation.position_changed`: it is an update as well.
    """
    if event_type in wanted:
        return True
    return event_type == "recommendation.position_changed" and "recommendation.updated" in wanted
