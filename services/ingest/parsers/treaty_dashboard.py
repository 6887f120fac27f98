"""The "underlying data" of OHCHR's dashboard of ratifications: a workbook of one treaty.

The first row is its title and when it was updated, the second names the columns, the last ones the sources, below an
empty row.
"""

import re
from collections.abc import Sequence
from itertools import takewhile

from services.core.domain.errors import UnreadableDocumentError
from services.ingest.parsers.base import Content
from services.ingest.parsers.status_tables import (
    StatusTable,
    cell_of,
    fact_document,
    header_found,
    header_of,
    is_one_of,
    rows_of,
)
from services.ingest.parsers.text.dates import day_printed
from services.ingest.parsers.treaties import Treaty, treaty_titled
from services.ingest.reading import ReadFact, Reading

_VALUES = ("signature", "party", "individual_communications", "inquiry")
_COLUMNS = {
    "country": is_one_of("country"),
    "signature": lambda heading: heading.startswith("date of signature"),
    "party": lambda heading: heading.startswith("date of ratification"),
    "individual_communications": lambda heading: "individual communications" in heading,
    "inquiry": lambda heading: "inquiry" in heading,
}
_UPDATED = re.compile(r"\[Last Updated:\s*(\d{1,2}/\d{1,2}/\d{4})(?:\s+(\d{1,2}:\d{2}:\d{2}))?\s*\]", re.IGNORECASE)
_ADDRESS = "https://indicators.ohchr.org/"


class TreatyDashboard:
    """Reads the table of one treaty that OHCHR's dashboard lets people download."""

    name = "treaty_dashboard"
    version = "1"

    def bid(self, content: Content) -> float:
        """High where the columns are there."""
        return 0.95 if header_of(rows_of(content), _COLUMNS) else 0.0

    def read(self, content: Content) -> Reading:
        """Read the table. Raises `UnreadableDocumentError`: `unknown_treaty`, `no_facts`."""
        rows = content.rows
        header, columns = header_found(header_of(rows, _COLUMNS))
        title = next((cell for row in rows[:header] for cell in row if cell), "")
        treaty = treaty_titled(_UPDATED.sub("", title))
        if treaty is None:
            raise UnreadableDocumentError("unknown_treaty", f"“{title[:120]}” is the title of no treaty we know")
        table = StatusTable()
        for number, row in enumerate(takewhile(any, rows[header + 1 :]), header + 2):
            table.rows += 1
            if (state := table.state(cell_of(row, columns["country"]), number)) is not None:
                table.told(_facts(table, state, treaty, (number, row), columns))
        document = fact_document(
            f"ohchr dashboard {treaty.code}",
            f"{treaty.name}: OHCHR’s dashboard of ratifications",
            address=_ADDRESS,
            as_of=_updated(title),
        )
        return table.reading(self.name, self.version, document)


def _facts(
    table: StatusTable, state: str, treaty: Treaty, place: tuple[int, Sequence[str]], columns: dict[str, int]
) -> list[ReadFact]:
    number, row = place
    facts = []
    for value in _VALUES:
        printed = cell_of(row, columns[value])
        day = day_printed(printed)
        if day is not None:
            facts.append(ReadFact(state, treaty.subject, value, date=day, printed=printed, row=number))
        elif printed:
            table.unclear("unknown_date", f"“{printed}” of {state} is no date that we understand", number)
    return facts


def _updated(title: str) -> str | None:
    found = _UPDATED.search(title)
    day = day_printed(found[1]) if found else None
    return f"{day}T{found[2].zfill(8)}" if found and day and found[2] else day
