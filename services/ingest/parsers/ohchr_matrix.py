"""OHCHR's thematic list of recommendations ("matrix"): a Word table that gives each recommendation a position and
labels.

Its columns changed from cycle to cycle; they are found by their headings. The words it uses are in `ohchr_matrix.toml`.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from services.core.domain.documents import DocumentKind
from services.core.domain.errors import UnreadableDocumentError
from services.core.domain.identifiers import normalised_text
from services.ingest.normalise.attributions import misread_attribution, read_state_list
from services.ingest.parsers.base import Content
from services.ingest.parsers.ohchr_matrix_heading import find_review
from services.ingest.parsers.text.blocks import DocumentText
from services.ingest.parsers.text.sniff import FileType
from services.ingest.parsers.working_group_report.parts import Part, split_entry
from services.ingest.reading import ReadDocument, Reading, ReadIssue, ReadLabel, ReadRecommendation

_NUMBER = re.compile(r"^(\d{1,3}\s?\.\s?\d{1,3}(?:\.\d{1,3})?)\s*\.?\s*(?=\D|\d{2,})")
_PLAIN_NUMBER = re.compile(r"^(\d{1,3})\s*[.)]\s+(?=\D)")
_SOURCE = re.compile(
    r"\s*\b(?:source of (?:the )?position|fuente de la posición|source de la position)\s*:?", re.IGNORECASE
)
_SYMBOL = re.compile(r"A/HRC/(?:WG\.6/)?\d{1,3}/(?:[A-Z]{3}/|L\.)?\d+(?:/(?:Add|Corr|Rev)\.\s?\d+)*")
_PARAGRAPH = re.compile(
    r"\b(?:paras?(?:graphs?|graphes?)?|párr(?:s|afos?)?)\s?\.?\s*"
    r"(\d+(?:\s?\([a-z]\))?(?:\s?[-–,]\s?\d+)*)",
    re.IGNORECASE,
)
_BULLET = re.compile(r"^[\s\-–—•·*]+")
_THEME_CODE = re.compile(r"^([A-Z]\d{1,2}|\d{1,2}(?:\.\d{1,2})+\.?|\d{1,2}\.)\s+(?=\S)")
_SDG = re.compile(r"^(?:goal|sdg)?\s*(\d{1,2}(?:\.\w{1,2})?)\s*[-–—:.]\s*(\S.*)$", re.IGNORECASE)
_GOALS = 17
_SECTION_LINE = re.compile(r"^([^:]{2,40}?)\s*:\s*(.*)$")
_BID = 0.95
_EXCERPT = 160


class OhchrMatrix:
    """Reads DOCX matrices of cycles 2, 3 and 4."""

    name = "ohchr_matrix"
    version = "2"

    def bid(self, content: Content) -> float:
        """High where a table has the columns of a matrix."""
        if content.file_type is not FileType.DOCX:
            return 0.0
        rows = (row for table in content.text.tables for row in table.rows[:5])
        return _BID if any(_columns(row) for row in rows) else 0.0

    def read(self, content: Content) -> Reading:
        """Read the matrix.

        Raises `UnreadableDocumentError`: `unknown_state` where nothing says whose review it is, `no_recommendations`.
        """
        collected = _Collected()
        for row in _data_rows(content.text, collected.issues):
            collected.add(row)
        if not collected.recommendations:
            raise UnreadableDocumentError("no_recommendations", "the matrix holds no recommendation")
        cited = [record.position_symbol for record in collected.recommendations if record.position_symbol]
        review = find_review(content.text, cited)
        return Reading(
            self.name,
            self.version,
            ReadDocument(
                kind=DocumentKind.MATRIX.value,
                language=_language(content.text),
                title=review.title,
                state_under_review=review.state,
                session=review.session,
                cycle=review.cycle,
            ),
            recommendations=tuple(collected.recommendations),
            labels=tuple(collected.labels),
            issues=(*review.issues, *collected.issues),
        )


@dataclass(frozen=True, slots=True)
class _Row:
    """One row of the table by the roles of its columns, and the theme of the heading above it."""

    cells: dict[str, str]
    theme: str

    @property
    def excerpt(self) -> str:
        return _squeezed(self.cells.get("recommendation", ""))[:_EXCERPT]


def _data_rows(text: DocumentText, issues: list[ReadIssue]) -> Iterator[_Row]:
    """The rows that hold recommendations. A table without headings of its own goes on with those before it."""
    columns: dict[str, int] = {}
    theme = ""
    for table in text.tables:
        for cells in table.rows:
            columns = _columns(cells) or columns
            distinct = {squeezed for cell in cells if (squeezed := _squeezed(cell))}
            if not distinct or not columns or _columns(cells):
                continue
            heading = _theme_heading(distinct)
            if heading is not None:
                theme = heading
            elif len(distinct) == 1 and not _NUMBER.match(next(iter(distinct))):
                issues.append(_issue("row_not_understood", next(iter(distinct))))
            else:
                yield _Row({role: cells[at] for role, at in columns.items() if at < len(cells)}, theme)


def _columns(row: tuple[str, ...]) -> dict[str, int]:
    """Role to column, where `row` is the table's heading; empty where it is not."""
    found: dict[str, int] = {}
    for at, cell in enumerate(row):
        heading = _squeezed(cell).casefold()
        role = next((role for begins, role in _words().columns if heading.startswith(begins)), None)
        if role is not None:
            found.setdefault(role, at)
    is_heading = {"recommendation", "position"} <= found.keys() and found["recommendation"] != found["position"]
    return found if is_heading and not any(_NUMBER.match(_squeezed(cell)) for cell in row) else {}


