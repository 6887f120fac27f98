"""Decisions of the Human Rights Council on the outcome of a review (`A/HRC/DEC/59/112`)."""

import re
from dataclasses import replace

from services.core.domain.documents import SYMBOL_IN_TEXT, DocumentKind
from services.core.domain.errors import UnreadableDocumentError
from services.core.domain.identifiers import adoption_hearing_id, review_hearing_id
from services.ingest.normalise.states import known_state
from services.ingest.parsers.base import Content
from services.ingest.parsers.council_sessions import cycle_adopted_at, session_adopted_at
from services.ingest.parsers.text.blocks import DocumentText
from services.ingest.parsers.title_page import TitlePage, first_date, plain_digits, read_title_page
from services.ingest.reading import ReadDocument, ReadHearing, Reading, ReadIssue

_TITLE = re.compile(
    r"\boutcome of the universal periodic review\b|\bresultados? del examen periódico universal\b|"
    r"\b(?:textes? issus?|document final|résultats?) de l[’']examen périodique universel\b",
    re.IGNORECASE,
)
_DECISION = re.compile(
    r"\bdecisions? adopted by the (?:human rights )?council\b|"
    r"\bdecisi(?:ón|ones) (?:adoptadas?|aprobadas?) por el consejo\b|"
    r"\bdécisions? adoptées? par le conseil\b|\bA/HRC/DEC/\d",
    re.IGNORECASE,
)
_COUNCIL_DECIDES = re.compile(
    r"\b(?:the human rights council|el consejo de derechos humanos|le conseil des droits de l[’']homme),", re.IGNORECASE
)
_NUMBER = re.compile(r"(?<!PRST/)\b(?P<council>\d{1,2})/1\d\d\b")
_REVIEWED = (
    re.compile(
        r"having conducted the review of (?P<state>.{3,80}?),? on (?P<when>.{8,40}?)\b(?:in\b|,)", re.IGNORECASE
    ),
    re.compile(
        r"habiendo (?:realizado|llevado a cabo|efectuado) el examen (?:del|de(?: la| los| las| el)?) "
        r"(?P<state>.{3,80}?),? el (?P<when>\d.{8,40}?\d{4})",
        re.IGNORECASE,
    ),
    re.compile(
        r"ayant (?:procédé à|effectué|mené|conduit) l[’']examen (?:du|des|d[’']|de(?: la | l[’']| )) ?"
        r"(?P<state>.{3,80}?),? le (?P<when>\d.{8,40}?\d{4})",
        re.IGNORECASE,
    ),
)
_MEETING = re.compile(
    r"\b(\d{1,2})(?:(st|nd|rd|th) meeting|\s?[ªa.º]{1,2} sesión(?: plenaria)?|\s?(?:e|re|ère|ème) séance)\b",
    re.IGNORECASE,
)
_ADOPTED_ON = re.compile(
    r"(?:adopted by the (?:human rights )?council on|(?:adoptada|aprobada) por el consejo de derechos humanos el|"
    r"adoptée par le conseil des droits de l[’']homme le) (?P<when>.{8,30})",
    re.IGNORECASE,
)
_AFTER_MEETING = 60
_MOST_PAGES, _MOST_BLOCKS = 3, 400


class CouncilDecision:
    """Reads decisions of all cycles in English, Spanish and French, PDF and Word."""

    name = "council_decision"
    version = "2"

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
    issues: list[ReadIssue] = []
    number = _number(title, words)
    council = title.council_session or (int(number.split("/")[0]) if number else None)
    title = _with_state(replace(title, council_session=council), words, issues)
    if title.state is None or council is None:
        raise UnreadableDocumentError("unknown_review", "The decision names no State, or no session of the Council")
    adopted_on, meeting = _adoption(words)
    if adopted_on is None:
        issues.append(ReadIssue("warning", "no_date", "The decision does not say on which day it was adopted"))
    if title.cycle is None:
        issues.append(ReadIssue("error", "unknown_cycle", "The Council's session does not tell the cycle"))
    named = f"Outcome of the universal periodic review: decision {number}" if number else None
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


def _number(title: TitlePage, words: str) -> str | None:
    """The decision's number: that of its symbol, else the first printed; the preamble cites others (17/119)."""
    found = _NUMBER.search(title.symbol or "") or _NUMBER.search(words)
    return found[0] if found else None


def _with_state(title: TitlePage, words: str, issues: list[ReadIssue]) -> TitlePage:
    """The title page with the State, and the cycle of the Council's session where the symbol does not tell."""
    reviewed = _reviewed(words)
    state = known_state(reviewed["state"]) if reviewed else None
    if title.state and state and title.state != state:
        detail = f"{title.state} in the title, {state} in the sentence about the review"
        issues.append(ReadIssue("warning", "state_under_review_differs", detail))
    council = title.council_session
    session = title.session or (session_adopted_at(council) if council else None)
    cycle = title.cycle or (cycle_adopted_at(council) if council else None)
    return replace(title, state=title.state or state, session=session, cycle=cycle)


def _reviewed(words: str) -> re.Match[str] | None:
    """The sentence on the review in the Working Group, with its State and its day."""
    return next((found for pattern in _REVIEWED if (found := pattern.search(words))), None)


def _words(text: DocumentText) -> str:
    return " ".join(" ".join(plain_digits(block.text).split()) for block in text.blocks)


def _document(title: TitlePage, text: DocumentText, words: str, named: str | None) -> ReadDocument:
    cited = ("".join(found[0].split()) for found in SYMBOL_IN_TEXT.finditer(words))
    return ReadDocument(
        kind=DocumentKind.COUNCIL_DECISION.value,
        symbol=title.symbol,
        language=title.language,
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
    return after or (first_date(said["when"]) if said else None), _printed_in_english(meeting) if meeting else None


def _printed_in_english(meeting: re.Match[str]) -> str:
    """The meeting's number as English documents print it ("25th"), so that a hearing is told alike in all languages."""
    number = int(meeting[1])
    if meeting[2]:
        return f"{number}{meeting[2].lower()}"
    ending = "th" if number // 10 == 1 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _review_hearing(title: TitlePage, words: str) -> tuple[ReadHearing, ...]:
    """The review in the Working Group, whose day the decision gives."""
    reviewed = _reviewed(words)
    day = first_date(reviewed["when"]) if reviewed else None
    if day is None or title.session is None or title.state is None:
        return ()
    return (ReadHearing(id=review_hearing_id(title.session, title.state), kind="working_group_review", date=day),)
