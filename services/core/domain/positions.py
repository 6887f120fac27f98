"""What a State answered to a recommendation."""

from enum import StrEnum


class Position(StrEnum):
    """The three answers of the review (Human Rights Council resolution 5/1, annex, para. 32), and no answer yet."""

    SUPPORTED = "supported"
    NOTED = "noted"
    PENDING = "pending"


class PositionDetail(StrEnum):
    """What a State added to its answer."""

    IMPLEMENTED = "implemented"
    IN_PROCESS = "in_process"
    PARTIAL = "partial"
    NOT_SUPPORTED = "not_supported"


POSITION_PRECEDENCE = (
    "working_group_draft",
    "working_group_report",
    "upr_info",
    "uhri",
    "matrix",
    "council_report",
    "addendum",
)
"""Kinds of sources by how much their word on a position weighs, the last most (DESIGN §2)."""

SAID_IN_THE_WORKING_GROUP = frozenset({"working_group_draft", "working_group_report"})
"""Sources that tell of the answer given at the review; all others tell of a later one."""


def position_weight(source_kind: str) -> int:
    """How much a source's word on a position weighs; a kind that says nothing of positions weighs least."""
    return POSITION_PRECEDENCE.index(source_kind) if source_kind in POSITION_PRECEDENCE else -1
