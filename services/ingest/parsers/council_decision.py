"""Decisions of the Human Rights Council on the outcome of a review (`A/HRC/DEC/59/112`)."""

import re

from services.core.domain.documents import SYMBOL_IN_TEXT, DocumentKind
from services.core.domain.errors import UnreadableDocumentError
from services.core.domain.identifiers import adoption_hearing_id, review_hearing_id
from services.ingest.parsers.base import Content
from services.ingest.parsers.text.blocks import DocumentText
from services.ingest.parsers.title_page import TitlePage, first_date, plain_digits, read_title_page
from services.ingest.reading import ReadDocument, ReadHearing, Reading, ReadIssue

_TITLE = re.compile(r"\boutcome of the universal periodic review\s*[:–-]", re.IGNORECASE)
_DECISION = re.compile(r"\bdecisions? adopted by the human rights council\b|\bA/HRC/DEC/\d", re.IGNORECASE)
_COUNCIL_DECIDES = re.compile(r"\bthe human rights council,", re.IGNORECASE)
_NUMBER = re.compile(r"\b(\d{1,3}/1\d\d)\b")
_REVIEWED = re.compile(
    r"having conducted the review of (?P<state>.{3,80}?) on (?P<when>.{8,40}?)\b(?:in|,)", re.IGNORECASE
)
_MEETING = re.compile(r"\b(\d{1,2}(?:st|nd|rd|th)) meeting\b", re.IGNORECASE)
_ADOPTED_ON = re.compile(r"adopted by the human rights council on (?P<when>.{8,30})", re.IGNORECASE)
_AFTER_MEETING = 60
_MOST_PAGES, _MOST_BLOCKS = 3, 400


class CouncilDecision:
    """Reads decisions in English, of all cycles, PDF and Word."""

    name = "council_decision"
    version = "1"

    def bid(self, content: Content) -> float:
        """High where the title and the enacting words of such a decision stand."""
        try:
            text = content.text
        except UnreadableDocumentError:
            return 0.0
        if (text.pages or 0) > _MOST_PAGES or len(text.blocks) > _MOST_BLOCKS:
            return 0.0  # a report that prints decisions
        words = _words(text)
        title, decision = _TITLE.search(words[:3000]), _DECISION.search(words[:3000])
        return 0.97 if title and decision and _COUNCIL_DECIDES.search(words) else 0.0

    def read(self, content: Content) -> Reading:
        """Read the decision. Raises `UnreadableDocumentError` (`unknown_review`) where it names no State we know."""
        return read_decision(content.text)


def read_decision(text: DocumentText) -> Reading:
    """Read a decision's text. Raises `UnreadableDocumentError` (`unknown_review`) where it names no State we know."""
    title, words = read_title_page(text), _words(text)
    council = title.council_session
    if title.state is None or council is None:
        raise UnreadableDocumentError("unknown_review", "The decision names no State, or no session of the Council")
    number = _NUMBER.search(words)
    adopted_on, meeting = _adoption(words)
    issues = []
    if adopted_on is None:
        issues.append(ReadIssue("warning", "no_date", "The decision does not say on which day it was adopted"))
    if title.cycle is None:
        issues.append(ReadIssue("error", "unknown_cycle", "The Council's session does not tell the cycle"))
    named = f"Outcome of the universal periodic review: decision {number[1]}" if number else None
    return Reading(
        parser=CouncilDecision.name,
        parser_version=CouncilDecision.version,
        document=_document(title, text, words, named),
        hearings=(
            ReadHearing(
                id=adoption_hearing_id(council, title.state),
                kind="council_adoption",
                date=adopted_on,
                title="Adoption of the outcome of the universal periodic review",
                council_session=council,
                meeting=meeting,
            ),
            *_review_hearing(title, words),
        ),
        issues=tuple(issues),
    )


def _words(text: DocumentText) -> str:
    return " ".join(" ".join(plain_digits(block.text).split()) for block in text.blocks)


def _document(title: TitlePage, text: DocumentText, words: str, named: str | None) -> ReadDocument:
    cited = ("".join(found[0].split()) for found in SYMBOL_IN_TEXT.finditer(words))
    return ReadDocument(
        kind=DocumentKind.COUNCIL_DECISION.value,
        symbol=title.symbol,
        title=named,
        published_on=title.published_on,
        state_under_review=title.state,
        session=title.session,
        cycle=title.cycle,
        pages=text.pages,
        cites=tuple(symbol for symbol in dict.fromkeys(cited) if symbol != title.symbol),
    )


def _adoption(words: str) -> tuple[str | None, str | None]:
    """The day of the adoption and the number of the meeting."""
    meeting = _MEETING.search(words)
    after = first_date(words[meeting.end() : meeting.end() + _AFTER_MEETING]) if meeting else None
    said = _ADOPTED_ON.search(words)
    return after or (first_date(said["when"]) if said else None), meeting[1] if meeting else None


def _review_hearing(title: TitlePage, words: str) -> tuple[ReadHearing, ...]:
    """The review in the Working Group, whose day the decision gives."""
    reviewed = _REVIEWED.search(words)
    day = first_date(reviewed["when"]) if reviewed else None
    if day is None or title.session is None or title.state is None:
        return ()
    return (ReadHearing(id=review_hearing_id(title.session, title.state), kind="working_group_review", date=day),)
