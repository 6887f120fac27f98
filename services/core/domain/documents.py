"""UN document symbols, and what they say of the document."""

import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote


class DocumentKind(StrEnum):
    """What a document is in the life of a review."""

    NATIONAL_REPORT = "national_report"
    COMPILATION = "compilation"
    STAKEHOLDER_SUMMARY = "stakeholder_summary"
    WORKING_GROUP_DRAFT = "working_group_draft"
    WORKING_GROUP_REPORT = "working_group_report"
    ADDENDUM = "addendum"
    COUNCIL_DECISION = "council_decision"
    COUNCIL_REPORT = "council_report"
    MATRIX = "matrix"
    ADVANCE_QUESTIONS = "advance_questions"
    LETTER = "letter"
    MID_TERM_REPORT = "mid_term_report"
    IMPLEMENTATION_PLAN = "implementation_plan"
    UPR_INFO = "upr_info"
    UHRI = "uhri"
    IACHR_HEARING = "iachr_hearing"
    IACHR_PRESS_RELEASE = "iachr_press_release"
    STATUS_TABLE = "status_table"
    FACTS_FILE = "facts_file"
    OTHER = "other"


DATA_SETS = frozenset({DocumentKind.UPR_INFO, DocumentKind.UHRI})
"""Databases: what one says of a review in an export counts as one document of the review."""

OF_NO_REVIEW = frozenset(
    {
        DocumentKind.IACHR_HEARING,
        DocumentKind.IACHR_PRESS_RELEASE,
        DocumentKind.STATUS_TABLE,
        DocumentKind.FACTS_FILE,
    }
)
"""What tells of States, organisations and meetings beside the reviews."""

FOLLOW_UP = frozenset({DocumentKind.MID_TERM_REPORT, DocumentKind.IMPLEMENTATION_PLAN})
"""What is written between two reviews, of what became of the recommendations of the last one."""

BEFORE_THE_REVIEW = frozenset(
    {DocumentKind.NATIONAL_REPORT, DocumentKind.COMPILATION, DocumentKind.STAKEHOLDER_SUMMARY}
)
"""Documents made for a review that is still to come: the recommendations they speak of are those of the one before."""

SYMBOL_IN_TEXT = re.compile(
    r"A/HRC/(?:WG\.6/\d{1,2}/(?:\s?[A-Z]{3}/[123]|L\.\d+)|DEC/\d{1,3}/\d{3}|\d{1,3}/\d+)"
    r"(?:/(?:Add|Corr|Rev)\.\d+)*"
)
"""Finds symbols of UPR documents in running text (a stray blank as in `A/HRC/WG.6/6/ DOM/1` occurs in print)."""

_PRE_SESSION = re.compile(r"^A/HRC/WG\.6/(?P<session>\d{1,2})/(?P<state>[A-Z]{3})/(?P<n>[123])\b")
_DRAFT = re.compile(r"^A/HRC/WG\.6/(?P<session>\d{1,2})/L\.\d+")
_DECISION = re.compile(r"^A/HRC/DEC/(?P<council>\d{1,3})/\d{3}")
_COUNCIL = re.compile(r"^A/HRC/(?P<council>\d{1,3})/\d+(?P<suffix>(?:/(?:Add|Corr|Rev)\.\d+)*)$")
_PRE_SESSION_KINDS = {
    "1": DocumentKind.NATIONAL_REPORT,
    "2": DocumentKind.COMPILATION,
    "3": DocumentKind.STAKEHOLDER_SUMMARY,
}


@dataclass(frozen=True, slots=True)
class SymbolFacts:
    """What a symbol alone says. `kind` is None where it does not tell (`A/HRC/28/2` is a Council session report)."""

    symbol: str
    kind: DocumentKind | None = None
    session: int | None = None
    council_session: int | None = None
    state: str | None = None


def address_of_symbol(symbol: str) -> str:
    """Where the United Nations has the document, in English (docs.un.org leads to the other languages)."""
    return f"https://docs.un.org/en/{quote(symbol, safe='/')}"


def read_symbol(symbol: str) -> SymbolFacts:
    """Take a symbol apart. Blanks inside it are dropped. An unknown form gives a bare `SymbolFacts`."""
    symbol = "".join(symbol.split())
    if m := _PRE_SESSION.match(symbol):
        return SymbolFacts(symbol, _PRE_SESSION_KINDS[m["n"]], session=int(m["session"]), state=m["state"])
    if m := _DRAFT.match(symbol):
        return SymbolFacts(symbol, DocumentKind.WORKING_GROUP_DRAFT, session=int(m["session"]))
    if m := _DECISION.match(symbol):
        return SymbolFacts(symbol, DocumentKind.COUNCIL_DECISION, council_session=int(m["council"]))
    if m := _COUNCIL.match(symbol):
        kind = DocumentKind.ADDENDUM if "/Add." in m["suffix"] else None
        return SymbolFacts(symbol, kind, council_session=int(m["council"]))
    return SymbolFacts(symbol)
