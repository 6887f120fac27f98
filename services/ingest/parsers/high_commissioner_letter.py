"""The High Commissioner's letter to the State after the adoption of its outcome, with its annex of observations.

Letters are scans: most carry no text, others the noisy text of an optical reader (`48Ih session`, `1 0ctober 2025`),
few a clean one. What is read from the words is looked for in forms that such noise leaves standing.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from services.core.domain.documents import DocumentKind
from services.core.domain.errors import UnreadableDocumentError
from services.core.domain.reviews import LAST_KNOWN_SESSION, cycle_of_session
from services.ingest.normalise.states import known_state
from services.ingest.parsers.base import Content
from services.ingest.parsers.council_sessions import session_adopted_at
from services.ingest.parsers.text.blocks import Block, DocumentText
from services.ingest.parsers.title_page import first_date
from services.ingest.parsers.working_group_report.number_words import ordinal
from services.ingest.reading import ReadDocument, Reading, ReadIssue, ReadStatement

SPEAKER = "ohchr"

_OUTCOME = re.compile(
    r"outcome report on the review of (?:the )?(?P<state>.{3,80}?) was (?:recently )?adopted by the Human Rights "
    r"Council(?: at its (?P<council>\d{1,2}|[a-z-]+)\W?\w{0,3} session)?",
    re.IGNORECASE,
)
_REVIEW = re.compile(r"\bcycle (?:of the )?(?:UPR )?review of (?:the )?(?P<state>.{3,80}?) by the", re.IGNORECASE)
_WORKING_GROUP = re.compile(
    r"Working Group(?: of the Human Rights Council)? at its (?P<after>\d{1,2})\W?\w{0,3} session"
    r"|\b(?P<before>\d{1,2})\W?\w{0,3} session of the (?:UPR|Universal Periodic Review)[^.]{0,10} Working Group",
    re.IGNORECASE,
)
_CYCLE = re.compile(r"\b(first|second|third|fourth) cycle\b", re.IGNORECASE)
_BEGINS = re.compile(r"^(?:I have the hono|I am writing|I welcome|I wish to|Allow me|Following the)", re.IGNORECASE)
_SALUTATION = re.compile(r"^(?:Dear )?(?:Madam|Sir|Excellency|Minister|Your Excellency)\b.{0,30}[,.]$", re.IGNORECASE)
_ENDS = re.compile(r"assurances? of my highest|highest consideration", re.IGNORECASE)
_ANNEX = re.compile(r"^(?:annex\b|observations in (?:the )?light of)", re.IGNORECASE)
_HEADING_GOES_ON = re.compile(r"^(?:the )?universal periodic review\W*$", re.IGNORECASE)
_FURNITURE = re.compile(r"^(?:page\s?\d{1,2}|\d{1,2}|OHCHR|(?:\d{1,2} )?[A-Z0]\w{2,8} 20\d\d)$", re.IGNORECASE)
_MID_TERM = re.compile(r"\bmid-?\s?term\b[^§]{0,400}?\b(?:by|in)\s+(20\d\d)\b", re.IGNORECASE)
_ZERO_FOR_O = re.compile(r"\b0(?=[a-z]{3,})")
_VV_FOR_W = re.compile(r"(?<=[a-z])vv(?=[a-z]*\b)")
_INDENT = 15.0
_PAGES_AT_MOST = 12


class HighCommissionerLetter:
    """Reads letters of the third and fourth cycles in English."""

    name = "high_commissioner_letter"
    version = "1"

    def bid(self, content: Content) -> float:
        """High where the unchanging sentence about the outcome stands under a letterhead."""
        try:
            text = content.text
        except UnreadableDocumentError:
            return 0.0
        if len(text.blocks) > 600 or (text.pages or 0) > _PAGES_AT_MOST:
            return 0.0
        words = _words(text.blocks)
        return 0.96 if _OUTCOME.search(words) and _ENDS.search(words) else 0.0

    def read(self, content: Content) -> Reading:
        """Read the letter. Raises `UnreadableDocumentError` (`unknown_state`) where it names no State we know."""
        return read_letter(content.text)


def read_letter(text: DocumentText) -> Reading:
    """Read a letter's text. Raises `UnreadableDocumentError` (`unknown_state`) where it names no State we know."""
    words = _words(text.blocks)
    state = _state(words)
    if state is None:
        raise UnreadableDocumentError("unknown_state", "The letter names no State that we know")
    issues: list[ReadIssue] = []
    session, cycle = _session(words, issues)
    day = _date(text.blocks)
    if day is None:
        issues.append(ReadIssue("warning", "no_date", "The letter bears no date that can be read"))
    year = _MID_TERM.search(words)
    return Reading(
        parser=HighCommissionerLetter.name,
        parser_version=HighCommissionerLetter.version,
        document=ReadDocument(
            kind=DocumentKind.LETTER.value,
            title="Letter of the High Commissioner for Human Rights",
            published_on=day,
            state_under_review=state,
            session=session,
            cycle=cycle,
            pages=text.pages,
        ),
        statements=(
            ReadStatement(
                speaker=SPEAKER,
                kind="letter",
                text="\n\n".join(_said(_paragraphs(text))),
                page=1 if text.pages else None,
                speaker_kind="intergovernmental",
                speaker_name="Office of the United Nations High Commissioner for Human Rights",
                date=day,
                suggested_mid_term_year=int(year[1]) if year else None,
            ),
        ),
        issues=tuple(issues),
    )


