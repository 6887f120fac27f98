"""The text of a mid-term report or an implementation plan in paragraphs: numbered ones, rows of tables, and prose.

Word keeps tables apart, and their rows are read cell by cell. A PDF gives the lines of one cell after another: a row
begins where a line at its left edge opens with the number of a recommendation, and ends where the next one does.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from services.ingest.parsers.addendum_numbers import Numbering
from services.ingest.parsers.cited_recommendations import cited_recommendations, numbering_of, opening_citation
from services.ingest.parsers.follow_up_title import FollowUpTitle, is_cell_of_heading, is_row_of_heading
from services.ingest.parsers.text.blocks import Block, DocumentText, Table
from services.ingest.parsers.title_page import plain_digits
from services.ingest.parsers.working_group_report.furniture import without_footnote_marks
from services.ingest.reading import ReadCitation, ReadParagraph

_NUMBERED = re.compile(r"^(\d{1,3})[.)]\s*(?=[^\s\d.)])")
_OPENS_HEADING = re.compile(r"^(?:[IVX]{1,5}|[A-Z]|\d{1,2}(?:\.\d{1,2})*)[.)]?\s+\S")
_BRIDGED = 3
_LARGER = 1.08
_LONGEST_HEADING = 180
_SET_IN = 40.0
_ENDS_SENTENCE = re.compile(r"[.!?:;”\"»)]$")
_FULL_LINE = 0.8
"""A line shorter than this part of a full one, at the end of a sentence, ends its paragraph."""

_EDGE_LINES = 2
_PAGE_NUMBER = re.compile(
    r"^(?:(?:page|página)\s*)?[-–|]?\s*\d{1,3}\s*(?:(?:/|of|de|sur)\s*\d{1,3})?\s*[-–|]?$", re.IGNORECASE
)
_LEAST_REPEATED = 3
_NOTE = re.compile(r"^[⁰¹²³⁴-⁹]+\s*\S")
_DOTTED_LEADER = re.compile(r"\.{4,}|…{2,}")
_NUMBER_AT_EDGE = re.compile(r"^\d{1,3}\s+|\s+\d{1,3}$")
_ONLY_NUMBERS = re.compile(
    r"^\W*\d{1,3}(?:\.\d{1,3})?[.)]?(?:\s*(?:,|;|/|-|–|and|to|y|e|a|et|à|\s)\s*\d{1,3}(?:\.\d{1,3})?[.)]?)*\W*$",
    re.IGNORECASE,
)
_DOTTED = re.compile(r"\d{1,3}\.\d{1,3}")
_NUMBER_FIRST = re.compile(
    r"^\W{0,3}(?:rec\w*\.?\s*)?(?:n\S{0,2}\s*)?(\d{1,3}(?:\.\d{1,3})?)[.):]?(?=\s|$)", re.IGNORECASE
)
_BEGINS_ROW = re.compile(r"^\W{0,3}(?:\d|rec\w*\.?\s*(?:n\S{0,2}\s*)?\d{1,3}(?:\.\d{1,3})?\s*[:.–-])", re.IGNORECASE)


@dataclass
class _Passage:
    """One paragraph in the making. `is_row`: it goes on until the next row, whatever its lines look like."""

    number: str | None
    page: int | None
    heading: str | None
    is_row: bool = False
    lines: list[str] = field(default_factory=list)
    cited: tuple[ReadCitation, ...] = ()


def read_passages(text: DocumentText, title: FollowUpTitle) -> tuple[ReadParagraph, ...]:
    """All paragraphs, in order, with the recommendations that they, or the headings above them, cite."""
    lines = list(_without_furniture(text))
    cells = [cell for table in text.tables for row in table.rows for cell in row]
    numbers = (
        f"recommendation {each}" for cell in cells if _ONLY_NUMBERS.match(cell) for each in _DOTTED.findall(cell)
    )
    numbering = numbering_of((*(line.text for line in lines), *cells, *numbers), title.language)
    reader = _Reader(_without_title(lines, title), numbering, title)
    found: list[_Passage] = []
    done = 0
    for table in text.tables:
        found += reader.prose(done, table.blocks_before)
        found += reader.rows(table)
        done = max(done, table.blocks_before)
    found += reader.prose(done, len(lines))
    read = (_read(each, numbering, title) for each in found)
    return tuple(each for each in read if each.text)


def _read(passage: _Passage, numbering: Numbering, title: FollowUpTitle) -> ReadParagraph:
    joint = "\n" if passage.is_row and passage.page is None else " "
    words = without_footnote_marks(joint.join(passage.lines)).strip()
    citing = f"{passage.heading or ''}\n{words}"
    cited = cited_recommendations(citing, numbering, language=title.language, latest=title.cycle)
    return ReadParagraph(
        number=passage.number,
        text=words,
        page=passage.page,
        heading=without_footnote_marks(passage.heading) if passage.heading else None,
        recommendations=tuple(dict.fromkeys((*passage.cited, *cited))),
    )


class _Reader:
    """Takes a document apart; the heading and the last number go on from one stretch of it to the next."""

    def __init__(self, lines: Sequence[Block], numbering: Numbering, title: FollowUpTitle) -> None:
        self._lines = lines
        self._numbering = numbering
        self._language = title.language
        self._body = _body_size(lines)
        self._full = _full_line(lines)
        self._edge = _edge([line for line in lines if opening_citation(line.text, numbering, title.language)])
        self._heading: list[str] = []
        self._in_heading = False
        self._last = 0

    def prose(self, start: int, end: int) -> list[_Passage]:
        """The paragraphs of running text; rows of tables too, where the format does not keep them apart."""
        found: list[_Passage] = []
        current: _Passage | None = None
        before = ""
        for line in self._lines[start:end]:
            if not line.text.strip() or is_row_of_heading(line.text):
                continue
            opened = self._opened(line)
            if opened:
                current, self._in_heading = opened, False
                found.append(opened)
            elif self._is_heading(line, in_row=current is not None and current.is_row):
                self._take_heading(line.text)
                current = None
            elif current is None or (not current.is_row and self._ended(before, line)):
                current, self._in_heading = self._passage(None, line, [line.text]), False
                found.append(current)
            else:
                current.lines.append(line.text)
            before = line.text
        return found

    def rows(self, table: Table) -> list[_Passage]:
        """The rows of a table. One whose cells are all the same is a heading; the heading row tells the columns."""
        self._in_heading = False
        columns: dict[int, str] = {}
        found: list[_Passage] = []
        for row in table.rows:
            cells = list(dict.fromkeys(" ".join(cell.split()) for cell in row if cell.strip()))
            headings = sum(map(is_cell_of_heading, cells))
            if cells and headings * 2 >= len(cells) and (headings > 1 or len(cells) == headings):
                columns = dict(enumerate(" ".join(cell.split()) for cell in row))
            elif len(cells) == 1 and len(row) > 1 and len(cells[0]) <= _LONGEST_HEADING:
                self._heading = cells
            elif cells:
                found.append(self._row(row, cells, columns))
        return found

    def _row(self, row: Sequence[str], cells: list[str], columns: dict[int, str]) -> _Passage:
        first = _NUMBER_FIRST.match(cells[0])
        passage = _Passage(first[1] if first else None, None, self._heading_now(), is_row=True, lines=cells)
        for place, cell in enumerate(row):
            if is_cell_of_heading(columns.get(place, ""), of=("cited",)) and _ONLY_NUMBERS.match(cell):
                numbers = f"recommendations {' '.join(cell.split())}"
                passage.cited += cited_recommendations(numbers, self._numbering, language=self._language)
        return passage

    def _opened(self, line: Block) -> _Passage | None:
        """The passage that a line opens with a number of its own."""
        words = f"{line.label} {line.text}" if line.label else line.text
        numbered = _NUMBERED.match(words)
        if numbered and self._follows(int(numbered[1])):
            self._last = int(numbered[1])
            return self._passage(numbered[1], line, [words[numbered.end() :]])
        citation = opening_citation(words, self._numbering, self._language)
        at_edge = line.x is None or self._edge is None or line.x <= self._edge + _SET_IN
        if citation is None or not at_edge:
            return None
        number = citation.numbers[0] if len(citation.numbers) == 1 else None
        return self._passage(number, line, [words], is_row=bool(_BEGINS_ROW.match(words)))

    def _follows(self, number: int) -> bool:
        return self._last < number <= self._last + _BRIDGED if self._last else number == 1

    def _passage(self, number: str | None, line: Block, lines: list[str], *, is_row: bool = False) -> _Passage:
        return _Passage(number, line.page, self._heading_now(), is_row, lines)

    def _heading_now(self) -> str | None:
        return " ".join(self._heading).strip() or None

    def _take_heading(self, words: str) -> None:
        goes_on = self._in_heading and not _OPENS_HEADING.match(words)
        self._heading = [*self._heading, words] if goes_on else [words]
        self._in_heading = True

    def _is_heading(self, line: Block, *, in_row: bool) -> bool:
        style = line.style or ""
        if len(line.text) > _LONGEST_HEADING or style.startswith("List"):
            return False
        if "_ H" in style or style.startswith(("Heading", "Título", "Titre")):
            return True
        larger = bool(self._body and line.size and line.size > _LARGER * self._body)
        return larger or (line.bold and (not in_row or bool(_OPENS_HEADING.match(line.text))))

    def _ended(self, before: str, line: Block) -> bool:
        """Whether a paragraph ended with the line before: in Word always, in print after a short line."""
        if line.page is None:
            return True
        return bool(_ENDS_SENTENCE.search(before)) and len(before) < _FULL_LINE * self._full


def _without_furniture(text: DocumentText) -> Iterator[Block]:
    """The lines without page numbers, lines that pages repeat at their edges, footnotes and tables of contents."""
    if text.pages is None:
        yield from text.blocks  # with the empty ones: tables tell their place by counting blocks
        return
    pages: dict[int, list[Block]] = {}
    for block in text.blocks:
        pages.setdefault(block.page or 0, []).append(block)
    repeated = Counter(
        _squeezed(block.text) for lines in pages.values() for block in {*lines[:_EDGE_LINES], *lines[-_EDGE_LINES:]}
    )
    for lines in pages.values():
        for place, block in enumerate(lines):
            at_edge = place < _EDGE_LINES or place >= len(lines) - _EDGE_LINES
            is_repeated = repeated[_squeezed(block.text)] >= _LEAST_REPEATED and bool(_squeezed(block.text))
            if at_edge and (_PAGE_NUMBER.match(block.text) or is_repeated):
                continue
            if _DOTTED_LEADER.search(block.text):
                continue
            if _NOTE.match(block.text) and place and (block.size or 0) < (lines[0].size or 0):
                break
            yield block


def _without_title(lines: Sequence[Block], title: FollowUpTitle) -> list[Block]:
    """The lines, with those of the title page emptied: what they say is said of the document."""
    left = list(title.lines)
    kept: list[Block] = []
    for line in lines:
        is_titles = bool(left) and " ".join(plain_digits(line.text).split()) in left
        if is_titles:
            left.remove(" ".join(plain_digits(line.text).split()))
        elif line.text.strip():
            left = []
        kept.append(replace(line, text="") if is_titles else line)
    return kept


def _squeezed(line: str) -> str:
    """A line without a page number before or after it; one without letters is like no other."""
    return _NUMBER_AT_EDGE.sub("", line) if any(map(str.isalpha, line)) else ""


def _body_size(lines: Iterable[Block]) -> float:
    sizes: Counter[float] = Counter()
    for line in lines:
        if line.size:
            sizes[line.size] += len(line.text)
    return sizes.most_common(1)[0][0] if sizes else 0.0


def _full_line(lines: Sequence[Block]) -> int:
    """How long a full line is: nine in ten are not longer."""
    lengths = sorted(len(line.text) for line in lines)
    return lengths[len(lengths) * 9 // 10] if lengths else 0


def _edge(opening: Sequence[Block]) -> float | None:
    """The left edge of the lines that open with a number: the leftmost place that several have in common."""
    edges = Counter(round(line.x) for line in opening if line.x is not None)
    common = [edge for edge, count in edges.items() if count * 10 >= sum(edges.values())]
    return float(min(common)) if common else None
