"""The list of national preventive mechanisms that the Subcommittee on Prevention of Torture keeps, as a web page.

A table: number, country, date of ratification of or accession to the Optional Protocol (DD.MM.YYYY), and the
mechanism's name or "NO NPM"; further columns have letters to and fro.
"""

import re
from collections.abc import Sequence

from services.core.domain.errors import UnreadableDocumentError
from services.ingest.normalise.states import folded_name
from services.ingest.parsers.base import Content
from services.ingest.parsers.status_tables import (
    NONE,
    StatusTable,
    cell_of,
    fact_document,
    header_of,
    is_one_of,
    rows_below,
)
from services.ingest.parsers.text.dates import day_printed
from services.ingest.parsers.text.html import Page
from services.ingest.reading import ReadFact, Reading, ReadIssue

_COUNTRY = {
    "es": ("pais", "estado parte", "estados partes", "estado"),
    "en": ("country", "state party", "states parties", "state"),
    "fr": ("pays", "etat partie", "etats parties", "etat"),
}
_MECHANISM = re.compile(r"(?:mnp|npm)\b|mecanismo nacional|national prev|mecanisme nat")
_COLUMNS = {
    "country": is_one_of(*(heading for headings in _COUNTRY.values() for heading in headings)),
    "date": lambda heading: bool(re.search(r"ratifica|adhesi|accession", heading)),
    "mechanism": lambda heading: bool(_MECHANISM.match(heading)),
}
_WITHOUT = frozenset({"no npm", "no mnp", "sin mnp", "pas de mnp", "none", "no", "without npm"})
_COUNT = re.compile(r"\b(\d{2,3})\s+(?:Estados\s+Partes|States\s+Parties|États\s+parties)", re.IGNORECASE)
_ADDRESS = "https://www.ohchr.org/en/treaty-bodies/spt/national-preventive-mechanisms"
_TITLE = "Subcommittee on Prevention of Torture: national preventive mechanisms"


class NpmList:
    """Reads the Subcommittee's list of States parties and their mechanisms."""

    name = "npm_list"
    version = "1"

    def bid(self, content: Content) -> float:
        """High where the columns are there."""
        return 0.95 if _table(content.page) else 0.0

    def read(self, content: Content) -> Reading:
        """Read the table. Raises `UnreadableDocumentError` (`no_table`, `no_facts`)."""
        rows = _table(content.page)
        found = header_of(rows, _COLUMNS) if rows else None
        if rows is None or found is None:
            raise UnreadableDocumentError("no_table", "the page has no table of mechanisms")
        header, columns = found
        table = StatusTable()
        for number, row in rows_below(rows, header):
            table.rows += 1
            if (state := table.state(cell_of(row, columns["country"]), number)) is not None:
                table.told(_facts(table, state, number, row, columns))
        table.issues += _count_issues(content.page, table)
        language = _language(cell_of(rows[header], columns["country"]))
        document = fact_document("spt npm", _TITLE, address=_ADDRESS, language=language)
        return table.reading(self.name, self.version, document)


def _table(page: Page) -> Sequence[Sequence[str]] | None:
    return next((rows for rows in page.tables if header_of(rows, _COLUMNS)), None)


def _facts(table: StatusTable, state: str, number: int, row: Sequence[str], columns: dict[str, int]) -> list[ReadFact]:
    facts = []
    date, mechanism = cell_of(row, columns["date"]), cell_of(row, columns["mechanism"])
    if (day := day_printed(date)) is not None:
        facts.append(ReadFact(state, "treaty:OPCAT", "party", date=day, printed=date, row=number))
    else:
        table.unclear("unknown_date", f"“{date}” of {state} is no date that we understand", number)
    if mechanism:
        value = NONE if folded_name(mechanism) in _WITHOUT else mechanism
        facts.append(ReadFact(state, "npm", value, printed=mechanism, row=number))
    else:
        table.unclear("empty_cell", f"nothing is said of a mechanism of {state}", number)
    return facts


def _count_issues(page: Page, table: StatusTable) -> list[ReadIssue]:
    said = _COUNT.search(page.text)
    if said is None or int(said[1]) == table.rows:
        return []
    return [ReadIssue("warning", "parties_differ", f"the page speaks of {said[1]} parties, its table has {table.rows}")]


def _language(heading: str) -> str:
    return next((language for language, names in _COUNTRY.items() if folded_name(heading) in names), "en")
