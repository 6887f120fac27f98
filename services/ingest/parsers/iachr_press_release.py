"""The annex of a press release of the Inter-American Commission: per hearing of a period a heading and a paragraph.

The heading is the title of the hearing, opened by "Regional:" or the State's name; or the name alone stands above the
titles of its hearings. The paragraph sums up what the parties and the Commission said.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from services.core.domain.documents import DocumentKind
from services.core.domain.errors import UnreadableDocumentError
from services.core.domain.kinds import HearingKind
from services.ingest.normalise.states import folded_name
from services.ingest.parsers.base import Content
from services.ingest.parsers.iachr_words import (
    Titled,
    kind_of_hearing,
    names_listed,
    period_in,
    requested_in,
    titled,
    words,
)
from services.ingest.parsers.text.dates import first_day
from services.ingest.parsers.text.html import Page, PageBlock
from services.ingest.reading import ReadDocument, ReadHearing, Reading, ReadIssue

_RELEASE = re.compile(r"/(?:comunicados|preleases|PReleases|notas)/(\d{4})/(\d{1,3}[A-Z]?)\.asp", re.IGNORECASE)
_PRINTED = re.compile(r"\b(?:No|N[º°]|Nro|Nr)\.?\s*(\d{1,3}[A-Z]?)/(\d{2,4})\b")
_LONGEST_HEADING = 400
_LEAST_OF_A_PARAGRAPH = 80
_LEAST_HEARINGS = 2
_SITE = "https://www.oas.org"


class _Entry(NamedTuple):
    heading: PageBlock
    paragraphs: list[str]


class IachrPressRelease:
    """Reads the annex of a press release that sums up the hearings of a period."""

    name = "iachr_press_release"
    version = "1"

    def bid(self, content: Content) -> float:
        """Fair where headings stand over summaries of hearings in a period of sessions."""
        page = content.page
        if period_in(page.text) is None or release_of(page) is None:
            return 0.0
        return 0.9 if len(list(_entries(page))) >= _LEAST_HEARINGS else 0.0

    def read(self, content: Content) -> Reading:
        """Read the hearings. Raises `UnreadableDocumentError` (`no_hearing`)."""
        page = content.page
        period, release = period_in(page.text), release_of(page)
        entries = list(_entries(page))
        if period is None or release is None or not entries:
            raise UnreadableDocumentError("no_hearing", "the press release sums up no hearing of a period of sessions")
        year, number = release
        issues: list[ReadIssue] = []
        name = f"{number}/{year}"
        hearings = tuple(_hearings(entries, period[0], name, issues))
        document = ReadDocument(
            DocumentKind.IACHR_PRESS_RELEASE.value,
            language=period[1],
            title=f"Inter-American Commission on Human Rights: press release {name}",
            published_on=first_day(page.text[: page.text.find(entries[0].heading.text)]),
            series=f"iachr press {name}",
            address=_address(page),
        )
        return Reading(self.name, self.version, document, hearings=hearings, issues=tuple(issues))


def release_of(page: Page) -> tuple[str, str] | None:
    """Year and number of a press release, by its own links or as it prints them; None where neither tells."""
    found = next((each for link in page.links if (each := _RELEASE.search(link))), None)
    if found:
        return found[1], found[2].upper()
    if (printed := _PRINTED.search(page.text)) is None:
        return None
    year = printed[2] if len(printed[2]) == len("2024") else f"20{printed[2]}"
    return year, printed[1].upper()


def _address(page: Page) -> str | None:
    path = next((link for link in page.links if _RELEASE.search(link)), None)
    if path is None:
        return None
    return path if path.startswith("http") else f"{_SITE}/{path.lstrip('/')}"


def _entries(page: Page) -> Iterator[_Entry]:
    """Headings with the paragraphs below them; a heading without any is the name that stands above others."""
    entry: _Entry | None = None
    for block in _own(page.blocks):
        if _is_heading(block):
            if entry:
                yield entry
            entry = _Entry(block, [])
        elif entry and len(block.text) >= _LEAST_OF_A_PARAGRAPH:
            entry.paragraphs.append(block.text)
    if entry:
        yield entry


def _own(blocks: Sequence[PageBlock]) -> Iterator[PageBlock]:
    furniture: Sequence[str] = words()["furniture"]["headings"]
    endings: Sequence[str] = words()["furniture"]["endings"]
    for block in blocks:
        folded = folded_name(block.text)
        if any(folded.startswith(ending) for ending in endings):
            return
        if folded not in furniture:
            yield block


def _is_heading(block: PageBlock) -> bool:
    return (block.bold or block.heading) and len(block.text) <= _LONGEST_HEADING and period_in(block.text) is None


def _hearings(entries: Sequence[_Entry], period: int, release: str, issues: list[ReadIssue]) -> Iterator[ReadHearing]:
    """The hearings of the entries. A State, or "Regional", that stands alone holds for the titles below it."""
    above = Titled("", (), None)
    for heading, paragraphs in entries:
        told = titled(heading.text)
        if not paragraphs:
            if told.scope and told.title == heading.text:
                above = told
            continue
        summary = "\n".join(paragraphs)
        if not any(word in folded_name(summary) for word in words()["scenes"]["words"]):
            issues.append(ReadIssue("info", "heading_not_understood", f"“{heading.text[:120]}” is no hearing"))
            continue
        scope, states = (told.scope, told.states) if told.scope else (above.scope, above.states)
        names, unclear = names_listed([asked] if (asked := requested_in(summary)) else [])
        issues += [ReadIssue("warning", "unclear_names", f"{heading.text[:80]}: “{each[:300]}”") for each in unclear]
        kind = kind_of_hearing(told.title)
        yield ReadHearing(
            id="",
            kind=HearingKind.THEMATIC_HEARING.value,
            title=told.title,
            states=states,
            iachr_period=period,
            scope=scope,
            type=kind,
            origin="ex_officio" if kind == "ex_officio" else "requested" if names else None,
            press_release=release,
            requesting_organisations=tuple(names),
            summary=summary,
        )
