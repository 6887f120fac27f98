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
