"""National reports and compilations: documents of a review that are read as text, paragraph by paragraph."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from services.core.domain.documents import DocumentKind, read_symbol
from services.core.domain.errors import UnreadableDocumentError
from services.ingest.parsers.addendum_numbers import Numbering
from services.ingest.parsers.base import Content
from services.ingest.parsers.cited_recommendations import cited_recommendations, numbering_of
from services.ingest.parsers.text.blocks import Block, DocumentText
from services.ingest.parsers.title_page import TitlePage, read_title_page
from services.ingest.parsers.working_group_report.furniture import strip_furniture, without_footnote_marks
from services.ingest.reading import ReadDocument, Reading, ReadIssue, ReadParagraph

_TITLES = {
    DocumentKind.NATIONAL_REPORT: "National report",
    DocumentKind.COMPILATION: "Compilation of information of the United Nations",
    DocumentKind.STAKEHOLDER_SUMMARY: "Summary of stakeholders’ submissions",
}
_NUMBERED = re.compile(r"^(\d{1,3})\.\s*(?=[^\s\d])")
_OPENS_HEADING = re.compile(r"^(?:[IVX]{1,5}|[A-Z]|\d{1,2})\.\s")
_NOTES = re.compile(r"^(?:(?:end)?notes?|notas?)$", re.IGNORECASE)
_SENTENCE_ENDS = re.compile(r"[.:;?!][”\"’)]?[\s⁰¹²³⁴-⁹]*$")
_MOST_HEADING_LINES = 2
_BRIDGED = 3
_LARGER = 1.08
_LONGEST_HEADING = 150


class PlainDocument:
    """Reads national reports and compilations in English, Spanish and French, which are known by their symbols."""

    name = "plain_document"
    version = "3"

    def bid(self, content: Content) -> float:
        """Fair where the symbol is that of a national report or a compilation."""
        return 0.9 if kind_by_symbol(content) in (DocumentKind.NATIONAL_REPORT, DocumentKind.COMPILATION) else 0.0

    def read(self, content: Content) -> Reading:
        """Read the paragraphs. Raises `UnreadableDocumentError` (`no_paragraphs`) where none is numbered."""
        title = read_title_page(content.text)
        return Reading(
            parser=self.name,
            parser_version=self.version,
            document=document_of(title, content.text),
            paragraphs=read_paragraphs(content.text, title),
            issues=title_issues(title),
        )


def kind_by_symbol(content: Content) -> DocumentKind | None:
    """What a document is by the symbol on its title page; None where there is none, or the text cannot be read."""
    try:
        symbol = read_title_page(content.text).symbol
    except UnreadableDocumentError:
        return None
    return read_symbol(symbol).kind if symbol else None


def document_of(title: TitlePage, text: DocumentText) -> ReadDocument:
    """What a pre-session document says of itself."""
    kind = read_symbol(title.symbol or "").kind or DocumentKind.OTHER
    return ReadDocument(
        kind=kind.value,
        symbol=title.symbol,
        language=title.language,
        title=_TITLES.get(kind),
        published_on=title.published_on,
        state_under_review=title.state,
        session=title.session,
        cycle=title.cycle,
        pages=text.pages,
    )


def title_issues(title: TitlePage) -> tuple[ReadIssue, ...]:
    """What the title page should say and does not."""
    missing = {"unknown_state": title.state, "unknown_cycle": title.cycle}
    return tuple(
        ReadIssue("error", code, "The title page does not tell it") for code, value in missing.items() if value is None
    )


@dataclass
class _Paragraph:
    number: str
    page: int | None
    heading: str | None
    lines: list[str] = field(default_factory=list)


def read_paragraphs(text: DocumentText, title: TitlePage) -> tuple[ReadParagraph, ...]:
    """The numbered paragraphs with the headings they stand under, and the recommendations they cite by number.

    These were made in an earlier cycle: the documents were written for a review that is still to come.
    Raises `UnreadableDocumentError` (`no_paragraphs`) where none is numbered.
    """
    lines = [line for line in strip_furniture(text).lines if line.text.strip()]
    numbering = numbering_of((line.text for line in lines), title.language)
    found = tuple(_read(each, numbering, title) for each in _paragraphs(lines))
    if not found:
        raise UnreadableDocumentError("no_paragraphs", "The document holds no numbered paragraph")
    return found


def _paragraphs(lines: list[Block]) -> Iterator[_Paragraph]:
    body = _body_size(lines)
    current: _Paragraph | None = None
    last, heading, in_heading = 0, [""], False
    numbered_headings = _numbered_headings(lines, body)
    for place, line in enumerate(lines):
        if current and is_heading_of_notes(line.text):
            break
        found = _NUMBERED.match(line.text) if place not in numbered_headings else None
        if found and (last < int(found[1]) <= last + _BRIDGED or (not last and int(found[1]) == 1)):
            if current and (plain := _plain_heading(current)):
                heading = plain
            if current:
                yield current
            last, in_heading = int(found[1]), False
            current = _Paragraph(found[1], line.page, " ".join(heading).strip() or None, [line.text[found.end() :]])
        elif _is_heading(line, body) and (in_heading or not _in_sentence(current, line)):
            heading = [*heading, line.text] if in_heading and not _OPENS_HEADING.match(line.text) else [line.text]
            in_heading = True
        elif current and not in_heading:
            current.lines.append(line.text)
    if current:
        yield current


def is_heading_of_notes(line: str) -> bool:
    """Whether a line stands above a document's endnotes."""
    return bool(_NOTES.match(line.strip()))


