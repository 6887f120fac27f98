"""The High Commissioner's letter to the State after the adoption of its outcome, with its annex of observations.

Letters are scans: most carry no text, others the noisy text of an optical reader (`48Ih session`, `1 0ctober 2025`,
`U n i v e r s a l`), few a clean one. Facts are looked for in the words without their blanks, in forms that such noise
leaves standing (`high_commissioner_letter.toml`); the text is given as it was read.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from services.core.domain.documents import DocumentKind
from services.core.domain.errors import UnreadableDocumentError
from services.core.domain.reviews import LAST_KNOWN_SESSION, cycle_of_session
from services.ingest.normalise.states import known_state
from services.ingest.parsers.base import Content
from services.ingest.parsers.council_sessions import session_adopted_at
from services.ingest.parsers.high_commissioner_letter_lines import Passage, mended, passages
from services.ingest.parsers.text.blocks import Block, DocumentText
from services.ingest.parsers.title_page import first_date
from services.ingest.parsers.working_group_report.number_words import ordinal
from services.ingest.reading import ReadDocument, Reading, ReadIssue, ReadParagraph, ReadStatement

SPEAKER = "ohchr"

_SALUTATION = re.compile(
    r"^(?:dear|chère?|estimad[oa])?\W*(?:madame?|sir|monsieur|señora?|excellenc[ey]|excelencia|minist(?:er|re)|ministr[oa]|"
    r"your excellency|su excelencia)\b.{0,40}[,.:]$",
    re.IGNORECASE,
)
_FURNITURE = re.compile(
    r"^(?:page\s?\d{1,2}|\d{1,2}|OHCHR|ACNUDH|HCDH|(?:\d{1,2} )?(?:de )?[A-Z0]\w{2,9} (?:de )?20\d\d)$", re.IGNORECASE
)
_SQUEEZED_DAY = re.compile(r"^.{0,24}?(\d{1,2})(?:st|nd|rd|th|er|º)?(?:de)?([a-zéûA-Z]{3,10})(?:de|,)?(20\d\d)$")
_CYCLES = (
    *(("first", 1), ("second", 2), ("third", 3), ("fourth", 4), ("fifth", 5)),
    *(("primer", 1), ("segundo", 2), ("tercer", 3), ("cuarto", 4), ("quinto", 5)),
    *(("premier", 1), ("deux", 2), ("trois", 3), ("quatr", 4), ("cinq", 5)),
)
_MID_TERM_WITHIN = 600
_YEARS_AHEAD = 5
_LONGEST_ANNEX_HEADING = 160
_MOST_SINGLE_LETTERS = 0.4
_PAGES_AT_MOST, _BLOCKS_AT_MOST = 12, 600


class HighCommissionerLetter:
    """Reads letters of the third and fourth cycles in English, Spanish and French."""

    name = "high_commissioner_letter"
    version = "2"

    def bid(self, content: Content) -> float:
        """High where the unchanging sentence about the outcome stands in a letter that ends as they do."""
        try:
            text = content.text
        except UnreadableDocumentError:
            return 0.0
        if len(text.blocks) > _BLOCKS_AT_MOST or (text.pages or 0) > _PAGES_AT_MOST:
            return 0.0
        return 0.96 if _wording_of(_squeezed(text.blocks)) else 0.0

    def read(self, content: Content) -> Reading:
        """Read the letter. Raises `UnreadableDocumentError` (`unknown_state`) where it names no State we know."""
        return read_letter(content.text)


def read_letter(text: DocumentText) -> Reading:
    """Read a letter's text. Raises `UnreadableDocumentError` (`unknown_state`) where it names no State we know."""
    squeezed = _squeezed(text.blocks)
    wording = _wording_of(squeezed) or _wordings()["en"]
    state = _state(squeezed, wording)
    if state is None:
        raise UnreadableDocumentError("unknown_state", "The letter names no State that we know")
    issues: list[ReadIssue] = []
    session, cycle = _session(squeezed, wording, issues)
    day = _date(text.blocks)
    if day is None:
        issues.append(ReadIssue("warning", "no_date", "The letter bears no date that can be read"))
    if _is_spaced_out(text.blocks):
        issues.append(
            ReadIssue("warning", "letters_apart", "The letters of the words stand apart: the text is hard to read")
        )
    letter, annex = _parts(passages(text, wording), wording)
    return Reading(
        parser=HighCommissionerLetter.name,
        parser_version=HighCommissionerLetter.version,
        document=ReadDocument(
            kind=DocumentKind.LETTER.value,
            language=wording.language,
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
                text="\n\n".join(passage.text for passage in (*letter, *annex)),
                page=1 if text.pages else None,
                speaker_kind="intergovernmental",
                speaker_name="Office of the United Nations High Commissioner for Human Rights",
                date=day,
                suggested_mid_term_year=_mid_term_year(squeezed, wording, day),
            ),
        ),
        issues=tuple(issues),
        paragraphs=tuple(_observations(annex)),
    )


@dataclass(frozen=True, slots=True)
class Wording:
    """The unchanging words of letters in one language. Patterns are matched on words without blanks."""

    language: str
    outcome: re.Pattern[str]
    review: re.Pattern[str]
    session: re.Pattern[str]
    cycle: re.Pattern[str]
    ends: re.Pattern[str]
    mid_term: re.Pattern[str]
    year: re.Pattern[str]
    begins: re.Pattern[str]
    annex: re.Pattern[str]
    heading_goes_on: re.Pattern[str]

    def is_furniture(self, words: str) -> bool:
        """Whether words are a page's number, or who signed the annex and when."""
        return _FURNITURE.match(words) is not None

    def stands_alone(self, words: str) -> bool:
        """Whether nothing that is printed next belongs to these words: furniture, headings, the letter's last
        sentence."""
        tight = "".join(words.split())
        last = words.endswith(".") and self.ends.search(tight)
        return bool(last or self.is_furniture(words) or _SALUTATION.match(words) or self.annex.match(tight))

    def goes_on(self, heading: str, words: str) -> bool:
        """Whether a line is the rest of the annex's heading."""
        tight = "".join(words.split())
        return bool(self.annex.match("".join(heading.split())) and self.heading_goes_on.fullmatch(tight))


