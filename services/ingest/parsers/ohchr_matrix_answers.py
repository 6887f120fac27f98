"""What a matrix says that the State answered, and where that stands."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from services.core.domain.positions import PositionDetail
from services.ingest.normalise.positions import read_detail
from services.ingest.parsers.ohchr_matrix_entries import Entry
from services.ingest.parsers.ohchr_matrix_rows import SOURCE, Row
from services.ingest.parsers.ohchr_matrix_words import folded, squeezed, without_blanks, words
from services.ingest.parsers.text.pdf_cells import SOFT_BREAK
from services.ingest.reading import ReadIssue

_SYMBOL = re.compile(
    r"A\s?/\s?HRC/(?:WG\.6/)?\d{1,3}/(?:[A-Z]{3}/|L\.)?\d+(?:/(?:Add|Corr|Rev)\.\s?\d+)*", re.IGNORECASE
)
_PARAGRAPH = re.compile(
    r"(?:\b(?:paras?(?:graphs?|graphes?)?|pars?|párr(?:s|afos?)?)\s?\.?|§)\s*"
    r"(\d+(?:\s?\([a-z]\))?(?:\s?[-–,]\s?\d+)*)",
    re.IGNORECASE,
)
_REMARK = re.compile(r"\s*(?:[(\[]|\s[-–—]\s|[,;:])\s*")
_FOOTNOTES = re.compile(r"[*⁰¹²³⁴⁵⁶⁷⁸⁹]+|(?<=[a-z])\d$")
_EXCERPT = 160
_LETTERS_OF_COMMENT = 12


@dataclass(frozen=True, slots=True)
class Answer:
    """A position, its detail, and the words that state it."""

    position: str | None
    detail: str | None
    phrase: str | None


def answers_of(row: Row, count: int, issues: list[ReadIssue]) -> list[Answer]:
    """The answers to the recommendations of a row: one for all, or line by line one for each."""
    cell = row.cells.get("position", "")
    lines = [line for line in cell.split("\n") if squeezed(line)]
    if count > 1 and len(lines) == count and all(_meaning(squeezed(line)) for line in lines):
        return [_answer(squeezed(line)) for line in lines]
    answer = _answer(_phrase(cell))
    if answer.position is None:
        detail = f"{row.excerpt.split(' ')[0]}: {answer.phrase or 'no position'}"
        issues.append(ReadIssue("warning", "unknown_position", detail, row.page))
    return [answer] * count


def _phrase(cell: str) -> str:
    """The words of a cell; those of a narrow column of a PDF with or without a blank where it broke them."""
    broken = squeezed(cell.replace(SOFT_BREAK, ""))
    return broken if SOFT_BREAK in cell and folded(broken) in words().phrases else squeezed(cell)


def _answer(phrase: str) -> Answer:
    position, detail = _meaning(phrase) or (None, None)
    return Answer(position, detail, phrase or None)


def _meaning(phrase: str) -> tuple[str, str | None] | None:
    """Position and detail; a remark behind it counts only where it tells the detail ("Supported (implemented)")."""
    printed = _FOOTNOTES.sub("", phrase)
    meaning = words().positions.get(without_blanks(printed))
    if meaning is None and len(cut := _REMARK.split(printed, maxsplit=1)) == 2:
        meaning, detail = words().positions.get(without_blanks(cut[0])), _detail(cut[1])
        return (meaning[0], detail) if meaning and detail else None
    return meaning


def _detail(remark: str) -> PositionDetail | None:
    if re.match(r"(?:already )?implemented\b", remark, re.IGNORECASE):
        return PositionDetail.IMPLEMENTED
    if re.match(r"(?:being implemented|in process)\b", remark, re.IGNORECASE):
        return PositionDetail.IN_PROCESS
    return read_detail(remark)


def source_of(entry: Entry, row: Row, issues: list[ReadIssue]) -> tuple[str | None, str | None]:
    """Symbol and paragraph of "Source of Position: A/HRC/59/15/Add.1 - Para.3". More words are a comment."""
    source = entry.source if entry.source is not None else squeezed(row.cells.get("source", ""))
    if not source and entry.source is None:
        return None, None
    symbol, paragraphs = _SYMBOL.search(source), _PARAGRAPH.findall(source)
    if symbol is None:
        issues.append(
            ReadIssue("warning", "unknown_source_of_position", f"{entry.shown}: {source[:_EXCERPT]}", row.page)
        )
    issues += _comments(source, entry.shown, row.page) if symbol else []
    return re.sub(r"\s", "", symbol[0]) if symbol else None, paragraphs[-1] if paragraphs else None


def _comments(source: str, number: str, page: int | None) -> Iterator[ReadIssue]:
    rest = _PARAGRAPH.sub(" ", SOURCE.sub(" ", _SYMBOL.sub(" ", source)))
    if sum(map(str.isalpha, rest)) >= _LETTERS_OF_COMMENT:
        yield ReadIssue("info", "comment_in_row", f"{number}: {squeezed(rest).strip(' -–.;,')[:_EXCERPT]}", page)
