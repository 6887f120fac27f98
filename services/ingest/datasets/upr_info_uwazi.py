"""UPR Info's database as its site has served it since 2022 (Uwazi's search API): pages of `rows`, or a list of rows.

A row is an entity of the recommendations' template; `metadata` holds lists of `{value, label}`. No row was seen itself:
the shape is that which public clients read.
"""

import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from services.ingest.datasets import upr_info
from services.ingest.datasets.base import Head, Json, KeptOut, Notes, Row
from services.ingest.datasets.cleaning import clean
from services.ingest.datasets.json_rows import json_rows
from services.ingest.reading import ReadIssue

RECOMMENDATIONS = "5d8ce04361cde0408222e9a8"
"""The template of recommendations and pledges on upr-info-database.uwazi.io."""

_RECOGNISED = ('"sharedId"', '"metadata"')


class UprInfoUwazi:
    """Reads what UPR Info's site answers."""

    name = upr_info.NAME
    title = upr_info.TITLE
    parser = "upr_info_uwazi"
    version = "1"

    def recognises(self, head: Head) -> bool:
        """By the keys of Uwazi's entities, and the recommendations' own."""
        text = head.text
        ours = RECOMMENDATIONS in text or '"state_under_review"' in text
        return head.is_json and ours and all(key in text for key in _RECOGNISED)

    def rows(self, path: Path, notes: Notes) -> Iterator[Row]:
        """One row an entity. Raises `UnreadableDocumentError` (`damaged_json`)."""
        is_list = Head.of(path).text.lstrip().startswith("[")
        for entity in json_rows(path, "item" if is_list else "rows.item"):
            yield self._row(entity, notes)

    def _row(self, entity: Json, notes: Notes) -> Row:
        metadata = entity.get("metadata")
        if not isinstance(metadata, dict) or entity.get("template", RECOMMENDATIONS) != RECOMMENDATIONS:
            return KeptOut(ReadIssue("info", "not_a_recommendation", "an entity of another template"))
        changed = _day(entity.get("editDate"))
        notes.seen(changed)
        shared = entity.get("sharedId")
        texts = _told(metadata, "recommendation") or [clean(entity.get("title"))]
        told = upr_info.Told(
            to=_first(metadata, "state_under_review"),
            text=texts[0],
            by=tuple(_told(metadata, "recommending_state")),
            response=_first(metadata, "response"),
            action=_first(metadata, "action_category"),
            issues=tuple(_told(metadata, "issues")),
            session=_first(metadata, "session"),
            external_id=f"upr-info:{shared}" if shared else None,
            language=clean(entity.get("language")) or "en",
            changed=changed,
        )
        return upr_info.row_of(told, notes)


def _told(metadata: Json, name: str) -> list[str]:
    """The labels of a field, or its values where it has none (text fields)."""
    entries: Any = metadata.get(name) or []
    found = [clean(entry.get("label") or entry.get("value")) for entry in entries if isinstance(entry, dict)]
    return [text for text in found if text]


def _first(metadata: Json, name: str) -> str:
    return next(iter(_told(metadata, name)), "")


def _day(milliseconds: object) -> str | None:
    if not isinstance(milliseconds, int | float):
        return None
    try:
        return datetime.datetime.fromtimestamp(milliseconds / 1000, datetime.UTC).date().isoformat()
    except (ValueError, OverflowError, OSError):
        return None
