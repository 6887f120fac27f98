"""The status of a treaty as the United Nations Treaty Collection shows it: a table of participants on a web page.

The page has the treaty's number and title, "STATUS AS AT" a moment, how many parties there are, and a table:
Participant, Signature, and "Ratification, Accession(a), Succession(d)" with a letter behind each date.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from services.core.domain.errors import UnreadableDocumentError
from services.ingest.parsers.base import Content
from services.ingest.parsers.status_tables import StatusTable, cell_of, fact_document, header_of, is_one_of, rows_below
from services.ingest.parsers.text.dates import day_printed
from services.ingest.parsers.text.html import Page
from services.ingest.parsers.treaties import Treaty, treaty_titled
from services.ingest.reading import ReadFact, Reading, ReadIssue

_BINDING = re.compile("ratification|accession|succession|acceptance|approval")
_COLUMNS = {
    "participant": is_one_of("participant", "participants", "participant s"),
    "signature": lambda heading: heading.startswith("signature"),
    "party": lambda heading: not heading.startswith("signature") and bool(_BINDING.search(heading)),
}
_AS_OF = re.compile(r"STATUS AS AT\s*:?\s*(\d{1,2})-(\d{1,2})-(\d{4})(?:\s+(\d{1,2}:\d{2}:\d{2}))?", re.IGNORECASE)
_PARTIES = re.compile(r"\bParties\s*:?\s*(\d{1,3})\b")
_MARKED = re.compile(r"([A-Za-z]+)\s*\(([A-Za-z]{1,2})\)")
_PLAIN = re.compile(r"\b(ratification|accession|acceptance|approval)\b(?!\s*\()", re.IGNORECASE)
_CELL = re.compile(r"^(.*?\d{4})\s*([A-Za-z]{1,2})?$")
_ADDRESS = "https://treaties.un.org/Pages/ViewDetails.aspx?src=TREATY&mtdsg_no={number}&chapter=4&clang=_en"


@dataclass(frozen=True)
class _Heading:
    """What the letters behind dates mean, as the column's heading says."""

    marks: dict[str, str]
    plain: str | None

    @classmethod
    def of(cls, printed: str) -> "_Heading":
        plain = _PLAIN.search(printed)
        marks = {mark: word.lower() for word, mark in _MARKED.findall(printed)}
        return cls(marks, plain[1].lower() if plain else None)


class TreatyStatus:
    """Reads the Treaty Collection's page of one treaty."""

    name = "treaty_status"
    version = "1"

    def bid(self, content: Content) -> float:
        """High where a table of participants stands under a treaty's title."""
        return 0.95 if _AS_OF.search(content.page.text) and _table(content.page) else 0.0

    def read(self, content: Content) -> Reading:
        """Read the table. Raises `UnreadableDocumentError`: `unknown_treaty`, `no_table`, `no_facts`."""
        page = content.page
        treaty = next((found for block in page.blocks if (found := treaty_titled(block.text))), None)
        if treaty is None:
            raise UnreadableDocumentError("unknown_treaty", "the page bears the title of no treaty we know")
        rows = _table(page)
        if rows is None:
            raise UnreadableDocumentError("no_table", "the page has no table of participants")
        table = _read(rows, treaty)
        table.issues += _count_issues(page, table)
        address = _ADDRESS.format(number=treaty.number) if treaty.number else None
        document = fact_document(
            f"untc {treaty.number or treaty.code}", f"{treaty.name}: status", address=address, as_of=_as_of(page)
        )
        return table.reading(self.name, self.version, document)


def _table(page: Page) -> Sequence[Sequence[str]] | None:
    return next((rows for rows in page.tables if header_of(rows, _COLUMNS)), None)


def _read(rows: Sequence[Sequence[str]], treaty: Treaty) -> StatusTable:
    found = header_of(rows, _COLUMNS)
    assert found is not None
    header, columns = found
    heading = _Heading.of(cell_of(rows[header], columns["party"]))
    table = StatusTable()
    for number, row in rows_below(rows, header):
        table.rows += 1
        state = table.state(cell_of(row, columns["participant"]), number)
        if state is None:
            continue
        signed = _fact(table, state, treaty, (number, cell_of(row, columns["signature"])), None)
        party = _fact(table, state, treaty, (number, cell_of(row, columns["party"])), heading)
        table.told(fact for fact in (signed, party) if fact)
    return table


def _fact(
    table: StatusTable, state: str, treaty: Treaty, place: tuple[int, str], heading: _Heading | None
) -> ReadFact | None:
    """What a cell tells; `heading` None for signatures."""
    row, printed = place
    if not printed:
        return None
    found = _CELL.match(printed)
    day = day_printed(found[1]) if found else None
    mark = found[2] if found else None
    if day is None or (mark and (heading is None or mark not in heading.marks)):
        table.unclear("unknown_date", f"“{printed}” of {state} is no date that we understand", row)
        return None
    detail = None if heading is None else heading.marks[mark] if mark else heading.plain
    value = "signature" if heading is None else "party"
    return ReadFact(state, treaty.subject, value, date=day, detail=detail, printed=printed, row=row)


def _as_of(page: Page) -> str | None:
    found = _AS_OF.search(page.text)
    day = day_printed(f"{found[1]}.{found[2]}.{found[3]}") if found else None
    if found is None or day is None:
        return None
    return f"{day}T{found[4].zfill(8)}" if found[4] else day


def _count_issues(page: Page, table: StatusTable) -> list[ReadIssue]:
    said = _PARTIES.search(page.text)
    parties = sum(fact.value == "party" for fact in table.facts)
    if said is None or int(said[1]) == parties:
        return []
    return [ReadIssue("warning", "parties_differ", f"the page speaks of {said[1]} parties, its table has {parties}")]
