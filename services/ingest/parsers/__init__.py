"""Parsers, each for one kind of document. The highest bidder reads."""

from services.core.domain.errors import UnreadableDocumentError
from services.ingest.parsers.addendum import Addendum
from services.ingest.parsers.advance_questions import AdvanceQuestions
from services.ingest.parsers.base import Content, Parser
from services.ingest.parsers.council_decision import CouncilDecision
from services.ingest.parsers.council_report import CouncilReport
from services.ingest.parsers.follow_up_report import FollowUpReport
from services.ingest.parsers.high_commissioner_letter import HighCommissionerLetter
from services.ingest.parsers.ohchr_matrix import OhchrMatrix
from services.ingest.parsers.plain_document import PlainDocument
from services.ingest.parsers.stakeholder_summary import StakeholderSummary
from services.ingest.parsers.working_group_report import WorkingGroupReport
from services.ingest.reading import Reading

PARSERS: tuple[Parser, ...] = (
    WorkingGroupReport(),
    OhchrMatrix(),
    Addendum(),
    CouncilDecision(),
    AdvanceQuestions(),
    HighCommissionerLetter(),
    CouncilReport(),
    FollowUpReport(),
    StakeholderSummary(),
    PlainDocument(),
)

LOWEST_BID = 0.5
"""Below it a document is of no kind that we read."""


def read_document(content: Content) -> Reading:
    """Read a document with the parser that bids highest for it.

    Raises `UnreadableDocumentError`: what `sniff` and `open_text` raise, `unknown_kind` where no bid reaches
    `LOWEST_BID`, and what the parser raises.
    """
    _ = content.text  # a file's own fault is told before anyone bids
    bids = [(parser.bid(content), parser) for parser in PARSERS]
    highest, parser = max(bids, key=lambda bid: bid[0])
    if highest < LOWEST_BID:
        kinds = ", ".join(parser.name for parser in PARSERS)
        raise UnreadableDocumentError("unknown_kind", f"the document is of no kind that is read ({kinds})")
    return parser.read(content)
