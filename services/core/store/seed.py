"""Facts that every database starts with: States, groups, sessions, vocabularies, and the heads of the queues."""

import csv
import io
from functools import cache
from importlib.resources import files
from typing import Any

import pycountry
from babel import Locale
from sqlalchemy import Connection, Table, func, text
from sqlalchemy.dialects.postgresql import insert

from services.core.store.changes import change_head_table
from services.core.store.labels import labels_table
from services.core.store.states import StateRecord, place_groups_table, review_sessions_table, states_table
from services.core.store.vocabularies import vocabulary
from services.core.store.webhooks import fanout_table

LANGUAGES = ("en", "es", "fr", "pt")


def seed(connection: Connection) -> None:
    """Write the facts, and overwrite those that this version knows better. Safe to repeat."""
    connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('upr-seed'))"))
    _write(connection, states_table, "id", [_row(record) for record in state_records()])
    _write(connection, place_groups_table, "id", _place_groups())
    _write(connection, review_sessions_table, "number", _sessions())
    _write(connection, labels_table, "id", _labels())
    for head in (change_head_table, fanout_table):
        connection.execute(insert(head).values(one=1, seq=0).on_conflict_do_nothing())


def facts(name: str) -> list[dict[str, str]]:
    """The rows of a table of facts (`facts/ORIGIN.md` says where each comes from)."""
    table = files("services.core.store") / "facts" / f"{name}.csv"
    return list(csv.DictReader(io.StringIO(table.read_text(encoding="utf-8"), newline="")))


def state_records() -> list[StateRecord]:
    """UN member and observer States, with names from the Unicode CLDR except where the UN's differ."""
    names = {row["code"]: row for row in facts("state_names")}
    blocs: dict[str, list[str]] = {}
    for row in facts("blocs"):
        for code in row["states"].split():
            blocs.setdefault(code, []).append(row["bloc"])
    return [
        StateRecord(
            id=row["code"],
            names=_state_names(row["code"], names.get(row["code"], {})),
            un_status=row["un_status"],
            region=row["un_group"] or None,
            blocs=tuple(blocs.get(row["code"], ())),
            facts=[],
        )
        for row in facts("states")
    ]


def sample_state_records() -> list[StateRecord]:
    """The invented States of the sample documents; stored only when a sample is loaded."""
    return [
        StateRecord(
            id=row["iso3"],
            names={language: row[f"name_{language}"] for language in LANGUAGES},
            un_status="sample",
            region=row["un_group"] or None,
            facts=[],
            sample=True,
        )
        for row in facts("sample_states")
    ]


def _state_names(code: str, overrides: dict[str, str]) -> dict[str, str]:
    country = pycountry.countries.get(alpha_3=code)
    assert country is not None, f"{code} in facts/states.csv is no ISO 3166 code"
    alpha_2 = country.alpha_2
    return {language: overrides.get(language) or _cldr(language).territories[alpha_2] for language in LANGUAGES}


@cache
def _cldr(language: str) -> Locale:
    return Locale(language)


def _place_groups() -> list[dict[str, Any]]:
    return [
        {"id": row[kind], "kind": kind, "names": {language: row[language] for language in LANGUAGES}}
        for kind, table in (("region", "regions"), ("bloc", "blocs_names"))
        for row in facts(table)
    ]


def _labels() -> list[dict[str, Any]]:
    return [
        {
            "id": entry.id,
            "scheme": entry.scheme,
            "code": entry.code,
            "names": dict(entry.names),
            "printed_codes": list(entry.printed_codes),
        }
        for entry in vocabulary().values()
    ]


def _sessions() -> list[dict[str, Any]]:
    return [
        {
            "number": int(row["number"]),
            "cycle": int(row["cycle"]),
            "starts_on": row["starts_on"] or None,
            "ends_on": row["ends_on"] or None,
        }
        for row in facts("sessions")
    ]


def _row(record: StateRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "names": record.names,
        "un_status": record.un_status,
        "region": record.region,
        "blocs": list(record.blocs),
        "facts": record.facts,
        "sample": record.sample,
    }


def _write(connection: Connection, table: Table, key: str, rows: list[dict[str, Any]]) -> None:
    statement = insert(table)
    updates = {name: statement.excluded[name] for name in rows[0] if name not in (key, "facts")}
    differs = func.row(*(table.c[name] for name in updates)).is_distinct_from(func.row(*updates.values()))
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[key],
            set_={**updates, "revision": table.c.revision + 1, "updated_at": func.now()},
            where=differs,
        ),
        rows,
    )
