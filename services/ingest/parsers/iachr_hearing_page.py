"""The page of one public hearing of the Inter-American Commission on Human Rights, in any of its four languages.

What the page says under a label ("Solicitantes:") is read, be the label a line, a cell of a table or the beginning of a
line; the longer paragraphs are the summary. A page of the site without a hearing on it is refused as any web page.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from services.core.domain import identifiers
from services.core.domain.documents import DocumentKind
from services.core.domain.errors import UnreadableDocumentError
from services.core.domain.kinds import HearingKind
from services.ingest.normalise.states import folded_name
from services.ingest.parsers.base import Content
from services.ingest.parsers.iachr_words import (
    Titled,
    kind_of_hearing,
    languages_named,
    named_value,
    names_listed,
    number_in,
    period_in,
    requested_in,
    states_named,
    titled,
    words,
)
from services.ingest.parsers.text.dates import day_printed, first_day
from services.ingest.parsers.text.html import Page, PageBlock
from services.ingest.reading import ReadDocument, ReadHearing, Reading, ReadIssue

_LONGEST_LABEL = 60
_LEAST_OF_A_SUMMARY = 80
_SHORTEST_TITLE = 8
_PATHS = {
    "es": "es/cidh/sesiones/audiencia.asp",
    "en": "en/cidh/sesiones/audiencia.asp",
    "pt": "pt/cidh/sesiones/audiencia.asp",
    "fr": "fr/cidh/sessions/audience.asp",
}
_SITE = "https://www.oas.org"


@dataclass
class _Said:
    """What a page says: by label the lines below it, the title, and what stands under no label."""

    labelled: dict[str, list[PageBlock]] = field(default_factory=dict)
    titles: list[str] = field(default_factory=list)
    paragraphs: list[str] = field(default_factory=list)

    def first(self, label: str) -> str:
        return next((block.text for block in self.labelled.get(label, ())), "")

    def lines(self, label: str) -> list[str]:
        return [block.text for block in self.labelled.get(label, ())]

    def link(self, label: str) -> str | None:
        return next((link for block in self.labelled.get(label, ()) for link in block.links), None)


class IachrHearingPage:
    """Reads the page of a public hearing."""

    name = "iachr_hearing_page"
    version = "1"

    def bid(self, content: Content) -> float:
        """High where a page of the Commission tells of a hearing by number in a period of sessions."""
        page = content.page
        if number_in(page.links) is None or period_in(page.text) is None:
            return 0.0
        said = _said(page)
        return 0.95 if said.labelled or said.paragraphs else 0.0

    def read(self, content: Content) -> Reading:
        """Read the hearing. Raises `UnreadableDocumentError` (`no_hearing`) where it bears no title."""
        page = content.page
        number, period = number_in(page.links), period_in(page.text)
        if number is None or period is None:
            raise UnreadableDocumentError("no_hearing", "the page tells of no hearing of a period of sessions")
        said = _said(page)
        title = next((text for text in (said.first("title"), *said.titles) if len(text) >= _SHORTEST_TITLE), None)
        if title is None:
            raise UnreadableDocumentError("no_hearing", "the page of the hearing bears no title")
        issues: list[ReadIssue] = []
        hearing = _hearing(said, titled(title), (period[0], number), issues)
        language = period[1]
        document = ReadDocument(
            DocumentKind.IACHR_HEARING.value,
            language=language,
            title=f"Inter-American Commission on Human Rights: hearing {number}",
            series=f"iachr hearing {number}",
            address=f"{_SITE}/{_PATHS[language]}?Hearing={number}",
        )
        return Reading(self.name, self.version, document, hearings=(hearing,), issues=tuple(issues))


def _hearing(said: _Said, title: Titled, place: tuple[int, int], issues: list[ReadIssue]) -> ReadHearing:
    period, number = place
    summary = "\n".join(said.paragraphs)
    states = title.states or _states(said, issues)
    requesters = _requesters(said, summary, issues)
    kind = kind_of_hearing(said.first("type")) or kind_of_hearing(title.title)
    participants, _ = names_listed(said.lines("participants"))
    return ReadHearing(
        id=identifiers.iachr_hearing_id(period, number),
        kind=HearingKind.THEMATIC_HEARING.value,
        title=title.title,
        date=_date(said, issues),
        states=states,
        iachr_period=period,
        number=number,
        scope=title.scope or ("country" if states else named_value("scope", said.first("type"))),
        type=kind,
        origin="ex_officio" if kind == "ex_officio" else "requested" if requesters else None,
        modality=named_value("modality", said.first("modality")),
        video=said.link("video"),
        press_release=said.link("press_release") or said.first("press_release") or None,
        requesting_organisations=tuple(requesters),
        participants=tuple(participants),
        languages=languages_named(said.first("languages")),
        summary=summary or None,
    )


def _states(said: _Said, issues: list[ReadIssue]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for line in said.lines("states"):
        if named_value("scope", line):
            continue
        states = states_named(line)
        if not states:
            issues.append(ReadIssue("warning", "unknown_state", f"“{line[:120]}” is no State we know"))
        found |= dict.fromkeys(states)
    return tuple(found)


def _requesters(said: _Said, summary: str, issues: list[ReadIssue]) -> list[str]:
    lines = said.lines("requesters") or ([told] if (told := requested_in(summary)) else [])
    names, unclear = names_listed(lines)
    for each in unclear:
        detail = f"it is not clear how many organisations asked for the hearing: “{each[:300]}”"
        issues.append(ReadIssue("warning", "unclear_names", detail))
    return names


def _date(said: _Said, issues: list[ReadIssue]) -> str | None:
    printed = said.first("date")
    day = day_printed(printed) or first_day(printed)
    if day is None:
        detail = f"“{printed[:80]}” is no day that we understand" if printed else "the page tells no day of the hearing"
        issues.append(ReadIssue("warning", "no_date", detail))
    return day


def _said(page: Page) -> _Said:
    """Sort the lines of a page by the labels they stand under."""
    said = _Said()
    label: str | None = None
    for block in _own(page):
        opening, rest = _label(block)
        if opening is not None:
            label = opening
            said.labelled.setdefault(label, [])
            if not rest and not block.links:
                continue
        line = block if opening is None else PageBlock(rest, block.bold, block.heading, block.links)
        if label is not None and not _ends_label(line, label, said):
            said.labelled[label].append(line)
            continue
        label = None
        _place_unlabelled(line, said)
    return said


def _place_unlabelled(block: PageBlock, said: _Said) -> None:
    folded = folded_name(block.text)
    if (block.heading or block.bold) and period_in(block.text) is None and folded != "hearing":
        said.titles.append(block.text)
    elif len(block.text) >= _LEAST_OF_A_SUMMARY and any(word in folded for word in words()["scenes"]["words"]):
        said.paragraphs.append(block.text)


def _ends_label(block: PageBlock, label: str, said: _Said) -> bool:
    """Whether a line belongs to the label above it no longer: lists go on, other values are one line."""
    if label in ("requesters", "participants", "states"):
        return block.heading or (len(block.text) >= _LEAST_OF_A_SUMMARY and ";" not in block.text and _speaks(block))
    return bool(said.labelled[label])


def _speaks(block: PageBlock) -> bool:
    """Whether a line is a sentence."""
    return block.text.endswith((".", ".”", '."')) and len(block.text) >= 2 * _LEAST_OF_A_SUMMARY


def _own(page: Page) -> Iterator[PageBlock]:
    """The lines of a page without those of the site."""
    furniture: Sequence[str] = words()["furniture"]["headings"]
    endings: Sequence[str] = words()["furniture"]["endings"]
    for block in page.blocks:
        folded = folded_name(block.text)
        if any(folded.startswith(ending) for ending in endings):
            return
        if folded and folded not in furniture:
            yield block


def _label(block: PageBlock) -> tuple[str | None, str]:
    """The label that a line is or opens with, and the rest of the line."""
    opening, colon, rest = block.text.partition(":")
    if len(opening) > _LONGEST_LABEL:
        return None, block.text
    folded = folded_name(opening)
    label = next((name for name, printed in words()["label"].items() if folded in printed), None)
    return (label, rest.strip()) if label and (colon or not rest) else (None, block.text)