def _language(text: DocumentText) -> str:
    """The language of the table's heading."""
    for table in text.tables:
        for row in table.rows:
            if _columns(row):
                heading = " ".join(row).casefold()
                return "es" if "recomendaci" in heading else "fr" if "recommandation" in heading else "en"
    return "en"


def _theme_heading(distinct: set[str]) -> str | None:
    """The theme that a row across the whole table announces."""
    line = _SECTION_LINE.match(next(iter(distinct))) if len(distinct) == 1 else None
    if line is None or _words().sections.get(line[1].casefold()) != "ohchr-theme":
        return None
    return line[2].strip()


class _Collected:
    """What the rows have given so far."""

    def __init__(self) -> None:
        self.recommendations: list[ReadRecommendation] = []
        self.issues: list[ReadIssue] = []
        self._labels: dict[tuple[str | None, ...], ReadLabel] = {}
        self._texts: dict[str, ReadRecommendation] = {}

    @property
    def labels(self) -> Iterable[ReadLabel]:
        """Each label of each recommendation once, in printed order."""
        return self._labels.values()

    def add(self, row: _Row) -> None:
        """Take one row: a new recommendation, or a repetition whose labels join those before."""
        entry = _squeezed(_SOURCE.split(row.cells["recommendation"], maxsplit=1)[0])
        number = _NUMBER.match(entry) or _PLAIN_NUMBER.match(entry)
        if number is None:
            self.issues.append(_issue("row_not_understood", f"no number: {row.excerpt}"))
            return
        printed = number[1].replace(" ", "")
        split = split_entry(entry[number.end() :])
        position = _read_position(row, printed, self.issues)
        parts = _with_states(split.parts, row, printed, self.issues)
        if split.comment:
            self.issues += _left_over(printed, entry, split.comment)
        for letter, part in zip(_letters(len(parts)), parts, strict=True):
            self._keep(
                ReadRecommendation(
                    printed,
                    part.text,
                    part.states,
                    part=letter,
                    position=position.value,
                    position_detail=position.detail,
                    position_phrase=position.phrase,
                    position_symbol=position.symbol,
                    position_paragraph=position.paragraph,
                )
            )
            self._label(row, printed, letter)

    def _label(self, row: _Row, number: str, part: str | None) -> None:
        for label in _labels_of(row, number, part, self.issues):
            self._labels.setdefault((number, part, label.scheme, label.code, normalised_text(label.label)), label)

    def _keep(self, record: ReadRecommendation) -> None:
        key = f"{record.number}-{record.part or ''}"
        before = self._texts.get(key)
        if before is None:
            self._texts[key] = record
            self.recommendations.append(record)
        elif normalised_text(before.text) != normalised_text(record.text):
            self.issues.append(_issue("duplicate_number", f"{record.number} is printed with two texts"))
            self.recommendations.append(record)
        elif before.position != record.position or before.position_detail != record.position_detail:
            detail = f"{record.number}: {before.position_phrase}, elsewhere {record.position_phrase}"
            self.issues.append(_issue("conflicting_positions", detail))


def _left_over(number: str, entry: str, words: str) -> list[ReadIssue]:
    """What follows the last attribution: a comment, or an attribution with a State that we do not know."""
    misread = misread_attribution(entry)
    if misread is None:
        return [_issue("comment_in_row", f"{number}: {words}", "info")]
    return [_issue("unknown_state", f"{number}: {name}") for name in misread.unknown]