def _numbered_headings(lines: list[Block], body: float) -> frozenset[int]:
    """The headings ("1. International treaties") whose number the paragraph that is due bears as well, below them."""
    found: dict[int, int] = {}
    headings: list[int] = []
    for place, line in enumerate(lines):
        number = _NUMBERED.match(line.text)
        if number and _is_heading(line, body):
            found.setdefault(int(number[1]), place)
        elif number and (heading := found.pop(int(number[1]), None)) is not None:
            headings.append(heading)
    return frozenset(headings)


def _in_sentence(paragraph: _Paragraph | None, line: Block) -> bool:
    """Whether a line goes on a sentence, whatever it is printed in."""
    return bool(paragraph and line.text[:1].islower() and not _SENTENCE_ENDS.search(paragraph.lines[-1]))


def _plain_heading(paragraph: _Paragraph) -> list[str]:
    """Take a heading set like the text off a paragraph's end: after its last sentence, without a full stop."""
    first = len(paragraph.lines)
    while first and not _SENTENCE_ENDS.search(paragraph.lines[first - 1]):
        first -= 1
    heading = paragraph.lines[first:]
    if not first or not heading or len(heading) > _MOST_HEADING_LINES or not heading[0][:1].isupper():
        return []
    if len(" ".join(heading)) > _LONGEST_HEADING:
        return []
    del paragraph.lines[first:]
    return heading


def _body_size(lines: list[Block]) -> float:
    """The size most letters are printed in; 0 where no size is known."""
    sizes: Counter[float] = Counter()
    for line in lines:
        sizes[line.size or 0.0] += len(line.text)
    return sizes.most_common(1)[0][0] if sizes else 0.0


def _is_heading(line: Block, body: float) -> bool:
    if len(line.text) > _LONGEST_HEADING or (line.style or "").startswith("List"):
        return False
    larger = bool(body and line.size and line.size > _LARGER * body)
    return larger or line.bold or "_ H" in (line.style or "") or (line.style or "").startswith("Heading")


def _read(each: _Paragraph, numbering: Numbering, title: TitlePage) -> ReadParagraph:
    words = without_footnote_marks(" ".join(each.lines))
    latest = title.cycle - 1 if title.cycle else None
    return ReadParagraph(
        number=each.number,
        text=words,
        page=each.page,
        heading=without_footnote_marks(each.heading) if each.heading else None,
        recommendations=cited_recommendations(
            f"{each.heading or ''}\n{words}", numbering, language=title.language, latest=latest
        ),
    )
