"""Whose review a matrix is of: "UPR of Slovenia (4th Cycle - 48th Session)", in the page header or above the table."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from services.core.domain.documents import SYMBOL_IN_TEXT, read_symbol
from services.core.domain.errors import UnreadableDocumentError
from services.core.domain.reviews import cycle_of_session
from services.ingest.normalise.states import leading_state, resolve_state
from services.ingest.parsers.council_sessions import session_adopted_at
from services.ingest.parsers.text.blocks import DocumentText
from services.ingest.reading import ReadIssue

_REVIEW_OF = re.compile(
    r"\b(?:UPR|universal periodic review|review|recommendations)\s+(?:of|to|for)\s+(?=\S)"
    r"|\b(?:EPU|examen periódico universal|recomendaciones)\s+(?:del?|a|para)\s+(?=\S)"
    r"|\b(?:EPU|examen périodique universel|recommandations)\s+(?:de|du|concernant|à)\s+(?=\S)",
    re.IGNORECASE,
)
_TITLE = re.compile(
    r"(?:thematic list|matrix) of recommendations|(?:lista temática|matriz) de (?:las )?recomendaciones"
    r"|(?:liste thématique|matrice) des recommandations",
    re.IGNORECASE,
)
_SEGMENTS = re.compile(r"[\t\n:()]|\s[-–—]\s|[-–—]\s|\s[-–—]")
_CYCLES = {
    "first": 1, "second": 2, "third": 3, "fourth": 4,
    "primer": 1, "segundo": 2, "tercer": 3, "cuarto": 4,
    "premier": 1, "deuxième": 2, "troisième": 3, "quatrième": 4,
}  # fmt: skip
_CYCLE = re.compile(
    rf"\b(?:([1-4])\s*(?:st|nd|rd|th|º|o|er|e)|({'|'.join(_CYCLES)}))\s+(?:cycle|ciclo)\b|\b(?:cycle|ciclo)\s+([1-4])\b",
    re.IGNORECASE,
)
_SESSION = re.compile(
    r"\b(\d{1,2})\s*(?:(?:st|nd|rd|th|e|re)\s+session|[º°ªo]\.?\s+período de sesiones)\b"
    r"|\bsession\s+(\d{1,2})\b|\b(?:UPR|EPU)\s?(\d{1,2})\b",
    re.IGNORECASE,
)
_LINES_ABOVE = 40
"""So many paragraphs are searched for a title: more than any title page has."""


@dataclass(frozen=True, slots=True)
class Review:
    """What a matrix says of the review it belongs to. `session` is the Working Group's, None where nothing tells."""

    state: str
    session: int | None
    cycle: int | None
    title: str | None
    issues: tuple[ReadIssue, ...]


def find_review(text: DocumentText, cited_symbols: Iterable[str]) -> Review:
    """The review, by the headings first and then by the documents that the rows cite.

    What the file declares in its properties is not used: it is often another document's, which served as a template.
    Raises `UnreadableDocumentError` `unknown_state` where no heading names a State.
    """
    lines = [*text.running_heads, *(block.text for block in text.blocks[:_LINES_ABOVE])]
    symbols = [symbol for line in lines for symbol in SYMBOL_IN_TEXT.findall(line)]
    state = _find_state(lines, symbols)
    printed_cycle, printed_session = _find_cycle(lines), _find_session(lines)
    session = printed_session or _session_of([*symbols, *cited_symbols])
    cycle = cycle_of_session(session) if session else printed_cycle
    return Review(state, session, cycle, _find_title(lines), tuple(_doubts(cycle, printed_cycle, session)))


def is_titled(text: DocumentText) -> bool:
    """Whether a heading calls the document a matrix."""
    return _find_title([*text.running_heads, *(block.text for block in text.blocks[:_LINES_ABOVE])]) is not None


def _find_state(lines: list[str], symbols: list[str]) -> str:
    unknown = None
    for line in lines:
        for opening in _REVIEW_OF.finditer(line):
            rest = line[opening.end() :]
            named = leading_state(rest)
            state = named[0] if named else resolve_state(_SEGMENTS.split(rest)[0])
            if state:
                return state
            unknown = unknown or _SEGMENTS.split(rest)[0].strip()
    found = {
        *(state for line in lines for segment in _SEGMENTS.split(line) if (state := resolve_state(segment))),
        *(state for symbol in symbols if (state := read_symbol(symbol).state)),
    }
    if len(found) == 1:
        return found.pop()
    why = f"{unknown!r} is no State we know" if unknown else "no heading names the State under review"
    raise UnreadableDocumentError("unknown_state", why)


def _find_cycle(lines: list[str]) -> int | None:
    for line in lines:
        if found := _CYCLE.search(line):
            return _CYCLES[found[2].casefold()] if found[2] else int(found[1] or found[3])
    return None


def _find_session(lines: list[str]) -> int | None:
    """The Working Group's session. "59th session of the Human Rights Council" is another one."""
    for line in lines:
        found = _SESSION.search(line)
        if found and "council" not in line.casefold():
            number = int(found[1] or found[2] or found[3])
            return number if _has_cycle(number) else None
    return None


def _has_cycle(session: int) -> bool:
    try:
        return bool(cycle_of_session(session))
    except ValueError:
        return False


def _session_of(symbols: Iterable[str]) -> int | None:
    """The session whose outcomes were adopted where most of the cited documents were issued, if it is but one."""
    councils = Counter(facts.council_session for symbol in symbols if (facts := read_symbol(symbol)).council_session)
    for council, _ in councils.most_common(1):
        return session_adopted_at(council or 0)
    return None


def _find_title(lines: list[str]) -> str | None:
    """The title, without what stands before it in its line: pages that were printed do not tell columns apart."""
    segments = (segment.strip(" *") for line in lines for segment in _SEGMENTS.split(line))
    return next((segment[found.start() :] for segment in segments if (found := _TITLE.search(segment))), None)


def _doubts(cycle: int | None, printed: int | None, session: int | None) -> Iterator[ReadIssue]:
    if cycle is None:
        yield ReadIssue("error", "unknown_cycle", "neither a heading nor a cited document tells the cycle")
    elif printed is not None and printed != cycle:
        yield ReadIssue(
            "warning", "cycle_differs", f"cycle {printed} is printed; session {session} is of cycle {cycle}"
        )