def _letters(parts: int) -> list[str | None]:
    """The names of the recommendations under one number: none for a single one, else a, b, c …; after z come aa, ab."""
    if parts == 1:
        return [None]
    alphabet = "abcdefghijklmnopqrstuvwxyz"
    return [(alphabet[at // 26 - 1] if at >= 26 else "") + alphabet[at % 26] for at in range(parts)]


def _with_states(parts: tuple[Part, ...], row: _Row, number: str, issues: list[ReadIssue]) -> tuple[Part, ...]:
    """The parts with their States. A column of States fills in where the text names none, and is compared else."""
    column = read_state_list(", ".join(row.cells.get("states", "").split("\n")))
    issues += [_issue("unknown_state", f"{number}: {name}") for name in column.unknown]
    if len(parts) == 1 and not parts[0].states:
        return (_with_found_states(parts[0], column.states, number, issues),)
    named = {state for part in parts for state in part.states}
    if column.states and not column.unknown and named != set(column.states):
        detail = f"{number}: {', '.join(sorted(named))} in the text, {', '.join(sorted(column.states))} in the column"
        issues.append(_issue("states_differ", detail))
    return parts


def _with_found_states(part: Part, column: tuple[str, ...], number: str, issues: list[ReadIssue]) -> Part:
    if column:
        return Part(re.sub(r"\s*\([^()]*(?:\([^()]*\)[^()]*)*\)$", "", part.text), column)
    misread = misread_attribution(part.text)
    if misread is None:
        issues.append(_issue("no_recommending_state", f"{number}: {part.text[-_EXCERPT:]}"))
        return part
    issues += [_issue("unknown_state", f"{number}: {name}") for name in misread.unknown]
    return Part(part.text[: part.text.rfind("(")].strip(), misread.states)


@dataclass(frozen=True, slots=True)
class _Position:
    """What the State answered, and where that stands."""

    value: str | None
    detail: str | None
    phrase: str | None
    symbol: str | None
    paragraph: str | None


def _read_position(row: _Row, number: str, issues: list[ReadIssue]) -> _Position:
    phrase = _squeezed(row.cells.get("position", "")) or None
    meaning = _words().positions.get(re.sub(r"\s*/\s*", "/", (phrase or "").strip(" .;").casefold()))
    if meaning is None:
        issues.append(_issue("unknown_position", f"{number}: {phrase or 'no position'}"))
    symbol, paragraph = _read_source(row, number, issues)
    value, detail = meaning or (None, None)
    return _Position(value, detail, phrase, symbol, paragraph)


def _read_source(row: _Row, number: str, issues: list[ReadIssue]) -> tuple[str | None, str | None]:
    """Symbol and paragraph of "Source of Position: A/HRC/59/15/Add.1 - Para.3"."""
    after = _SOURCE.split(row.cells["recommendation"], maxsplit=1)[1:]
    if not after:
        return None, None
    source = _squeezed(after[0])
    symbol = _SYMBOL.search(source)
    paragraphs = _PARAGRAPH.findall(source)
    if symbol is None:
        issues.append(_issue("unknown_source_of_position", f"{number}: {source[:_EXCERPT]}"))
    return symbol[0].replace(" ", "") if symbol else None, paragraphs[-1] if paragraphs else None


def _labels_of(row: _Row, number: str, part: str | None, issues: list[ReadIssue]) -> Iterator[ReadLabel]:
    """The labels of one row: those of its cells, and the theme it stands under where the cells leave it out."""
    lines = [*_section_lines(row, "labels", "ohchr-theme"), *_section_lines(row, "sdgs", "sdg")]
    if normalised_text(row.theme) not in {normalised_text(line) for _, line in lines}:
        lines.append(("ohchr-theme", row.theme))
    for scheme, line in lines:
        code, label = _code_and_label(scheme, line)
        if scheme == "sdg" and (code is None or not 1 <= int(code.split(".")[0]) <= _GOALS):
            issues.append(_issue("unknown_label", f"{number}: {line} is no Sustainable Development Goal"))
        elif label:
            yield ReadLabel(number, scheme, label, part=part, code=code)


def _section_lines(row: _Row, role: str, scheme: str) -> Iterator[tuple[str, str]]:
    """Scheme and line for every label in a cell; "Affected persons:" and the like change the scheme."""
    for line in row.cells.get(role, "").split("\n"):
        printed = _squeezed(line)
        section = _SECTION_LINE.match(printed)
        named = _words().sections.get(section[1].strip(" -").casefold()) if section else None
        if section is not None and named is not None:
            scheme, printed = named, section[2]
        label = _BULLET.sub("", printed).strip()
        if label:
            yield scheme, label


def _code_and_label(scheme: str, line: str) -> tuple[str | None, str]:
    if scheme == "sdg":
        goal = _SDG.match(line)
        return (goal[1], goal[2].strip()) if goal else (None, line)
    code = _THEME_CODE.match(line) if scheme == "ohchr-theme" else None
    return (code[1].rstrip("."), line[code.end() :].strip()) if code else (None, line.strip())


def _squeezed(text: str) -> str:
    """One line with single blanks. A literal `&nbsp;` occurs in matrices that were exported from a web page."""
    return " ".join(text.replace("&nbsp;", " ").replace("\u200b", "").split())


def _issue(code: str, detail: str, severity: Any = "warning") -> ReadIssue:
    return ReadIssue(severity, code, detail)


@dataclass(frozen=True, slots=True)
class _Words:
    """What `ohchr_matrix.toml` says."""

    columns: tuple[tuple[str, str], ...]
    sections: dict[str, str]
    positions: dict[str, tuple[str, str | None]]


@cache
def _words() -> _Words:
    told = tomllib.loads((files("services.ingest.parsers") / "ohchr_matrix.toml").read_text(encoding="utf-8"))
    return _Words(
        tuple((begins, column["role"]) for column in told["columns"] for begins in column["begins"]),
        told["sections"],
        {
            printed: (entry["position"], entry.get("detail"))
            for entry in told["positions"]
            for printed in entry["printed"]
        },
    )
