"""Scorecards of national mechanisms for implementation, reporting and follow-up: two tables, a row a State.

One classifies what each State has and scores who takes part and what it does; the other scores how it is set up.
"""

from collections.abc import Sequence

from services.ingest.normalise.states import folded_name
from services.ingest.parsers.base import Content
from services.ingest.parsers.nhri_status import agreed_state
from services.ingest.parsers.status_tables import (
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

_STATE = {"country": is_one_of("state", "country"), "code": is_one_of("iso 3166 1", "iso3", "iso")}
_STATUS = {**_STATE, "value": is_one_of("state classification in report")}
_SET_UP = {**_STATE, "law": is_one_of("est law"), "value": is_one_of("total y points")}
_CLASSES = {
    "nmirf": "nmirf",
    "hybrid": "hybrid",
    "single inter ministerial": "single_inter_ministerial",
    "single ministerial": "single_ministerial",
    "ad hoc inter ministerial": "ad_hoc_inter_ministerial",
}
_TITLES = {
    "nmirf": "National mechanisms for implementation, reporting and follow-up: classification and scores",
    "nmirf:set_up": "National mechanisms for implementation, reporting and follow-up: how they are set up",
}


class Nmirf:
    """Reads either of the two tables."""

    name = "nmirf"
    version = "1"

    def bid(self, content: Content) -> float:
        """High where the columns of one of them are there."""
        rows = rows_of(content)
        return 0.95 if header_of(rows, _STATUS) or header_of(rows, _SET_UP) else 0.0

    def read(self, content: Content) -> Reading:
        """Read the table. Raises `UnreadableDocumentError` (`no_facts`)."""
        rows = content.rows
        classified = header_of(rows, _STATUS)
        header, columns = header_found(classified or header_of(rows, _SET_UP))
        subject = "nmirf" if classified else "nmirf:set_up"
        table = StatusTable()
        for number, row in rows_below(rows, header):
            table.rows += 1
            code, country = cell_of(row, columns["code"]), cell_of(row, columns["country"])
            if (state := agreed_state(table, code, country, number)) is not None:
                table.told(_facts(table, (state, subject), (number, row), rows[header], columns))
        return table.reading(self.name, self.version, fact_document(subject, _TITLES[subject]))


def _facts(
    table: StatusTable,
    about: tuple[str, str],
    place: tuple[int, Sequence[str]],
    header: Sequence[str],
    columns: dict[str, int],
) -> list[ReadFact]:
    (state, subject), (number, row) = about, place
    printed = cell_of(row, columns["value"])
    value = _CLASSES.get(folded_name(printed)) if subject == "nmirf" else _figure(printed)
    if value is None:
        table.unclear("unknown_status", f"“{printed}” of {state} is not understood", number)
        return []
    details = {}
    for column, heading in enumerate(header):
        figure = cell_of(row, column)
        if column not in (columns["country"], columns["code"], columns["value"]) and _figure(figure) is not None:
            details[heading.strip()] = figure
    return [ReadFact(state, subject, value, details=details, printed=printed, row=number)]


def _figure(text: str) -> str | None:
    """A number as printed; None where a cell holds something else."""
    try:
        float(text)
    except ValueError:
        return None
    return text
