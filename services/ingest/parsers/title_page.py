"""What the first page of a United Nations document says of it: symbol, date, State, session.

PDFium gives a title page out of order and takes the digits of a symbol in the large masthead for superscripts.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from services.core.domain.documents import SYMBOL_IN_TEXT, read_symbol
from services.core.domain.reviews import LAST_KNOWN_SESSION, cycle_of_session
from services.ingest.normalise.states import known_state
from services.ingest.parsers.council_sessions import cycle_adopted_at, session_adopted_at
from services.ingest.parsers.text.blocks import DocumentText
from services.ingest.parsers.working_group_report.introduction import read_session_number
from services.ingest.parsers.working_group_report.number_words import ordinal

_MONTHS = {
    **{
        name: number
        for names in (
            ("january february march april may june july august september october november december"),
            ("enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre"),
            ("janvier février mars avril mai juin juillet août septembre octobre novembre décembre"),
        )
        for number, name in enumerate(names.split(), 1)
    },
    "setiembre": 9,
}
_DATE = re.compile(
    r"\b(\d{1,2})(?:st|nd|rd|th|er|º)?\s+(?:of\s+|de\s+)?(" + "|".join(_MONTHS) + r"),?\s+(?:del?\s+)?(\d{4})\b",
    re.IGNORECASE,
)
_MASTHEADS = {
    "es": re.compile(r"^(?:Naciones Unidas|Asamblea General|Distr\. ?general|Consejo de Derechos Humanos|Español)\b"),
    "fr": re.compile(
        r"^(?:Nations Unies|Assemblée générale|Distr\. ?générale|Conseil des droits de l.homme|Français)\b"
    ),
}
_LEAST_OF_A_MASTHEAD = 2
_WORKING_GROUP = re.compile(
    r"^(?:working group on the universal|grupo de trabajo sobre el examen|groupe de travail sur l.examen)",
    re.IGNORECASE,
)
_PLAIN_DIGITS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_SESSION_LINE = re.compile(r"^(\w+(?:[- ]\w+){0,2}|\d{1,2}\w{1,2}) (?:session|período de sesiones)$")
_ALONE = re.compile(
    rf"(?:.*(?:United Nations(?: document)?|Naciones Unidas|Nations Unies)\s+)?({SYMBOL_IN_TEXT.pattern})[*∗]{{0,2}}",
    re.IGNORECASE,
)
"""A symbol in the masthead: with nothing after it, unlike one in a sentence or a footnote."""

_OUTCOME = re.compile(
    r"^(?:\d+/\d+\.?\s+)?(?:outcome of the universal periodic review|resultado del examen periódico universal"
    r"|(?:textes? issus?|document final|résultats?) de l.examen périodique universel)\s*[:–-]\s*",
    re.IGNORECASE,
)
_PARAGRAPH = re.compile(r"^1\.\s+\S")
_FIRST_LINES = 60
_LINES_AFTER_DISTRIBUTION = 4


@dataclass(frozen=True, slots=True)
class TitlePage:
    """A title page. `lines` are its lines with plain digits; `session` and `cycle` are those of the review.

    `language` is what the masthead is printed in: English, Spanish or French.
    """

    lines: tuple[str, ...]
    symbol: str | None
    published_on: str | None
    state: str | None
    session: int | None
    cycle: int | None
    council_session: int | None
    language: str = "en"


def read_title_page(text: DocumentText) -> TitlePage:
    """Read the first page. Whatever it does not say is None."""
    lines = _lines(text)
    symbol = _symbol(text, lines)
    facts = read_symbol(symbol) if symbol else None
    council = facts.council_session if facts else None
    session = (facts.session if facts else None) or _working_group_session(lines)
    if session is None and council is not None:
        session = session_adopted_at(council)
    cycle = cycle_of_session(session) if session and 1 <= session <= LAST_KNOWN_SESSION else None
    return TitlePage(
        lines=lines,
        symbol=symbol,
        published_on=_published(lines),
        state=_state(lines, facts.state if facts else None),
        session=session,
        cycle=cycle or (cycle_adopted_at(council) if council else None),
        council_session=council,
        language=_language(lines),
    )


def first_date(words: str) -> str | None:
    """The first date with day, month and year in `words`, as ISO 8601."""
    found = _DATE.search(words)
    return _iso(found) if found else None


def plain_digits(text: str) -> str:
    """`text` with superscript digits as ordinary ones."""
    return text.translate(_PLAIN_DIGITS)


def _lines(text: DocumentText) -> tuple[str, ...]:
    first = [block for block in text.blocks if block.page in (None, 1)][:_FIRST_LINES]
    return tuple(" ".join(plain_digits(block.text).split()) for block in first if block.text.strip())


def _symbol(text: DocumentText, lines: Sequence[str]) -> str | None:
    heads = Counter(
        "".join(block.text.split())
        for block in text.blocks
        if block.page != 1 and len(block.text) < 40 and SYMBOL_IN_TEXT.fullmatch(block.text.strip("* "))
    )
    if heads:
        return heads.most_common(1)[0][0].rstrip("*")
    printed = (_ALONE.fullmatch(line) for line in (*lines, *text.running_heads))
    found = next((symbol for symbol in printed if symbol), None)
    return "".join(found[1].split()) if found else None


def _language(lines: Sequence[str]) -> str:
    """The language of the masthead's words; what a document was written in ("Original: Spanish") is another matter."""
    for language, masthead in _MASTHEADS.items():
        if sum(bool(masthead.match(line)) for line in lines) >= _LEAST_OF_A_MASTHEAD:
            return language
    return "en"


def _published(lines: Sequence[str]) -> str | None:
    """The date under "Distr.: General"; a title page may print others."""
    for place, line in enumerate(lines):
        if "distr" in line.casefold():
            below = (first_date(after) for after in lines[place : place + 1 + _LINES_AFTER_DISTRIBUTION])
            return next((day for day in below if day), None)
    alone = (found for line in lines if (found := _DATE.fullmatch(line)))
    return next((_iso(found) for found in alone), None)


def _state(lines: Sequence[str], by_symbol: str | None) -> str | None:
    """The State that stands on one to three lines of its own, or in the title of a decision on its review."""
    if by_symbol:
        return by_symbol
    end = next((place for place, line in enumerate(lines) if _PARAGRAPH.match(line)), len(lines))
    for place in range(end):
        for count in (3, 2, 1):
            joined = " ".join(lines[place : min(place + count, end)])
            name = _OUTCOME.sub("", joined).strip("*∗ ")
            if len(name) > 3 and name[0].isupper() and (code := known_state(name)):
                return code
    return None


def _working_group_session(lines: Sequence[str]) -> int | None:
    """The session printed under "Working Group on the Universal Periodic Review"; that of the Council is another."""
    for before, line in pairwise(lines):
        if _WORKING_GROUP.match(before):
            named = _SESSION_LINE.match(line)
            return (ordinal(named[1]) if named else None) or read_session_number(line)
    return None


def _iso(found: re.Match[str]) -> str | None:
    try:
        return date(int(found[3]), _MONTHS[found[2].lower()], int(found[1])).isoformat()
    except ValueError:
        return None
