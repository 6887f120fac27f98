"""OHCHR's thematic list of recommendations ("matrix"): a table that gives each recommendation a position and labels.

Its columns changed from cycle to cycle; they are found by their headings. The words it uses are in `ohchr_matrix.toml`.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from services.core.domain.documents import DocumentKind
from services.core.domain.errors import UnreadableDocumentError
from services.core.domain.identifiers import normalised_text
from services.ingest.normalise.attributions import misread_attribution, read_state_list
from services.ingest.normalise.states import resolve_state
from services.ingest.parsers.base import Content
from services.ingest.parsers.ohchr_matrix_answers import Answer, answers_of, source_of
from services.ingest.parsers.ohchr_matrix_entries import Entry, entries_of
from services.ingest.parsers.ohchr_matrix_heading import find_review, is_titled
from services.ingest.parsers.ohchr_matrix_labels import labels_of
from services.ingest.parsers.ohchr_matrix_pages import rows_of_pages
from services.ingest.parsers.ohchr_matrix_rows import SOURCE, PrintedRow, Row, columns_of, data_rows
from services.ingest.parsers.ohchr_matrix_words import squeezed
from services.ingest.parsers.text.blocks import DocumentText
from services.ingest.parsers.text.pdf_cells import SOFT_BREAK
from services.ingest.parsers.text.pdf_words import read_pages
from services.ingest.parsers.text.sniff import FileType
from services.ingest.parsers.working_group_report.parts import Part, split_entry
from services.ingest.reading import ReadDocument, Reading, ReadIssue, ReadLabel, ReadRecommendation

_BID = 0.95
_BID_WITHOUT_LABELS = 0.6
"""For a table of recommendations and positions and nothing else: addenda have those, too."""

_EXCERPT = 160
_LONGEST_NAME = 4
"""So many printed lines the name of a State runs over."""

_HEADING_WITHIN = 5
_HEADING_WITHIN_PAGES = 3
_HEADING_LINES = 8
_POSITION = re.compile(r"\b(?:Position|Posición|POSITION|POSICIÓN)\b")
_RECOMMENDATION = re.compile(r"\bRec(?:om|omm)[ea]nda[ct]|\bREC(?:OM|OMM)[EA]NDA[CT]")
_LABELS = re.compile(r"\b(?:theme|right|sdg|tema|derecho|ods|thème|droit|odd)s?\b", re.IGNORECASE)


class OhchrMatrix:
    """Reads matrices of cycles 2, 3 and 4."""

    name = "ohchr_matrix"
    version = "4"

    def bid(self, content: Content) -> float:
        """High where a table has the columns of a matrix. A workbook must say that it is one: trackers look alike."""
        rows = _first_rows(content)
        headings = [found for row in rows if (found := columns_of(row))]
        if not headings:
            return 0.0
        if is_titled(content.text) or any(SOURCE.search(cell) for row in rows for cell in row):
            return _BID
        if content.file_type is FileType.XLSX:
            return 0.0
        has_labels = any({"labels", "sdgs", "groups"} & heading.keys() for heading in headings)
        return _BID if has_labels else _BID_WITHOUT_LABELS

    def read(self, content: Content) -> Reading:
        """Read the matrix.

        Raises `UnreadableDocumentError`: `unknown_state` where nothing says whose review it is, `no_recommendations`.
        """
        tables = _tables(content)
        collected = _Collected()
        for row in data_rows(tables, collected.issues):
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
                language=_language(tables),
                title=review.title,
                state_under_review=review.state,
                session=review.session,
                cycle=review.cycle,
                pages=content.text.pages,
            ),
            recommendations=tuple(collected.recommendations),
            labels=tuple(collected.labels),
            issues=(*review.issues, *collected.issues),
        )


def _first_rows(content: Content) -> list[tuple[str, ...]]:
    """The rows among which a heading must be. Of a PDF only the first pages are looked at, if it has its words."""
    if content.file_type is not FileType.PDF:
        return [row for table in content.text.tables for row in table.rows[:_HEADING_WITHIN]]
    if not _has_words_of_heading(content.text):
        return []
    with suppress(UnreadableDocumentError):
        return [row.cells for row in rows_of_pages(list(read_pages(content.data, last=_HEADING_WITHIN_PAGES)))]
    return []


def _has_words_of_heading(text: DocumentText) -> bool:
    """Whether a PDF's first pages print the words of a heading near each other: cheap, and enough to look closer."""
    lines = [block.text for block in text.blocks if (block.page or 1) <= _HEADING_WITHIN_PAGES]
    for place, line in enumerate(lines):
        if _POSITION.search(line):
            around = " ".join(lines[max(0, place - _HEADING_LINES) : place + _HEADING_LINES])
            if _RECOMMENDATION.search(around) and (_LABELS.search(around) or is_titled(text)):
                return True
    return False


