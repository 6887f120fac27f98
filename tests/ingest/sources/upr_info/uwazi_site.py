"""A small Uwazi: searches with their cap, aggregations, and silence about ids that do not exist."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from services.ingest.datasets.upr_info_uwazi import RECOMMENDATIONS
from tests.ingest.sources.sites import Answer, Asked

STATES = "5d8cdec361cde0408222d3ec"
SESSIONS = "5d8cdec361cde0408222e111"
RESPONSES = "5d8cdec361cde0408222e222"
SINGLE = ("state_under_review", "session", "response", "recommending_state")
_KNOWN_PARAMETERS = {"types", "filters", "from", "limit", "sort", "order"}

Row = dict[str, Any]


def row(number: int, state: str | None, session: str = "s14", response: str = "r1", edited: int = 0) -> Row:
    """A recommendation as the search answers it, with what the search adds."""
    metadata: dict[str, Any] = {
        "recommendation": [{"value": f"Sample recommendation {number} — to invented States"}],
        "session": [{"value": session, "label": f"{session[1:]} - October 2012"}],
        "response": [{"value": response, "label": "Supported"}],
        "recommending_state": [{"value": "xcm", "label": "Costamar"}],
        "state_under_review": [{"value": state, "label": "Alderia", "icon": {"_id": "XAL"}}] if state else [],
        "state_under_review___regional_group": [{"value": "weog"}],
    }
    return {
        "_id": f"id{number}",
        "sharedId": f"shared{number:06}",
        "title": f"Sample {number}",
        "template": RECOMMENDATIONS,
        "language": "en",
        "published": True,
        "creationDate": 1_640_000_000_000 + number,
        "editDate": 1_760_000_000_000 + edited,
        "metadata": metadata,
        "snippets": {"count": 0},
        "_explanation": None,
    }


@dataclass
class UwaziSite:
    """Rows, and the ways in which the site may go wrong."""

    rows: list[Row]
    cap: int = 10_000
    template: str = RECOMMENDATIONS
    forget_values: set[str] = field(default_factory=set)
    """Values whose filter finds nothing, as if their ids were others."""
    ignore_filters: bool = False
    ignore_from: bool = False
    aggregates: bool = True
    before_search: Callable[["UwaziSite", int], None] | None = None
    _found: dict[str, tuple[list[Row], dict[str, Any]]] = field(default_factory=dict)

    def answer(self, asked: Asked) -> Answer:
        if asked.path == "/api/templates":
            return _json({"rows": [_template("5e57cdd6f54e0a1304c0d50d", ()), _template(self.template, SINGLE)]})
        if asked.path == "/api/thesauris":
            return _json(
                {"rows": [_thesaurus(SESSIONS, "session", self.rows), _thesaurus(RESPONSES, "response", self.rows)]}
            )
        if asked.path == "/api/search" and set(asked.query) <= _KNOWN_PARAMETERS:
            return self._search(asked)
        return Answer(b'{"error": "validation failed"}', 422)

    def _search(self, asked: Asked) -> Answer:
        start, limit = int(asked.query.get("from", 0)), int(asked.query.get("limit", 30))
        if start + limit > self.cap and start:
            return Answer(b'{"error": "Query error"}', 400)
        if self.before_search is not None:
            self.before_search(self, start)
            self._found.clear()
        (template,) = json.loads(asked.query["types"])
        if template == STATES:
            values = sorted({value for each in self.rows for value in _values(each, "state_under_review")})
            return _json({"rows": [{"sharedId": each} for each in values], "totalRows": len(values), "relation": "eq"})
        asked_for = f"{template} {asked.query.get('filters')}"
        if asked_for not in self._found:
            filters = {} if self.ignore_filters else json.loads(asked.query.get("filters", "{}"))
            self._found[asked_for] = self._find(template, filters)
        found, aggregations = self._found[asked_for]
        shown = found[:limit] if self.ignore_from else found[start : start + limit]
        return _json(
            {
                "rows": shown,
                "totalRows": min(len(found), self.cap),
                "relation": "gte" if len(found) > self.cap else "eq",
                "aggregations": {"all": aggregations},
            }
        )

    def _find(self, template: str, filters: dict[str, Any]) -> tuple[list[Row], dict[str, Any]]:
        rows = self.rows if template == self.template else []
        found = sorted((each for each in rows if self._fits(each, filters)), key=lambda each: each["creationDate"])
        return found, self._aggregations(rows, filters) if self.aggregates else {}

    def _fits(self, each: Row, filters: dict[str, Any], but: str = "") -> bool:
        for name, wanted in filters.items():
            if name == but:
                continue
            values = _values(each, name)
            fits = not values if wanted["values"] == ["missing"] else bool({*values} & {*wanted["values"]})
            if not fits or {*wanted["values"]} & self.forget_values:
                return False
        return True

    def _aggregations(self, rows: list[Row], filters: dict[str, Any]) -> dict[str, Any]:
        told: dict[str, Any] = {}
        for name in SINGLE:
            counts = Counter(
                value
                for each in rows
                if self._fits(each, filters, but=name)
                for value in (_values(each, name) or ["missing"])
            )
            buckets = [
                {"key": key, "doc_count": 99_999, "filtered": {"doc_count": count}, "label": key}
                for key, count in counts.items()
            ]
            told[name] = {"doc_count": 99_999, "buckets": [*buckets, {"key": "any", "filtered": {"doc_count": 5}}]}
        return told


def _values(each: Row, name: str) -> list[str]:
    return [entry["value"] for entry in each["metadata"].get(name, [])]


def _template(template: str, names: tuple[str, ...]) -> Row:
    contents = {"session": SESSIONS, "response": RESPONSES}
    properties = [
        {
            "name": name,
            "label": name,
            "type": "select" if name in contents else "relationship",
            "content": contents.get(name, STATES),
        }
        for name in names
    ]
    return {"_id": template, "name": "Sample", "properties": properties}


def _thesaurus(thesaurus: str, name: str, rows: list[Row]) -> Row:
    ids = sorted({value for each in rows for value in _values(each, name)})
    return {"_id": thesaurus, "name": name, "values": [{"id": "group", "values": [{"id": each} for each in ids]}]}


def _json(told: object) -> Answer:
    return Answer(json.dumps(told, ensure_ascii=False).encode(), 200, {"Content-Type": "application/json"})
