"""The symbols of the Council's reports and decisions, by its sessions."""

import csv
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

_FOLDER = "services.ingest.sources.council_reports"


def report_of_session(council_session: int) -> str:
    """The symbol of the Council's report on a session: early ones are listed, later ones have a fixed number."""
    return _early().get(council_session) or f"A/HRC/{council_session}/{rules()['report']['number']}"


def decisions_by_rule(council_session: int) -> Iterator[str]:
    """Symbols among which those of a session's decisions on outcomes are; none where they are printed elsewhere."""
    rule = rules()["decisions"]
    if council_session >= rule["from_council_session"]:
        for number in range(rule["first"], rule["last"] + 1):
            yield f"A/HRC/DEC/{council_session}/{number}"


@cache
def rules() -> dict[str, Any]:
    """What `series.toml` says."""
    return tomllib.loads((files(_FOLDER) / "series.toml").read_text(encoding="utf-8"))


@cache
def _early() -> dict[int, str]:
    with (files(_FOLDER) / "session_reports.csv").open(encoding="utf-8") as table:
        return {int(row["council_session"]): row["symbol"] for row in csv.DictReader(table)}