def _tables(content: Content) -> list[list[PrintedRow]]:
    if content.file_type is FileType.PDF:
        return [rows_of_pages(list(read_pages(content.data)))]
    return [
        [
            PrintedRow(row, starts=starts)
            for row, starts in zip(table.rows, table.starts or [()] * len(table.rows), strict=True)
        ]
        for table in content.text.tables
    ]


def _language(tables: Iterable[Iterable[PrintedRow]]) -> str:
    """The language of the table's heading."""
    for row in (row for table in tables for row in table):
        if columns_of(row.cells):
            heading = " ".join(row.cells).casefold()
            return "es" if "recomendaci" in heading else "fr" if "recommandation" in heading else "en"
    return "en"


class _Collected:
    """What the rows have given so far."""

    def __init__(self) -> None:
        self.recommendations: list[ReadRecommendation] = []
        self.issues: list[ReadIssue] = []
        self._labels: dict[tuple[object, ...], ReadLabel] = {}
        self._places: dict[tuple[str | None, str | None, str], int] = {}
        self._first: dict[tuple[str | None, str | None], int] = {}
        self._unknown_labels: set[tuple[str, str]] = set()

    @property
    def labels(self) -> Iterable[ReadLabel]:
        """Each label of each recommendation once, in printed order."""
        return self._labels.values()

    def add(self, row: Row) -> None:
        """Take one row: new recommendations, or a repetition whose labels join those before."""
        entries = entries_of(row)
        if not entries:
            self._issue("row_not_understood", f"no number: {row.excerpt}", page=row.page)
            return
        answers = answers_of(row, len(entries), self.issues)
        for entry, answer in zip(entries, answers, strict=True):
            self._add_entry(row, entry, answer)
        self._assess(row, entries[0].number)

    def _add_entry(self, row: Row, entry: Entry, answer: Answer) -> None:
        split = split_entry(entry.text)
        issues: list[ReadIssue] = []
        parts = _with_states(split.parts, row, entry.shown, issues)
        if entry.number is None and not (answer.position and all(part.states for part in parts)):
            self._issue("row_not_understood", f"no number: {row.excerpt}", page=row.page)
            return
        if entry.number is None:
            self._issue("no_number", row.excerpt, page=row.page)
        if split.comment:
            issues += _left_over(entry.shown, entry.text, split.comment)
        symbol, paragraph = source_of(entry, row, issues)
        self.issues += issues
        letters = [entry.part] if len(parts) == 1 else _letters(len(parts))
        for letter, part in zip(letters, parts, strict=True):
            place = self._keep(
                ReadRecommendation(
                    entry.number,
                    part.text,
                    part.states,
                    part=letter,
                    position=answer.position,
                    position_detail=answer.detail,
                    position_phrase=answer.phrase,
                    position_symbol=symbol,
                    position_paragraph=paragraph,
                    page=row.page,
                )
            )
            self._label(row, self.recommendations[place], place)

    def _keep(self, record: ReadRecommendation) -> int:
        """Where the recommendation stands: at the end, or where the same words stand already under its number."""
        key = (record.number, record.part, normalised_text(record.text))
        place = self._places.setdefault(key, len(self.recommendations))
        if place == len(self.recommendations):
            first = self._first.setdefault((record.number, record.part), place)
            if record.number is not None and first != place:
                self._issue("duplicate_number", f"{record.number} is printed with two texts", page=record.page)
            self.recommendations.append(record)
            return place
        before = self.recommendations[place]
        if (before.position, before.position_detail) != (record.position, record.position_detail):
            detail = f"{record.number}: {before.position_phrase}, elsewhere {record.position_phrase}"
            self._issue("conflicting_positions", detail, page=record.page)
        return place

    def _label(self, row: Row, record: ReadRecommendation, place: int) -> None:
        """Put the row's labels on a recommendation; on its place in the reading, where its number is not its own."""
        for label in labels_of(row):
            self._report_unknown(label.scheme, label.label, label.known, record)
            if label.scheme == "sdg" and not label.known:
                continue
            is_its_own = record.number is not None and place == self._first[record.number, record.part]
            told = ReadLabel(
                record.number if is_its_own else None,
                label.scheme,
                label.label,
                part=record.part,
                code=label.code,
                row=None if is_its_own else place + 1,
            )
            self._labels.setdefault((place, label.scheme, label.code, normalised_text(label.label)), told)

    def _report_unknown(self, scheme: str, label: str, known: bool, record: ReadRecommendation) -> None:
        """Say once of each label that no vocabulary has it."""
        if not known and (scheme, label) not in self._unknown_labels:
            self._unknown_labels.add((scheme, label))
            what = "no Sustainable Development Goal" if scheme == "sdg" else f"no {scheme} that we know"
            self._issue("unknown_label", f"{record.number}: {label[:_EXCERPT]} is {what}", page=record.page)

    def _assess(self, row: Row, number: str | None) -> None:
        """Note what somebody wrote into the column for the level of implementation."""
        words = squeezed(row.cells.get("assessment", ""))
        if words:
            self._issue("comment_in_row", f"{number or 'no number'}: {words[:_EXCERPT]}", "info", row.page)

    def _issue(self, code: str, detail: str, severity: Any = "warning", page: int | None = None) -> None:
        self.issues.append(ReadIssue(severity, code, detail, page))


