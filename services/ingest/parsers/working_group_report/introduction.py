"""What a report says of itself: symbol, dates, State under review, session, troika."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from services.core.domain.documents import DocumentKind, read_symbol
from services.ingest.normalise.attributions import read_state_list
from services.ingest.normalise.states import known_state, resolve_state
from services.ingest.parsers.text.blocks import Block
from services.ingest.parsers.working_group_report.languages import in_all_languages, patterns, search
from services.ingest.parsers.working_group_report.number_words import cardinal, ordinal
from services.ingest.reading import ReadIssue

_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_MESES = (
    *("enero", "febrero", "marzo", "abril", "mayo", "junio"),
    *("julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"),
)
_MOIS = (
    *("janvier", "février", "mars", "avril", "mai", "juin"),
    *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
)
_MONTH_NUMBERS = {name: number for names in (_MONTHS, _MESES, _MOIS) for number, name in enumerate(names, 1)}
_DAY_AND_MONTH = r"\b(\d{1,2})(?:st|nd|rd|th|er|º)?\s+(?:de\s+)?(" + "|".join(_MONTH_NUMBERS) + r")\b"
_DATE = _DAY_AND_MONTH + r",?\s+(?:de\s+)?(\d{4})"
_SESSION = re.compile(r"held\s+(?:its|the)\s+(\w+(?:[\s-]+\w+)??|\d+\s?(?:st|nd|rd|th))\s+session", re.IGNORECASE)
_REVIEWED = re.compile(
    r"reviews?\s+of\s+(?P<state>.{3,80}?)\s+(?:was|were|took|is)\s+(?:held|place|conducted)(?P<when>.{0,400})",
    re.DOTALL,
)
_ADOPTED = re.compile(r"At\s+its\s+(?:[\w-]+\s+)?meeting,?(?P<when>.{0,90}?)\badopted", re.DOTALL | re.IGNORECASE)
_TROIKA = re.compile(
    r"\(\s*troika\s*\)[^:]{0,120}:\s*(?P<states>.+?)(?:\.(?=\s|$)|\s\d{1,2}\.\s)", re.DOTALL | re.IGNORECASE
)
_COUNT = r"\d{1,3}|(?:one\s+hundred(?:\s+and)?\s+)?[a-z]+(?:-[a-z]+)?"
_ANNOUNCED = re.compile(
    rf"(?:\b(?P<before>{_COUNT})\s+(?:delegations|States|countries)\s+"
    r"(?:made|took|delivered|participated|intervened|spoke)"
    r"|(?:statements\s+were\s+(?:made|delivered)|interventions\s+were\s+made)\s+by\s+"
    rf"(?P<after>{_COUNT})\s+(?:delegations|States|countries))",
    re.IGNORECASE,
)
_TITLE_BEFORE = re.compile(in_all_languages("title_ends", r"Periodic\s+Review") + r"\s*[*∗]*$", re.IGNORECASE)
_NOT_TITLE = re.compile(
    r"^(?:\W|report of|universal periodic|united nations|GE\.|distr|agenda|informe|rapport|examen)", re.IGNORECASE
)
_FULL_DATE = re.compile(rf"^{_DATE}$", re.IGNORECASE)
_PRE_SESSION_SYMBOL = re.compile(r"A/HRC/WG\.6/\s?(?P<session>\d{1,2})/?\s?(?P<state>[A-Z]{3})/[123]")
_PARAGRAPH = re.compile(r"\s\d{1,2}\.\s")
_SENTENCE_END = re.compile(r"\.\s+(?=[A-ZÀ-Þ])")


@dataclass
class Introduction:
    """What the title page and the first paragraphs say. Whatever is not found is None or empty."""

    symbol: str | None = None
    kind: str = DocumentKind.WORKING_GROUP_REPORT.value
    published_on: str | None = None
    state: str | None = None
    state_name: str | None = None
    session: int | None = None
    reviewed_on: str | None = None
    adopted_on: str | None = None
    troika: tuple[str, ...] = ()
    issues: list[ReadIssue] = field(default_factory=list)


def read_introduction(symbol: str, masthead: Iterable[Block], introduction: Iterable[Block]) -> Introduction:
    """Read the title page (`masthead`) and the paragraphs before the summary of proceedings.

    `symbol` is that of the running heads: title pages also print the draft's ("Previously issued as …"). A report
    without a symbol is a draft: it gets its own when it is issued.
    """
    issued = DocumentKind.WORKING_GROUP_REPORT if symbol else DocumentKind.WORKING_GROUP_DRAFT
    read = Introduction(symbol=symbol or None, kind=(read_symbol(symbol).kind or issued).value)
    title_lines = [line.text for line in masthead]
    words = " ".join(line.text for line in introduction)
    _read_masthead(read, title_lines)
    _read_session(read, words)
    _read_state(read, title_lines, words)
    _read_troika(read, words)
    return read


def read_announced(words: str) -> int | None:
    """How many delegations the report says made statements ("52 delegations made statements")."""
    found = _ANNOUNCED.search(words)
    if found:
        return cardinal(found["before"] or found["after"])
    told = next((other for each in patterns("announced") if (other := each.search(words))), None)
    return int(told["count"] or told["after"]) if told else None


def read_session_number(words: str) -> int | None:
    """The session in "held its fourteenth session", written out or in digits."""
    for found in _SESSION.finditer(words):
        number = ordinal(found[1]) or cardinal(found[1])
        if number:
            return number
    told = next((other for each in patterns("session") if (other := each.search(words))), None)
    return (ordinal(told["session"]) or cardinal(told["session"])) if told else None


def _read_masthead(read: Introduction, lines: list[str]) -> None:
    for line in lines:
        if read.published_on is None and (dated := _FULL_DATE.match(line.strip())):
            read.published_on = _iso(dated, int(dated[3]))


def _read_session(read: Introduction, words: str) -> None:
    read.session = read_session_number(words) or _session_of_documents(words)
    if read.session is None:
        read.issues.append(ReadIssue("error", "no_session", "The introduction does not say which session this was"))
    reviewed = search("reviewed", _REVIEWED, words)
    if reviewed:
        read.state_name = " ".join(reviewed["state"].split())
        soon = _SENTENCE_END.split(_PARAGRAPH.split(reviewed["when"])[0])[:2]
        read.reviewed_on = next((day for sentence in soon if (day := _first_date(sentence))), None)
    adopted = search("adopted", _ADOPTED, words)
    if adopted:
        read.adopted_on = _first_date(adopted["when"])
    if read.reviewed_on and read.adopted_on and read.adopted_on < read.reviewed_on:
        detail = f"The report was adopted on {read.adopted_on}, before the review on {read.reviewed_on}"
        read.issues.append(ReadIssue("warning", "dates_contradict", detail))


def _session_of_documents(words: str) -> int | None:
    """The session in the symbols of the documents that were issued for the review (`A/HRC/WG.6/14/PER/1`)."""
    sessions = Counter(int(found["session"]) for found in _PRE_SESSION_SYMBOL.finditer(words))
    return sessions.most_common(1)[0][0] if sessions else None


def _read_state(read: Introduction, title_lines: list[str], words: str) -> None:
    title = _title_state(title_lines)
    printed = resolve_state(read.state_name) if read.state_name else None
    symbol = next((found["state"] for found in _PRE_SESSION_SYMBOL.finditer(words)), None)
    read.state = title or printed or symbol
    if read.state and printed and printed != read.state:
        detail = f"The title is of {read.state}, the introduction of {printed}"
        read.issues.append(ReadIssue("warning", "state_under_review_differs", detail))
    if read.state is None:
        detail = f"The State under review is not known: {read.state_name or 'not named'}"
        read.issues.append(ReadIssue("error", "unknown_state", detail))


def _title_state(lines: list[str]) -> str | None:
    """The State named under "Report of the Working Group on the Universal Periodic Review", on one to three lines."""
    for place in range(len(lines) - 1, -1, -1):
        if not _TITLE_BEFORE.search(lines[place]):
            continue
        for count in range(3, 0, -1):
            name = " ".join(lines[place + 1 : place + 1 + count]).strip("*∗ ")
            if name and not _NOT_TITLE.match(name) and (code := known_state(name)):
                return code
    return None


def _read_troika(read: Introduction, words: str) -> None:
    found = search("troika", _TROIKA, words)
    listed = read_state_list(found["states"]) if found else None
    if listed is None:
        read.issues.append(ReadIssue("info", "no_troika", "The introduction names no troika"))
        return
    read.troika = listed.states
    read.issues += [ReadIssue("warning", "unknown_state", f"In the troika: {name}") for name in listed.unknown]


def _first_date(words: str) -> str | None:
    """The first date in `words`; one without a year takes that of the next date."""
    found = re.search(_DAY_AND_MONTH, words, re.IGNORECASE)
    year = re.search(r"\b(20\d\d)\b", words[found.end() :]) if found else None
    return _iso(found, int(year[1])) if found and year else None


def _iso(found: re.Match[str], year: int) -> str | None:
    try:
        return date(year, _MONTH_NUMBERS[found[2].lower()], int(found[1])).isoformat()
    except ValueError:
        return None
