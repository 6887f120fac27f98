"""What the readers of tables of facts about States share."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from services.core.domain.documents import DocumentKind
from services.core.domain.errors import UnreadableDocumentError
from services.ingest.normalise.states import folded_name, resolve_state
from services.ingest.parsers.base import Content
from services.ingest.reading import ReadDocument, ReadFact, Reading, ReadIssue

Header = dict[str, int]
"""Columns by what they hold."""

NONE = "none"
"""The value of a fact that says that there is no such thing."""


@dataclass
class StatusTable:
    """What was read of a table so far. Every row is told of a State, told of in an Issue, or a fault of the reader."""

    facts: list[ReadFact] = field(default_factory=list)
    issues: list[ReadIssue] = field(default_factory=list)
    rows: int = 0
    understood: int = 0

    def told(self, facts: Iterable[ReadFact]) -> None:
        """A row that was understood, and what it tells."""
        self.facts += facts
        self.understood += 1

    def unclear(self, code: str, detail: str, row: int, *, whole: bool = False) -> None:
        """Something in a row that was not understood; `whole` where nothing of the row was."""
        self.issues.append(ReadIssue("warning", code, f"row {row}: {detail}"))
        self.understood += whole

    def state(self, name: str, row: int) -> str | None:
        """The State that a cell names; an Issue where it is none we know."""
        code = resolve_state(name)
        if code is None:
            self.unclear("unknown_state", f"“{name}” is no State we know", row, whole=True)
        return code

    def reading(self, parser: str, version: str, document: ReadDocument) -> Reading:
        """All of it. Raises `UnreadableDocumentError` (`no_facts`) where no row tells anything."""
        if not self.facts:
            raise UnreadableDocumentError("no_facts", f"the table of {self.rows} rows tells nothing of any State")
        if self.understood != self.rows:
            lost = f"{self.rows} rows, but only {self.understood} of them told"
            self.issues.append(ReadIssue("error", "rows_lost", lost))
        return Reading(parser, version, document, issues=tuple(self.issues), facts=tuple(self.facts))


def fact_document(
    series: str, title: str, *, address: str | None = None, language: str = "en", as_of: str | None = None
) -> ReadDocument:
    """A table that its site keeps up to date."""
    return ReadDocument(
        DocumentKind.STATUS_TABLE.value, language=language, title=title, series=series, as_of=as_of, address=address
    )


def header_found(found: tuple[int, Header] | None) -> tuple[int, Header]:
    """The header that a parser has bid for. Raises `UnreadableDocumentError` (`no_facts`) where there is none."""
    if found is None:
        raise UnreadableDocumentError("no_facts", "no row has the headings of such a table")
    return found


def header_of(
    rows: Sequence[Sequence[str]], columns: Mapping[str, Callable[[str], bool]], within: int = 5
) -> tuple[int, Header] | None:
    """Where the header of a table is, from 0, and its columns; None where no row of the first few has all of them.

    `columns`: by what they hold, whether a folded heading is theirs. The first one is.
    """
    for place, row in enumerate(rows[:within]):
        folded = [folded_name(cell) for cell in row]
        found = {
            name: next((at for at, heading in enumerate(folded) if is_it(heading)), -1)
            for name, is_it in columns.items()
        }
        if all(at >= 0 for at in found.values()) and len(set(found.values())) == len(found):
            return place, found
    return None


def is_one_of(*headings: str) -> Callable[[str], bool]:
    """Whether a folded heading is one of these."""
    return frozenset(headings).__contains__


def rows_below(rows: Sequence[Sequence[str]], header: int) -> Iterator[tuple[int, Sequence[str]]]:
    """The rows below the header that hold something, each with its number, from 1."""
    for number, row in enumerate(rows[header + 1 :], header + 2):
        if any(cell.strip() for cell in row):
            yield number, row


def cell_of(row: Sequence[str], column: int) -> str:
    """A cell, empty where the row is too short."""
    return row[column].strip() if 0 <= column < len(row) else ""


def rows_of(content: Content) -> Sequence[Sequence[str]]:
    """The rows of a file; none where it cannot be read as a table."""
    try:
        return content.rows
    except UnreadableDocumentError:
        return ()
