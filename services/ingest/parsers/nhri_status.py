"""The accreditation of national human rights institutions by year, as a table: a row a State, a column a year.

A: in full compliance with the Paris Principles; B: in part; C, and D ("no status"), none (GANHRI's classes).
"""

import re
from collections.abc import Iterable, Sequence

from services.core.store.seed import facts
from services.ingest.normalise.states import resolve_state
from services.ingest.parsers.base import Content
from services.ingest.parsers.status_tables import (
    NONE,
    StatusTable,
    cell_of,
    fact_document,
    header_found,
    header_of,
    is_one_of,
    rows_below,
    rows_of,
)
from services.ingest.reading import ReadFact, Reading

_COLUMNS = {"code": is_one_of("iso3", "iso", "iso 3166 1"), "country": is_one_of("country", "state", "pais", "pays")}
_YEAR = re.compile(r"(?:19|20)\d{2}")
_STATUSES = {"A": "A", "B": "B", "C": "C", "D": NONE, "NO STATUS": NONE}
_LEAST_YEARS = 2
_TITLE = "Accreditation of national human rights institutions by year"


class NhriStatus:
    """Reads a table of accreditations by year."""

    name = "nhri_status"
    version = "1"

    def bid(self, content: Content) -> float:
        """High where there are columns for States' codes, their names, and years."""
        rows = rows_of(content)
        found = header_of(rows, _COLUMNS)
        return 0.95 if found and len(_years(rows[found[0]])) >= _LEAST_YEARS else 0.0

    def read(self, content: Content) -> Reading:
        """Read the table. Raises `UnreadableDocumentError` (`no_facts`)."""
        rows = content.rows
        header, columns = header_found(header_of(rows, _COLUMNS))
        years = _years(rows[header])
        table = StatusTable()
        for number, row in rows_below(rows, header):
            table.rows += 1
            code, country = cell_of(row, columns["code"]), cell_of(row, columns["country"])
            if (state := agreed_state(table, code, country, number)) is not None:
                table.told(_facts(table, state, (number, row), years))
        group = _group({fact.state for fact in table.facts})
        document = fact_document(f"nhri_status {group}".strip(), _TITLE)
        return table.reading(self.name, self.version, document)


def agreed_state(table: StatusTable, code: str, name: str, row: int) -> str | None:
    """The State of a row that has its code and its name; an Issue where the two mean different ones, or none is known.

    A name that we do not know may stand beside a code that we do.
    """
    by_code, by_name = code.upper() if code.upper() in _codes() else None, resolve_state(name)
    if by_code is None:
        table.unclear("unknown_state", f"“{code}” ({name}) is no State we know", row, whole=True)
    elif by_name is not None and by_name != by_code:
        table.unclear("states_differ", f"{code} is not the code of “{name}”", row, whole=True)
        return None
    return by_code


def _facts(table: StatusTable, state: str, place: tuple[int, Sequence[str]], years: dict[int, int]) -> list[ReadFact]:
    number, row = place
    found = []
    for year, column in years.items():
        printed = cell_of(row, column)
        status = _STATUSES.get(printed.upper())
        if status is not None:
            found.append(ReadFact(state, "nhri_status", status, year=year, printed=printed, row=number))
        elif printed:
            table.unclear("unknown_status", f"“{printed}” of {state} in {year} is no accreditation", number)
    return found


def _years(header: Iterable[str]) -> dict[int, int]:
    return {int(cell): column for column, cell in enumerate(header) if _YEAR.fullmatch(cell.strip())}


def _codes() -> frozenset[str]:
    return frozenset({row["code"] for row in facts("states")} | {row["iso3"] for row in facts("sample_states")})


def _group(states: set[str]) -> str:
    """The regional group that all of them belong to: a table of one region is another table than that of another."""
    groups = {row["code"]: row["un_group"] for row in facts("states")}
    groups |= {row["iso3"]: row["un_group"] for row in facts("sample_states")}
    found = {groups.get(state, "") for state in states}
    return found.pop() if len(found) == 1 else ""
