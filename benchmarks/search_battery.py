"""The 34 queries of ../shared/tools/search_battery.json as requests of our service and of Datasette.

Regions and issues are UPR Info's words there: here they are codes.
"""

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from services.core.schemas.shapes import Shape
from services.core.store.vocabularies import vocabulary

BATTERY = Path(__file__).resolve().parents[2] / "shared" / "tools" / "search_battery.json"
_REGIONS = {"Africa": "africa", "Asia": "asia-pacific", "WEOG": "weog", "GRULAC": "grulac", "EEG": "eastern-europe"}
_ISSUE = "upr-info-issue"
_COLUMNS = ("state_under_review", "region", "position", "cycle", "session", "date")
_LISTS = ("recommending_state", "recommending_region", "issue")


@dataclass(frozen=True)
class BatteryQuery:
    """One of the queries: `parameters` as our service takes them."""

    name: str
    kind: str
    q: str
    parameters: tuple[tuple[str, str], ...]

    @property
    def path(self) -> str:
        """The request of our service."""
        return f"/v1/search?{urlencode(self.parameters)}"

    @property
    def path_among_recommendations(self) -> str:
        """The same among the records that Datasette has."""
        return f"{self.path}&type=recommendations"

    @property
    def datasette_path(self) -> str:
        """The request of Datasette: 20 rows with their total, and all values of the facets."""
        asked: list[tuple[str, str]] = [("_shape", "objects"), ("_size", "20"), ("_facet_size", "max")]
        asked += [("_search", self.q)] if self.q.strip() else []
        for name, value in self.parameters:
            if name == "facets":
                asked += [("_facet_array" if each in _LISTS else "_facet", each) for each in value.split(",")]
            elif name in ("date_from", "date_to"):
                asked.append((f"date__{'gte' if name == 'date_from' else 'lte'}", value))
            elif name in _LISTS:
                codes = ", ".join(f"'{code}'" for code in self._values(name))
                asked.append(("_where", f"EXISTS (SELECT 1 FROM json_each({name}) WHERE value IN ({codes}))"))
            elif name in _COLUMNS:
                asked.append((f"{name}__in", ",".join(self._values(name))))
        return f"/search/recommendations.json?{urlencode(list(dict.fromkeys(asked)))}"

    def _values(self, name: str) -> Iterable[str]:
        return (value for key, value in self.parameters if key == name)


def battery() -> list[BatteryQuery]:
    """All queries."""
    issues = {
        name.casefold(): entry.code
        for entry in vocabulary().values()
        if entry.scheme == _ISSUE
        for name in (*entry.aliases, entry.names["en"])
    }
    return [_query(each, issues) for each in json.loads(BATTERY.read_text("utf-8"))["queries"]]


def _query(query: dict[str, Any], issues: dict[str, str]) -> BatteryQuery:
    asked = [("q", query["q"]), *((name, str(query[name])) for name in ("page", "sort") if name in query)]
    for name, values in query.get("filters", {}).items():
        for value in values:
            code = issues[value.casefold()] if name == "issue" else _REGIONS.get(value, str(value))
            asked.append((name, code))
    if "facets" in query:
        asked.append(("facets", ",".join(query["facets"])))
    return BatteryQuery(query["name"], query["kind"], query["q"], tuple(asked))


def written_for_datasette(rows: Iterable[tuple[Shape, dict[str, tuple[str, ...]]]], path: Path) -> None:
    """Recommendations, as shapes and values of filters, as a table with an FTS5 index on its texts.

    The index has SQLite's stemmer, and each column that is filtered by has an index. Lists are JSON arrays, as
    Datasette's facets by array want them.
    """
    columns = ("id", "text", "texts", "number", *_COLUMNS, *_LISTS, "record")
    with sqlite3.connect(path) as database:
        database.execute(f"CREATE TABLE recommendations ({', '.join(columns)}, PRIMARY KEY (id))")
        marks = ", ".join("?" * len(columns))
        database.executemany(f"INSERT INTO recommendations VALUES ({marks})", (_row(*row) for row in rows))
        for column in _COLUMNS:
            database.execute(f"CREATE INDEX by_{column} ON recommendations ({column})")
        database.execute(
            "CREATE VIRTUAL TABLE recommendations_fts USING fts5"
            " (texts, content=\"recommendations\", tokenize='porter unicode61')"  # Datasette looks for these quotes
        )
        database.execute("INSERT INTO recommendations_fts (rowid, texts) SELECT rowid, texts FROM recommendations")
        database.execute("ANALYZE")


def _row(shape: Shape, values: dict[str, tuple[str, ...]]) -> tuple[Any, ...]:
    texts = " ".join([shape["text"], *shape["translations"].values()])
    plain = (next(iter(values.get(name, ())), None) for name in _COLUMNS[:-1])
    lists = (json.dumps(values.get(name, ())) for name in _LISTS)
    return (shape["id"], shape["text"], texts, shape["number"], *plain, shape["date"], *lists, json.dumps(shape))