@cache
def _wordings() -> dict[str, Wording]:
    path = files("services.ingest.parsers") / "high_commissioner_letter.toml"
    told = tomllib.loads(path.read_text(encoding="utf-8"))
    return {
        language: Wording(
            language=language,
            **{name: _pattern(words) for name, words in patterns.items() if name != "origin"},
        )
        for language, patterns in told.items()
    }


def _pattern(words: str) -> re.Pattern[str]:
    return re.compile(words.replace(" ", ""), re.IGNORECASE)


def _wording_of(squeezed: str) -> Wording | None:
    """The language whose sentence on the outcome, and whose last sentence, a text holds."""
    each = _wordings().values()
    return next((one for one in each if one.outcome.search(squeezed) and one.ends.search(squeezed)), None)


def _squeezed(blocks: Iterable[Block]) -> str:
    """All words without blanks."""
    return "".join("".join(mended(block.text).split()) for block in blocks)


def _is_spaced_out(blocks: Iterable[Block]) -> bool:
    words = [word for block in blocks for word in block.text.split()]
    single = sum(len(word) == 1 and word.isalpha() for word in words)
    return single > _MOST_SINGLE_LETTERS * len(words)


def _state(squeezed: str, wording: Wording) -> str | None:
    for pattern in (wording.outcome, wording.review):
        for found in pattern.finditer(squeezed):
            if code := known_state(found["state"]):
                return code
    return None


def _session(squeezed: str, wording: Wording, issues: list[ReadIssue]) -> tuple[int | None, int | None]:
    """The session by its own number, else by the Council's; the cycle by the session, else by its word."""
    said = _cycles_said(squeezed, wording)
    found, outcome = wording.session.search(squeezed), wording.outcome.search(squeezed)
    session = int(found["after"] or found["before"]) if found else None
    if outcome and outcome["council"]:
        council = int(outcome["council"]) if outcome["council"].isdecimal() else ordinal(outcome["council"])
        by_council = session_adopted_at(council) if council else None
        if by_council and session and by_council != session:
            detail = f"Session {session} is named, but the Council's session {council} adopted those of {by_council}"
            issues.append(ReadIssue("warning", "sessions_contradict", detail))
        session = session or by_council
    if session is None or not 1 <= session <= LAST_KNOWN_SESSION:
        if not said:
            issues.append(ReadIssue("error", "unknown_cycle", "The letter tells neither the session nor the cycle"))
        return None, max(said, default=None)
    cycle = cycle_of_session(session)
    if said and cycle not in said:
        detail = f"cycle {max(said)} is named; session {session} is of {cycle}"
        issues.append(ReadIssue("warning", "cycle_differs", detail))
    return session, cycle


def _cycles_said(squeezed: str, wording: Wording) -> set[int]:
    """The cycles that the letter speaks of: its own, and the one before."""
    words = [found[1].casefold() for found in wording.cycle.finditer(squeezed)]
    return {number for word in words for begins, number in _CYCLES if word.startswith(begins)}


def _mid_term_year(squeezed: str, wording: Wording, day: str | None) -> int | None:
    """By when a mid-term report is hoped for: a year named after it that was still to come."""
    written = int(day[:4]) if day else None
    for place in wording.mid_term.finditer(squeezed):
        for found in wording.year.finditer(squeezed, place.end(), place.end() + _MID_TERM_WITHIN):
            year = int(found["year"])
            if written is None or written < year <= written + _YEARS_AHEAD:
                return year
    return None


def _date(blocks: Sequence[Block]) -> str | None:
    """The date line of the letter, else that of the annex."""
    for block in blocks:
        words = mended(block.text)
        squeezed = _SQUEEZED_DAY.match("".join(words.split()))
        day = first_date(words) if len(words) < 40 else None
        if day is None and squeezed:
            day = first_date(f"{squeezed[1]} {squeezed[2]} {squeezed[3]}")
        if day:
            return day
    return None


def _parts(found: Sequence[Passage], wording: Wording) -> tuple[list[Passage], list[Passage]]:
    """The letter from its first sentence to its last, and the annex; no letterhead, address or signature."""
    letter: list[Passage] = []
    annex: list[Passage] = []
    inside = False
    for passage in found:
        tight = "".join(passage.text.split())
        if wording.is_furniture(passage.text):
            continue
        if annex or (wording.annex.match(tight) and len(passage.text) < _LONGEST_ANNEX_HEADING):
            annex.append(passage)
            continue
        inside = inside or bool(wording.begins.match(tight))
        if inside:
            letter.append(passage)
        if wording.ends.search(tight):
            inside = False
        elif _SALUTATION.match(passage.text) and not letter:
            inside = True
    return letter, annex


def _observations(annex: Sequence[Passage]) -> Iterator[ReadParagraph]:
    """The paragraphs and items of the annex, each under its heading."""
    heading: str | None = None
    for passage in annex[1:]:
        if passage.is_heading:
            heading = passage.text
        else:
            yield ReadParagraph(passage.number, passage.words, passage.page, heading)
