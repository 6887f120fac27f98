"""OHCHR's summary of stakeholders' submissions, with the organisations that its endnote lists."""

import re
from collections.abc import Iterator

from services.core.domain.documents import DocumentKind
from services.ingest.parsers.addendum_totals import whole_number
from services.ingest.parsers.base import Content
from services.ingest.parsers.plain_document import document_of, kind_by_symbol, read_paragraphs, title_issues
from services.ingest.parsers.stakeholder_organisations import Endnote, read_endnote
from services.ingest.parsers.text.blocks import DocumentText
from services.ingest.parsers.title_page import read_title_page
from services.ingest.reading import Reading, ReadIssue

_COUNT = re.compile(
    r"\bsummary of (?P<n>\d{1,3}|[a-z]+(?:-[a-z]+)?) stakeholders?[’']? submissions?"
    r"|\b(?:resumen|resumidas?) (?:de )?(?:las )?(?P<es>\d{1,3}) comunicaciones"
    r"|\brésumé de (?P<fr>\d{1,3}) communications",
    re.IGNORECASE,
)


class StakeholderSummary:
    """Reads summaries in English, Spanish and French, which are known by their symbols."""

    name = "stakeholder_summary"
    version = "3"

    def bid(self, content: Content) -> float:
        """Fair where the symbol is that of a summary."""
        return 0.9 if kind_by_symbol(content) is DocumentKind.STAKEHOLDER_SUMMARY else 0.0

    def read(self, content: Content) -> Reading:
        """Read paragraphs and organisations. Raises `UnreadableDocumentError` (`no_paragraphs`)."""
        title = read_title_page(content.text)
        endnote = read_endnote(content.text)
        return Reading(
            parser=self.name,
            parser_version=self.version,
            document=document_of(title, content.text),
            organisations=endnote.organisations,
            paragraphs=read_paragraphs(content.text, title),
            issues=(*title_issues(title), *_count_issues(content.text, endnote), *endnote.issues),
        )


def _count_issues(text: DocumentText, endnote: Endnote) -> Iterator[ReadIssue]:
    if not endnote.organisations:
        yield ReadIssue("warning", "no_organisations", "No endnote that lists the stakeholders was found")
        return
    found = _COUNT.search(" ".join(block.text for block in text.blocks[:60]))
    said = whole_number(found["n"] or found["es"] or found["fr"]) if found else None
    if said is not None and said != endnote.submissions:
        detail = f"The summary speaks of {said} submissions; {endnote.submissions} are listed"
        yield ReadIssue("info", "submissions_differ", detail)