def _left_over(number: str, entry: str, words: str) -> list[ReadIssue]:
    """What follows the last attribution: a comment, or an attribution with a State that we do not know."""
    misread = misread_attribution(entry)
    if misread is None:
        return [ReadIssue("info", "comment_in_row", f"{number}: {words}")]
    return [ReadIssue("warning", "unknown_state", f"{number}: {name}") for name in misread.unknown]


def _letters(parts: int) -> list[str | None]:
    """The names of the recommendations under one number: none for a single one, else a, b, c …; after z come aa, ab."""
    if parts == 1:
        return [None]
    alphabet = "abcdefghijklmnopqrstuvwxyz"
    return [(alphabet[at // 26 - 1] if at >= 26 else "") + alphabet[at % 26] for at in range(parts)]


def _with_states(parts: tuple[Part, ...], row: Row, number: str, issues: list[ReadIssue]) -> tuple[Part, ...]:
    """The parts with their States. A column of States fills in where the text names none, and is compared else."""
    column = read_state_list(", ".join(_names_in(row.cells.get("states", ""))))
    issues += [_warning("unknown_state", f"{number}: {name}") for name in column.unknown]
    if len(parts) == 1 and not parts[0].states:
        return (_with_found_states(parts[0], column.states, number, issues),)
    named = {state for part in parts for state in part.states}
    if column.states and not column.unknown and named != set(column.states):
        detail = f"{number}: {', '.join(sorted(named))} in the text, {', '.join(sorted(column.states))} in the column"
        issues.append(_warning("states_differ", detail))
    return parts


def _names_in(cell: str) -> Iterator[str]:
    """The names of a column of States, one a line. What may be the rest of a name is, where both are one name."""
    for line in cell.split("\n"):
        pieces = line.split(SOFT_BREAK)
        while pieces:
            joined = (
                count
                for count in range(min(len(pieces), _LONGEST_NAME), 1, -1)
                if resolve_state(" ".join(pieces[:count]))
            )
            count = next(joined, 1)
            yield " ".join(pieces[:count])
            pieces = pieces[count:]


def _with_found_states(part: Part, column: tuple[str, ...], number: str, issues: list[ReadIssue]) -> Part:
    misread = misread_attribution(part.text)
    if column:
        return Part(part.text[: part.text.rfind("(")].strip() if misread else part.text, column)
    if misread is None:
        issues.append(_warning("no_recommending_state", f"{number}: {part.text[-_EXCERPT:]}"))
        return part
    issues += [_warning("unknown_state", f"{number}: {name}") for name in misread.unknown]
    return Part(part.text[: part.text.rfind("(")].strip(), misread.states)


def _warning(code: str, detail: str) -> ReadIssue:
    return ReadIssue("warning", code, detail)
