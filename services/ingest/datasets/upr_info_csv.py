"""UPR Info's CSV export: To, From, Text, Response, Action, Issue, Session, and groups that follow from the States.

Seen for sessions 1-20: 42,013 rows, CR line ends, mac_roman, names of columns as in `_COLUMNS`.
"""

from collections.abc import Iterator
from pathlib import Path

from services.ingest.datasets import tables, upr_info
from services.ingest.datasets.base import Head, KeptOut, Notes, Row
from services.ingest.datasets.cleaning import clean
from services.ingest.reading import ReadIssue

_COLUMNS = ("to", "text", "from", "response", "session")
_ALSO = ("action", "issue")
_IMPLIED = ("torgrp", "toorg", "fromrgrp", "fromorg")
"""Regional groups and organisations: our own table of States has them, with dates."""


class UprInfoCsv:
    """Reads UPR Info's CSV export."""

    name = upr_info.NAME
    title = upr_info.TITLE
    parser = "upr_info_csv"
    version = "1"

    def recognises(self, head: Head) -> bool:
        """By its columns."""
        return head.columns >= set(_COLUMNS)

    def rows(self, path: Path, notes: Notes) -> Iterator[Row]:
        """One row a recommending State. Raises `UnreadableDocumentError` (`damaged_table`)."""
        for cells in tables.text_rows(path):
            yield self._row(cells, notes)

    def _row(self, cells: tables.Cells, notes: Notes) -> Row:
        if None in cells or any(cells.get(name) is None for name in _COLUMNS):
            return KeptOut(ReadIssue("warning", "malformed_row", "a row has more or fewer cells than the header"))
        _notice_columns(cells, notes)
        issues = (clean(issue) for issue in (cells.get("issue") or "").split(","))
        told = upr_info.Told(
            to=clean(cells["to"]),
            text=clean(cells["text"]),
            by=(clean(cells["from"]),),
            response=clean(cells["response"]),
            action=clean(cells.get("action")),
            issues=tuple(issue for issue in issues if issue),
            session=clean(cells["session"]),
        )
        return upr_info.row_of(told, notes)


def _notice_columns(cells: tables.Cells, notes: Notes) -> None:
    """A column that we do not know is said once for every row that fills it."""
    if len(cells) == len(_COLUMNS) + len(_ALSO) + len(_IMPLIED):
        return
    for name, value in cells.items():
        if value and name not in (*_COLUMNS, *_ALSO, *_IMPLIED):
            notes.remarks.add(ReadIssue("info", "unknown_column", f"the column {name!r} is not read"))
