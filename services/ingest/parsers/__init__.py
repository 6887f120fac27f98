"""Parsers, each for one kind of document. The highest bidder reads."""

from collections.abc import Mapping

from services.core.domain.errors import UnreadableDocumentError
from services.ingest.parsers.addendum import Addendum
from services.ingest.parsers.advance_questions import AdvanceQuestions
from services.ingest.parsers.base import Content, Parser
from services.ingest.parsers.council_decision import CouncilDecision
from services.ingest.parsers.council_report import CouncilReport
from services.ingest.parsers.follow_up_report import FollowUpReport
from services.ingest.parsers.high_commissioner_letter import HighCommissionerLetter
from services.ingest.parsers.iachr_hearing_page import IachrHearingPage
from services.ingest.parsers.iachr_press_release import IachrPressRelease
from services.ingest.parsers.nhri_status import NhriStatus
from services.ingest.parsers.nmirf import Nmirf
from services.ingest.parsers.npm_list import NpmList
from services.ingest.parsers.ohchr_matrix import OhchrMatrix
from services.ingest.parsers.organisation_facts import OrganisationFacts
from services.ingest.parsers.plain_document import PlainDocument
from services.ingest.parsers.stakeholder_summary import StakeholderSummary
from services.ingest.parsers.text.sniff import PAGES_AND_TABLES, FileType
from services.ingest.parsers.treaty_dashboard import TreatyDashboard
from services.ingest.parsers.treaty_status import TreatyStatus
from services.ingest.parsers.working_group_report import WorkingGroupReport
from services.ingest.reading import Reading

_OF_DOCUMENTS: tuple[Parser, ...] = (
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
_OF_PAGES: tuple[Parser, ...] = (IachrHearingPage(), IachrPressRelease(), TreatyStatus(), NpmList())
_OF_TABLES: tuple[Parser, ...] = (TreatyDashboard(), NhriStatus(), Nmirf())
_OF_FACTS: tuple[Parser, ...] = (OrganisationFacts(),)
PARSERS: tuple[Parser, ...] = (*_OF_DOCUMENTS, *_OF_PAGES, *_OF_TABLES, *_OF_FACTS)
_ASKED: Mapping[FileType, tuple[Parser, ...]] = {
    FileType.HTML: _OF_PAGES,
    FileType.XLS: _OF_TABLES,
    FileType.TEXT: (*_OF_TABLES, *_OF_FACTS),
    FileType.XLSX: (*_OF_DOCUMENTS, *_OF_TABLES),
}
"""Who is asked about a file of some types; about those of all others, who reads documents."""

LOWEST_BID = 0.5
"""Below it a document is of no kind that we read."""


def read_document(content: Content) -> Reading:
    """Read a document with the parser that bids highest for it.

    Raises `UnreadableDocumentError`: what `sniff` and `open_text` raise, `unknown_kind` where no bid reaches
    `LOWEST_BID`, and what the parser raises. A web page or a plain text that nobody knows is refused as such.
    """
    if content.file_type not in PAGES_AND_TABLES:
        _ = content.text  # a file's own fault is told before anyone bids
    bids = [(parser.bid(content), parser) for parser in _ASKED.get(content.file_type, _OF_DOCUMENTS)]
    highest, parser = max(bids, key=lambda bid: bid[0])
    if highest < LOWEST_BID:
        _ = content.text
        kinds = ", ".join(parser.name for parser in PARSERS)
        raise UnreadableDocumentError("unknown_kind", f"the document is of no kind that is read ({kinds})")
    return parser.read(content)