def _words(blocks: Iterable[Block]) -> str:
    return " ".join(_mended(block.text) for block in blocks)


def _mended(text: str) -> str:
    """A line without the two misreadings that no English word bears: `0ctober`, `revievv`."""
    return _VV_FOR_W.sub(_w, _ZERO_FOR_O.sub("O", " ".join(text.split())))


def _w(found: re.Match[str]) -> str:
    before = found.string[: found.start()][-3:].casefold()
    return found[0] if before.endswith(("sa", "na", "ski", "chi", "fli", "re")) else "w"  # savvy, navvy, revved …


def _state(words: str) -> str | None:
    for pattern in (_OUTCOME, _REVIEW):
        for found in pattern.finditer(words):
            if code := known_state(found["state"]):
                return code
    return None


def _session(words: str, issues: list[ReadIssue]) -> tuple[int | None, int | None]:
    """The session by its own number, else by the Council's; the cycle by the session, else by its word."""
    named = _CYCLE.search(words)
    said = ordinal(named[1]) if named else None
    found, outcome = _WORKING_GROUP.search(words), _OUTCOME.search(words)
    session = int(found["after"] or found["before"]) if found else None
    if outcome and outcome["council"]:
        council = int(outcome["council"]) if outcome["council"].isdecimal() else ordinal(outcome["council"])
        by_council = session_adopted_at(council) if council else None
        if by_council and session and by_council != session:
            detail = f"Session {session} is named, but the Council's session {council} adopted those of {by_council}"
            issues.append(ReadIssue("warning", "sessions_contradict", detail))
        session = session or by_council
    if session is None or not 1 <= session <= LAST_KNOWN_SESSION:
        return None, said
    cycle = cycle_of_session(session)
    if said and said != cycle:
        issues.append(ReadIssue("warning", "cycle_differs", f"cycle {said} is named; session {session} is of {cycle}"))
    return session, cycle


def _date(blocks: Sequence[Block]) -> str | None:
    """The date line of the letter, else that of the annex."""
    alone = (first_date(_mended(block.text)) for block in blocks if len(block.text) < 40)
    return next((day for day in alone if day), None)


def _paragraphs(text: DocumentText) -> list[str]:
    """The paragraphs: as Word has them, or printed lines joined; a first line is set in."""
    lines = [block for block in text.blocks if block.text.strip()]
    if text.pages is None:
        return [_mended(block.text) for block in lines]
    edges = Counter(round(block.x / 4) * 4 for block in lines if block.x is not None)
    edge = edges.most_common(1)[0][0] if edges else 0
    paragraphs: list[str] = []
    for line in lines:
        words = _mended(line.text)
        set_in = line.x is not None and line.x > edge + _INDENT
        heading = bool(paragraphs) and bool(_ANNEX.match(paragraphs[-1])) and bool(_HEADING_GOES_ON.match(words))
        if heading or (paragraphs and not set_in and not _stands_alone(words) and not _stands_alone(paragraphs[-1])):
            paragraphs[-1] += " " + words
        else:
            paragraphs.append(words)
    return _without_page_breaks(paragraphs)


def _without_page_breaks(paragraphs: Iterable[str]) -> list[str]:
    """Furniture taken out, and the paragraph that it cut in two joined."""
    kept: list[str] = []
    cut = False
    for words in paragraphs:
        if _FURNITURE.match(words) or len(words) < 4:
            cut = True
        elif cut and kept and not kept[-1].endswith((".", ":", "!")) and words[:1].islower():
            kept[-1] += " " + words
            cut = False
        else:
            kept.append(words)
            cut = False
    return kept


def _stands_alone(words: str) -> bool:
    """Whether nothing that is printed next belongs to these words: furniture, headings, the letter's last sentence."""
    last = words.endswith(".") and _ENDS.search(words)
    return bool(last or _FURNITURE.match(words) or _SALUTATION.match(words) or _ANNEX.match(words))


def _said(paragraphs: Iterable[str]) -> Iterator[str]:
    """The letter from its first sentence to its last, then the annex; no letterhead, address or signature."""
    inside, in_annex = False, False
    for words in paragraphs:
        if _ANNEX.match(words) and len(words) < 160:
            inside, in_annex = True, True
        elif _FURNITURE.match(words):
            continue
        elif _BEGINS.match(words) and not in_annex:
            inside = True
        if inside:
            yield words
        if _ENDS.search(words) and not in_annex:
            inside = False
